import ArgumentParser

/// The command line: a list of verbs.
public struct Lyceum: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "lyceum",
    abstract: "Make a language model from nothing, and watch it learn.",
    discussion: """
      Start here:  lyceum tour
      """,
    subcommands: [
      TourCommand.self, PretrainCommand.self, SFTCommand.self, RLCommand.self, RewardCommand.self,
      RLHFCommand.self, EvalCommand.self, ProbeCommand.self,
      ChatCommand.self, TalkCommand.self, CompleteCommand.self, ScoreCommand.self,
      NudgeCommand.self, MergeCommand.self, ExportCommand.self, PullCommand.self,
      QuantizeCommand.self, TokenizerCommand.self, ParityCommand.self,
      ServeCommand.self, ListCommand.self, ShowCommand.self, RemoveCommand.self,
      BenchCommand.self, DoctorCommand.self,
    ])

  public init() {}
}
