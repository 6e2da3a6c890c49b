import Environments
import Foundation

// E2 as a person reads it.

struct KnowledgeSection {
  let finding: KnowledgeFinding

  private var recipe: KnowledgeRecipe { finding.recipe }

  func section(_ command: String) -> ReportPage.Section {
    ReportPage.Section(
      id: "e2", heading: "Hallucination: knowing what one does not know",
      claims: finding.claims.map(\.id),
      talk:
        "Ask a model who somebody is that nobody ever heard of, and it tells you: in its examples, "
        + "questions about people were always answered, so it imitates the tone of an answer. It "
        + "may well know inside that it is guessing; nobody has tied that to the words \"I do not "
        + "know\". So one asks it questions about its own training text, several times each, and "
        + "where it keeps failing one adds an example in which it refuses. And one can let it look "
        + "things up.",
      blocks: [
        .paragraph(
          "An archive writes about people, most of them once, a few more than a hundred times. "
            + "Names are pairs of words that all occur in other names, so nobody can be told from "
            + "an unknown word. One exposure in four is an interview: a question and its answer. "
            + "\(answered(.known)) questions are about well-known people who were never probed, "
            + "\(answered(.invented)) about people who do not exist and whose names stand nowhere in "
            + "any training text."),
        .paragraph(
          "Probing: \(recipe.probes) sampled answers to a question, compared with the archive. "
            + "\(finding.probed.known) questions were known (\(recipe.probesRight) right or more), "
            + "\(finding.probed.unknown) unknown, \(finding.probed.maybe) neither. Unknown questions "
            + "and invented names, each once, became refusals."),
        .bars(armChart),
        .table(armTable),
        .paragraph(
          "\"Refusals, read on\" goes on reading the archive, interviews included, while it "
            + "learns to refuse. \"Narrow\" is asked about nobody but the people who were probed: "
            + "it learns that list of names, and refuses other people whom it knows. \"Shuffled\" "
            + "has the same questions with the refusals dealt by chance: falling hallucination alone "
            + "proves nothing. \"Unknown facts taught\" was given the answers that it did not know "
            + "instead of refusals (Gekhman et al. 2024, arXiv:2405.05904). RL began from "
            + "\"shuffled\" and was never told which questions to refuse: a right answer paid 1, a "
            + "refusal 0, a wrong answer cost \(Format.number(recipe.penalty))."),
        .subheading("The signal that was there before"),
        .lines(tradeChart), .lines(riskChart),
        .table(signalTable),
        .subheading("By exposures"),
        .table(exposureTable),
        .subheading("Looking it up"),
        .paragraph(
          "The model that refuses was then shown how to call a search over the archive and a "
            + "calculator, with special tokens inside its turn: the host runs the call and writes the "
            + "result, which carries no loss. Rare people are in the index, invented ones are not. "
            + "Each question is put plainly and with `do not search`."),
        .table(lookupTable),
        .samples(lookupSamples),
        .subheading("Samples without tools"),
        .samples(samples),
      ], reproduce: command,
      doesNotShow: [
        "That refusing one list of questions teaches a model to look into itself: it had to read on "
          + "while it learned to refuse, and what it read held interviews about the people of the "
          + "exam. The arm \"narrow\" shows what happens without them.",
        "Anything about facts between known and unknown beyond the table by exposures.",
        "How much seeds differ: one tour is one seed, and its intervals cover the questions only.",
      ])
  }

  private func answered(_ group: RecallGroup) -> Int { finding.answers(group, .base).count }

  private var armChart: BarChart {
    let arms = Knowledge.Arm.allCases
    return BarChart(
      title: "What is answered",
      caption: "Well-known people should be answered rightly, invented ones not at all.",
      axis: Axis("share of the questions", unit: .share, range: 0...1), rows: arms.map(\.title),
      series: [
        .init("right, well-known people", arms.map { finding.share(.right, .known, $0) }),
        .init("wrong, invented people", arms.map { finding.share(.wrong, .invented, $0) }),
      ])
  }

