import Foundation
import Training

@testable import Claims

/// A folder of its own that goes with the test.
final class Scratch {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("lyceum-claims-\(UUID().uuidString)")

  deinit { try? FileManager.default.removeItem(at: url) }

  subscript(_ name: String) -> URL { url.appendingPathComponent(name) }
}

extension ExperimentObserver {
  /// Says nothing, and stops when it is asked for the `limit`-th time.
  static func stopping(after limit: Int = .max) -> ExperimentObserver {
    var asked = 0
    return ExperimentObserver(
      begin: { _, _, _ in }, update: { _, _ in }, end: {}, warn: { _ in },
      shouldStop: {
        asked += 1
        return asked > limit
      })
  }
}

/// Runs an experiment whole, and in another folder with interruptions; gives both findings as JSON.
func wholeAndInterrupted<E: Experiment>(_ experiment: E, stops: [Int]) throws -> (
  whole: Data, interrupted: Data, result: ExperimentResult
) {
  let scratch = Scratch()
  let result = try experiment.run(in: scratch["whole"], observer: .stopping(), command: "c")
  for limit in stops {
    do {
      _ = try experiment.run(
        in: scratch["stopped"], observer: .stopping(after: limit), command: "c")
    } catch is ExperimentStopped {
    } catch is StageStopped {}
  }
  _ = try experiment.run(in: scratch["stopped"], observer: .stopping(), command: "c")
  // Values, not bytes: keys of a dictionary have no order.
  func sorted(_ name: String) throws -> Data {
    let finding = try JSONDecoder().decode(
      E.Finding.self, from: Data(contentsOf: scratch[name].appendingPathComponent("finding.json")))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try encoder.encode(finding)
  }
  return (try sorted("whole"), try sorted("stopped"), result)
}
