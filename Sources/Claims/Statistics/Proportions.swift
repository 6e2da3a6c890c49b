import Environments
import Foundation

/// The score interval of a share of `successes` among `n` (Wilson 1927): it holds its level near 0
/// and 1, where the textbook interval does not. No items give `0...1`.
public func wilson(successes: Int, of n: Int, level: Double = 0.95) -> Interval {
  precondition(successes >= 0 && successes <= n, "wilson: \(successes) successes of \(n)")
  precondition(level > 0 && level < 1, "wilson: level \(level) is not inside 0...1")
  guard n > 0 else { return Interval(low: 0, high: 1) }
  let z = normalQuantile(0.5 + level / 2)
  let N = Double(n)
  let p = Double(successes) / N
  let centre = p + z * z / (2 * N)
  let half = z * (p * (1 - p) / N + z * z / (4 * N * N)).squareRoot()
  let scale = 1 + z * z / N
  // At the ends one bound is exact; rounding would leave 1e-17 instead.
  return Interval(
    low: successes == 0 ? 0 : (centre - half) / scale,
    high: successes == n ? 1 : (centre + half) / scale)
}

/// The exact two-sided p-value of McNemar's test: of the items on which two models differ, `b` were
/// right only with the first and `c` only with the second; by chance each is a fair coin.
public func mcNemar(b: Int, c: Int) -> Double {
  precondition(b >= 0 && c >= 0, "mcNemar: negative count, b \(b) and c \(c)")
  let n = b + c
  // The log of C(n, k) / 2ⁿ, from one k to the next.
  var logTerm = -Double(n) * log(2.0)
  var tail = exp(logTerm)
  for k in 1..<(min(b, c) + 1) {
    logTerm += log(Double(n - k + 1) / Double(k))
    tail += exp(logTerm)
  }
  return min(1, 2 * tail)
}

/// pass@k over problems: the mean of ``passAtK(n:correct:k:)`` for the number of `correct` among `n`
/// samples of each problem, and a bootstrap interval over the problems.
public func passAtK(
  n: Int, correct: [Int], k: Int, resamples: Int = 10_000, seed: UInt64, level: Double = 0.95
) -> Estimate {
  bootstrapMean(
    correct.map { passAtK(n: n, correct: $0, k: k) }, resamples: resamples, seed: seed,
    level: level)
}
