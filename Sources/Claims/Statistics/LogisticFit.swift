import Environments
import Foundation

/// logit(p) = a + b·x, fitted to counts.
public struct LogisticFit: Codable, Sendable, Equatable {
  public var intercept: Double
  public var slope: Double

  /// Where p is a half.
  public var middle: Double { -intercept / slope }

  public func probability(_ x: Double) -> Double { 1 / (1 + exp(-(intercept + slope * x))) }

  /// The fit of largest likelihood, by Newton's method. A half success and a half failure spread over
  /// the data keep it finite where one line separates all successes from all failures.
  public init(_ groups: [(x: Double, right: Double, of: Double)]) {
    let extra = 0.5 / Double(max(1, groups.count))
    let centre = groups.reduce(0) { $0 + $1.x } / Double(max(1, groups.count))
    var (a, b) = (0.0, 0.0)
    for _ in 0..<60 {
      var (ga, gb, haa, hab, hbb) = (0.0, 0.0, 1e-9, 0.0, 1e-9)
      for group in groups {
        let x = group.x - centre
        let (right, n) = (group.right + extra, group.of + 2 * extra)
        let p = 1 / (1 + exp(-(a + b * x)))
        let weight = max(1e-12, n * p * (1 - p))
        ga += right - n * p
        gb += (right - n * p) * x
        haa += weight
        hab += weight * x
        hbb += weight * x * x
      }
      let determinant = haa * hbb - hab * hab
      guard determinant > 0 else { break }
      let (da, db) = (
        (hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant
      )
      // Far from the maximum a full step may overshoot.
      let shrink = min(1, 2 / max(abs(da), abs(db), 1e-12))
      a += shrink * da
      b += shrink * db
      if abs(da) + abs(db) < 1e-10 { break }
    }
    (intercept, slope) = (a - b * centre, b)
  }
}

/// A fit with intervals over clusters (people) that are drawn again with replacement.
public struct LogisticEstimate: Codable, Sendable, Equatable {
  public var fit: LogisticFit
  public var slope: Estimate
  public var middle: Estimate

  /// - Parameter clusters: for each person, x, and how many of their questions were right.
  public init(
    _ clusters: [(x: Double, right: Int, of: Int)], resamples: Int = 1_000, seed: UInt64
  ) {
    var byX: [Double: [(right: Int, of: Int)]] = [:]
    for cluster in clusters { byX[cluster.x, default: []].append((cluster.right, cluster.of)) }
    let xs = byX.keys.sorted()
    let groups = xs.map { byX[$0] ?? [] }
    func fit(_ chosen: [[(right: Int, of: Int)]]) -> LogisticFit {
      LogisticFit(
        zip(xs, chosen).map { x, group in
          (
            x, Double(group.reduce(0) { $0 + $1.right }), Double(group.reduce(0) { $0 + $1.of })
          )
        })
    }
    let best = fit(groups)
    var random = SplitMix64(seed: seed, stream: "logistic")
    let fits = (0..<resamples).map { _ in fit(groups.map { g in g.map { _ in random.pick(g) } }) }
    self.fit = best
    slope = Estimate(best.slope, percentileInterval(fits.map(\.slope), level: 0.95))
    middle = Estimate(best.middle, percentileInterval(fits.map(\.middle), level: 0.95))
  }
}
