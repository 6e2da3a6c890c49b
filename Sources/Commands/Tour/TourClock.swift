import Claims
import Foundation
import ModelFiles

/// Seconds that a tour and each of its stages took, over all the times that it was killed and went
/// on: kept in `times.json`, written aside at the end of a stage and every few seconds within.
final class TourClock {
  private struct Times: Codable {
    /// By the clock on the wall, with work going on.
    var seconds = 0.0
    var stages: [Report.Stage] = []
  }

  private struct Running {
    var stage: String
    var before: Double
    var started: ContinuousClock.Instant
  }

  private var times: Times
  private let place: URL
  private var running: [String: Running] = [:]
  private var lastTick: ContinuousClock.Instant?
  private var written = ContinuousClock.now

  init(folder: URL) {
    place = folder.appendingPathComponent("times.json")
    let data = try? Data(contentsOf: place)
    times = data.flatMap { try? JSONDecoder().decode(Times.self, from: $0) } ?? Times()
  }

  var seconds: Double { times.seconds }

  /// Stages in the order of `jobs` by their labels, and within a job in the order of their work.
  func stages(of jobs: [String]) -> [Report.Stage] {
    jobs.flatMap { job in times.stages.filter { $0.name.hasPrefix(job + " ") } }
  }

  /// `job` begins a stage; it has one at a time.
  func begin(_ stage: String, of job: String) {
    let before = times.stages.first { $0.name == stage }?.seconds ?? 0
    running[job] = Running(stage: stage, before: before, started: .now)
  }

  /// The stage of `job` is over, if it has one.
  func end(_ job: String) {
    count()
    running[job] = nil
    write()
  }

  /// Time goes on; to be called now and then, from the start of the work to its end.
  func tick() {
    count()
    if (ContinuousClock.now - written) / .seconds(1) > 5 { write() }
  }

  private func count() {
    let now = ContinuousClock.now
    if let lastTick { times.seconds += (now - lastTick) / .seconds(1) }
    lastTick = now
    for work in running.values {
      let seconds = work.before + (now - work.started) / .seconds(1)
      if let index = times.stages.firstIndex(where: { $0.name == work.stage }) {
        times.stages[index].seconds = seconds
      } else {
        times.stages.append(Report.Stage(name: work.stage, seconds: seconds))
      }
    }
  }

  /// Keeps the times now.
  func write() {
    written = .now
    // A tour is worth more than its clock: where the disk is full, the stage itself says so.
    try? writeAtomically(try JSONEncoder().encode(times), to: place)
  }
}
