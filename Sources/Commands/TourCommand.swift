import ArgumentParser
import Claims
import Foundation
import ModelFiles
import TensorKernels
import Training

/// `tour`: from nothing to a model that practised, with a verdict on every step.
struct TourCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tour",
    abstract: "Make a model from nothing, take it up the ladder, and report what held.",
    discussion: """
      Example:  lyceum tour --seed 7 --out runs/seed7
      Killed and started again, it goes on where it was.
      """)

  @Flag(help: "Check that every part runs, in under a minute; the verdicts then mean nothing.")
  var quick = false
  @Option(help: "Seed of everything that is random.") var seed: UInt64 = 1
  @Option(help: "Folder of the run.") var out = "runs/tour"
  @Option(help: "Some experiments only, by their ids: e1,e4.") var only: String?
  @Option(help: "Threads; 0 for all cores. They change no result.") var threads = 0
  @Flag(help: "End with the report as one line of JSON.") var json = false

  func run() throws {
    let folder = URL(fileURLWithPath: out)
    let run = try RunFolder(folder, create: true)
    let length = quick ? TourLength.quick : .standard
    try run.bindRecipe(TourRecipe(length: length, seed: seed))
    Interrupt.install()
    if threads > 0 { kernelThreads = threads }
    let clock = StageClock(folder: folder)
    if clock.seconds > 0 {
      Terminal.note("\(out): going on after \(Format.duration(clock.seconds)) of work.")
    } else {
      Terminal.note(announcement)
    }
    let experiments = try chosen(tourExperiments(length, seed: seed))
    let bar = ProgressBar(
      plan: quick
        ? []
        : experiments.flatMap { experiment in
          experiment.plan.map {
            PlannedStage("\(type(of: experiment).id) \($0.stage)", seconds: $0.seconds)
          }
        })
    var results: [ExperimentResult] = []
    for experiment in experiments {
      let id = type(of: experiment).id
      do {
        results.append(
          try experiment.run(
            in: folder.appendingPathComponent(id), observer: observer(id, bar, clock),
            command: command(only: id)))
      } catch is ExperimentStopped {
        throw Interrupted()
      }
    }
    try keepModel(folder)
    let report = Report(
      claims: results.flatMap(\.claims), seconds: clock.seconds, machine: Machine.describe(),
      commit: SourceCommit.current, command: command(only: only), stages: clock.stages)
    try report.write(to: folder.appendingPathComponent("report.json"))
    try ReportPage.tour(results.flatMap(\.sections), report: report, length: length)
      .write(to: folder.appendingPathComponent("report.html"))
    if json {
      try JSONLine.print(report)
    } else {
      show(report)
    }
  }

  private struct TourRecipe: Codable {
    var length: TourLength
    var seed: UInt64
  }

  private func chosen(_ all: [any Experiment]) throws -> [any Experiment] {
    guard let only else { return all }
    let ids = only.split(separator: ",").map {
      $0.trimmingCharacters(in: .whitespaces).lowercased()
    }
    let known = all.flatMap { type(of: $0).ids }
    for id in ids where !known.contains(id) {
      throw ValidationError(
        "there is no experiment \(id): choose from \(known.joined(separator: ", "))")
    }
    return all.filter { type(of: $0).ids.contains(where: ids.contains) }
  }

  /// The command that makes this report again.
  private func command(only: String?) -> String {
    "lyceum tour --seed \(seed)" + (quick ? " --quick" : "") + (only.map { " --only \($0)" } ?? "")
      + " --out \(out)"
  }

  /// The model that practised, where `lyceum chat` looks for it.
  private func keepModel(_ folder: URL) throws {
    let made = folder.appendingPathComponent("e1/model")
    guard FileManager.default.fileExists(atPath: made.path) else { return }
    try LoadedModel.load(made).save(to: folder.appendingPathComponent("model"))
  }

  // Measured on two cores of 118 GFLOP/s each; ETA and progress correct it as the work goes.
  private var announcement: String {
    quick
      ? "A quick tour: a few seconds, 0.3 GB of memory."
      : "A tour: about 3 minutes on 2 quick cores, 0.7 GB of memory. Ctrl-C saves."
  }

  private func observer(_ id: String, _ bar: ProgressBar, _ clock: StageClock) -> ExperimentObserver
  {
    ExperimentObserver(
      begin: { name, steps, from in
        clock.begin("\(id) \(name)")
        bar.begin("\(id) \(name)", steps: steps, from: from)
      },
      update: { step, note in
        bar.update(step: step, note: note.isEmpty ? nil : note)
        clock.tick()
      },
      end: {
        clock.end()
        bar.end()
      }, warn: { bar.note($0) }, shouldStop: { Interrupt.isRequested })
  }

  private func show(_ report: Report) {
    print(TextTable(claims: report.claims).text, "", separator: "\n")
    if quick { print("A quick tour checks that every part runs; its verdicts mean nothing.") }
    print("The report, with charts and samples:  \(out)/report.html")
    print("Talk to the result:                   lyceum chat \(out)")
  }
}
