import Foundation

/// The time that one stage still needs, from the rate of the last while: an exponential average over
/// about `memorySeconds` of work, so that one slow step does not make the number jump and a lasting
/// change of speed still shows.
struct RateEstimate: Sendable {
  private let memorySeconds: Double
  private var lastTime: Double
  private var lastStep: Double
  /// Seconds and steps of the recent past, both fading alike: their ratio is the rate.
  private var recentSeconds = 0.0
  private var recentSteps = 0.0
  /// Seconds since the first step.
  private(set) var elapsed = 0.0

  init(time: Double, step: Double = 0, memorySeconds: Double = 20) {
    self.memorySeconds = memorySeconds
    lastTime = time
    lastStep = step
  }

  mutating func record(time: Double, step: Double) {
    let seconds = time - lastTime
    let steps = step - lastStep
    guard seconds > 0, steps >= 0 else { return }
    let keep = exp(-seconds / memorySeconds)
    recentSeconds = recentSeconds * keep + seconds
    recentSteps = recentSteps * keep + steps
    elapsed += seconds
    (lastTime, lastStep) = (time, step)
  }

  /// Steps per second, nil before the first step is done.
  var rate: Double? { recentSteps > 0 ? recentSteps / recentSeconds : nil }
}

/// A part of the work with its planned length.
public struct PlannedStage: Sendable, Equatable {
  public var name: String
  /// Seconds that it takes on the machine where the plan was made. Only the proportions matter once
  /// something has been measured.
  public var seconds: Double

  public init(_ name: String, seconds: Double) {
    self.name = name
    self.seconds = seconds
  }
}

/// What remains of a plan of several stages. The plan's seconds are scaled by how much slower this
/// machine has been than the plan so far.
struct PlanEstimate: Sendable {
  private var pending: [PlannedStage]
  private var plannedDone = 0.0
  private var measuredDone = 0.0
  private(set) var current: PlannedStage?

  init(_ stages: [PlannedStage]) { pending = stages }

  /// Moves to the stage of that name; those before it that never ran were done in an earlier run.
  mutating func begin(_ name: String) {
    guard let index = pending.firstIndex(where: { $0.name == name }) else {
      current = nil
      return
    }
    current = pending[index]
    pending.removeFirst(index + 1)
  }

  /// Counts the share of the current stage that this run did, and the seconds that took.
  mutating func end(seconds: Double, share: Double) {
    guard let stage = current else { return }
    plannedDone += stage.seconds * share
    measuredDone += seconds
    current = nil
  }

  /// Seconds left in all stages, given `share` of the current one done, `doneHere` of that in this
  /// run during `elapsed` seconds, and what the current stage's own rate says is left of it.
  func remaining(share: Double, doneHere: Double, elapsed: Double, byRate: Double?) -> Double {
    let planned = current?.seconds ?? 0
    // Five seconds of trust in the plan keep the first steps from deciding everything.
    let trust = 5.0
    let slowdown =
      (trust + measuredDone + (current == nil ? 0 : elapsed))
      / (trust + plannedDone + planned * doneHere)
    let byPlan = planned * (1 - share) * slowdown
    let confidence = min(1, elapsed / trust)
    let here = byRate.map { confidence * $0 + (1 - confidence) * byPlan } ?? byPlan
    return here + pending.reduce(0) { $0 + $1.seconds } * slowdown
  }

  /// Whether stages follow the current one.
  var hasMore: Bool { !pending.isEmpty }
}
