import Environments

/// The mean of `values` with the percentile interval of the bootstrap (Efron 1979): the mean of
/// `resamples` draws of as many values, with replacement. The same seed gives the same bits.
public func bootstrapMean(
  _ values: [Double], resamples: Int = 10_000, seed: UInt64, level: Double = 0.95
) -> Estimate {
  guard !values.isEmpty else { return .unknown }
  var random = SplitMix64(seed: seed)
  let n = values.count
  let means = (0..<resamples).map { _ in
    var sum = 0.0
    for _ in 0..<n { sum += values[random.below(n)] }
    return sum / Double(n)
  }
  return Estimate(mean(values), percentileInterval(means, level: level))
}

/// The mean of paired `differences` (first model less second, on the same items) with its bootstrap
/// interval. Pairs are resampled together, so what makes an item hard for both cancels.
public func pairedBootstrap(
  _ differences: [Double], resamples: Int = 10_000, seed: UInt64, level: Double = 0.95
) -> Estimate {
  bootstrapMean(differences, resamples: resamples, seed: seed, level: level)
}

/// The mean of a − b over items scored under both, with its bootstrap interval.
public func pairedBootstrap(
  _ a: [Double], _ b: [Double], resamples: Int = 10_000, seed: UInt64, level: Double = 0.95
) -> Estimate {
  precondition(a.count == b.count, "pairedBootstrap: \(a.count) values against \(b.count)")
  return bootstrapMean(zip(a, b).map(-), resamples: resamples, seed: seed, level: level)
}

/// The difference of the shares of right answers on the same items, with its bootstrap interval.
public func pairedBootstrap(
  _ a: [Bool], _ b: [Bool], resamples: Int = 10_000, seed: UInt64, level: Double = 0.95
) -> Estimate {
  pairedBootstrap(
    a.map { $0 ? 1 : 0 }, b.map { $0 ? 1 : 0 }, resamples: resamples, seed: seed, level: level)
}

/// The mean of a few independent values, one per seed, with Student's t interval. One value alone
/// has no interval.
public func studentInterval(_ values: [Double], level: Double = 0.95) -> Estimate {
  guard !values.isEmpty else { return .unknown }
  let centre = mean(values)
  guard values.count > 1 else { return Estimate(centre, .unknown) }
  let n = Double(values.count)
  let variance = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / (n - 1)
  let t = studentQuantile(0.5 + level / 2, degrees: values.count - 1)
  let half = t * (variance / n).squareRoot()
  return Estimate(centre, low: centre - half, high: centre + half)
}

/// The arithmetic mean; NaN of nothing.
func mean(_ values: [Double]) -> Double {
  values.reduce(0, +) / Double(values.count)
}

/// The value at share `p` of `sorted`, between neighbours by straight lines.
func quantile(_ sorted: [Double], _ p: Double) -> Double {
  let position = p * Double(sorted.count - 1)
  let below = Int(position)
  let above = min(below + 1, sorted.count - 1)
  return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
}

func percentileInterval(_ values: [Double], level: Double) -> Interval {
  precondition(level > 0 && level < 1, "level \(level) is not inside 0...1")
  precondition(!values.isEmpty, "a bootstrap needs at least one resample")
  let sorted = values.sorted()
  return Interval(
    low: quantile(sorted, (1 - level) / 2), high: quantile(sorted, (1 + level) / 2))
}

/// Σ sums / Σ counts over clusters (games with the positions in each), with its bootstrap interval:
/// clusters are drawn whole.
public func bootstrapRatio(
  _ sums: [Double], _ counts: [Double], resamples: Int = 2_000, seed: UInt64, level: Double = 0.95
) -> Estimate {
  precondition(sums.count == counts.count, "bootstrapRatio: \(sums.count), \(counts.count)")
  let total = counts.reduce(0, +)
  guard total > 0 else { return .unknown }
  var random = SplitMix64(seed: seed)
  let ratios = (0..<resamples).compactMap { _ -> Double? in
    var (sum, count) = (0.0, 0.0)
    for _ in sums.indices {
      let cluster = random.below(sums.count)
      sum += sums[cluster]
      count += counts[cluster]
    }
    return count > 0 ? sum / count : nil
  }
  return Estimate(
    sums.reduce(0, +) / total,
    ratios.isEmpty ? .unknown : percentileInterval(ratios, level: level))
}
