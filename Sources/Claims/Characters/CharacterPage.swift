import Environments
import Foundation

// E5 as a person reads it.

struct CharacterSection {
  let result: CharacterResult
  let folder: URL

  private var recipe: CharacterRecipe { result.recipe }

  func section(_ command: String) throws -> ReportPage.Section {
    let world = SyllableWorld(seed: recipe.seed)
    return ReportPage.Section(
      id: "e5", heading: "Tokens, not characters", claims: result.claims.map(\.id),
      talk:
        "A model does not see letters. It sees tokens, pieces of text by their numbers, and what "
        + "letters a piece has it knows only where some text said so. Spelling and counting letters "
        + "are therefore hard for it, though a child can do them. Two things help: to spell the "
        + "word out first, one letter a token; or to hand the word to a program, for which copying "
        + "the tokens is enough.",
      blocks: [
        .paragraph(
          "The words are made of 120 syllables, each one a token. Of \(world.seen.count) the model is "
            + "told the letters, in spellings and counts; the \(world.hidden.count) others it only "
            + "reads and copies. This is one word as it is written, as the computer keeps it, and as "
            + "the model gets it:"),
        .strips(strips(world)),
        .paragraph(
          "The questions: how often does this letter stand in this word? Length, letter and count "
            + "were drawn independently, and in the exam each count is exactly as frequent for each "
            + "length and letter. Who knows nothing else is right in a third of the words of two "
            + "syllables, a quarter of those of three and a fifth of those of four. No word of the "
            + "exam was trained on."),
        .bars(modeChart()), .lines(lengthChart()),
        .subheading("Shown alike"),
        .paragraph(
          "One model read syllables and one read letters, of words of up to "
            + "\(recipe.letterLongest) syllables, for about as many tokens. In both, every way "
            + "to ask is a part of the same training; of the questions on words of "
            + "\(recipe.longWord) syllables, those answered at once were not fewer than those "
            + "answered letter by letter."),
        .table(lessonTable()),
        .subheading("Is it more than guessing?"),
        .paragraph(
          "The model's own guesses, with the answers of all words of the same length and letter dealt "
            + "anew among them, earn what can be had without knowing the word."),
        .table(gainTable()),
        .lines(try learningChart()),
        .subheading("It spells, and makes it up"),
        .paragraph(
          "Asked to spell an untold word, the model writes letters as fluently as ever: "
            + "\(Unit.share.text(result.syllable(.spell, .seen).accuracy)) of the told words are "
            + "spelled right, \(Unit.share.text(result.syllable(.spell, .hidden).accuracy)) of the "
            + "untold. Copied right are "
            + "\(Unit.share.text(result.syllable(.copy, .hidden).accuracy)) of them."),
        .subheading("9.11 against 9.9"),
        .paragraph(
          "What stands after the point is one token as well: 11 and 9. As sections of a book 9.11 "
            + "comes after 9.9, as decimals it is smaller, and texts hold more sections than such "
            + "decimals. Another small model read \(percent(recipe.points.sectionShare)) comparisons "
            + "of sections; of the decimals, \(percent(recipe.points.digitsShare)) were compared "
            + "digit by digit, `9 9 = 1 9 <`, and the others at once. In the exam a list of sections "
            + "stands before every question, which asks for decimals."),
        .table(pointTable()),
        .subheading("Samples"),
        .paragraph("The first right and wrong answer of each kind, chosen by their place alone."),
        .samples(samples()),
      ], reproduce: command,
      doesNotShow: [
        "That large models cannot count letters: they were told of many tokens' letters, often "
          + "enough, and the first row shows that this can be learned.",
        "Real tokens: these are syllables of two or three letters, all in words of two to four.",
        "That a longer training at once would not catch up: how far it is behind depends on how long "
          + "it was trained, and the gap is measured on the longest words.",
        "Spelling as a skill apart from knowing letters: where a syllable was never spelled, the model "
          + "often starts with another one that was.",
        "Other questions about letters: every third character, words backwards, dots in a row.",
        "That the model knows when it makes letters up: no answer such as \"I cannot see that\" "
          + "was trained.",
        "That 9.11 is hard: both readings can be told apart, and with many more decimals at once they "
          + "would be. It shows which way a model errs that has read few.",
        "How much seeds differ: one tour is one seed, and its intervals cover the questions only. "
          + "How often the direct count is right depends most on the step at which it is first "
          + "learned.",
      ])
  }

