import Foundation

/// E7: reward from people's taste, and what becomes of a model that follows it.
public struct TasteExperiment: Experiment {
  public static let id = "e7"
  public static let title = "taste and its gaming"
  public let recipe: TasteRecipe

  public init(_ recipe: TasteRecipe) { self.recipe = recipe }

  /// Measured on one core of 118 GFLOP/s.
  public var plan: [PlannedWork] {
    func arm(_ name: String, _ steps: Int, _ second: Double = 0.14) -> [PlannedWork] {
      [.init(name, seconds: second * Double(steps)), .init("\(name) gallery", seconds: 0.1)]
    }
    func model(_ name: String, _ rankings: Int) -> [PlannedWork] {
      [
        .init(name, seconds: 1.5e-3 * Double(rankings)), .init("\(name) held out", seconds: 0.5),
      ]
    }
    let models = 1..<recipe.rewardModels + 1
    return [.init("sft", seconds: 8), .init("scale", seconds: 0.5)]
      + models.flatMap { model("reward-\($0)", recipe.rankings) }
      + models.flatMap { arm("rm-\($0)", recipe.steps) }
      + recipe.penalties.flatMap { arm("kl-\($0)", recipe.steps, 0.17) }
      + arm("true", recipe.trueSteps, 0.12)
      + (recipe.ensemble ? arm("ensemble", recipe.steps, 0.2) : [])
      + [.init("best of n", seconds: 3.5)]
      + (1..<recipe.rounds + 1).flatMap { round in
        model("reward-round-\(round)", recipe.nonsenseRankings * round)
          + arm("round-\(round)", recipe.steps)
      }
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
