import Foundation

/// E2 and E3: hallucination and its cures, and memory against the page at hand. One base serves both.
public struct KnowledgeExperiment: Experiment {
  public static let id = "e2"
  public static let ids = ["e2", "e3"]
  public static let title = "knowledge and memory"
  public let recipe: KnowledgeRecipe

  public init(_ recipe: KnowledgeRecipe) { self.recipe = recipe }

  /// Measured on one core of 118 GFLOP/s.
  public var plan: [PlannedWork] {
    let exams = Knowledge.Arm.allCases.flatMap { arm in
      [
        PlannedWork("test \(arm.rawValue)", seconds: 1),
        PlannedWork("validation \(arm.rawValue)", seconds: 0.3),
      ]
    }
    return [
      .init("read", seconds: 300), .init("books", seconds: 4), .init("probe", seconds: 3),
      .init("sft-answers", seconds: 0.5), .init("sft-shuffled", seconds: 28),
      .init("sft-refusals", seconds: 28), .init("sft-narrow", seconds: 28),
      .init("sft-unknown-facts", seconds: 28), .init("rl", seconds: 13),
    ] + exams + [
      .init("linear probe", seconds: 2), .init("tools", seconds: 24),
      .init("test tools", seconds: 4),
    ]
  }

  public func measure(in folder: URL, observer: ExperimentObserver) throws -> KnowledgeFinding {
    try Knowledge(recipe: recipe, folder: folder, observer: observer).run()
  }

  public func claims(_ finding: KnowledgeFinding) -> [Claim] {
    finding.claims + finding.memory.claims(seed: recipe.seed)
  }

  public func section(_ finding: KnowledgeFinding, in folder: URL, command: String)
    -> ReportPage.Section
  {
    KnowledgeSection(finding: finding).section(command)
  }

  public func sections(_ finding: KnowledgeFinding, in folder: URL, command: String)
    -> [ReportPage.Section]
  {
    [
      section(finding, in: folder, command: command),
      MemorySection(finding: finding.memory, recipe: recipe).section(command),
    ]
  }
}
