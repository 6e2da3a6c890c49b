/// How a claim's or an axis's numbers are written. One place, so that the table, the page and the
/// charts say the same number the same way.
public enum Unit: String, Sendable, Codable {
  /// A proportion in 0...1, written as a percentage.
  case share
  /// A difference of two proportions, written in percentage points with its sign.
  case points
  /// Any other number.
  case plain

  /// `84.2 %`, `+12.3 points`, `31.4`; a dash when there is no value.
  public func text(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    switch self {
    case .share: return Format.fixed(100 * value, 1) + " %"
    case .points:
      let points = Format.fixed(100 * value, 1)
      return (value > 0 && points != "0.0" ? "+" : "") + points + " points"
    case .plain: return Format.number(value)
    }
  }

  /// `84.2 % [81.9, 86.3]`
  public func text(_ estimate: Estimate) -> String {
    let interval = text(estimate.interval)
    return text(estimate.value) + (interval.isEmpty ? "" : " " + interval)
  }

  /// `[81.9, 86.3]`, in the unit of the value beside it; empty when unknown.
  public func text(_ interval: Interval) -> String {
    guard interval.low.isFinite, interval.high.isFinite else { return "" }
    return "[\(bare(interval.low)), \(bare(interval.high))]"
  }

  /// The number without its unit.
  func bare(_ value: Double) -> String {
    switch self {
    case .share: return Format.fixed(100 * value, 1)
    case .points:
      let points = Format.fixed(100 * value, 1)
      return (value > 0 && points != "0.0" ? "+" : "") + points
    case .plain: return Format.number(value)
    }
  }
}
