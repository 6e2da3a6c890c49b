import Environments
import Generation
import LanguageModel

/// How one model did with one way to ask, greedily.
struct CharacterExam: Codable, Sendable, Equatable {
  struct Item: Codable, Sendable, Equatable {
    var word: String
    var letter: String
    /// Words of equal length and letter are one group; each count is as frequent in it.
    var group: Int
    var answer: Int
    /// The count that the model gave; nil where it gave none.
    var guess: Int?
    var response: String
    var isRight: Bool
  }

  var items: [Item]

  init(items: [Item]) { self.items = items }

  init(
    _ model: Transformer, _ script: some CharacterScript, _ questions: [LetterQuestion],
    _ mode: CharacterMode, _ seed: UInt64
  ) throws {
    let vocabulary = script.vocabulary
    let end = vocabulary["#"]
    let prompts = questions.map { vocabulary.encode(script.prompt($0, mode)) }
    // A little longer than any right answer; what has not ended by then is wrong.
    let room = (questions.map { script.label($0, mode).words.count }.max() ?? 0) + 4
    func run(_ prompts: [[Int32]], _ stop: Int32) throws -> [[String]] {
      try Generator(model, settings: .greedy(maxTokens: room), stops: [stop], seed: seed)
        .run(prompts.map { GenerationRequest(prompt: $0, stream: 0) })
        .map { vocabulary.decode($0[0].tokens) }
    }
    var responses: [[String]]
    if mode == .tool {
      // The host stops at the call's end, runs it, and writes its result.
      let calls = try run(prompts, vocabulary["<result>"]).map { words in
        words.last == "<result>"
          ? words + [SyllableScript.run(call: words.dropLast()) ?? "_"] : words
      }
      let followed = zip(prompts, calls).map { $0 + vocabulary.encode($1) }
      responses = zip(calls, try run(followed, end)).map { $0 + $1 }
    } else {
      responses = try run(prompts, end)
    }
    items = zip(questions, responses).map { question, words in
      let hasEnded = words.last == "#"
      let expected = script.label(question, mode).words
      let guess = hasEnded ? words.dropLast().last.flatMap { Int($0) } : nil
      let isRight =
        switch mode {
        case .spell, .copy, .call: words == expected
        case .direct, .tally, .tool: guess == question.count
        }
      return Item(
        word: script.world.text(question.word), letter: SyllableWorld.letters[question.letter],
        group: question.word.syllables.count * 100 + question.letter, answer: question.count,
        guess: guess, response: words.joined(separator: " "), isRight: isRight)
    }
  }

  var accuracy: Estimate {
    Estimate(successes: items.count(where: \.isRight), of: items.count)
  }

  /// What each item's guess would have earned on average, had the answers of its group been dealt anew
  /// among the group's words: right by length, letter and habit alone.
  var dealt: [Double] {
    var answers: [Int: [Int]] = [:]
    for item in items { answers[item.group, default: []].append(item.answer) }
    return items.map { item in
      let group = answers[item.group] ?? []
      return Double(group.count { $0 == item.guess }) / Double(max(1, group.count))
    }
  }

  /// The words of so many syllables.
  func words(_ syllables: ClosedRange<Int>) -> CharacterExam {
    CharacterExam(items: items.filter { syllables.contains($0.group / 100) })
  }

  func words(_ syllables: Int) -> CharacterExam { words(syllables...syllables) }

  var rightness: [Double] { items.map { $0.isRight ? 1 : 0 } }
}
