/// A confidence interval, `low...high`. In JSON it is the array `[low, high]`; a bound that is not
/// finite is written as null and read as NaN.
public struct Interval: Sendable, Equatable {
  public var low: Double
  public var high: Double

  public init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  /// The interval of a quantity that was not measured: NaN on both sides, no verdict follows.
  public static let unknown = Interval(low: .nan, high: .nan)

  public func contains(_ value: Double) -> Bool { low <= value && value <= high }

  public var width: Double { high - low }
}

/// A measured value with the interval that goes with it, always printed together.
public struct Estimate: Sendable, Equatable, Codable {
  public var value: Double
  public var interval: Interval

  public init(_ value: Double, _ interval: Interval) {
    self.value = value
    self.interval = interval
  }

  public init(_ value: Double, low: Double, high: Double) {
    self.init(value, Interval(low: low, high: high))
  }

  /// A share of `n` items with its Wilson interval.
  public init(successes: Int, of n: Int, level: Double = 0.95) {
    self.init(
      n == 0 ? .nan : Double(successes) / Double(n),
      wilson(successes: successes, of: n, level: level))
  }

  public static let unknown = Estimate(.nan, .unknown)

  private enum CodingKeys: String, CodingKey { case value, interval }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    value = try container.decodeIfPresent(Double.self, forKey: .value) ?? .nan
    interval = try container.decode(Interval.self, forKey: .interval)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeFinite(value, forKey: .value)
    try container.encode(interval, forKey: .interval)
  }
}

extension Interval: Codable {
  public init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    low = try container.decode(Double?.self) ?? .nan
    high = try container.decode(Double?.self) ?? .nan
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    for bound in [low, high] {
      if bound.isFinite { try container.encode(bound) } else { try container.encodeNil() }
    }
  }
}

extension KeyedEncodingContainer {
  /// JSON has no NaN: what was not measured is null.
  mutating func encodeFinite(_ value: Double, forKey key: Key) throws {
    if value.isFinite { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
  }
}
