import Environments
import Foundation

// E4 as a person reads it.

struct ThinkingSection {
  let result: ThinkingResult
  let folder: URL

  private var recipe: ThinkingRecipe { result.recipe }
  private let lengths = Array(1...DialProblem.slots)

  func section(_ command: String) throws -> ReportPage.Section {
    ReportPage.Section(
      id: "e4", heading: "Models need tokens to think", claims: result.claims.map(\.id),
      talk:
        "For every token there is the same small amount of computation: so many layers and no more. "
        + "An answer that is asked for at once has to be found in one token. An answer at the end "
        + "of worked steps is easy, because every step left its result in the text, where the next "
        + "one reads it. Of two right answers to the same question, the one that works first is "
        + "therefore much the better to train on.",
      blocks: [
        .paragraph(
          "A dial shows a digit and is turned one to eight times, by +1 to +9 and by ×3, ×7, ×9, "
            + "always modulo 10: `2 +3 ×7` is 5, then 5. No turn loses anything, so all ten answers "
            + "are equally likely and a guess is right in 10 %. One model for each way to write the "
            + "label, with the same network, problems, order and steps (\(recipe.steps)). Work first "
            + "and answer first hold the same words:"),
        .table(labelTable()),
        .lines(lengthChart()),
        .subheading("Allowed to think only so long"),
        .paragraph(
          "The model that learned to work first thinks as it likes, until after so many values the "
            + "word `so` is written for it and it has to answer."),
        .lines(budgetChart()),
        .subheading("The explanation knew"),
        .paragraph(explanationText),
        .table(explanationTable()),
        .subheading("Trained, not starved"),
        .paragraph(
          "Answer first is not a model that learned nothing. It learns one operation, and with more "
            + "steps part of two; what does not fit into one token it does not learn."),
        .lines(try learningChart()), .table(armTable()),
        .subheading("Samples"),
        .paragraph(
          "The first right and wrong answers to long problems, chosen by their place alone."),
        .samples(samples()),
      ], reproduce: command,
      doesNotShow: [
        "That such problems cannot be done in one token: answer first learns two operations in part, and "
          + "deeper models or longer training may reach further. `--long` has other depths.",
        "That dots never help: they are said to help where the work can be done side by side, and "
          + "this work cannot.",
        "That the written work is what a large model computes: here each value is checked, there the "
          + "text may be a story.",
        "Lengths that were not trained. The problems of one and two operations, 1,560 in all, "
          + "were all trained on; longer ones in the exam were not.",
        "How much seeds differ: one tour is one seed, and its intervals cover the problems only.",
      ])
  }

  private func labelTable() -> PageTable {
    let problem = DialProblem(
      start: 2, operations: [2, 10, 4].map { DialOperation.all[$0] })
    let label = recipe.arms.map { arm in
      [
        arm.title, DialScript.label(problem, arm.label).joined(separator: " "),
        String(DialScript.label(problem, arm.label).count),
      ]
    }
    return PageTable(
      header: ["after " + DialScript.prompt(problem).joined(separator: " "), "label", "tokens"],
      rows: label)
  }

  private func lengthChart() -> LineChart {
    LineChart(
      title: "Right answers over the number of operations",
      caption: "Greedy, on problems that were not trained on from three operations up.",
      x: Axis("operations"), y: Axis("right answers", unit: .share, range: 0...1),
      series: recipe.arms.prefix(4).map { arm in
        .init(arm.title, lengths.map { .init(Double($0), result.exam(arm).accuracy($0...$0)) })
      }, references: [.init("chance", 0.1)])
  }

  private func budgetChart() -> LineChart {
    let budget = result.budget
    return LineChart(
      title: "Right answers over the tokens allowed",
      caption:
        "A problem of n operations takes n + 1 values. With fewer, the rest would have to be "
        + "done at once.",
      x: Axis("values allowed before the answer"), y: Axis("right", unit: .share, range: 0...1),
      series: [
        ("all problems", 1...8), ("2 operations", 2...2), ("5 operations", 5...5),
        ("8 operations", 8...8),
      ]
      .map { name, chosen in
        .init(
          name,
          budget.right.indices.map {
            .init(Double($0), budget.accuracy(allowed: $0, chosen))
          })
      }, references: [.init("chance", 0.1)])
  }

