import ArgumentParser
import Claims
import Foundation
import ModelFiles

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
  @Option(help: "A JSON file with another recipe, as recipe.json of a tour holds it.")
  var recipe: String?
  @Flag(help: "End with the report as one line of JSON.") var json = false

  func run() throws {
    let folder = URL(fileURLWithPath: out)
    let ladder = try ladderRecipe()
    let run = try RunFolder(folder, create: true)
    try run.bindRecipe(ladder)
    Interrupt.install()
    let clock = StageClock(folder: folder)
    if clock.seconds > 0 {
      Terminal.note("\(out): going on after \(Format.duration(clock.seconds)) of work.")
    } else if recipe == nil {
      Terminal.note(announcement)
    }
    let result: LadderResult
    do {
      result = try Ladder(ladder, folder: folder, observer: observer(clock)).run()
    } catch is LadderStopped {
      throw Interrupted()
    }
    let report = Report(
      claims: result.claims, seconds: clock.seconds, machine: Machine.describe(),
      commit: SourceCommit.current, command: command, stages: clock.stages)
    try report.write(to: folder.appendingPathComponent("report.json"))
    try ReportPage.tour(result, report: report, isQuick: quick, folder: folder)
      .write(to: folder.appendingPathComponent("report.html"))
    if json {
      try JSONLine.print(report)
    } else {
      show(result, report)
    }
  }

  private func ladderRecipe() throws -> LadderRecipe {
    guard let recipe else { return quick ? .quick(seed: seed) : .tour(seed: seed) }
    struct Envelope: Decodable { var recipe: LadderRecipe }
    let place = URL(fileURLWithPath: recipe)
    do {
      var ladder = try JSONDecoder().decode(Envelope.self, from: Data(contentsOf: place)).recipe
      ladder.seed = seed
      return ladder
    } catch {
      throw ModelFileError(
        "\(recipe) is not the recipe of a tour (recipe.json of a tour's folder is one): \(error)")
    }
  }

  /// The command that makes this report again.
  private var command: String {
    "lyceum tour --seed \(seed)" + (quick ? " --quick" : "")
      + (recipe.map { " --recipe \($0)" } ?? "") + " --out \(out)"
  }

  // Measured on two cores of 118 GFLOP/s each; ETA and progress correct it as the work goes.
  private var announcement: String {
    quick
      ? "A quick tour: a few seconds, 0.3 GB of memory."
      : "A tour: about 3 minutes on 2 quick cores, 0.7 GB of memory. Ctrl-C saves."
  }

  /// Seconds of each stage on that machine: where the time of the whole comes from at first.
  private static let plan: [PlannedStage] = [
    .init("tokenizer", seconds: 0.5), .init("read", seconds: 60), .init("sft", seconds: 10),
    .init("sft-worked", seconds: 5), .init("rl", seconds: 36),
    .init("exam validation-sft", seconds: 0.3), .init("exam validation-sft-worked", seconds: 0.3),
    .init("sft-continued", seconds: 40), .init("exam base", seconds: 0.7),
    .init("exam base-4-shot", seconds: 3), .init("exam sft", seconds: 1),
    .init("exam sft-worked", seconds: 3.5), .init("exam sft-continued", seconds: 3.5),
    .init("exam rl", seconds: 3.5),
  ]

  private func observer(_ clock: StageClock) -> LadderObserver {
    let bar = ProgressBar(plan: quick || recipe != nil ? [] : Self.plan)
    return LadderObserver(
      begin: { name, steps, from in
        clock.begin(name)
        bar.begin(name, steps: steps, from: from)
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

  private func show(_ result: LadderResult, _ report: Report) {
    var table = TextTable([
      .init("model"), .init("greedy", .right), .init("95 %", .right), .init("T = 1", .right),
      .init("tokens", .right), .init("shows work", .right),
    ])
    for arm in Ladder.Arm.allCases {
      guard let exam = result.exams[arm.rawValue] else { continue }
      table.add([
        arm.title, Unit.share.text(exam.accuracy.value), Unit.share.text(exam.accuracy.interval),
        exam.sampledAccuracy(seed: result.recipe.seed).map { Unit.share.text($0.value) } ?? "–",
        Format.fixed(exam.meanTokens, 1), Unit.share.text(exam.workedShare),
      ])
    }
    print(table.text, "", TextTable(claims: report.claims).text, "", separator: "\n")
    if quick { print("A quick tour checks that every part runs; its verdicts mean nothing.") }
    print("The report, with charts and samples:  \(out)/report.html")
    print("Talk to the result:                   lyceum chat \(out)")
  }
}
