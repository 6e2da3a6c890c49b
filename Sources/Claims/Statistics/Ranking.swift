import Environments

/// The area under the ROC curve: the chance that a score of `positives` is above one of `negatives`,
/// ties counted half (Mann and Whitney 1947).
public func areaUnderCurve(_ positives: [Double], _ negatives: [Double]) -> Double {
  guard !positives.isEmpty, !negatives.isEmpty else { return .nan }
  let all = (positives.map { ($0, true) } + negatives.map { ($0, false) }).sorted { $0.0 < $1.0 }
  var (rankSum, start) = (0.0, 0)
  while start < all.count {
    var end = start
    while end < all.count, all[end].0 == all[start].0 { end += 1 }
    // Ranks from 1; equal values share their mean.
    let rank = Double(start + 1 + end) / 2
    rankSum += rank * Double(all[start..<end].count { $0.1 })
    start = end
  }
  let (m, n) = (Double(positives.count), Double(negatives.count))
  return (rankSum - m * (m + 1) / 2) / (m * n)
}

/// The area with a bootstrap interval: both groups are drawn again with replacement.
public func bootstrapArea(
  _ positives: [Double], _ negatives: [Double], resamples: Int = 400, seed: UInt64,
  level: Double = 0.95
) -> Estimate {
  guard !positives.isEmpty, !negatives.isEmpty else { return .unknown }
  var random = SplitMix64(seed: seed)
  let areas = (0..<resamples).map { _ in
    areaUnderCurve(
      positives.map { _ in random.pick(positives) }, negatives.map { _ in random.pick(negatives) })
  }
  return Estimate(areaUnderCurve(positives, negatives), percentileInterval(areas, level: level))
}
