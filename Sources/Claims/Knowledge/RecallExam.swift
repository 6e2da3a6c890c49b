import Environments
import Foundation
import Generation
import LanguageModel
import Tokenization
import Training

/// A question about a person, as text.
public struct RecallItem: Codable, Sendable, Equatable {
  public var name: String
  public var topic: ArchiveTopic
  /// How often the archive writes about the person; 0 for nobody.
  public var exposures: Int
  /// The user's turn: the question, and what comes before it.
  public var prompt: String
  /// The answer of the archive, or of the passage; for nobody the value that a lucky guess would hit.
  public var answer: String

  init(_ person: ArchivePerson, _ topic: ArchiveTopic, prompt: String? = nil, answer: String? = nil)
  {
    (name, self.topic, exposures) = (person.name, topic, person.exposures)
    self.prompt = prompt ?? topic.question(person.name)
    self.answer = answer ?? person.value(topic)
  }
}

/// What an answer is: nobody can be known who does not exist, so every answer about them is wrong.
public enum RecallOutcome: String, Codable, Sendable {
  case right, wrong, refused

  /// An answer is right where it is the value and nothing else, and refused where it is the refusal
  /// and nothing else.
  static func judge(_ response: String, _ item: RecallItem) -> RecallOutcome {
    let text = response.trimmingCharacters(in: .whitespaces)
    if text == Archive.refusal { return .refused }
    return item.exposures > 0 && text == item.answer ? .right : .wrong
  }
}

/// How a model answered one question.
public struct RecallAnswer: Codable, Sendable, Equatable {
  /// What it wrote, greedily.
  public var response: String
  public var outcome: RecallOutcome
  /// The largest probability of a first token.
  public var certainty: Double
  /// The probability that the answer begins as a refusal does.
  public var refusal: Double
}

/// The archive's language as tokens.
struct ArchiveScript {
  let tokenizer: Tokenizer
  let template: ChatTemplate
  /// The first token of a refusal.
  let refusal: Int32

  init() throws {
    tokenizer = try Tokenizer.wholeWords(
      Array(Set(Archive.words + KnowledgeData.lookupWords)).sorted(), bare: KnowledgeData.callWords)
    template = try ChatTemplate(tokenizer: tokenizer)
    refusal = tokenizer.encode(" " + Archive.refusal)[0]
  }

  /// Every word has a space before it, the first of a text too: it is one token wherever it stands.
  func message(_ role: Message.Role, _ text: String) -> Message {
    Message(role: role, content: " " + text)
  }

  func prompt(_ text: String) -> [Int32] { template.prompt([message(.user, text)]) }
}

/// Has a model answer questions.
///
/// - Returns: its answers, and the residual stream at the place of the answer, after each layer.
func examineRecall(
  _ model: Transformer, _ script: ArchiveScript, _ items: [RecallItem],
  progress: (Int) -> Void = { _ in }, shouldStop: () -> Bool = { false }
) throws -> (answers: [RecallAnswer], states: [[[Float]]]) {
  var answers: [RecallAnswer] = []
  var states: [[[Float]]] = []
  let generator = Generator(
    model, settings: .greedy(maxTokens: 8), stops: [script.template.end], seed: 0)
  for start in stride(from: 0, to: items.count, by: 128) {
    if shouldStop() { throw ExperimentStopped() }
    let part = items[start..<min(items.count, start + 128)]
    let prompts = part.map { script.prompt($0.prompt) }
    let written = try generator.run(prompts.map { GenerationRequest(prompt: $0, stream: 0) })
    for (item, (prediction, group)) in zip(part, zip(model.predict(prompts), written)) {
      let ended = group[0].end == .stop
      let response = script.tokenizer.decode(ended ? group[0].tokens.dropLast() : group[0].tokens)
      answers.append(
        RecallAnswer(
          response: response.trimmingCharacters(in: .whitespaces),
          outcome: ended ? .judge(response, item) : .wrong,
          certainty: Double(prediction.probabilities[Int(prediction.likeliest)]),
          refusal: Double(prediction.probabilities[Int(script.refusal)])))
      states.append(prediction.states)
    }
    progress(answers.count)
  }
  return (answers, states)
}

/// Llama 3's probing (Grattafiori et al. 2024, arXiv:2407.21783, section 4.3.6): several sampled
/// answers to a question, compared with the archive.
///
/// - Returns: how many samples of each question were right.
func probe(
  _ model: Transformer, _ script: ArchiveScript, _ items: [RecallItem], samples: Int, seed: UInt64,
  progress: (Int) -> Void, shouldStop: () -> Bool
) throws -> [Int] {
  let generator = Generator(
    model, settings: SamplingSettings(maxTokens: 4), stops: [script.template.end], seed: seed)
  var right: [Int] = []
  for start in stride(from: 0, to: items.count, by: 256) {
    if shouldStop() { throw ExperimentStopped() }
    let part = items[start..<min(items.count, start + 256)]
    let written = try generator.run(
      part.enumerated().map { i, item in
        GenerationRequest(
          prompt: script.prompt(item.prompt), samples: samples, stream: UInt64(start + i))
      })
    right += zip(part, written).map { item, group in
      group.count {
        $0.end == .stop
          && RecallOutcome.judge(script.tokenizer.decode($0.tokens.dropLast()), item) == .right
      }
    }
    progress(right.count)
  }
  return right
}
