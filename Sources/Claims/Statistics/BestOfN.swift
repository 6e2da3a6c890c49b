import Foundation

/// The mean value of the one that is chosen, by the highest score, among `n` of the samples: exact
/// over all ways to draw `n` of the N without replacement, Σ C(i − 1, n − 1) / C(N, n) · value of the
/// i-th by rising score. Samples of equal score share their places.
public func bestOfN(_ n: Int, scores: [Double], values: [Double]) -> Double {
  let N = scores.count
  precondition(values.count == N && n >= 1 && n <= N, "bestOfN: \(n) of \(N), \(values.count) values")
  let order = scores.indices.sorted { scores[$0] < scores[$1] }
  // P(the best of n is the i-th) from the top down: n/N, then times (i − n) / (i − 1) … one lower.
  var weights = [Double](repeating: 0, count: N)
  var weight = Double(n) / Double(N)
  for i in stride(from: N, through: n, by: -1) {
    weights[i - 1] = weight
    if i > 1 { weight *= Double(i - n) / Double(i - 1) }
  }
  var total = 0.0
  var first = 0
  while first < N {
    var end = first
    while end < N, scores[order[end]] == scores[order[first]] { end += 1 }
    let shared = weights[first..<end].reduce(0, +) / Double(end - first)
    for i in first..<end { total += shared * values[order[i]] }
    first = end
  }
  return total
}

/// KL(best of n ‖ one sample) at most: ln n − (n − 1) / n, in nats.
public func bestOfNDivergence(_ n: Int) -> Double { log(Double(n)) - Double(n - 1) / Double(n) }
