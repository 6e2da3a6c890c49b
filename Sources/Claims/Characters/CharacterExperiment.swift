import Foundation

/// E5: letters asked of a model that reads tokens, and of one that reads letters.
public struct CharacterExperiment: Experiment {
  public static let id = "e5"
  public static let title = "tokens, not characters"
  public let recipe: CharacterRecipe

  public init(_ recipe: CharacterRecipe) { self.recipe = recipe }

  /// Measured on one core of 118 GFLOP/s.
  public var plan: [PlannedWork] {
    [
      .init("syllables", seconds: 40), .init("exam syllables", seconds: 2),
      .init("letters", seconds: 32), .init("exam letters", seconds: 2),
      .init("points", seconds: 12), .init("exam points", seconds: 2),
    ]
  }

  public func measure(in folder: URL, observer: ExperimentObserver) throws -> CharacterResult {
    try Characters(recipe: recipe, folder: folder, observer: observer).measure()
  }

  public func claims(_ finding: CharacterResult) -> [Claim] { finding.claims }

  public func section(_ finding: CharacterResult, in folder: URL, command: String) throws
    -> ReportPage.Section
  {
    try CharacterSection(result: finding, folder: folder).section(command)
  }
}
