import Claims

/// The progress of a tour on standard error: one line for all stages at work, redrawn at most ten
/// times a second, or, without a terminal, a plain line at most every ten seconds. Each stage ends
/// in one line that stays.
final class TourProgress {
  private struct Running {
    var line: ProgressLine
    var started: Double
  }

  private var estimate: TourEstimate
  private var running: [(label: String, stage: Running)] = []
  private let terminal: Terminal
  /// Seconds of work by earlier runs.
  private let before: Double
  private let now: () -> Double
  private let write: (String) -> Void
  private var lastDrawn: Double
  private var isDrawn = false

  convenience init(_ estimate: TourEstimate, before: Double) {
    let start = ContinuousClock.now
    self.init(
      estimate, before: before, terminal: .standardError,
      now: { (ContinuousClock.now - start) / .seconds(1) }, write: Terminal.write)
  }

  init(
    _ estimate: TourEstimate, before: Double, terminal: Terminal, now: @escaping () -> Double,
    write: @escaping (String) -> Void
  ) {
    (self.estimate, self.before, self.terminal) = (estimate, before, terminal)
    (self.now, self.write) = (now, write)
    lastDrawn = terminal.isTTY ? -.infinity : now()
  }

  func begin(_ label: String, stage: String, steps: Int, from: Int) {
    let time = now()
    estimate.begin(label, stage: stage, steps: steps, from: from, time: time)
    let line = ProgressLine(label: "\(label) \(stage)", step: from, total: steps, elapsed: 0)
    running.removeAll { $0.label == label }
    running.append((label, Running(line: line, started: time)))
    draw()
  }

  func update(_ label: String, step: Int, note: String?) {
    guard let index = running.firstIndex(where: { $0.label == label }) else { return }
    running[index].stage.line.step = step
    if let note, !note.isEmpty { running[index].stage.line.note = note }
    estimate.update(label, step: step, time: now())
    draw()
  }

  /// The stage of `label` is over; its line stays.
  func end(_ label: String) {
    guard let index = running.firstIndex(where: { $0.label == label }) else { return }
    let time = now()
    var (line, started) = (running[index].stage.line, running[index].stage.started)
    line.elapsed = time - started
    line.rate = estimate.stageRate(label).map {
      "\($0.rate < 10 ? Format.number($0.rate) : Format.count($0.rate)) \(line.unit)/s"
    }
    estimate.end(label, time: time)
    running.remove(at: index)
    note(line.summary())
  }

  /// The experiment of `label` is over, done or not.
  func finish(_ label: String) {
    end(label)
    estimate.finish(label)
  }

  /// A line of news that stays.
  func note(_ text: String) {
    clear()
    write(text + "\n")
    if terminal.isTTY { lastDrawn = -.infinity }
  }

  /// Takes the drawn line away: the work is over.
  func clear() {
    if isDrawn { write("\r\u{1B}[K") }
    isDrawn = false
  }

  /// Draws the line if it is time for it.
  func draw() {
    let time = now()
    guard !running.isEmpty, time - lastDrawn >= (terminal.isTTY ? 0.1 : 10) else { return }
    lastDrawn = time
    let line = TourLine(
      stages: running.map { TourLine.Stage($0.stage.line) }, elapsed: before + time,
      remaining: estimate.remaining(time: time))
    if terminal.isTTY {
      write("\r\u{1B}[K" + line.bar(on: terminal))
      isDrawn = true
    } else {
      write(line.plain() + "\n")
    }
  }
}

/// What the progress line of a tour says at one moment.
struct TourLine {
  struct Stage {
    var label: String
    var share: Double
    var note: String?

    init(label: String, share: Double, note: String? = nil) {
      (self.label, self.share, self.note) = (label, share, note)
    }

    init(_ line: ProgressLine) {
      self.init(
        label: line.label, share: Double(line.step) / Double(max(1, line.total)), note: line.note)
    }

    var text: String { "\(label) \(Int(min(1, share) * 100)) %" }
  }

  var stages: [Stage]
  /// Seconds of work so far, those of earlier runs included.
  var elapsed: Double
  /// Seconds left for the whole tour.
  var remaining: Double

  private var share: Double { elapsed > 0 ? elapsed / (elapsed + max(0, remaining)) : 0 }

  /// One line of at most `terminal.width` − 1 columns; where little is left the least wanted parts
  /// go first: the note of a single stage, the time gone, the bar, the names of stages.
  func bar(on terminal: Terminal) -> String {
    let columns = terminal.width - 1
    let left = "\(Clock.text(remaining)) left"
    let gone = "\(Clock.text(elapsed)) gone"
    let note = stages.count == 1 ? stages.first?.note : nil
    var names = stages.map(\.text).joined(separator: ", ")
    for tail in [[note, gone, left], [gone, left], [left]] {
      let text = tail.compactMap { $0 }.joined(separator: "  ")
      let room = columns - names.count - text.count - 4
      guard room >= 10 else { continue }
      let drawing = ProgressLine.drawing(share, width: min(24, room), on: terminal)
      return "\(terminal.styled(names, .bold))  \(drawing)  \(text)"
    }
    let room = columns - left.count - 2
    guard room > 0 else { return String(left.prefix(max(0, columns))) }
    if names.count > room { names = names.prefix(room - 1) + (terminal.isUTF8 ? "…" : ".") }
    return "\(terminal.styled(names, .bold))  \(left)"
  }

  /// A line that makes sense alone, for logs.
  func plain() -> String {
    let names = stages.map { $0.text + ($0.note.map { " (\($0))" } ?? "") }
    return names.joined(separator: ", ") + "; \(Format.duration(elapsed)) gone, about "
      + "\(Format.duration(remaining)) left in all"
  }
}
