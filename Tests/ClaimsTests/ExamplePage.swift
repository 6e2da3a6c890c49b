import Environments
import Foundation

@testable import Claims

/// A page with every kind of block and numbers like a real tour's, for the tests and for a look:
/// `LYCEUM_EXAMPLE_PAGE=page.html swift test --filter ReportPageTests` writes it.
enum ExamplePage {
  static func make(hostile: String = "") -> ReportPage {
    ReportPage(
      title: "A model from nothing" + hostile,
      lead: "In three minutes this computer trained a language model of 0.9 million parameters: it "
        + "read a textbook, imitated worked examples, and practised on problems with a known answer."
        + hostile,
      report: report(hostile),
      sections: [
        .init(
          id: "e1", heading: "The ladder: read, imitate, practise" + hostile,
          claims: claims(hostile).map(\.id),
          talk: "Pretraining is like reading the expositions of a textbook, fine-tuning like its "
            + "worked examples, and reinforcement learning like the problems at the end of each "
            + "chapter, where only the final answer is given." + hostile,
          blocks: blocks(hostile), reproduce: "lyceum tour --only e1 --seed 7" + hostile,
          doesNotShow: [
            "That practice teaches arithmetic the model could not do at all: with eight tries the "
              + "imitator already solves 97.1 %, so most of the gain is choosing the style that works.",
            "Anything about large models." + hostile,
          ])
      ])
  }

  static func claims(_ hostile: String) -> [Claim] {
    [
      Claim(
        id: "e1.sft-beats-base",
        statement: "Imitating worked examples beats only reading." + hostile,
        metric: "best SFT less base, greedy accuracy" + hostile,
        estimate: Estimate(0.791, low: 0.765, high: 0.816), .above, threshold: 0.2, unit: .points,
        n: 1_000, seeds: [7]),
      Claim(
        id: "e1.rl-beats-its-sft", statement: "Practice beats the imitator that it started from.",
        metric: "RL less its SFT, T = 1", estimate: Estimate(0.577, low: 0.549, high: 0.604),
        .above, threshold: 0.05, unit: .points, n: 1_000, seeds: [7]),
      Claim(
        id: "e1.rl-beats-best-sft", statement: "Practice beats the best imitator.",
        metric: "RL less best SFT, greedy accuracy",
        estimate: Estimate(0.012, low: -0.004, high: 0.028),
        .above, threshold: 0, unit: .points, n: 1_000, seeds: [7]),
      Claim(
        id: "e1.short", statement: "Practised answers stay short.",
        metric: "mean tokens of an RL answer", estimate: Estimate(31.2, low: 30.8, high: 31.6),
        .below, threshold: 20, unit: .plain, n: 1_000, seeds: [7]),
    ]
  }

  static func report(_ hostile: String) -> Report {
    Report(
      claims: claims(hostile), seconds: 181, machine: "AMD EPYC 7B13, 2 cores, 25.2 GB, Linux 6.1",
      commit: "9f3c2ab17d4e5f60", command: "lyceum tour --seed 7" + hostile,
      stages: [
        .init(name: "reading", seconds: 92), .init(name: "imitating", seconds: 14),
        .init(name: "practising", seconds: 58), .init(name: "examining", seconds: 17),
      ])
  }

  static func blocks(_ hostile: String) -> [ReportPage.Block] {
    [
      .paragraph(
        "The problems ask for the valence electrons of a molecule, such as `C2H6O`: 4·2 + 1·6 + 6·1 "
          + "= 20. Seven in ten of the worked examples give only the answer; three in ten show the "
          + "work." + hostile),
      .bars(ladder(hostile)),
      .paragraph(
        "Reading alone answers nothing. The imitator writes in the styles of its examples, in their "
          + "proportions; practice finds that showing the work pays."),
      .lines(losses(hostile)),
      .lines(practice(hostile)),
      .lines(passAtK(hostile)),
      .histogram(lengths(hostile)),
      .subheading("Where the gain comes from"),
      .table(
        PageTable(
          header: ["style" + hostile, "share, SFT", "right, SFT", "share, RL", "right, RL"],
          rows: [
            ["answer only" + hostile, "69.4 %", "11.2 %", "0.3 %", "–"],
            ["work first", "30.6 %", "92.8 %", "99.7 %", "97.6 %"],
          ])),
      .subheading("Samples"),
      .samples([
        .init(
          prompt: "How many valence electrons in C3H8O?" + hostile,
          response: "C 4*3=12 H 1*8=8 12+8=20 O 6*1=6 20+6=26 so 26" + hostile, outcome: .right,
          note: "RL, greedy" + hostile),
        .init(
          prompt: "How many valence electrons in C3H8O?", response: "24", outcome: .wrong,
          note: "SFT, T = 1; the answer is 26"),
        .init(
          prompt: "How many valence electrons in C3H8O?",
          response: "and the answer to the question of the formula of the formula",
          outcome: .open, note: "base, T = 1"),
      ]),
    ]
  }

