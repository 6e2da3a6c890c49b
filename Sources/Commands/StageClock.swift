import Claims
import Foundation
import ModelFiles

/// Seconds that each stage of a run took, over all the times that it was killed and went on: kept in
/// `times.json`, written aside at the end of a stage and every few seconds within.
final class StageClock {
  private(set) var stages: [Report.Stage] = []
  private let place: URL
  private var name: String?
  private var before = 0.0
  private var started = ContinuousClock.now
  private var written = ContinuousClock.now

  init(folder: URL) {
    place = folder.appendingPathComponent("times.json")
    let data = try? Data(contentsOf: place)
    stages = data.flatMap { try? JSONDecoder().decode([Report.Stage].self, from: $0) } ?? []
  }

  var seconds: Double { stages.reduce(0) { $0 + $1.seconds } }

  func begin(_ stage: String) {
    name = stage
    before = stages.first { $0.name == stage }?.seconds ?? 0
    started = .now
  }

  func tick() {
    guard (ContinuousClock.now - written) / .seconds(1) > 5 else { return }
    record()
  }

  func end() {
    record()
    name = nil
  }

  private func record() {
    guard let name else { return }
    let seconds = before + (ContinuousClock.now - started) / .seconds(1)
    if let index = stages.firstIndex(where: { $0.name == name }) {
      stages[index].seconds = seconds
    } else {
      stages.append(Report.Stage(name: name, seconds: seconds))
    }
    written = .now
    // A tour is worth more than its clock: where the disk is full, the stage itself says so.
    try? writeAtomically(try JSONEncoder().encode(stages), to: place)
  }
}
