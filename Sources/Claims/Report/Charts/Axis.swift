import Foundation

/// One direction of a chart: what it measures, in which unit and on which scale.
public struct Axis: Sendable {
  /// How values become lengths.
  public enum Scale: Sendable {
    case linear
    /// Ticks at powers of two: samples, exposures.
    case log2
    case log10
  }

  public var label: String
  public var unit: Unit
  public var scale: Scale
  /// What must be visible; the data widen it.
  public var range: ClosedRange<Double>?

  public init(
    _ label: String, unit: Unit = .plain, scale: Scale = .linear, range: ClosedRange<Double>? = nil
  ) {
    self.label = label
    self.unit = unit
    self.scale = scale
    self.range = range
  }
}

/// An axis laid out for its data: the range that is drawn, its ticks, and where a value falls.
struct AxisLayout {
  let axis: Axis
  let low: Double
  let high: Double
  let ticks: [Double]

  /// - Parameters:
  ///   - values: everything that is drawn; what is not finite, or not positive on a logarithmic scale,
  ///     is left out.
  ///   - isSnug: end at the data rather than at the next tick.
  init(_ axis: Axis, values: [Double], tickCount: Int, isSnug: Bool = false) {
    self.axis = axis
    let wanted = axis.range.map { [$0.lowerBound, $0.upperBound] } ?? []
    let usable = (values + wanted).filter {
      $0.isFinite && (axis.scale == .linear || $0 > 0)
    }
    var low = usable.min() ?? (axis.scale == .linear ? 0 : 1)
    var high = usable.max() ?? 1
    if axis.scale == .linear {
      // An interval may reach past what a proportion can be; the axis does not.
      if axis.unit == .share { (low, high) = (min(max(low, 0), 1), min(max(high, 0), 1)) }
      if low == high {
        (low, high) = low == 0 ? (0, 1) : (low - abs(low) / 2, high + abs(high) / 2)
      }
      let step = Self.niceStep((high - low) / Double(max(1, tickCount)))
      if !isSnug {
        low = (low / step + 1e-9).rounded(.down) * step
        high = (high / step - 1e-9).rounded(.up) * step
      }
      let first = Int((low / step - 1e-9).rounded(.up))
      let last = Int((high / step + 1e-9).rounded(.down))
      ticks = (first..<(max(first, last) + 1)).map { Double($0) * step }
    } else {
      if low == high { (low, high) = (low / 2, high * 2) }
      let base = axis.scale == .log2 ? 2.0 : 10.0
      if !isSnug {
        low = pow(base, (log(low) / log(base) + 1e-9).rounded(.down))
        high = pow(base, (log(high) / log(base) - 1e-9).rounded(.up))
      }
      let first = Int((log(low) / log(base) - 1e-9).rounded(.up))
      let last = Int((log(high) / log(base) + 1e-9).rounded(.down))
      let every = max(1, Int((Double(last - first) / Double(max(1, tickCount))).rounded(.up)))
      ticks = stride(from: first, through: max(first, last), by: every).map {
        pow(base, Double($0))
      }
    }
    (self.low, self.high) = (low, high)
  }

  /// 0 at the low end, 1 at the high end.
  func position(_ value: Double) -> Double {
    axis.scale == .linear
      ? (value - low) / (high - low)
      : (log(max(value, .leastNormalMagnitude)) - log(low)) / (log(high) - log(low))
  }

  /// A tick's text has as many decimals as the distance of the ticks needs.
  func text(_ tick: Double) -> String {
    let isShare = axis.unit != .plain
    let value = isShare ? 100 * tick : tick
    if axis.scale != .linear {
      return (abs(value) >= 10_000 ? Format.count(value) : Format.number(value))
        + (isShare ? " %" : "")
    }
    let step = ticks.count > 1 ? abs(ticks[1] - ticks[0]) * (isShare ? 100 : 1) : 1
    let decimals = max(0, Int(-(log10(step) + 1e-9).rounded(.down)))
    switch axis.unit {
    case .share: return Format.fixed(value, decimals) + " %"
    case .points: return (value > 0 ? "+" : "") + Format.fixed(value, decimals)
    case .plain:
      return step >= 1_000 && high >= 10_000 && value != 0
        ? Format.count(value) : Format.fixed(value, decimals)
    }
  }

  /// The next of 1, 2, 5 × 10ᵏ at or above `raw`.
  static func niceStep(_ raw: Double) -> Double {
    let power = pow(10, log10(raw).rounded(.down))
    for factor in [1.0, 2, 5] where factor * power >= raw * (1 - 1e-9) { return factor * power }
    return 10 * power
  }
}
