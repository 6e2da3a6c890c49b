import Claims
import Synchronization

/// Progress on standard error: one line redrawn at most ten times a second, or, without a terminal,
/// one plain line at most every ten seconds. Each stage ends in one line that stays.
///
/// ```swift
/// let progress = ProgressBar(plan: [.init("reading", seconds: 90), .init("practising", seconds: 60)])
/// progress.begin("reading", steps: 2_000)
/// progress.update(step: 1, work: 4_096, note: "loss 6.91")
/// progress.end()
/// ```
public final class ProgressBar: Sendable {
  private struct State {
    var plan: PlanEstimate
    var line = ProgressLine(label: "", step: 0, total: 0, elapsed: 0)
    var steps = RateEstimate(time: 0)
    var work = RateEstimate(time: 0)
    var workUnit: String?
    var firstStep = 0
    var started = 0.0
    var lastDrawn = -Double.infinity
    var isRunning = false
    var isDrawn = false
  }

  private let state: Mutex<State>
  private let terminal: Terminal
  private let now: @Sendable () -> Double
  private let write: @Sendable (String) -> Void

  /// - Parameter plan: the stages to come, for a time that covers all of them; none is fine.
  public convenience init(plan: [PlannedStage] = []) {
    let start = ContinuousClock.now
    self.init(
      plan: plan, terminal: .standardError,
      now: { (ContinuousClock.now - start) / .seconds(1) }, write: Terminal.write)
  }

  init(
    plan: [PlannedStage], terminal: Terminal, now: @escaping @Sendable () -> Double,
    write: @escaping @Sendable (String) -> Void
  ) {
    state = Mutex(State(plan: PlanEstimate(plan)))
    self.terminal = terminal
    self.now = now
    self.write = write
  }

  /// Starts a stage of `steps` steps, the first `from` of which an earlier run did. `work` names what
  /// ``update(step:work:note:)`` counts besides steps, such as "tokens".
  public func begin(
    _ stage: String, steps: Int, from: Int = 0, unit: String = "steps", work: String? = nil
  ) {
    state.withLock { state in
      finish(&state)
      let time = now()
      state.plan.begin(stage)
      state.line = ProgressLine(label: stage, step: from, total: steps, unit: unit, elapsed: 0)
      state.steps = RateEstimate(time: time, step: Double(from))
      state.work = RateEstimate(time: time)
      state.workUnit = work
      state.firstStep = from
      state.started = time
      state.lastDrawn = terminal.isTTY ? -.infinity : time
      state.isRunning = true
      draw(&state, time)
    }
  }

  /// `step` steps are done, with `work` tokens (or whatever the stage counts) since its begin.
  public func update(step: Int, work: Int? = nil, note: String? = nil) {
    state.withLock { state in
      guard state.isRunning else { return }
      let time = now()
      state.line.step = step
      if let note { state.line.note = note }
      state.steps.record(time: time, step: Double(step))
      if let work { state.work.record(time: time, step: Double(work)) }
      draw(&state, time)
    }
  }

  /// Ends the stage with the line that stays.
  public func end(note: String? = nil) {
    state.withLock { state in
      if let note { state.line.note = note }
      finish(&state)
    }
  }

  /// A line of news above the bar.
  public func note(_ text: String) {
    state.withLock { state in
      clear(&state)
      write(text + "\n")
      if state.isRunning { state.lastDrawn = terminal.isTTY ? -.infinity : state.lastDrawn }
    }
  }

  private func finish(_ state: inout State) {
    guard state.isRunning else { return }
    refresh(&state, now())
    let share = Double(state.line.step - state.firstStep) / Double(max(1, state.line.total))
    state.plan.end(seconds: state.line.elapsed, share: share)
    clear(&state)
    write(state.line.summary() + "\n")
    state.isRunning = false
  }

  private func draw(_ state: inout State, _ time: Double) {
    let pause = terminal.isTTY ? 0.1 : 10
    guard time - state.lastDrawn >= pause else { return }
    state.lastDrawn = time
    refresh(&state, time)
    if terminal.isTTY {
      write("\r\u{1B}[K" + state.line.bar(on: terminal))
      state.isDrawn = true
    } else {
      write(state.line.plain() + "\n")
    }
  }

  private func refresh(_ state: inout State, _ time: Double) {
    let line = state.line
    let left = Double(line.total - line.step)
    state.line.elapsed = time - state.started
    // Shares of the work are no speed that anyone asks for.
    let steps = line.unit == "%" ? nil : state.steps.rate
    let perSecond = state.workUnit == nil ? steps : state.work.rate
    state.line.rate = perSecond.map {
      "\($0 < 10 ? Format.number($0) : Format.count($0)) \(state.workUnit ?? line.unit)/s"
    }
    let total = Double(max(1, line.total))
    let share = min(1, Double(line.step) / total)
    let byRate = state.steps.rate.map { max(0, left) / $0 }
    let doneHere = Double(line.step - state.firstStep) / total
    let inAll = state.plan.remaining(
      share: share, doneHere: doneHere, elapsed: state.steps.elapsed, byRate: byRate)
    state.line.remaining = byRate
    state.line.remainingInAll = state.plan.hasMore ? inAll : nil
  }

  private func clear(_ state: inout State) {
    if state.isDrawn { write("\r\u{1B}[K") }
    state.isDrawn = false
  }
}
