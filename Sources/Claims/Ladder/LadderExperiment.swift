import Foundation

/// E1: reading, imitation and practice, each rung examined.
public struct LadderExperiment: Experiment {
  public static let id = "e1"
  public static let title = "the ladder"
  public let recipe: LadderRecipe

  public init(_ recipe: LadderRecipe) { self.recipe = recipe }

  /// Measured on one core of 118 GFLOP/s, with another experiment on the other.
  public var plan: [PlannedWork] {
    [
      .init("tokenizer", seconds: 0.5), .init("read", seconds: 90), .init("sft", seconds: 10),
      .init("sft-worked", seconds: 7), .init("rl", seconds: 78),
      .init("exam validation-sft", seconds: 0.3), .init("exam validation-sft-worked", seconds: 0.3),
      .init("sft-continued", seconds: 48), .init("exam base", seconds: 0.7),
      .init("exam base-4-shot", seconds: 5), .init("exam sft", seconds: 1),
      .init("exam sft-worked", seconds: 6), .init("exam sft-continued", seconds: 6),
      .init("exam rl", seconds: 6),
    ]
  }

  public func measure(in folder: URL, observer: ExperimentObserver) throws -> LadderResult {
    try Ladder(recipe: recipe, folder: folder, observer: observer).climb()
  }

  public func claims(_ finding: LadderResult) -> [Claim] { finding.claims }

  public func section(_ finding: LadderResult, in folder: URL, command: String) throws
    -> ReportPage.Section
  {
    try LadderSection(result: finding, folder: folder).section(command)
  }
}
