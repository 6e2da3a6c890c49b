import Claims
import Foundation
import Tokenization
import Tools

/// A statement of the talk, put to a model in two or more ways.
struct Demonstration {
  /// One way to ask.
  struct Arm {
    var name: String
    var questions: [Question]
    var temperature: Float = 0
    var maxTokens: Int
    /// What may be called in the text of an answer; nil for nothing.
    var calculator: Calculator?
  }

  struct Question {
    var messages: [Message]
    /// Whether an answer is what is counted.
    var counts: @Sendable (String) -> Bool

    init(
      _ text: String, system: String? = nil, counts: @escaping @Sendable (String) -> Bool
    ) {
      messages =
        (system.map { [Message(role: .system, content: $0)] } ?? [])
        + [Message(role: .user, content: text)]
      self.counts = counts
    }
  }

  var name: String
  /// What is counted: "invents" or "right".
  var measure: String
  var arms: [Arm]
}

/// What an arm gave.
struct TalkResult: Encodable {
  struct Sample: Encodable {
    var prompt: String
    var answer: String
    var counted: Bool
  }

  var demonstration: String
  var arm: String
  var measure: String
  var n: Int
  var counted: Int
  var share: Estimate
  /// Of the difference to the demonstration's first arm, on the same questions (McNemar); nil for that
  /// arm itself.
  var p: Double?
  var samples: [Sample]
}

extension Demonstration {
  /// Asks everything. `onArm` is called as each arm is done.
  func run(_ speaker: some Speaker, stream: UInt64, onArm: () -> Void) throws -> [TalkResult] {
    var results: [TalkResult] = []
    for (index, arm) in arms.enumerated() {
      let answers = try arm.ask(speaker, stream: stream &* 16 &+ UInt64(index))
      let samples = zip(arm.questions, answers).map { question, answer in
        TalkResult.Sample(
          prompt: question.messages.map(\.content).joined(separator: "\n"), answer: answer,
          counted: question.counts(answer))
      }
      let counted = samples.count(where: \.counted)
      var result = TalkResult(
        demonstration: name, arm: arm.name, measure: measure, n: samples.count, counted: counted,
        share: Estimate(successes: counted, of: samples.count), samples: samples)
      if let first = results.first, first.n == result.n {
        let pairs = zip(first.samples, samples)
        result.p = mcNemar(
          b: pairs.count { $0.counted && !$1.counted }, c: pairs.count { !$0.counted && $1.counted }
        )
      }
      results.append(result)
      onArm()
    }
    return results
  }
}

extension Demonstration.Arm {
  /// Rounds of calls in an answer at most.
  private static let rounds = 3

  /// An answer to each question. Where there is a calculator, a line with CALC(…) is answered by its
  /// result, and the model goes on.
  fileprivate func ask(_ speaker: some Speaker, stream: UInt64) throws -> [String] {
    var conversations = questions.map(\.messages)
    var answers = [String](repeating: "", count: questions.count)
    var open = Array(questions.indices)
    for round in 0...Self.rounds where !open.isEmpty {
      let said = try speaker.answers(
        open.map { conversations[$0] }, temperature: temperature, maxTokens: maxTokens,
        stream: stream &* 8 &+ UInt64(round))
      var next: [Int] = []
      for (index, text) in zip(open, said) {
        guard let calculator, round < Self.rounds, let call = Self.call(in: text) else {
          answers[index] += text
          continue
        }
        // What the model wrote behind its own call is its guess at the result: it is cut off.
        let result = (try? calculator.call(call.expression)) ?? "error"
        answers[index] += call.text + "\n→ " + result + "\n"
        conversations[index] += [
          Message(role: .assistant, content: call.text),
          Message(
            role: .user,
            content: "The calculator says: \(result). Now give the answer to the question."),
        ]
        next.append(index)
      }
      open = next
    }
    return answers
  }

  /// The first call of a text: what stands up to its end, and its expression.
  static func call(in text: String) -> (text: String, expression: String)? {
    guard let start = text.range(of: "CALC(") else { return nil }
    var depth = 1
    var at = start.upperBound
    while at < text.endIndex, depth > 0, text[at] != "\n" {
      if text[at] == "(" { depth += 1 }
      if text[at] == ")" { depth -= 1 }
      at = text.index(after: at)
    }
    guard depth == 0 else { return nil }
    return (
      String(text[..<at]), String(text[start.upperBound..<text.index(before: at)])
    )
  }
}
