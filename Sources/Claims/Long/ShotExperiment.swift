import Foundation

/// E9, with `--long`: what examples in the context teach, over their number.
public struct ShotExperiment: Experiment {
  public static let id = "e9"
  public static let title = "in-context learning"
  public static let isExtra = true
  public let recipe: ShotRecipe

  public init(_ recipe: ShotRecipe) { self.recipe = recipe }

  /// Measured on one core of 118 GFLOP/s.
  public var plan: [PlannedWork] {
    [
      .init("read", seconds: 0.08 * Double(recipe.stage.steps)), .init("shots", seconds: 2),
    ]
  }

  public func measure(in folder: URL, observer: ExperimentObserver) throws -> ShotFinding {
    try Shots(recipe: recipe, folder: folder, observer: observer).measure()
  }

  public func claims(_ finding: ShotFinding) -> [Claim] { finding.claims }

  public func section(_ finding: ShotFinding, in folder: URL, command: String) throws
    -> ReportPage.Section
  {
    let first = ShotText(.test, pairs: 4, seed: recipe.seed, stream: "shown", index: 0)
    return ReportPage.Section(
      id: Self.id, heading: "Learning from the context", claims: finding.claims.map(\.id),
      talk:
        "A base model can be used with nothing but a clever prompt. Shown a few pairs, such as words "
        + "with their translations, it sees what is going on and goes on with it. It learned to do "
        + "so while reading; the task itself it learns from the prompt alone.",
      blocks: [
        .paragraph(
          "Every text has a mapping of its own, of \(ShotText.keys.count) keys to as many values, and "
            + "shows pairs of it: `\(first.words.joined(separator: " "))`. Of the 40,320 mappings "
            + "three in ten were kept for the exam and are in no text of the training. A key may come "
            + "up again or not: where the one asked about was not shown, the best guess is one of the "
            + "values that are left, so even the best reader is not always right."),
        .lines(chart(finding)),
        .paragraph(
          "The control: in the same texts every value is replaced by the next one. The answer is then "
            + "right in \(Unit.share.text(finding.scrambled.accuracy)), for the model believes what "
            + "it reads."),
        .lines(try learning(folder)), .subheading("Samples"),
        .paragraph("The first right and wrong answer of each kind."), .samples(samples(finding)),
      ], reproduce: command,
      doesNotShow: [
        "That a model learns a new kind of task from the context: that there are such mappings, it "
          + "learned from every text it read.",
        "Translation, or any mapping with a reason behind it: what was not shown cannot be inferred "
          + "here but by exclusion.",
        "How much seeds differ: one tour is one seed, and its intervals cover the texts only.",
      ])
  }

  private func chart(_ finding: ShotFinding) -> LineChart {
    LineChart(
      title: "Right answers over examples in the context",
      caption: "The likeliest next word, about mappings that no text of the training had.",
      x: Axis("examples"), y: Axis("right", unit: .share, range: 0...1),
      series: [
        .init("model", finding.exams.map { .init(Double($0.shots), $0.accuracy) }),
        .init("best guesses", finding.exams.map { .init(Double($0.shots), $0.best) }),
      ], references: [.init("chance", 1 / Double(ShotText.values.count))])
  }

  private func learning(_ folder: URL) throws -> LineChart {
    let stage = folder.appendingPathComponent("read")
    return LineChart(
      title: "Learning to learn", caption: "200 texts a point, with mappings of the training.",
      x: Axis("steps of training"), y: Axis("right", unit: .share, range: 0...1),
      series: [
        .init("\(recipe.most) examples", try measuredCurve(stage, "right_\(recipe.most)")),
        .init("none", try measuredCurve(stage, "right_0")),
      ])
  }

  private func samples(_ finding: ShotFinding) -> [ReportPage.Sample] {
    finding.exams.filter { [0, 2, recipe.most].contains($0.shots) }.flatMap { exam in
      [true, false].compactMap { wanted in exam.items.first { $0.isRight == wanted } }.map { item in
        ReportPage.Sample(
          prompt: item.prompt, response: item.response, outcome: item.isRight ? .right : .wrong,
          note: "\(exam.shots) examples; the answer is \(item.answer), "
            + (item.isShown ? "shown before" : "not shown before"))
      }
    }
  }
}