  static func ladder(_ hostile: String) -> BarChart {
    func share(_ hits: Int) -> Estimate { Estimate(successes: hits, of: 1_000) }
    return BarChart(
      title: "The ladder" + hostile,
      caption: "Accuracy on 1,000 problems that no stage has seen, with 95 % intervals." + hostile,
      axis: Axis("right answers" + hostile, unit: .share, range: 0...1),
      rows: [
        "base, 4 examples" + hostile, "SFT on the mixture", "SFT, continued", "SFT, worked only",
        "RL",
      ],
      series: [
        .init("greedy" + hostile, [share(4), share(181), share(240), share(795), share(972)]),
        .init("T = 1", [share(2), share(386), share(402), nil, share(963)]),
      ],
      references: [.init("most common answer" + hostile, 0.033)])
  }

  static func losses(_ hostile: String) -> LineChart {
    var random = SplitMix64(seed: 3)
    let points = (0..<1_500).map { step in
      let x = Double(step + 1)
      let noise = Double.random(in: -0.12...0.12, using: &random)
      return LineChart.Point(x, 1.62 + 5.3 / (1 + x / 60) + noise)
    }
    let held = stride(from: 0, through: 1_500, by: 100).map { step in
      LineChart.Point(Double(max(1, step)), 1.7 + 5.3 / (1 + Double(step) / 60))
    }
    return LineChart(
      title: "Reading" + hostile, caption: "Loss in nats per token while the textbook goes by.",
      x: Axis("step"), y: Axis("loss"),
      series: [.init("training" + hostile, points), .init("held out", held)])
  }

  static func practice(_ hostile: String) -> LineChart {
    let steps = stride(from: 0.0, through: 200, by: 5)
    let reward = steps.map { step in
      let level = 0.97 - 0.6 * exp(-step / 35)
      return LineChart.Point(
        step, level, Interval(low: max(0, level - 0.06), high: min(1, level + 0.05)))
    }
    let worked = stride(from: 0.0, through: 200, by: 10).map { step in
      LineChart.Point(step, 1 / (1 + exp(-(step - 25) / 9)) * 0.7 + 0.29)
    }
    return LineChart(
      title: "Practising",
      caption: "The share of right answers rises with the share of answers that show their work.",
      x: Axis("update"), y: Axis("share", unit: .share, range: 0...1),
      series: [
        .init("right", reward, intervals: .band), .init("work shown", worked),
      ],
      references: [.init("best imitator", 0.795)])
  }

  static func passAtK(_ hostile: String) -> LineChart {
    func series(_ name: String, _ values: [Double]) -> LineChart.Series {
      .init(
        name,
        values.enumerated().map { i, value in
          .init(
            Double(1 << i), value,
            wilson(successes: Int(value * 500), of: 500))
        })
    }
    return LineChart(
      title: "Right at least once in k tries",
      caption: "Practice sharpens: the imitator comes close when it may try often.",
      x: Axis("tries, k", scale: .log2), y: Axis("pass@k", unit: .share, range: 0...1),
      series: [
        series("RL", [0.963, 0.975, 0.981, 0.985]),
        series("SFT", [0.386, 0.621, 0.838, 0.951]),
        series("base", [0.002, 0.004, 0.008, 0.015]),
      ])
  }

  static func lengths(_ hostile: String) -> Histogram {
    var random = SplitMix64(seed: 11)
    func draw(_ count: Int, _ mean: Double, _ spread: Double) -> [Double] {
      (0..<count).map { _ in
        let bell = (0..<6).reduce(-3.0) { sum, _ in
          sum + Double.random(in: 0..<1, using: &random)
        }
        return max(2, (mean + spread * bell).rounded())
      }
    }
    return Histogram(
      title: "How long the answers are",
      caption: "Right answers of the imitator are the long ones.",
      x: Axis("tokens in the answer" + hostile),
      series: [
        .init("right", draw(300, 31, 5) + draw(60, 4, 1)),
        .init("wrong" + hostile, draw(560, 4, 1.5) + draw(40, 30, 6)),
      ])
  }
}
