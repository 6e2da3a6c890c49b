import Foundation

/// E10, with `--long`: the same beginning continued in many ways, and how often in which.
public struct UniverseExperiment: Experiment {
  public static let id = "e10"
  public static let title = "parallel universes"
  public static let isExtra = true
  public let recipe: UniverseRecipe

  public init(_ recipe: UniverseRecipe) { self.recipe = recipe }

  /// Measured on one core of 118 GFLOP/s.
  public var plan: [PlannedWork] {
    [
      .init("read", seconds: 0.05 * Double(recipe.stage.steps)), .init("lives", seconds: 4),
    ]
  }

  public func measure(in folder: URL, observer: ExperimentObserver) throws -> UniverseFinding {
    try Universes(recipe: recipe, folder: folder, observer: observer).measure()
  }

  public func claims(_ finding: UniverseFinding) -> [Claim] { finding.claims }

  public func section(_ finding: UniverseFinding, in folder: URL, command: String) throws
    -> ReportPage.Section
  {
    ReportPage.Section(
      id: Self.id, heading: "Parallel universes", claims: finding.claims.map(\.id),
      talk:
        "Asked to go on with a text about something that happened after it was trained, a base model "
        + "does not stop. It takes its best guess, and the next time another one: each continuation "
        + "is a parallel universe, as likely as such texts are, and none of them is remembered.",
      blocks: [
        .paragraph(
          "The model read of \(recipe.known) people \(recipe.exposures) times each, and of "
            + "\(Format.fixed(Double(recipe.others), 0)) others once: where they live, what they are, "
            + "which animal they have. The trade depends on the town and the animal on the trade, and "
            + "each comes up twice on a page. Then it is given a name and goes on, "
            + "\(recipe.samples) times, for the known and for \(recipe.unseen) names that are in no "
            + "text."),
        .bars(chart(finding)), .histogram(histogram(finding)), .table(table(finding)),
        .subheading("Samples"),
        .paragraph("The first lives of the first unseen name and of the first known one."),
        .samples(samples(finding)),
      ], reproduce: command,
      doesNotShow: [
        "What a large model does with a date after its training: here it is a name that is new.",
        "That every dependence is caught: towns, and trades given towns, are compared; animals are in "
          + "the table only.",
        "How much seeds differ: one tour is one seed, and its intervals cover the names only.",
      ])
  }

  private func chart(_ finding: UniverseFinding) -> BarChart {
    let counts = UniverseWorld.towns.indices.map { town in
      finding.towns(finding.unseen).reduce(0) { $0 + $1[town] }
    }
    let total = counts.reduce(0, +)
    return BarChart(
      title: "Towns of people who do not exist",
      caption: "Shares among all lives written for unseen names, beside those of the world. "
        + "The intervals take the lives as independent.",
      axis: Axis("share", unit: .share, range: 0...0.4), rows: UniverseWorld.towns,
      series: [
        .init("written", counts.map { Estimate(successes: $0, of: total) }),
        .init("world", UniverseWorld.townShares.map { Estimate($0, low: $0, high: $0) }),
      ])
  }

  private func histogram(_ finding: UniverseFinding) -> Histogram {
    Histogram(
      title: "How many universes", caption: "Entropy of the towns among the lives of one name.",
      x: Axis("bits"),
      series: [
        .init("unseen names", finding.unseen.map(UniverseFinding.entropy)),
        .init("known names", finding.known.map(UniverseFinding.entropy)),
      ])
  }

  private func table(_ finding: UniverseFinding) -> PageTable {
    let world = UniverseWorld(recipe)
    let lives = finding.unseen.flatMap(\.lives)
    return PageTable(
      header: ["unseen, trade", "written", "animals, written", "animals, world"],
      rows: UniverseWorld.trades.indices.map { trade in
        let chosen = lives.filter { $0.trade == trade }
        let shares = UniverseWorld.animals.indices.map { animal in
          Double(chosen.count { $0.animal == animal }) / Double(max(1, chosen.count))
        }
        func list(_ shares: [Double]) -> String {
          zip(UniverseWorld.animals, shares).map { "\($0) \(Format.fixed(100 * $1, 0))" }
            .joined(separator: ", ")
        }
        return [
          UniverseWorld.trades[trade], String(chosen.count), list(shares),
          list(world.animalShares(trade)),
        ]
      })
  }

  private func samples(_ finding: UniverseFinding) -> [ReportPage.Sample] {
    [(finding.unseen.first, "in no text", 5), (finding.known.first, "known", 3)].flatMap {
      person, kind, count -> [ReportPage.Sample] in
      guard let person else { return [] }
      return zip(person.texts, person.lives).prefix(count).map { text, life in
        ReportPage.Sample(
          prompt: "<page> \(person.name) lives in", response: text,
          outcome: life.isConsistent ? .open : .wrong,
          note: kind
            + (life.isConsistent ? "" : life.isPage ? "; disagrees with itself" : "; no page"))
      }
    }
  }
}
