import Foundation

/// E7: reward from people's taste, and what becomes of a model that follows it.
public struct TasteExperiment: Experiment {
  public static let id = "e7"
  public static let title = "taste and its gaming"
  public let recipe: TasteRecipe

  public init(_ recipe: TasteRecipe) { self.recipe = recipe }

  /// Measured on one core of 118 GFLOP/s.
  public var plan: [PlannedWork] {
    [.init("sft", seconds: 8)]
  }

  public func measure(in folder: URL, observer: ExperimentObserver) throws -> TasteFinding {
    try Taste(recipe: recipe, folder: folder, observer: observer).measure()
  }

  public func claims(_ finding: TasteFinding) -> [Claim] { finding.claims }

  public func section(_ finding: TasteFinding, in folder: URL, command: String) throws
    -> ReportPage.Section
  {
    TasteSection(result: finding).section(command)
  }
}
