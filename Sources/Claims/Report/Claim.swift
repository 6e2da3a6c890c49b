/// One statement of the talk with the measurement that it stands or falls by: a row of the final
/// table and an element of `claims` in `report.json`.
public struct Claim: Sendable, Equatable {
  /// Short and stable: `e1.rl-beats-sft`.
  public var id: String
  /// The claim as a sentence that can be false.
  public var statement: String
  public var verdict: Verdict
  /// What `estimate` measures, with its unit in words: "RL less best SFT, greedy accuracy".
  public var metric: String
  public var estimate: Double
  public var interval: Interval
  public var threshold: Double
  public var direction: Verdict.Direction
  public var unit: Unit
  /// Items behind the estimate.
  public var n: Int
  /// The seeds behind the estimate; with one alone the interval covers items only.
  public var seeds: [UInt64]

  /// Judges `estimate` against `threshold`.
  public init(
    id: String, statement: String, metric: String, estimate: Estimate,
    _ direction: Verdict.Direction, threshold: Double, unit: Unit, n: Int, seeds: [UInt64]
  ) {
    self.id = id
    self.statement = statement
    self.metric = metric
    self.estimate = estimate.value
    self.interval = estimate.interval
    self.threshold = threshold
    self.direction = direction
    self.unit = unit
    self.n = n
    self.seeds = seeds
    verdict = .judge(interval: estimate.interval, threshold: threshold, direction: direction)
  }

  /// `> 50.0 %`: what the interval had to clear.
  public var requirement: String {
    (direction == .above ? "> " : "< ") + unit.text(threshold)
  }
}

extension Claim: Codable {
  private enum CodingKeys: String, CodingKey {
    case id, statement, verdict, metric, estimate, interval, threshold, direction, unit, n, seeds
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    id = try container.decode(String.self, forKey: .id)
    statement = try container.decode(String.self, forKey: .statement)
    verdict = try container.decode(Verdict.self, forKey: .verdict)
    metric = try container.decode(String.self, forKey: .metric)
    estimate = try container.decodeIfPresent(Double.self, forKey: .estimate) ?? .nan
    interval = try container.decode(Interval.self, forKey: .interval)
    threshold = try container.decode(Double.self, forKey: .threshold)
    direction = try container.decode(Verdict.Direction.self, forKey: .direction)
    unit = try container.decode(Unit.self, forKey: .unit)
    n = try container.decode(Int.self, forKey: .n)
    seeds = try container.decode([UInt64].self, forKey: .seeds)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(statement, forKey: .statement)
    try container.encode(verdict, forKey: .verdict)
    try container.encode(metric, forKey: .metric)
    try container.encodeFinite(estimate, forKey: .estimate)
    try container.encode(interval, forKey: .interval)
    try container.encode(threshold, forKey: .threshold)
    try container.encode(direction, forKey: .direction)
    try container.encode(unit, forKey: .unit)
    try container.encode(n, forKey: .n)
    try container.encode(seeds, forKey: .seeds)
  }
}
