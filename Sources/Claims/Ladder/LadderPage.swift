import Environments
import Foundation
import Training

// E1 as a person reads it.

struct LadderSection {
  let result: LadderResult
  let folder: URL

  func section(_ command: String) throws -> ReportPage.Section {
    let recipe = result.recipe
    return ReportPage.Section(
      id: "e1", heading: "The ladder: read, imitate, practise", claims: result.claims.map(\.id),
      talk:
        "A model is taught as in a textbook. The expositions are read: that is pretraining. The "
        + "worked examples are imitated: that is supervised fine-tuning, and its ceiling is the "
        + "person who wrote them. The problems at the end of the chapter come with an answer and "
        + "nothing else: the model tries many ways and keeps those that work. That is "
        + "reinforcement learning.",
      blocks: try [
        .paragraph(
          "The problems ask for the valence electrons of a molecule, such as `C2H6O`: 4·2 + 1·6 + "
            + "6·1 = 20. Of \(recipe.demonstrations) worked examples, "
            + "\(percent(recipe.demonstrators.workedShare)) show their work and the others give only "
            + "the number; \(percent(recipe.demonstrators.slipShare)) hold a slip, as people's do. "
            + "They have \(range(recipe.demonstrated.elements)) elements; the exam has "
            + "\(range(recipe.examined.elements)). Formulas were dealt to textbook, practice and exam "
            + "by a hash of their atoms before anything was written."),
        .bars(ladderChart()),
        .table(armTable()),
        .lines(readingChart()),
        .lines(rewardChart()),
        .lines(lengthChart()),
        .lines(passChart()),
        .histogram(lengthHistogram()),
        .subheading("Where the gain comes from"),
        .paragraph(
          "Accuracy is the share of a style times how often it is right. Practice first finds the "
            + "style that pays; what it adds beyond that is fewer slips within the style."),
        .table(styleTable()),
        .paragraph(
          "Practice cost \(Format.number(result.practiceOperations / 1e12)) · 10¹² operations; "
            + "\"SFT continued\" spent as many on more imitation."),
        .subheading("Samples"),
        .paragraph("The first right and wrong answers of the exam, chosen by their place alone."),
        .samples(samples()),
      ], reproduce: command,
      doesNotShow: [
        "Anything about large models, or about other problems than these: one family, one task.",
        "That practice teaches what a model cannot do at all: where pass@k of the imitator comes near "
          + "that of RL, practice chose among what was there.",
        "How much seeds differ: one tour is one seed, and its intervals cover the items of the exam.",
        "Sound reasoning: the reward sees the last number only, so a wrong step that ends in the "
          + "right number is paid.",
      ])
  }

  private func percent(_ share: Double) -> String { Format.fixed(100 * share, 0) + " %" }

  private func range(_ range: ClosedRange<Int>) -> String {
    "\(range.lowerBound) to \(range.upperBound)"
  }

  private var arms: [(arm: Ladder.Arm, exam: ExamResult)] {
    Ladder.Arm.allCases.compactMap { arm in result.exams[arm.rawValue].map { (arm, $0) } }
  }

  private func ladderChart() -> BarChart {
    BarChart(
      title: "The ladder",
      caption: "Accuracy on problems that no stage has seen, with 95 % intervals.",
      axis: Axis("right answers", unit: .share, range: 0...1), rows: arms.map(\.arm.title),
      series: [
        .init("greedy", arms.map { $0.exam.accuracy }),
        .init("T = 1", arms.map { $0.exam.sampledAccuracy(seed: result.recipe.seed) }),
      ])
  }

  private func armTable() -> PageTable {
    PageTable(
      header: ["model", "greedy", "T = 1", "tokens", "shows work"],
      rows: arms.map { arm, exam in
        [
          arm.title, Unit.share.text(exam.accuracy),
          exam.sampledAccuracy(seed: result.recipe.seed).map(Unit.share.text) ?? "–",
          Format.fixed(exam.meanTokens, 1), percent(exam.workedShare),
        ]
      })
  }

