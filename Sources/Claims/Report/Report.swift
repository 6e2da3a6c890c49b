import Foundation

/// What a tour found, as `report.json` holds it.
///
/// Scripts rely on the keys `claims` (each with `id`, `statement`, `verdict`, `metric`, `estimate`,
/// `interval`, `threshold`, `n`, `seeds`), `seconds`, `machine` and `commit`.
public struct Report: Sendable, Equatable, Codable {
  public var claims: [Claim]
  /// Wall-clock seconds of all stages, over all the runs that it took.
  public var seconds: Double
  public var machine: String
  /// The source's commit, or "unknown" outside a checkout.
  public var commit: String
  /// The command that makes this report again, seed included.
  public var command: String
  public var stages: [Stage]

  /// One part of the tour and what it cost.
  public struct Stage: Sendable, Equatable, Codable {
    public var name: String
    public var seconds: Double

    public init(name: String, seconds: Double) {
      self.name = name
      self.seconds = seconds
    }
  }

  public init(
    claims: [Claim], seconds: Double, machine: String, commit: String, command: String,
    stages: [Stage] = []
  ) {
    self.claims = claims
    self.seconds = seconds
    self.machine = machine
    self.commit = commit
    self.command = command
    self.stages = stages
  }

  /// `report.json`: indented, keys sorted, a newline at the end.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// Replaces the file at `url` whole, so that a reader never sees half a report.
  public func write(to url: URL) throws {
    try json().write(to: url, options: .atomic)
  }

  public init(contentsOf url: URL) throws {
    self = try JSONDecoder().decode(Report.self, from: Data(contentsOf: url))
  }
}
