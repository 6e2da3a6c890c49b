import Foundation

/// E6b, with `--long`: reasoning that practice makes longer and better.
public struct CountdownExperiment: Experiment {
  public static let id = "e6b"
  public static let title = "Countdown"
  public static let isExtra = true
  public let recipe: CountdownRecipe

  public init(_ recipe: CountdownRecipe) { self.recipe = recipe }

  /// Measured on one core of 118 GFLOP/s.
  public var plan: [PlannedWork] {
    [
      .init("sft", seconds: 0.003 * Double(recipe.demonstrations) * recipe.epochs),
      .init("rl", seconds: 1.2 * Double(recipe.steps)), .init("exam", seconds: 8),
    ]
  }

  public func measure(in folder: URL, observer: ExperimentObserver) throws -> CountdownFinding {
    try Countdown(recipe: recipe, folder: folder, observer: observer).measure()
  }

  public func claims(_ finding: CountdownFinding) -> [Claim] { finding.claims }

  public func section(_ finding: CountdownFinding, in folder: URL, command: String) throws
    -> ReportPage.Section
  {
    let lines = try StageLogLine.read(folder.appendingPathComponent("rl"))
    return ReportPage.Section(
      id: Self.id, heading: "Thoughts that grow", claims: finding.claims.map(\.id),
      talk:
        "Practised on problems whose answers can be checked, large models began to write longer: they "
        + "try, look again, and try another way. Nobody taught them to; it is what raised the share "
        + "of right answers.",
      blocks: [
        .paragraph(
          "Three numbers and one to reach, `3 7 5 make 26`, with +, − and ×, each number used once. "
            + "People try ways in any order and give up after \(recipe.people.patience.lowerBound) to "
            + "\(recipe.people.patience.upperBound) of them: they get there in "
            + "\(Unit.share.text(finding.peopleAccuracy)). The model imitates "
            + "\(Format.fixed(Double(recipe.demonstrations), 0)) of their attempts, failures "
            + "included, then practises \(recipe.steps) times on \(recipe.problems) problems with "
            + "\(recipe.samples) answers each, of at most \(recipe.maxTokens) tokens. An answer pays "
            + "1 where the last way it writes is right in every sum and reaches the number."),
        .bars(accuracyChart(finding)), .lines(rewardChart(lines, finding)),
        .lines(lengthChart(lines)), .table(table(finding)), .subheading("Samples"),
        .paragraph("The first right and wrong answer of each model."), .samples(samples(finding)),
      ], reproduce: command,
      doesNotShow: [
        "A new way to think: trying one way after the other is what people showed; practice makes "
          + "the model go on, and choose better.",
        "Long division of thoughts as in large models: numbers are small, and a search has two steps.",
        "How much seeds differ: one tour is one seed, and its intervals cover the problems only.",
      ])
  }

  private func accuracyChart(_ finding: CountdownFinding) -> BarChart {
    BarChart(
      title: "Problems solved",
      caption: "\(recipe.answers) sampled answers to each of \(recipe.items) problems of the exam.",
      axis: Axis("right", unit: .share, range: 0...1), rows: ["people", "SFT", "RL"],
      series: [
        .init(
          "right",
          [
            finding.peopleAccuracy, finding.accuracy(finding.imitator),
            finding.accuracy(finding.practised),
          ])
      ])
  }

  private func rewardChart(_ lines: [StageLogLine], _ finding: CountdownFinding) -> LineChart {
    LineChart(
      title: "Right answers over updates", x: Axis("updates"),
      y: Axis("right", unit: .share, range: 0...1),
      series: [.init("problems of practice", lines.curve(\.reward))],
      references: [.init("people", finding.peopleAccuracy.value)])
  }

  private func lengthChart(_ lines: [StageLogLine]) -> LineChart {
    LineChart(
      title: "Tokens in an answer over updates", x: Axis("updates"), y: Axis("tokens"),
      series: [
        .init("all answers", lines.curve(\.length)),
        .init("right ones", lines.curve(\.lengthRight)),
        .init("wrong ones", lines.curve(\.lengthWrong)),
      ])
  }

  private func table(_ finding: CountdownFinding) -> PageTable {
    PageTable(
      header: ["model", "right", "tokens", "ways tried", "gave up"],
      rows: [("SFT", finding.imitator), ("RL", finding.practised)].map { name, exam in
        let tries = exam.items.flatMap(\.tries)
        let responses = exam.items.flatMap(\.responses)
        return [
          name, Unit.share.text(finding.accuracy(exam)),
          Format.fixed(mean(finding.tokens(exam)), 1),
          Format.fixed(mean(tries.map(Double.init)), 1),
          Unit.share.text(
            Double(responses.count { $0.hasSuffix("enough") }) / Double(max(1, responses.count))),
        ]
      })
  }

  private func samples(_ finding: CountdownFinding) -> [ReportPage.Sample] {
    [("SFT", finding.imitator), ("RL", finding.practised)].flatMap { name, exam in
      [true, false].compactMap { wanted -> ReportPage.Sample? in
        for item in exam.items {
          if let i = item.rewards.firstIndex(where: { ($0 == 1) == wanted }) {
            return ReportPage.Sample(
              prompt: item.prompt, response: item.responses[i], outcome: wanted ? .right : .wrong,
              note: "\(name), \(item.tokens[i]) tokens")
          }
        }
        return nil
      }
    }
  }
}
