import Environments
import Generation
import LanguageModel

/// How one model did on problems of every length, greedily.
struct ThinkingExam: Codable, Sendable, Equatable {
  struct Item: Codable, Sendable, Equatable {
    var operations: Int
    var prompt: String
    var response: String
    var answer: Int
    var isRight: Bool
    /// Whether every value on the way was written and is right.
    var hasRightWork: Bool
    /// The same for all values but the last.
    var hasRightSteps: Bool
    /// Whether the last value is the answer again.
    var endsInAnswer: Bool
    /// Tokens written.
    var tokens: Int
  }

  var items: [Item]

  init(items: [Item]) { self.items = items }

  init(_ model: Transformer, problems: [DialProblem], _ seed: UInt64) throws {
    let vocabulary = DialScript.vocabulary
    let generator = Generator(
      model, settings: .greedy(maxTokens: DialProblem.slots + 4), stops: [vocabulary["."]],
      seed: seed)
    let written = try generator.run(
      problems.map {
        GenerationRequest(prompt: vocabulary.encode(DialScript.prompt($0)), stream: 0)
      })
    items = zip(problems, written).map { problem, written in
      let words = vocabulary.decode(written[0].tokens)
      let reading = DialReading(words)
      return Item(
        operations: problem.operations.count, prompt: problem.text,
        response: words.joined(separator: " "), answer: problem.answer,
        isRight: reading.isRight(problem), hasRightWork: reading.hasRightWork(problem),
        hasRightSteps: reading.hasRightSteps(problem), endsInAnswer: reading.endsInAnswer,
        tokens: words.count)
    }
  }

  func chosen(_ operations: ClosedRange<Int>) -> [Item] {
    items.filter { operations.contains($0.operations) }
  }

  func accuracy(_ operations: ClosedRange<Int>) -> Estimate {
    let chosen = chosen(operations)
    return Estimate(successes: chosen.count(where: \.isRight), of: chosen.count)
  }
}

/// How right a model is when it may write only so many values before it has to answer.
struct BudgetExam: Codable, Sendable, Equatable {
  /// Of each item.
  var operations: [Int] = []
  /// By the number of values allowed, from 0: whether each item was right.
  var right: [[Bool]] = []

  init() {}

  /// The model thinks as it likes; after `allowed` values at most, "so" is written for it.
  init(_ model: Transformer, problems: [DialProblem], _ seed: UInt64) throws {
    let vocabulary = DialScript.vocabulary
    let so = vocabulary["so"]
    let prompts = problems.map { vocabulary.encode(DialScript.prompt($0)) }
    func run(_ prompts: [[Int32]], _ tokens: Int, _ stop: Int32?) throws -> [[Int32]] {
      try Generator(
        model, settings: .greedy(maxTokens: tokens), stops: stop.map { [$0] } ?? [], seed: seed
      ).run(prompts.map { GenerationRequest(prompt: $0, stream: 0) }).map { $0[0].tokens }
    }
    let thoughts = try run(prompts, DialProblem.slots + 2, so).map { tokens in
      tokens.prefix { $0 != so }
    }
    operations = problems.map(\.operations.count)
    right = try (0...DialProblem.slots + 1).map { allowed in
      let forced = zip(prompts, thoughts).map { $0 + $1.prefix(allowed) + [so] }
      return zip(problems, try run(forced, 1, nil)).map { problem, answer in
        vocabulary.decode(answer) == [String(problem.answer)]
      }
    }
  }

  /// Over the items with as many operations.
  func accuracy(allowed: Int, _ chosen: ClosedRange<Int>) -> Estimate {
    let values = rightness(allowed: allowed, chosen)
    return Estimate(successes: values.count { $0 }, of: values.count)
  }

  func rightness(allowed: Int, _ chosen: ClosedRange<Int>) -> [Bool] {
    guard right.indices.contains(allowed) else { return [] }
    return zip(operations, right[allowed]).filter { chosen.contains($0.0) }.map(\.1)
  }
}
