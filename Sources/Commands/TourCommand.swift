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
  @Option(help: "A JSON file with another recipe, as tour.json of a run holds it.")
  var recipe: String?
  @Flag(help: "End with the report as one line of JSON.") var json = false

  func run() throws {
    let folder = URL(fileURLWithPath: out)
    var ladder = quick ? LadderRecipe.quick(seed: seed) : .tour(seed: seed)
    if let recipe {
      ladder = try JSONDecoder().decode(
        LadderRecipe.self, from: Data(contentsOf: URL(fileURLWithPath: recipe)))
      ladder.seed = seed
    }
    let run = try RunFolder(folder, create: true)
    try run.bindRecipe(ladder)
    Interrupt.install()
    let bar = ProgressBar()
    let observer = LadderObserver(
      begin: { bar.begin($0, steps: $1) }, update: { bar.update(step: $0, note: $1) },
      end: { bar.end() }, warn: { bar.note($0) }, shouldStop: { Interrupt.isRequested })
    let result = try Ladder(ladder, folder: folder, observer: observer).run()
    for arm in Ladder.Arm.allCases {
      guard let exam = result.exams[arm.rawValue] else { continue }
      let rate =
        exam.sampledRight.isEmpty
        ? 0
        : Double(exam.sampledRight.reduce(0, +)) / Double(exam.sampledRight.count * exam.samples)
      print(
        String(
          format: "%@ greedy %.3f [%.3f, %.3f] T1 %.3f tokens %.1f worked %.2f",
          arm.rawValue.padding(toLength: 14, withPad: " ", startingAt: 0), exam.accuracy.value,
          exam.accuracy.interval.low, exam.accuracy.interval.high, rate, exam.meanTokens,
          exam.workedShare))
    }
  }
}
