import Foundation

/// E6: imitation of a flawed expert, and practice that passes it.
public struct GameExperiment: Experiment {
  public static let id = "e6"
  public static let title = "the ceiling of imitation"
  public let recipe: GameRecipe

  public init(_ recipe: GameRecipe) { self.recipe = recipe }

  public var plan: [PlannedWork] { [] }

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
