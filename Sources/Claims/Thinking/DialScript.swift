import Corpus
import Environments

// How a dial problem and its solution are written: one word a token.

/// What an answer looks like. The first two hold the same words in another order.
enum DialLabel: Codable, Sendable, Equatable {
  /// Every value on the way, then the answer: "2 5 5 1 so 1 ."
  case workFirst
  /// The answer, then every value on the way: "so 1 2 5 5 1 ."
  case answerFirst
  /// As many dots as there would be values, then the answer: "… … … … so 1 ."
  case dots
  /// Only every n-th value on the way, and the last.
  case partial(Int)
}

enum DialScript {
  static let vocabulary = WordVocabulary(
    (0..<10).map(String.init) + DialOperation.all.map(\.text) + ["_", "=", "so", ".", "…"])

  /// The longest prompt and answer together.
  static let longest = DialProblem.slots + 2 + DialProblem.slots + 4

  /// "2 +3 ×7 _ _ _ _ _ _ =". Empty slots are filled, so that each value of the work stands at the
  /// same distance from its operation.
  static func prompt(_ problem: DialProblem) -> [String] {
    let empty = DialProblem.slots - problem.operations.count
    return [String(problem.start)] + problem.operations.map(\.text)
      + Array(repeating: "_", count: empty) + ["="]
  }

  static func label(_ problem: DialProblem, _ form: DialLabel) -> [String] {
    let values = problem.values.map(String.init)
    let answer = ["so", String(problem.answer)]
    switch form {
    case .workFirst: return values + answer + ["."]
    case .answerFirst: return answer + values + ["."]
    case .dots: return values.map { _ in "…" } + answer + ["."]
    case .partial(let every):
      let last = values.count - 1
      return values.indices.filter { $0 % every == 0 || $0 == last }.map { values[$0] } + answer
        + ["."]
    }
  }

  /// Weight 0 on the prompt, 1 on the label, `answerWeight` on the answer's digit.
  static func example(_ problem: DialProblem, _ form: DialLabel, answerWeight: Float)
    -> TokenSequence
  {
    let (prompt, label) = (prompt(problem), label(problem, form))
    var weights = Array(repeating: Float(0), count: prompt.count)
    for i in label.indices {
      weights.append(i > 0 && label[i - 1] == "so" ? answerWeight : 1)
    }
    return TokenSequence(tokens: vocabulary.encode(prompt + label), weights: weights)
  }
}

/// What a model wrote after the prompt, read strictly.
struct DialReading: Equatable {
  /// The digit after the first "so"; nil where there is none.
  let answer: Int?
  /// The values that it wrote before or after its answer.
  let work: [Int]

  init(_ words: [String]) {
    let place = words.firstIndex(of: "so")
    let next = place.map { $0 + 1 }
    answer = next.flatMap { $0 < words.count ? Int(words[$0]) : nil }
    work = words.indices.filter { $0 != next }.compactMap { Int(words[$0]) }
  }

  func isRight(_ problem: DialProblem) -> Bool { answer == problem.answer }

  /// Whether every value on the way is there and right.
  func hasRightWork(_ problem: DialProblem) -> Bool { work == problem.values }

  /// Whether as many values are there, and all but the last are right. Behind an answer the last one
  /// can be had without the work: wherever the model learned, it was the answer again.
  func hasRightSteps(_ problem: DialProblem) -> Bool {
    work.count == problem.values.count && work.dropLast() == problem.values.dropLast()
  }

  /// Whether the work ends in the answer that was given.
  var endsInAnswer: Bool { answer != nil && work.last == answer }
}
