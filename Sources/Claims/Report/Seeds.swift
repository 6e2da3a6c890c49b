import Foundation

/// What one seed said.
public struct SeedClaims: Sendable {
  public var seed: UInt64
  public var claims: [Claim]

  public init(seed: UInt64, claims: [Claim]) { (self.seed, self.claims) = (seed, claims) }
}

extension Claim {
  /// The claims of a tour over all its `seeds`, in the order of the first: the estimate is the mean
  /// over seeds and the interval is Student's over them. One seed alone keeps its own intervals,
  /// which cover its items only.
  public static func combined(_ seeds: [SeedClaims]) -> [Claim] {
    guard let first = seeds.first, seeds.count > 1 else { return seeds.first?.claims ?? [] }
    return first.claims.map { claim in
      combined(seeds.flatMap { seed in seed.claims.filter { $0.id == claim.id } })
    }
  }

  /// One claim as several seeds saw it; a seed that could not measure it makes it inconclusive.
  private static func combined(_ claims: [Claim]) -> Claim {
    var claim = claims[0]
    claim.seeds = claims.flatMap(\.seeds)
    claim.n = claims.reduce(0) { $0 + $1.n }
    // The best of several arms may be another one on each seed.
    if claims.contains(where: { $0.metric != claim.metric }) {
      claim.metric += " (as on seed \(claim.seeds[0]))"
    }
    let estimate = studentInterval(claims.map(\.estimate))
    claim.estimate = estimate.value
    claim.interval = estimate.interval
    if claims.allSatisfy({ $0.estimate == claim.estimate }) {
      // Seeds that agree to the bit show no spread; what is left is that of their items.
      claim.interval = Interval(
        low: mean(claims.map(\.interval.low)), high: mean(claims.map(\.interval.high)))
    }
    if claim.unit == .share, claim.interval.low <= claim.interval.high {
      claim.interval.low = max(0, claim.interval.low)
      claim.interval.high = min(1, claim.interval.high)
    }
    claim.verdict = .judge(
      interval: claim.interval, threshold: claim.threshold, direction: claim.direction)
    return claim
  }
}

/// The verdicts of each seed, for a log: `seeds.json`.
public struct SeedRecord: Codable, Sendable, Equatable {
  public struct Row: Codable, Sendable, Equatable {
    public var id: String
    /// By seed, in their order.
    public var verdicts: [Verdict]
    public var estimates: [Estimate]
  }

  public var seeds: [UInt64]
  public var claims: [Row]

  public init(_ seeds: [SeedClaims]) {
    self.seeds = seeds.map(\.seed)
    claims = (seeds.first?.claims ?? []).map { claim in
      let same = seeds.flatMap { seed in seed.claims.filter { $0.id == claim.id } }
      return Row(
        id: claim.id, verdicts: same.map(\.verdict),
        estimates: same.map { Estimate($0.estimate, $0.interval) })
    }
  }

  /// Replaces the file at `url` whole: one line a claim, so that two logs compare by lines.
  public func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func text(_ value: some Encodable) throws -> String {
      String(decoding: try encoder.encode(value), as: UTF8.self)
    }
    let rows = try claims.map { "  " + (try text($0)) }.joined(separator: ",\n")
    let file = "{\"seeds\":\(try text(seeds)),\"claims\":[\n\(rows)\n]}\n"
    try Data(file.utf8).write(to: url, options: .atomic)
  }
}

extension PageTable {
  /// Each claim's verdict and estimate on each seed.
  init(seeds: [SeedClaims]) {
    let record = SeedRecord(seeds)
    let units = Dictionary(
      (seeds.first?.claims ?? []).map { ($0.id, $0.unit) }, uniquingKeysWith: { first, _ in first })
    self.init(
      header: ["claim"] + seeds.map { "seed \($0.seed)" } + ["hold"],
      rows: record.claims.map { row in
        let cells = zip(row.verdicts, row.estimates).map { verdict, estimate in
          "\(verdict.rawValue) \((units[row.id] ?? .plain).text(estimate.value))"
        }
        let missing = Array(repeating: "–", count: max(0, seeds.count - cells.count))
        let held = row.verdicts.count { $0 == .pass }
        return [row.id] + cells + missing + ["\(held) of \(seeds.count)"]
      })
  }
}