  private func readingChart() throws -> LineChart {
    let log = try StageLogLine.read(folder.appendingPathComponent("pretrain"))
    let bits = log.compactMap { line in
      line.validation.map { LineChart.Point(line.step + 1, $0) }
    }
    return LineChart(
      title: "Reading", caption: "How well the model predicts pages that it does not train on.",
      x: Axis("steps"), y: Axis("bits a byte, validation pages"),
      series: [.init("base", bits)])
  }

  private func rewardChart() throws -> LineChart {
    let log = try StageLogLine.read(folder.appendingPathComponent("rl"))
    return LineChart(
      title: "Practice",
      caption: "The share of sampled answers that were right, and of groups that taught nothing "
        + "because all their answers were alike in reward.",
      x: Axis("steps of practice"), y: Axis("share", unit: .share, range: 0...1),
      series: [
        .init("right answers", log.curve(\.reward)),
        .init("groups without variance", log.curve(\.withoutVariance)),
      ])
  }

  private func lengthChart() throws -> LineChart {
    let log = try StageLogLine.read(folder.appendingPathComponent("rl"))
    return LineChart(
      title: "Answers grow", caption: "Nobody asked for longer answers; they are right more often.",
      x: Axis("steps of practice"), y: Axis("tokens in a sampled answer", range: 0...10),
      series: [
        .init("right", log.curve { ($0.lengthRight ?? 0) > 0 ? $0.lengthRight : nil }),
        .init("wrong", log.curve { ($0.lengthWrong ?? 0) > 0 ? $0.lengthWrong : nil }),
      ])
  }

  private func passChart() -> LineChart {
    let drawn = arms.filter { !$0.exam.sampledRight.isEmpty }
    return LineChart(
      title: "With several tries",
      caption: "pass@k: the chance that one of k samples is right. Where the curves meet, practice "
        + "found nothing that the imitator could not find with luck.",
      x: Axis("k", scale: .log2), y: Axis("pass@k", unit: .share, range: 0...1),
      series: drawn.map { arm, exam in
        .init(
          arm.title,
          [1, 2, 4, 8, 16].filter { $0 <= exam.samples }.map { k in
            LineChart.Point(
              Double(k),
              passAtK(n: exam.samples, correct: exam.sampledRight, k: k, seed: result.recipe.seed))
          }, intervals: .band)
      })
  }

  private func lengthHistogram() -> Histogram {
    Histogram(
      title: "Length of the answers", x: Axis("tokens in a greedy answer"),
      series: arms.filter { [.imitation, .practice].contains($0.arm) }.map { arm, exam in
        .init(arm.title, exam.greedy.map { Double($0.tokens) })
      })
  }

  private func styleTable() -> PageTable {
    PageTable(
      header: ["model", "work shown", "right then", "number only", "right then"],
      rows: arms.filter { $0.arm != .base && $0.arm != .baseShots }.map { arm, exam in
        let (worked, terse) = (exam.style(worked: true), exam.style(worked: false))
        func accuracy(_ style: (share: Double, accuracy: Estimate)) -> String {
          style.share > 0 ? Unit.share.text(style.accuracy) : "–"
        }
        return [
          arm.title, percent(worked.share), accuracy(worked), percent(terse.share), accuracy(terse),
        ]
      })
  }

  private func samples() -> [ReportPage.Sample] {
    arms.flatMap { arm, exam -> [ReportPage.Sample] in
      let chosen = [true, false].flatMap { wanted in
        exam.greedy.filter { $0.isRight == wanted }.prefix(arm == .practice ? 2 : 1)
      }
      return chosen.map { answer in
        ReportPage.Sample(
          prompt: answer.prompt, response: answer.response,
          outcome: answer.isRight ? .right : .wrong,
          note: "\(arm.title), greedy" + (answer.isRight ? "" : "; the answer is \(answer.answer)"))
      }
    }
  }
}
