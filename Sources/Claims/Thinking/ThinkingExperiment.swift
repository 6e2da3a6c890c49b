import Foundation

/// E4: answer first, work first, dots: the same problems and, but for the dots, the same tokens.
public struct ThinkingExperiment: Experiment {
  public static let id = "e4"
  public static let title = "tokens to think"
  public let recipe: ThinkingRecipe

  public init(_ recipe: ThinkingRecipe) { self.recipe = recipe }

  /// Measured on one core of 118 GFLOP/s.
  public var plan: [PlannedWork] {
    recipe.arms.flatMap { arm in
      [
        PlannedWork(arm.id, seconds: 3 + 5 * Double(arm.layers)),
        PlannedWork("exam \(arm.id)", seconds: 0.3),
      ]
    } + [PlannedWork("exam budget", seconds: 1)]
  }

  public func measure(in folder: URL, observer: ExperimentObserver) throws -> ThinkingResult {
    try Thinking(recipe: recipe, folder: folder, observer: observer).measure()
  }

  public func claims(_ finding: ThinkingResult) -> [Claim] { finding.claims }

  public func section(_ finding: ThinkingResult, in folder: URL, command: String) throws
    -> ReportPage.Section
  {
    try ThinkingSection(result: finding, folder: folder).section(command)
  }
}