  private func strips(_ world: SyllableWorld) -> [PieceStrip] {
    let script = SyllableScript(world)
    guard
      let question = world.balancedQuestions(.seen, .test, each: 1, stream: "shown").last
    else { return [] }
    let text = world.text(question.word)
    let tokens = script.syllables(question.word)
    return [
      PieceStrip(name: "characters", pieces: Array(text).map(String.init)),
      PieceStrip(name: "bytes", pieces: text.utf8.map { String($0) }),
      PieceStrip(name: "tokens", pieces: tokens),
      PieceStrip(
        name: "what the model gets",
        pieces: script.vocabulary.encode(tokens).map { String($0) }),
    ]
  }

  private static let rows: [(String, CharacterMode, Bool)] = [
    ("tokens: count at once", .direct, true), ("tokens: letter by letter", .tally, true),
    ("tokens: with a tool", .tool, true), ("letters: count at once", .direct, false),
    ("letters: one by one", .tally, false),
  ]

  private func exam(_ mode: CharacterMode, _ pool: SyllableWorld.Pool, _ isSyllables: Bool)
    -> CharacterExam
  {
    isSyllables ? result.syllable(mode, pool) : result.letter(mode, pool)
  }

  private func modeChart() -> BarChart {
    BarChart(
      title: "Right counts",
      caption: "Words of told and of untold syllables. For the model that reads letters the "
        + "difference means nothing: it sees them all. It is asked about words of up to "
        + "\(recipe.letterLongest) syllables.",
      axis: Axis("right", unit: .share, range: 0...1), rows: Self.rows.map(\.0),
      series: [
        .init("told", Self.rows.map { exam($0.1, .seen, $0.2).accuracy }),
        .init("untold", Self.rows.map { exam($0.1, .hidden, $0.2).accuracy }),
      ])
  }

  private func lengthChart() -> LineChart {
    LineChart(
      title: "Right counts over the length of the word",
      caption: "The model that reads syllables, told syllables. Whether letters can be learned is "
        + "judged on words of \(recipe.shortWord), whether spelling helps on words of "
        + "\(recipe.longWord).",
      x: Axis("syllables"), y: Axis("right", unit: .share, range: 0...1),
      series: [("letter by letter", CharacterMode.tally), ("at once", .direct)].map { name, mode in
        .init(
          name,
          (2...SyllableWorld.longestWord).map {
            .init(Double($0), result.syllable(mode, .seen).words($0).accuracy)
          })
      }
        + [
          .init(
            "length and letter alone",
            (2...SyllableWorld.longestWord).map { .init(Double($0), 1 / Double($0 + 1)) })
        ])
  }

  private func lessonTable() -> PageTable {
    let models = [("syllables", "tokens"), ("letters", "letters")]
    let rows = models.flatMap { key, name -> [[String]] in
      let modes = result.lessons[key] ?? [:]
      let parts = CharacterMode.allCases.compactMap { mode in
        modes[mode.rawValue].map { ("\(name): \(mode.rawValue)", $0) }
      }
      return (parts + [("\(name): in all", modes.values.reduce(into: .init()) { $0.add($1) })])
        .map { row($0.0, $0.1, key) }
    }
    return PageTable(
      header: [
        "model: way to ask", "questions", "of \(recipe.longWord) syllables", "tokens", "operations",
      ], rows: rows)
  }

  private func row(_ name: String, _ lessons: CharacterLessons, _ key: String) -> [String] {
    let world = SyllableWorld(seed: recipe.seed)
    let vocabulary =
      key == "syllables"
      ? SyllableScript(world).vocabulary.count
      : LetterScript(world: world, longest: recipe.letterLongest).vocabulary.count
    let perToken = recipe.model(vocabulary: vocabulary).trainingOperations(length: recipe.length)
    return [
      name, Format.fixed(Double(lessons.questions), 0), Format.fixed(Double(lessons.long), 0),
      Format.count(Double(lessons.tokens)), Format.count(perToken * Double(lessons.tokens)),
    ]
  }

