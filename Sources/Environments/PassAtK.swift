/// The chance that at least one of `k` samples is right, from `n` samples of which `correct` were:
/// 1 − C(n − c, k) / C(n, k), the unbiased estimator of Chen et al. 2021 (arXiv:2107.03374).
public func passAtK(n: Int, correct: Int, k: Int) -> Double {
  precondition(k >= 1 && k <= n, "passAtK: k \(k) with \(n) samples")
  precondition(correct >= 0 && correct <= n, "passAtK: \(correct) correct of \(n)")
  if n - correct < k { return 1 }
  var allWrong = 1.0
  for i in (n - correct + 1)..<(n + 1) { allWrong *= 1 - Double(k) / Double(i) }
  return 1 - allWrong
}
