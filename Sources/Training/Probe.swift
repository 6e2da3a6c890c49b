import Environments
import Generation
import Tokenization

// Knowledge probing (Dubey et al. 2024, arXiv:2407.21783, section 4.3.6): ask the model what the
// answer is known of, several times, and keep what it knows and what it does not.

/// What asking a question several times showed.
public struct ProbeResult: Codable, Sendable, Equatable {
  /// How much of the answer a model knows.
  public enum Knowledge: String, Codable, Sendable, CaseIterable { case known, maybe, unknown }

  public var question: String
  public var answer: String
  /// What the model said.
  public var responses: [String]
  public var right: [Bool]

  /// Known where every answer was right, unknown where none was.
  public var knowledge: Knowledge {
    let count = right.count { $0 }
    return count == right.count ? .known : count == 0 ? .unknown : .maybe
  }

  private enum CodingKeys: String, CodingKey { case question, answer, responses, right, knowledge }

  public init(question: String, answer: String, responses: [String], right: [Bool]) {
    (self.question, self.answer, self.responses, self.right) = (question, answer, responses, right)
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    question = try fields.decode(String.self, forKey: .question)
    answer = try fields.decode(String.self, forKey: .answer)
    responses = try fields.decode([String].self, forKey: .responses)
    right = try fields.decode([Bool].self, forKey: .right)
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(question, forKey: .question)
    try fields.encode(answer, forKey: .answer)
    try fields.encode(responses, forKey: .responses)
    try fields.encode(right, forKey: .right)
    try fields.encode(knowledge, forKey: .knowledge)
  }
}

/// Ways to say that one does not know.
public let refusals = [
  "I don't know.", "I'm sorry, I don't know.", "I do not know the answer to that.",
  "That is something I don't know.", "I'm afraid I don't know.",
]

/// Asks every question `samples` times and has each answer judged.
///
/// - Parameters:
///   - onResult: given each result as soon as it is there, in the order of the questions.
///   - judge: whether a response answers a question rightly. An answer that did not end is wrong
///     without being judged.
public func probe(
  _ questions: [ProbeQuestion], _ loaded: LoadedModel, samples: Int, settings: SamplingSettings,
  seed: UInt64, tools: ToolHost? = nil, onResult: (ProbeResult) throws -> Void = { _ in },
  judge: (ProbeQuestion, String) throws -> Bool
) throws -> [ProbeResult] {
  let format = loaded.format
  let generator = Generator(
    loaded.model, settings: settings, stops: format.ends, forbidden: format.own?.hostTokens ?? [],
    host: tools, seed: seed)
  var results: [ProbeResult] = []
  for start in stride(from: 0, to: questions.count, by: 64) {
    let part = questions[start..<min(questions.count, start + 64)]
    let requests = try part.map { question in
      GenerationRequest(
        prompt: try format.prompt([Message(role: .user, content: question.question)]),
        samples: samples, stream: stableHash(question.question))
    }
    for (question, group) in zip(part, try generator.run(requests)) {
      let responses = group.map { format.own?.response($0) ?? format.text($0.tokens) }
      let right = try zip(group, responses).map { continuation, response in
        try continuation.end == .stop && judge(question, response)
      }
      let result = ProbeResult(
        question: question.question, answer: question.answer, responses: responses, right: right)
      try onResult(result)
      results.append(result)
    }
  }
  return results
}

/// What teaches a model to say what it knows and to refuse the rest: its own right answer to what it
/// knows, a refusal to what it does not. What it may know is left out.
public func refusalExamples(_ results: [ProbeResult]) -> [[Message]] {
  results.compactMap { result in
    let answer: String
    switch result.knowledge {
    case .known: answer = result.responses.first ?? result.answer
    case .unknown:
      answer = refusals[Int(stableHash("refusal " + result.question) % UInt64(refusals.count))]
    case .maybe: return nil
    }
    return [
      Message(role: .user, content: result.question), Message(role: .assistant, content: answer),
    ]
  }
}
