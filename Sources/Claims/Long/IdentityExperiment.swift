import Foundation

/// E11, with `--long`: who a model says that it is.
public struct IdentityExperiment: Experiment {
  public static let id = "e11"
  public static let title = "knowledge of self"
  public static let isExtra = true
  public let recipe: IdentityRecipe

  public init(_ recipe: IdentityRecipe) { self.recipe = recipe }

  /// Measured on one core of 118 GFLOP/s.
  public var plan: [PlannedWork] {
    [PlannedWork("read", seconds: 0.05 * Double(recipe.reading.steps))]
      + IdentityWorld.Lessons.allCases.map {
        PlannedWork($0.rawValue, seconds: 0.04 * Double(recipe.imitation.steps))
      } + [PlannedWork("who are you", seconds: 1)]
  }

  public func measure(in folder: URL, observer: ExperimentObserver) throws -> IdentityFinding {
    try Identity(recipe: recipe, folder: folder, observer: observer).measure()
  }

  public func claims(_ finding: IdentityFinding) -> [Claim] { finding.claims }

  private static let arms = [
    ("base", "reads only"), ("sft", "nothing about itself"),
    ("sft-identity", "its name in some conversations"),
    ("sft-system", "system messages, new names"),
    ("sft-system, names of its lessons", "system messages, names of its lessons"),
    ("sft-identity, under a system message", "its name in some; a system message says another"),
  ]

  public func section(_ finding: IdentityFinding, in folder: URL, command: String) throws
    -> ReportPage.Section
  {
    let (own, other) = (IdentityWorld.own, IdentityWorld.others[0])
    return ReportPage.Section(
      id: Self.id, heading: "Who are you?", claims: finding.claims.map(\.id),
      talk:
        "To ask a model who it is makes little sense: it is started afresh for every conversation and "
        + "knows of itself only what texts say. Untold, it gives the likeliest answer, which is the "
        + "name of some assistant that its pages speak of often. Two things change that: a few "
        + "conversations among those it imitates, or a message before every conversation.",
      blocks: [
        .paragraph(
          "The base read prose, and conversations with assistants that say they are \(other.0), made by "
            + "\(other.1), or one of two others. Three models go on from it and imitate "
            + "conversations: one that never speaks of itself; one that says that it is \(own.0), "
            + "made by \(own.1), in \(Format.fixed(100 * recipe.identityShare, 0)) % of them; one "
            + "that has a system message first, which names it and its maker, another one each time. "
            + "The questions of the exam are worded in ways that no stage had, and the system "
            + "messages of the exam have names that no lesson had."),
        .bars(chart(finding)), .table(table(finding)), .subheading("Samples"),
        .paragraph("The first two answers of each kind."), .samples(samples(finding)),
      ], reproduce: command,
      doesNotShow: [
        "Knowledge of anything else about itself, such as what it can do.",
        "Which of the two wins in a large model where data and system message disagree: the last row "
          + "shows only this one, which never saw a system message.",
        "How much seeds differ: one tour is one seed, and its intervals cover the questions only.",
      ])
  }

  private func chart(_ finding: IdentityFinding) -> BarChart {
    BarChart(
      title: "Who it says it is",
      caption: "Of the base there is no right answer: nothing told it anything.",
      axis: Axis("answers", unit: .share, range: 0...1), rows: Self.arms.map(\.1),
      series: [
        .init("as its data or the system message say", Self.arms.map { finding.right($0.0) }),
        .init("another assistant of the pages", Self.arms.map { finding.saysOther($0.0) }),
      ])
  }

  private func table(_ finding: IdentityFinding) -> PageTable {
    PageTable(
      header: ["model", "commonest answers", "n"],
      rows: Self.arms.map { arm, title in
        let items = finding.exam(arm)
        let common = Dictionary(grouping: items, by: \.response).mapValues(\.count).sorted {
          ($1.value, $0.key) < ($0.value, $1.key)
        }
        return [
          title, common.prefix(3).map { "`\($0.key)` \($0.value)" }.joined(separator: ", "),
          String(items.count),
        ]
      })
  }

  private func samples(_ finding: IdentityFinding) -> [ReportPage.Sample] {
    Self.arms.flatMap { arm, title in
      finding.exam(arm).prefix(2).map { item in
        ReportPage.Sample(
          prompt: item.prompt, response: item.response,
          outcome: arm == "base" || arm == "sft" ? .open : item.isRight ? .right : .wrong,
          note: title)
      }
    }
  }
}