  private var armTable: PageTable {
    PageTable(
      header: [
        "model", "known: right", "known: wrong", "known: refused", "rare: right", "rare: wrong",
        "invented: wrong", "AUROC of P(refusal)",
      ],
      rows: Knowledge.Arm.allCases.map { arm in
        func text(_ outcome: RecallOutcome, _ group: RecallGroup) -> String {
          Unit.share.text(finding.share(outcome, group, arm))
        }
        return [
          arm.title, text(.right, .known), text(.wrong, .known), text(.refused, .known),
          text(.right, .rare), text(.wrong, .rare), text(.wrong, .invented),
          Unit.plain.text(finding.area(arm) { -$0.refusal }),
        ]
      })
  }

  private var signalTable: PageTable {
    PageTable(
      header: ["signal", "tells", "AUROC"],
      rows: [
        [
          "largest probability, base", "well-known from invented",
          Unit.plain.text(finding.area(.base, \.certainty)),
        ],
        [
          "largest probability, SFT on answers", "well-known from invented",
          Unit.plain.text(finding.area(.answers, \.certainty)),
        ],
        [
          "linear probe after layer \(finding.readout.layer + 1), base", "right from wrong",
          Unit.plain.text(finding.probeArea),
        ],
      ])
  }

  /// For every threshold on a certainty: how many of the known are answered rightly, and how many of
  /// the invented are answered.
  private func trade(_ arm: Knowledge.Arm) -> [LineChart.Point] {
    let known = finding.answers(.known, arm).map(\.answer)
    let invented = finding.answers(.invented, arm).map(\.answer)
    return (0...40).map { i in
      let threshold = threshold(Double(i) / 40, invented)
      return LineChart.Point(
        share(invented) { $0.certainty >= threshold },
        share(known) { $0.certainty >= threshold && $0.outcome == .right })
    }
  }

  /// The certainty that a share of the answers reaches.
  private func threshold(_ share: Double, _ answers: [RecallAnswer]) -> Double {
    let sorted = answers.map(\.certainty).sorted(by: >)
    let index = Int(share * Double(sorted.count)) - 1
    return index < 0 ? (sorted.first ?? 0) + 1e-9 : sorted[min(index, sorted.count - 1)]
  }

  private func share(_ answers: [RecallAnswer], _ holds: (RecallAnswer) -> Bool) -> Double {
    Double(answers.count(where: holds)) / Double(max(1, answers.count))
  }

  private var tradeChart: LineChart {
    let spoken: [Knowledge.Arm] = [.refusals, .narrow, .shuffled, .practice]
    return LineChart(
      title: "What the model says, and a threshold from outside",
      caption:
        "The lines refuse whatever is less certain than a threshold; every point of a line is "
        + "one threshold. The marks are models that speak for themselves. Up and left is better.",
      x: Axis("answers about invented people", unit: .share, range: 0...1),
      y: Axis("right on the well-known", unit: .share, range: 0...1),
      series: [
        .init("threshold, base", trade(.base)), .init("threshold, SFT", trade(.answers)),
      ]
        + spoken.map { arm in
          .init(
            arm.title,
            [
              LineChart.Point(
                finding.share(.wrong, .invented, arm).value,
                finding.share(.right, .known, arm))
            ])
        })
  }

  private var riskChart: LineChart {
    func curve(_ arm: Knowledge.Arm) -> [LineChart.Point] {
      let answers =
        (finding.answers(.known, arm) + finding.answers(.invented, arm)).map(\.answer)
        .sorted { $0.certainty > $1.certainty }
      return (1...40).map { i in
        let taken = answers.prefix(answers.count * i / 40)
        return LineChart.Point(
          Double(taken.count) / Double(max(1, answers.count)),
          share(Array(taken)) { $0.outcome != .right })
      }
    }
    return LineChart(
      title: "Risk and coverage",
      caption:
        "Of the most certain answers to well-known and invented people together, how many are "
        + "wrong.",
      x: Axis("share answered", unit: .share, range: 0...1),
      y: Axis("wrong among them", unit: .share, range: 0...1),
      series: [.init("base", curve(.base)), .init("SFT on answers", curve(.answers))])
  }

