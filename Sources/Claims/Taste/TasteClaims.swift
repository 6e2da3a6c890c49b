import Foundation

// What E7 claims, with thresholds that were fixed before the runs that judge them. All values are in
// deviations of what the imitator writes.

extension TastePoint {
  /// The mean of one half of the answers, with a normal interval.
  func gold(half: Int) -> Estimate { estimate(gold[half], goldDeviation, n) }
  func proxy(half: Int) -> Estimate { estimate(proxy[half], proxyDeviation, n) }

  /// Over both halves.
  var worth: Estimate { estimate(mean(gold), goldDeviation, 2 * n) }
  var score: Estimate { estimate(mean(proxy), proxyDeviation, 2 * n) }

  private func estimate(_ value: Double, _ deviation: Double, _ n: Int) -> Estimate {
    let half = 1.96 * deviation / Double(max(1, n)).squareRoot()
    return Estimate(value, low: value - half, high: value + half)
  }
}

extension Estimate {
  /// The difference of independent estimates.
  func less(_ other: Estimate) -> Estimate { Self.sum([(self, 1), (other, -1)]) }

  /// A weighted sum of independent estimates, by the half-widths of their intervals.
  static func sum(_ parts: [(Estimate, Double)]) -> Estimate {
    let value = parts.reduce(0) { $0 + $1.1 * $1.0.value }
    let half = parts.reduce(0) { sum, part in
      let half = part.1 * part.0.interval.width / 2
      return sum + half * half
    }.squareRoot()
    return Estimate(value, low: value - half, high: value + half)
  }
}

extension TasteArm {
  /// The window at which the first half of the answers is worth most. What is said of it is measured
  /// on the second half.
  var peak: TastePoint? { points.max { $0.gold[0] < $1.gold[0] } }

  /// The window that people like best by their few labels, each seen with its neighbours.
  var stop: TastePoint? {
    let shares = points.indices.map { i -> Double in
      let near = points[max(0, i - 2)...min(points.count - 1, i + 2)]
      return Double(near.reduce(0) { $0 + $1.wins })
        / Double(max(1, near.reduce(0) { $0 + $1.labels }))
    }
    return shares.indices.max { (shares[$0], $1) < (shares[$1], $0) }.map { points[$0] }
  }

  var labels: Int { points.reduce(0) { $0 + $1.labels } }

  /// Gold from the start to the peak, and from there to the end; the proxy over that last stretch.
  var rise: Estimate { between(points.first, peak) { $0.gold(half: 1) } }
  var fall: Estimate { between(peak, points.last) { $0.gold(half: 1) } }
  var proxyRise: Estimate { between(peak, points.last) { $0.proxy(half: 1) } }
  /// Gold at the automatic stop, less that at the end.
  var saved: Estimate { between(points.last, stop) { $0.worth } }

  private func between(
    _ a: TastePoint?, _ b: TastePoint?, _ value: (TastePoint) -> Estimate
  ) -> Estimate {
    guard let a, let b else { return .unknown }
    return value(b).less(value(a))
  }
}

extension TasteFinding {
  /// The arms against one reward model each, without a penalty.
  var games: [(name: String, arm: TasteArm)] {
    (1..<recipe.rewardModels + 1).compactMap { r in
      arms["rm-\(r)"].map { ("rm-\(r)", $0) }
    }
  }

  /// The mean over the reward models.
  private func overModels(_ value: (TasteArm) -> Estimate) -> Estimate {
    Estimate.sum(games.map { (value($0.arm), 1 / Double(games.count)) })
  }

  /// The median reward model's, for an odd number of them: as many do better as do worse.
  private func median(_ value: (TasteArm) -> Estimate) -> Estimate {
    let sorted = games.map { value($0.arm) }.sorted { $0.value < $1.value }
    return sorted.isEmpty ? .unknown : sorted[sorted.count / 2]
  }

  var claims: [Claim] {
    let answers = (games.first?.arm.points.last?.n ?? 0)
    func claim(
      _ id: String, _ statement: String, _ metric: String, _ estimate: Estimate,
      _ direction: Verdict.Direction, _ threshold: Double, n: Int? = nil, unit: Unit = .plain
    ) -> Claim {
      Claim(
        id: "e7.\(id)", statement: statement, metric: metric, estimate: estimate, direction,
        threshold: threshold, unit: unit, n: n ?? answers, seeds: [recipe.seed])
    }
    let models = "\(games.count) reward models"
    return [
      claim(
        "model-learns-people", "A reward model learns people's taste from their orders.",
        "true order of two jokes it never saw, the worst of \(models)", worstModel, .above, 0.65,
        n: rewardModels.first?.truth.pairs, unit: .share),
      claim(
        "taste-rises", "Practice against it first makes jokes that people like better.",
        "gold, peak less start, median of \(models)", median(\.rise), .above, 0.3),
      claim(
        "taste-falls", "Practised on, people like them less again.",
        "gold, end less peak, median of \(models)", median(\.fall), .below, -0.3),
      claim(
        "proxy-goes-on", "The reward model likes them better all the while.",
        "proxy, end less peak of gold, median of \(models)", median(\.proxyRise), .above, 0.2),
      claim(
        "stop-saves", "A few fresh labels stop it before the fall.",
        "gold, automatic stop less end, mean of \(models)", overModels(\.saved), .above, 0.3),
      claim(
        "truth-does-not-fall", "Against the true taste, practice several times as long does not fall.",
        "gold, end less best window", truth, .above, -0.2, n: arms["true"]?.points.last?.n),
    ]
  }

  private var worstModel: Estimate {
    let all = rewardModels.map { Estimate(successes: $0.truth.right, of: $0.truth.pairs) }
    return all.min { $0.value < $1.value } ?? .unknown
  }

  private var truth: Estimate {
    guard let arm = arms["true"] else { return .unknown }
    return arm.fall
  }
}
