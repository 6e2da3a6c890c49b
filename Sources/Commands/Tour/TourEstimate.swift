import Claims

/// How long a tour still takes: each experiment's plan, corrected by how fast its stages have gone
/// here, laid out over the workers in the order in which they will take it.
struct TourEstimate {
  private struct Stage {
    var name: String
    /// By the plan; 0 for a stage that the plan does not know.
    var planned: Double
    var steps: Double
    var from: Double
    var step: Double
    var started: Double
    var rate: RateEstimate
  }

  private struct Work {
    var label: String
    /// What the plan has after the current stage.
    var pending: [PlannedWork]
    var current: Stage?
    /// Planned seconds of what was done here, and the seconds that it took.
    var plannedDone = 0.0
    var measured = 0.0
    var isRunning = false
    var isFinished = false
  }

  private var work: [Work]
  private let workers: Int
  /// Seconds here for one second of the plan, before anything was measured.
  private let guess: Double
  /// Planned seconds of trust in that guess, and in the others' pace for an experiment's own.
  private let trust = 5.0

  /// - Parameters:
  ///   - jobs: what is to be done, in the order in which it will be begun.
  ///   - workers: how many are at work at once.
  init(jobs: [(label: String, plan: [PlannedWork])], workers: Int, guess: Double = 1) {
    work = jobs.map { Work(label: $0.label, pending: $0.plan) }
    (self.workers, self.guess) = (max(1, workers), guess)
  }

  mutating func begin(_ label: String, stage: String, steps: Int, from: Int, time: Double) {
    change(label) { work in
      var planned = 0.0
      // Stages before it that never ran were done in an earlier run.
      if let index = work.pending.firstIndex(where: { $0.stage == stage }) {
        planned = work.pending[index].seconds
        work.pending.removeFirst(index + 1)
      }
      work.isRunning = true
      work.current = Stage(
        name: stage, planned: planned, steps: Double(max(1, steps)), from: Double(from),
        step: Double(from), started: time, rate: RateEstimate(time: time, step: Double(from)))
    }
  }

  mutating func update(_ label: String, step: Int, time: Double) {
    change(label) { work in
      work.current?.step = Double(step)
      work.current?.rate.record(time: time, step: Double(step))
    }
  }

  mutating func end(_ label: String, time: Double) {
    change(label) { work in
      guard let stage = work.current else { return }
      work.measured += time - stage.started
      work.plannedDone += stage.planned * (stage.step - stage.from) / stage.steps
      work.current = nil
    }
  }

  /// The whole experiment is done.
  mutating func finish(_ label: String) {
    change(label) { work in
      work.current = nil
      work.pending = []
      (work.isRunning, work.isFinished) = (false, true)
    }
  }

  /// Seconds until the last experiment is done.
  func remaining(time: Double) -> Double {
    var planned = trust
    var measured = trust * guess
    for work in work {
      let (p, m) = pace(work, time)
      (planned, measured) = (planned + p, measured + m)
    }
    let slowdown = measured / planned
    var loads = work.filter(\.isRunning).map { remaining($0, time, slowdown) }
    while loads.count < workers { loads.append(0) }
    for work in work where !work.isRunning && !work.isFinished {
      let least = loads.indices.min { loads[$0] < loads[$1] } ?? 0
      loads[least] += remaining(work, time, slowdown)
    }
    return loads.max() ?? 0
  }

  /// Seconds left of the current stage of `label` by its own rate, nil before its first step.
  func stageRate(_ label: String) -> (rate: Double, elapsed: Double)? {
    guard let stage = work.first(where: { $0.label == label })?.current, let rate = stage.rate.rate
    else { return nil }
    return (rate, stage.rate.elapsed)
  }

  /// Seconds left of one experiment that has a worker to itself.
  private func remaining(_ work: Work, _ time: Double, _ others: Double) -> Double {
    let (planned, measured) = pace(work, time)
    let slowdown = (trust * others + measured) / (trust + planned)
    let later = work.pending.reduce(0) { $0 + $1.seconds } * slowdown
    guard let stage = work.current else { return later }
    let left = max(0, stage.steps - stage.step)
    let byPlan = stage.planned * left / stage.steps * slowdown
    // Five seconds of the plan keep the first steps from deciding everything.
    let confidence = min(1, stage.rate.elapsed / trust)
    let here = stage.rate.rate.map { confidence * left / $0 + (1 - confidence) * byPlan }
    return (here ?? byPlan) + later
  }

  /// Planned seconds of what `work` did here, and the seconds that it took, so far.
  private func pace(_ work: Work, _ time: Double) -> (planned: Double, measured: Double) {
    guard let stage = work.current, stage.planned > 0, stage.step > stage.from else {
      return (work.plannedDone, work.measured)
    }
    return (
      work.plannedDone + stage.planned * (stage.step - stage.from) / stage.steps,
      work.measured + time - stage.started
    )
  }

  private mutating func change(_ label: String, _ body: (inout Work) -> Void) {
    guard let index = work.firstIndex(where: { $0.label == label }) else { return }
    body(&work[index])
  }
}
