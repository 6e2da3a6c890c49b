import ArgumentParser

/// The command line: a list of verbs.
public struct Lyceum: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "lyceum",
    abstract: "Make a language model from nothing, and watch it learn.",
    discussion: """
      Start here:  lyceum tour
      """,
    subcommands: [TourCommand.self, BenchCommand.self])

  public init() {}
}
