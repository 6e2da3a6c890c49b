import Foundation

/// E8, with `--long`: how much of what it read a base model recites, over how often it read it.
public struct RecitalExperiment: Experiment {
  public static let id = "e8"
  public static let title = "regurgitation"
  public static let isExtra = true
  public let recipe: RecitalRecipe

  public init(_ recipe: RecitalRecipe) { self.recipe = recipe }

  /// Measured on one core of 118 GFLOP/s.
  public var plan: [PlannedWork] {
    [
      .init("read", seconds: 0.045 * Double(recipe.stage.steps)), .init("recital", seconds: 1),
    ]
  }

  public func measure(in folder: URL, observer: ExperimentObserver) throws -> RecitalFinding {
    try Recital(recipe: recipe, folder: folder, observer: observer).measure()
  }

  public func claims(_ finding: RecitalFinding) -> [Claim] { finding.claims }

  public func section(_ finding: RecitalFinding, in folder: URL, command: String) throws
    -> ReportPage.Section
  {
    ReportPage.Section(
      id: Self.id, heading: "Pages by heart", claims: finding.claims.map(\.id),
      talk:
        "A base model is a lossy copy of what it read. What it read many times, such as a well-known "
        + "page, it can recite to the letter from its first words, which is usually not wanted; of "
        + "what it read once, it keeps the gist at best.",
      blocks: [
        .paragraph(
          "The pages are walks through an invented language: after each word come "
            + "\(recipe.followers) others, equally likely, so a guess of the next word is right one "
            + "time in \(recipe.followers). \(recipe.pages) pages each were read "
            + "\(recipe.exposures.dropFirst().map(String.init).joined(separator: ", ")) times, "
            + "strewn among \(recipe.filler) times as many readings of other pages. Then the model "
            + "is given the first \(recipe.given) words of a page and writes on, always the "
            + "likeliest word."),
        .lines(chart(finding)), .table(givenTable(finding)), .subheading("Samples"),
        .paragraph("The first page of each kind."), .samples(samples(finding)),
      ], reproduce: command,
      doesNotShow: [
        "What large models recite: how often a page has to be read depends on the model's size, on the "
          + "rate of learning and on what else is read, and is not carried over from here.",
        "Recall of the gist: a page is right to the word, or it is not.",
        "Pages that are nearly alike, or quoted within others.",
        "How much seeds differ: one tour is one seed, and its intervals cover the pages only.",
      ])
  }

  private func chart(_ finding: RecitalFinding) -> LineChart {
    let read = recipe.exposures.filter { $0 > 0 }
    return LineChart(
      title: "Recited over readings",
      caption:
        "The share of the \(finding.length) words that follow, up to the first that differs.",
      x: Axis("times read", scale: .log2), y: Axis("recited", unit: .share, range: 0...1),
      series: [
        .init("words", read.map { .init(Double($0), finding.recited($0)) }),
        .init("whole pages", read.map { .init(Double($0), finding.whole($0)) }),
      ], references: [.init("never read", finding.recited(0).value)])
  }

  private func givenTable(_ finding: RecitalFinding) -> PageTable {
    PageTable(
      header: ["words given, of pages read \(finding.most) times", "words recited on average"],
      rows: finding.byGiven.keys.sorted().map {
        [String($0), Format.fixed(finding.byGiven[$0] ?? 0, 1)]
      })
  }

  private func samples(_ finding: RecitalFinding) -> [ReportPage.Sample] {
    recipe.exposures.reversed().compactMap { exposures in
      finding.pages.first { $0.exposures == exposures }.map { page in
        ReportPage.Sample(
          prompt: page.beginning, response: page.response,
          outcome: page.recited == finding.length ? .right : .wrong,
          note: "read \(exposures) times; \(page.recited) words recited"
            + (page.recited == finding.length ? "" : "; the page: \(page.rest)"))
      }
    }
  }
}