  private var explanationText: String {
    let found = result.explanation
    return
      "The model that answers first writes its work afterwards. On problems of three operations "
      + "or more its answer was wrong \(found.n) times. In \(Unit.share.text(found.steps)) of these "
      + "every step below it is right up to the last one. The last value can be had in two ways, by "
      + "one more step or by copying the answer, which was always right where the model learned: in "
      + "\(Unit.share.text(found.whole)) it is the right one, too late to matter, and in "
      + "\(Unit.share.text(found.repeated)) the model repeats its wrong answer against its own "
      + "steps. How often it does differs much from seed to seed."
  }

  private func explanationTable() -> PageTable {
    PageTable(
      header: [
        "operations", "answer right", "steps right, answer wrong", "whole work right, answer wrong",
        "whole work right, answer right",
      ],
      rows: lengths.map { count in
        let items = result.exam(.answerFirst).chosen(count...count)
        func share(_ isRight: Bool, _ holds: (ThinkingExam.Item) -> Bool) -> String {
          let chosen = items.filter { $0.isRight == isRight }
          return chosen.isEmpty ? "–" : "\(chosen.count(where: holds)) of \(chosen.count)"
        }
        return [
          String(count), Unit.share.text(result.exam(.answerFirst).accuracy(count...count)),
          share(false, \.hasRightSteps), share(false, \.hasRightWork), share(true, \.hasRightWork),
        ]
      })
  }

  private func learningChart() throws -> LineChart {
    let curves: [(String, ThinkingArm, String)] = [
      ("work first, 8", .workFirst, "right_8"), ("answer first, 1", .answerFirst, "right_1"),
      ("answer first, 2", .answerFirst, "right_2"), ("answer first, 8", .answerFirst, "right_8"),
      ("dots, 1", .dots, "right_1"),
    ]
    return LineChart(
      title: "Learning", caption: "Right answers by the number of operations, 40 problems each.",
      x: Axis("steps of training"), y: Axis("right", unit: .share, range: 0...1),
      series: try curves.map { name, arm, key in
        .init(name, try measuredCurve(folder.appendingPathComponent(arm.id), key))
      })
  }

  private func armTable() -> PageTable {
    PageTable(
      header: ["model", "layers", "1 operation", "2 operations", "3 and 4", "5 to 8", "tokens, 8"],
      rows: recipe.arms.map { arm in
        let exam = result.exam(arm)
        let longest = exam.chosen(8...8)
        let tokens = longest.reduce(0) { $0 + $1.tokens }
        return [arm.title, String(arm.layers)]
          + [1...1, 2...2, 3...4, 5...8].map { Unit.share.text(exam.accuracy($0)) }
          + [Format.fixed(Double(tokens) / Double(max(1, longest.count)), 1)]
      })
  }

  private func samples() -> [ReportPage.Sample] {
    recipe.arms.prefix(4).flatMap { arm -> [ReportPage.Sample] in
      let items = result.exam(arm).chosen(ThinkingResult.long)
      let chosen = [true, false].flatMap { wanted in
        items.filter { $0.isRight == wanted }.prefix(1)
      }
      return chosen.map { item in
        ReportPage.Sample(
          prompt: item.prompt, response: item.response, outcome: item.isRight ? .right : .wrong,
          note: arm.title + (item.isRight ? "" : "; the answer is \(item.answer)")
            + (item.isRight ? "" : item.hasRightWork ? ", and the work is right" : "")
            + (!item.isRight && item.hasRightSteps && item.endsInAnswer
              ? ", the steps are right, and the last repeats the wrong answer" : ""))
      }
    }
  }
}
