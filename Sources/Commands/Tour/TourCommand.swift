import ArgumentParser
import Claims

/// `tour`: from nothing to a model that practised, with a verdict on every step.
struct TourCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tour",
    abstract: "Put every claim to the test, with models made from nothing, and report what held.",
    discussion: """
      Example:  lyceum tour --seed 7 --out runs/seed7
      Experiments run side by side, one a core. Killed and started again, it goes on where it was.
      """)

  @OptionGroup var options: TourOptions

  func run() throws {
    try TourRun(options, program: ["tour"], experiments: tourExperiments).run()
  }
}

/// What a tour is told on its command line.
public struct TourOptions: ParsableArguments {
  @Flag(help: "Check that every part runs, in under 90 seconds; the verdicts then mean nothing.")
  public var quick = false
  @Flag(
    help: ArgumentHelp(
      "The sweeps of e4 and e7 as well, and the experiments e6b and e8 to e11.",
      discussion: "Partial results, depths, more reward models; Countdown, regurgitation, "
        + "in-context learning, parallel universes, knowledge of self. Each alone: --only e8."))
  public var long = false
  @Option(help: "Seed of everything that is random.") public var seed: UInt64 = 1
  @Option(help: "Seeds in a row, from --seed on; intervals then cover the seeds.")
  public var seeds = 1
  @Option(help: "Folder of the run.") public var out = "runs/tour"
  @Option(help: "Some experiments only, by their ids: e1,e4.") public var only: String?
  @Option(help: "Cores to use; 0 for all. They change no result.") public var threads = 0
  @Flag(help: "End with the report as one line of JSON.") public var json = false
  @Option(help: .hidden) public var worker: String?

  public init() {}

  public func validate() throws {
    if quick && long { throw ValidationError("--quick and --long exclude each other") }
    guard (1...100).contains(seeds) else {
      throw ValidationError("--seeds is \(seeds): choose 1 to 100")
    }
    guard seed <= .max - UInt64(seeds) else {
      throw ValidationError("--seed \(seed) leaves no room for \(seeds) seeds")
    }
    guard threads >= 0 else { throw ValidationError("--threads is \(threads): choose 0 or more") }
  }

  var length: TourLength { quick ? .quick : long ? .long : .standard }

  /// The command that makes this report, or a part of it, again.
  func command(only: String?, seed: UInt64, seeds: Int = 1, out: String) -> String {
    "lyceum tour --seed \(seed)" + (seeds > 1 ? " --seeds \(seeds)" : "")
      + (quick ? " --quick" : "") + (long ? " --long" : "")
      + (only.map { " --only \($0)" } ?? "") + " --out \(out)"
  }
}
