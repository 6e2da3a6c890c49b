import ArgumentParser
import Claims
import Commands
import Foundation
import Training

/// A tour of experiments that only count, for tests of everything around them: `tour-rehearsal`
/// takes the options of `lyceum tour`.
struct Rehearsal: ParsableCommand {
  @OptionGroup var options: TourOptions

  func run() throws {
    try TourRun(options, program: []) { _, seed in
      [
        Count<First>(recipe: .init(seed: seed, steps: 40)),
        Count<Second>(recipe: .init(seed: seed, steps: 60)),
        Count<Third>(recipe: .init(seed: seed, steps: 20)),
      ]
    }.run()
  }
}

protocol Name { static var id: String { get } }
enum First: Name { static let id = "e1" }
enum Second: Name { static let id = "e2" }
enum Third: Name { static let id = "e3" }

struct CountRecipe: Codable, Equatable {
  var seed: UInt64
  var steps: Int
}

/// Counts to a number, a step in 20 ms, and keeps each step in a file. A file `break-ID` beside its
/// folder breaks it in the middle: `throw` by an error, `crash` by a signal.
struct Count<Kind: Name>: Experiment {
  static var id: String { Kind.id }
  static var title: String { "counting" }
  let recipe: CountRecipe

  var plan: [PlannedWork] {
    [
      .init("count", seconds: Double(recipe.steps) / 50),
      .init("look", seconds: 0.1),
    ]
  }

  struct Broken: Error, CustomStringConvertible {
    var description: String { "the count was broken off on purpose" }
  }

  func measure(in folder: URL, observer: ExperimentObserver) throws -> [Double] {
    let place = folder.appendingPathComponent("count.json")
    var values: [Double] = []
    if let data = try? Data(contentsOf: place) {
      values = try JSONDecoder().decode([Double].self, from: data)
    }
    let orders = folder.deletingLastPathComponent().appendingPathComponent("break-\(Self.id)")
    observer.begin("count", recipe.steps, values.count)
    while values.count < recipe.steps {
      if observer.shouldStop() {
        observer.end()
        throw ExperimentStopped()
      }
      if values.count == recipe.steps / 2,
        let order = try? String(contentsOf: orders, encoding: .utf8)
      {
        if order == "throw" { throw Broken() }
        kill(getpid(), SIGKILL)
      }
      usleep(20_000)
      values.append(Double((values.count + 1) * Int(recipe.seed) % 7) / 7)
      try JSONEncoder().encode(values).write(to: place, options: .atomic)
      observer.update(values.count, "at \(values.count)")
    }
    observer.end()
    return values
  }

  func claims(_ finding: [Double]) -> [Claim] {
    [
      Claim(
        id: "\(Self.id).counts", statement: "Counting ends.", metric: "mean of what was counted",
        estimate: bootstrapMean(finding, resamples: 200, seed: recipe.seed), .above, threshold: 0.1,
        unit: .plain, n: finding.count, seeds: [recipe.seed])
    ]
  }

  func section(_ finding: [Double], in folder: URL, command: String) throws -> ReportPage.Section {
    ReportPage.Section(
      id: Self.id, heading: "Counting, \(Self.id)", claims: ["\(Self.id).counts"], talk: "",
      blocks: [], reproduce: command, doesNotShow: [])
  }
}

do {
  var command = try Rehearsal.parseAsRoot()
  try command.run()
} catch {
  Rehearsal.finish(with: error)
}