  private var exposureTable: PageTable {
    let exposures = Set(finding.test.map(\.exposures)).sorted()
    let method = finding.method
    return PageTable(
      header: ["exposures", "questions", "base: right"]
        + ["right", "wrong", "refused"].map { "\(method.title): \($0)" }
        + ["right among its answers"],
      rows: exposures.map { count in
        let places = finding.test.indices.filter { finding.test[$0].exposures == count }
        func number(_ outcome: RecallOutcome, _ arm: Knowledge.Arm) -> Int {
          places.count { finding.arms[arm.rawValue]?[$0].outcome == outcome }
        }
        func text(_ number: Int, of total: Int) -> String {
          total == 0 ? "–" : Unit.share.text(Double(number) / Double(total))
        }
        let (right, wrong) = (number(.right, method), number(.wrong, method))
        return [
          "\(count)", "\(places.count)", text(number(.right, .base), of: places.count),
          text(right, of: places.count), text(wrong, of: places.count),
          text(number(.refused, method), of: places.count), text(right, of: right + wrong),
        ]
      })
  }

  private var lookupTable: PageTable {
    PageTable(
      header: [
        "asked about", "told not to search", "calls a tool", "right", "refused", "cites its source",
      ],
      rows: LookupAnswer.Kind.allCases.flatMap { kind in
        [false, true].compactMap { forbidden -> [String]? in
          let answers = finding.lookups(kind, forbidden: forbidden)
          guard !answers.isEmpty else { return nil }
          func text(_ holds: (LookupAnswer) -> Bool) -> String {
            Unit.share.text(finding.share(answers, holds))
          }
          return [
            kind.title, forbidden ? "yes" : "no", text { !$0.calls.isEmpty },
            text { $0.outcome == .right }, text { $0.outcome == .refused }, text(\.citesItsSource),
          ]
        }
      })
  }

  private var lookupSamples: [ReportPage.Sample] {
    LookupAnswer.Kind.allCases.flatMap { kind in
      [false, true].compactMap { finding.lookups(kind, forbidden: $0).first }
    }.map { answer in
      let calls = answer.calls.map { "called `\($0)`" }.joined(separator: ", ")
      let isFair = answer.outcome == .refused && (answer.kind == .invented || answer.isForbidden)
      return ReportPage.Sample(
        prompt: answer.prompt, response: answer.response,
        outcome: answer.outcome == .right || isFair ? .right : .wrong,
        note: calls.isEmpty ? "no call" : calls)
    }
  }

  private var samples: [ReportPage.Sample] {
    let chosen = RecallGroup.allCases.flatMap { group in
      finding.test.indices.filter { group.holds(finding.test[$0], recipe) }.prefix(2)
    }
    return chosen.flatMap { place -> [ReportPage.Sample] in
      let item = finding.test[place]
      return [Knowledge.Arm.answers, finding.method].compactMap { arm in
        guard let answer = finding.arms[arm.rawValue]?[place] else { return nil }
        let isFair = answer.outcome == .refused && item.exposures == 0
        return ReportPage.Sample(
          prompt: item.prompt, response: answer.response,
          outcome: answer.outcome == .right || isFair
            ? .right : answer.outcome == .wrong ? .wrong : .open,
          note: "\(arm.title), \(item.exposures) exposures"
            + (item.exposures == 0 ? "; nobody has that name" : "; the archive says \(item.answer)")
        )
      }
    }
  }
}

extension LookupAnswer.Kind {
  var title: String {
    switch self {
    case .rare: "rare people"
    case .invented: "invented people"
    case .known: "well-known people"
    case .sum: "sums"
    }
  }
}
