import Foundation

/// Numbers for people: the same forms on the terminal and in the report.
public enum Format {
  /// With exactly `decimals` decimals, thousands apart and a true minus: `−1,234.5`. No negative zero.
  public static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "–" : value > 0 ? "∞" : "−∞" }
    let digits = String(format: "%.\(decimals)f", abs(value))
    let parts = digits.split(separator: ".")
    let whole = grouped(String(parts[0]))
    let text = parts.count > 1 ? whole + "." + parts[1] : whole
    let isZero = !digits.contains { $0 != "0" && $0 != "." }
    return value < 0 && !isZero ? "−" + text : text
  }

  /// About three significant digits, whole from 100 on: `0.0123`, `3.14`, `31.4`, `1,234`.
  public static func number(_ value: Double) -> String {
    let size = abs(value)
    if !value.isFinite || size == 0 { return fixed(value, 0) }
    if size == size.rounded() && size < 1e15 { return fixed(value, 0) }
    if size >= 99.95 { return fixed(value, 0) }
    if size >= 9.995 { return fixed(value, 1) }
    if size >= 0.9995 { return fixed(value, 2) }
    if size >= 0.0995 { return fixed(value, 3) }
    if size >= 1e-4 { return fixed(value, 4) }
    return String(format: "%.1e", value)
  }

  /// `384`, `12.3 k`, `1.2 M`, `3.4 G`: at most one decimal.
  public static func count(_ value: Double) -> String {
    scaled(value, by: 1_000, units: ["", "k", "M", "G", "T"])
  }

  /// `1 layer`, `4 layers`: a number of what `one` names.
  public static func counted(_ count: Int, _ one: String) -> String {
    "\(count) \(one)" + (count == 1 ? "" : "s")
  }

  /// `512 B`, `1.5 MB`, `3.4 GB`, in powers of 1,000.
  public static func bytes(_ value: Double) -> String {
    scaled(value, by: 1_000, units: ["B", "kB", "MB", "GB", "TB"])
  }

  /// `0.4 s`, `12 s`, `3 min 20 s`, `1 h 5 min`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite else { return "–" }
    let seconds = max(0, seconds)
    if seconds < 9.95 {
      let text = fixed(seconds, 1)
      return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + " s"
    }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3_600 {
      return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s"
    }
    let minutes = Int((seconds / 60).rounded())
    return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
  }

  private static func scaled(_ value: Double, by base: Double, units: [String]) -> String {
    var scaled = value
    var unit = 0
    // 999.95 would print as 1000.0.
    while abs(scaled) >= (unit == 0 ? base : base - 0.05), unit + 1 < units.count {
      scaled /= base
      unit += 1
    }
    let text = fixed(scaled, unit == 0 || abs(scaled) >= 99.95 ? 0 : 1)
    return units[unit].isEmpty ? text : "\(text) \(units[unit])"
  }

  private static func grouped(_ digits: String) -> String {
    guard digits.count > 3 else { return digits }
    var text = ""
    for (i, digit) in digits.enumerated() {
      if i > 0 && (digits.count - i) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }
}