  private func gainTable() -> PageTable {
    PageTable(
      header: ["count", "syllables", "right", "dealt anew", "beyond it", "n"],
      rows: Self.rows.flatMap { name, mode, isSyllables in
        [SyllableWorld.Pool.seen, .hidden].map { pool in
          let exam = exam(mode, pool, isSyllables)
          return [
            name, pool == .seen ? "told" : "untold", Unit.share.text(exam.accuracy.value),
            Unit.share.text(mean(exam.dealt)), Unit.points.text(result.gain(exam)),
            String(exam.items.count),
          ]
        }
      })
  }

  private func learningChart() throws -> LineChart {
    let curves: [(String, String, CharacterCell)] = [
      ("spelling", "syllables", CharacterCell(mode: .spell, pool: .seen)),
      ("letter by letter", "syllables", CharacterCell(mode: .tally, pool: .seen)),
      ("at once", "syllables", CharacterCell(mode: .direct, pool: .seen)),
      ("at once, untold", "syllables", CharacterCell(mode: .direct, pool: .hidden)),
      ("letters, one by one", "letters", CharacterCell(mode: .tally, pool: .seen)),
    ]
    return LineChart(
      title: "What is learned when",
      caption:
        "About 200 questions a point, of all lengths. Spelling comes first, then counting along the letters; "
        + "the count at once comes late and suddenly, and for untold syllables never.",
      x: Axis("steps of training"), y: Axis("right", unit: .share, range: 0...1),
      series: try curves.map { name, stage, cell in
        .init(name, try measuredCurve(folder.appendingPathComponent(stage), cell.id))
      })
  }

  private func samples() -> [ReportPage.Sample] {
    let kinds: [(String, CharacterExam)] = [
      ("tokens, at once, told", result.syllable(.direct, .seen)),
      ("tokens, at once, untold", result.syllable(.direct, .hidden)),
      ("tokens, letter by letter, told", result.syllable(.tally, .seen)),
      ("tokens, letter by letter, untold", result.syllable(.tally, .hidden)),
      ("tokens, spelling, untold", result.syllable(.spell, .hidden)),
      ("tokens, with the tool, untold", result.syllable(.tool, .hidden)),
      ("letters, one by one, untold", result.letter(.tally, .hidden)),
    ]
    return letterSamples(kinds) + pointSamples()
  }

  private func letterSamples(_ kinds: [(String, CharacterExam)]) -> [ReportPage.Sample] {
    kinds.flatMap { name, exam -> [ReportPage.Sample] in
      let isSpelling = name.contains("spelling")
      return [true, false].flatMap { wanted in
        exam.items.filter { $0.isRight == wanted }.prefix(1)
      }.map { item in
        ReportPage.Sample(
          prompt: isSpelling
            ? "How is \(item.word) spelled?" : "How many \(item.letter) in \(item.word)?",
          response: item.response, outcome: item.isRight ? .right : .wrong,
          note: name + (item.isRight || isSpelling ? "" : "; the answer is \(item.answer)"))
      }
    }
  }

  private func percent(_ share: Double) -> String { Format.fixed(100 * share, 0) + " %" }

  private func pointTable() -> PageTable {
    PageTable(
      header: [
        "decimals", "right", "both answers in \(recipe.points.samples) samples at T = 1", "n",
      ],
      rows: [PointMode.direct, .digits].flatMap { mode in
        [true, false].map { trap in
          let exam = result.point(mode)
          return [
            (mode == .direct ? "at once" : "digit by digit")
              + (trap ? ", sections order them the other way" : ", sections agree"),
            Unit.share.text(exam.accuracy(trap: trap)), Unit.share.text(exam.flips(trap: trap)),
            String(exam.rightness(trap: trap).count),
          ]
        }
      })
  }

  private func pointSamples() -> [ReportPage.Sample] {
    [PointMode.direct, .digits].flatMap { mode -> [ReportPage.Sample] in
      let items = result.point(mode).items.filter(\.isTrap)
      return [true, false].flatMap { wanted in items.filter { $0.isRight == wanted }.prefix(1) }
        .map { item in
          ReportPage.Sample(
            prompt: "Which decimal is larger: \(item.pair)?", response: item.response,
            outcome: item.isRight ? .right : .wrong,
            note: mode == .direct ? "at once" : "digit by digit")
        }
    }
  }
}
