import Foundation

/// E6: imitation of a flawed expert, and practice that passes it.
public struct GameExperiment: Experiment {
  public static let id = "e6"
  public static let title = "the ceiling of imitation"
  public let recipe: GameRecipe

  public init(_ recipe: GameRecipe) { self.recipe = recipe }

  /// Measured on one core that other work shared.
  public var plan: [PlannedWork] {
    recipe.imitated.map { .init("sft-\($0)", seconds: 6) } + [
      .init("rl", seconds: 20), .init("sft-continued", seconds: 18),
    ] + recipe.imitated.map { .init("exam \(Game.name(games: $0))", seconds: 3) } + [
      .init("exam SFT continued", seconds: 3), .init("exam RL", seconds: 3),
      .init("exam rare moves", seconds: 0.5), .init("exam expert", seconds: 0.5),
      .init("exam updates", seconds: 2), .init("exam round robin", seconds: 2),
      .init("exam sample games", seconds: 0.1),
    ]
  }

  public func measure(in folder: URL, observer: ExperimentObserver) throws -> GameFinding {
    try Game(recipe: recipe, folder: folder, observer: observer).measure()
  }

  public func claims(_ finding: GameFinding) -> [Claim] { finding.claims }

  public func section(_ finding: GameFinding, in folder: URL, command: String) throws
    -> ReportPage.Section
  {
    try GameSection(finding: finding, folder: folder).section(command)
  }
}
