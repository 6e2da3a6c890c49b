import Claims

/// What a progress line says at one moment. Its text is a function of these values alone.
struct ProgressLine: Sendable {
  var label: String
  var step: Int
  var total: Int
  var unit = "steps"
  /// Work per second with its unit: `18.2 k tokens/s`.
  var rate: String?
  /// Loss, reward or accuracy in words: `loss 2.314`.
  var note: String?
  var elapsed: Double
  /// Seconds left in this stage, nil before the first step.
  var remaining: Double?
  /// Seconds left in all stages, where more follow.
  var remainingInAll: Double?

  private var share: Double { total > 0 ? min(1, Double(step) / Double(total)) : 0 }

  private var counts: String {
    "\(Format.fixed(Double(step), 0))/\(Format.fixed(Double(total), 0))"
  }

  private var percent: String { "\(Int(share * 100)) %" }

  /// One line of at most `terminal.width` − 1 columns. The bar takes what is left, and where little
  /// is left the least wanted fields go first.
  func bar(on terminal: Terminal) -> String {
    let columns = terminal.width - 1
    let left = remaining.map { Clock.text($0) + " left" }
    let all = remainingInAll.map { Clock.text($0) + " in all" }
    // From the last to go to the first.
    let fields: [(text: String?, rank: Int)] = [
      (counts, 1), (percent, 2), (note, 3), (rate, 5), (Clock.text(elapsed) + " gone", 6),
      (left, 0), (all, 4),
    ]
    let smallestBar = 10
    for dropFrom in stride(from: 7, through: 0, by: -1) {
      let shown = fields.filter { $0.rank < dropFrom }.compactMap(\.text).joined(separator: "  ")
      let room = columns - label.count - shown.count - 3
      if room >= smallestBar || dropFrom == 0 {
        let width = min(30, room)
        guard width >= 3 else { return String("\(label) \(percent)".prefix(max(0, columns))) }
        let bar = Self.drawing(share, width: width, on: terminal)
        return "\(terminal.styled(label, .bold)) \(bar)  \(shown)"
      }
    }
    return label
  }

  /// A line that makes sense alone, for logs: `reading: 1,240/2,000 steps (62 %), loss 2.314, …`.
  func plain() -> String {
    var parts = ["\(label): \(counts) \(unit) (\(percent))"]
    if let note { parts.append(note) }
    if let rate { parts.append(rate) }
    parts.append(Format.duration(elapsed) + " gone")
    if let remaining, step < total { parts.append("about \(Format.duration(remaining)) left") }
    if let remainingInAll, step < total {
      parts.append("\(Format.duration(remainingInAll)) in all stages")
    }
    return parts.joined(separator: ", ")
  }

  /// The line that stays when the stage is over: `reading: 2,000 steps in 1 min 48 s, loss 1.92`.
  func summary() -> String {
    let done = step >= total ? Format.fixed(Double(step), 0) : counts
    var parts = ["\(label): \(done) \(unit) in \(Format.duration(elapsed))"]
    if let note { parts.append(note) }
    if let rate { parts.append(rate) }
    return parts.joined(separator: ", ")
  }

  static func drawing(_ share: Double, width: Int, on terminal: Terminal) -> String {
    let filled = Int((share * Double(width)).rounded(.down))
    let (full, empty) = terminal.isUTF8 ? ("━", "─") : ("#", ".")
    return terminal.styled(String(repeating: full, count: filled), .cyan)
      + terminal.styled(String(repeating: empty, count: width - filled), .dim)
  }
}

/// Times on a line that is redrawn: of steady width, `0:45`, `3:20`, `1:05:00`.
enum Clock {
  static func text(_ seconds: Double) -> String {
    let whole = Int(min(max(0, seconds.isFinite ? seconds : 0), 359_999).rounded())
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let (hours, minutes, rest) = (whole / 3_600, whole / 60 % 60, whole % 60)
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
  }
}
