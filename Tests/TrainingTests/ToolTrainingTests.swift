import Corpus
import Environments
import Generation
import LanguageModel
import TensorCore
import Testing
import Tokenization
import Tools

@testable import Training

@Suite("Tools in training", .serialized)
struct ToolTrainingTests {
  private static let talk = [
    Message(role: .user, content: "2 + 3"),
    Message(
      role: .assistant, content: "", toolCalls: [ToolCall(name: "calc", arguments: "2 + 3")]),
    Message(role: .tool, content: "5"), Message(role: .assistant, content: "5"),
  ]

  /// A model that has learned to call the calculator.
  private func taught() throws -> Transformer {
    let model = try Tiny.model()
    let template = try Tiny.template()
    let optimizer = Optimizer(model.parameters, OptimizerSettings(rate: 1e-2))
    let batch = Packing([exampleSequence(Self.talk, template)], length: 63).batches(of: 8)[0]
    for _ in 0..<120 {
      _ = trainStep(model, optimizer, batches: [batch], normaliser: batch.weightSum, scale: 1)
    }
    return model
  }

  @Test("what a tool answered has weight 0 in an example")
  func examples() throws {
    let template = try Tiny.template()
    let tokens = try #require(template.toolTokens)
    let sequence = exampleSequence(Self.talk, template)
    let start = try #require(sequence.tokens.firstIndex(of: tokens.result))
    let end = try #require(sequence.tokens.firstIndex(of: tokens.endResult))
    #expect(sequence.weights[start...end].allSatisfy { $0 == 0 })
    let call = try #require(sequence.tokens.firstIndex(of: tokens.call))
    #expect(sequence.weights[call..<start].allSatisfy { $0 == 1 })
    #expect(sequence.weights[(end + 1)...].allSatisfy { $0 == 1 })
  }

  @Test("a model that learned to call is answered, and what it samples alone carries its reward")
  func practice() throws {
    let model = try taught()
    let tokenizer = try #require(Tiny.tokenizer)
    let template = try Tiny.template()
    let tokens = try #require(template.toolTokens)
    let host = try ToolHost(Toolbox([Calculator()]), template: template)
    let problems = [Problem(prompt: "2 + 3", answer: "5")]
    let batch = try rollOut(
      problems, verifier: Tiny.Short(), model: model, tokenizer: tokenizer, template: template,
      host: host, samples: 16, settings: SamplingSettings(maxTokens: 24), seed: 1, step: 0)
    let answered = batch.continuations[0].filter { !$0.injected.isEmpty }
    #expect(answered.count > 8)
    #expect(batch.responses[0].contains { $0.contains("5") && !$0.contains("calc") })
    for record in batch.records(step: 0, problems: problems) where record.injected != nil {
      #expect(record.tokens.contains(tokens.result))
    }
    var mixed = batch
    mixed.rewards = [(0..<16).map { Double($0 % 2) }]
    let prompt = batch.prompts[0].count
    for (sequence, continuation) in zip(mixed.sequences(), batch.continuations[0]) {
      #expect(sequence.weights.prefix(prompt).allSatisfy { $0 == 0 })
      for i in continuation.tokens.indices {
        let isInjected = continuation.injected.contains { $0.contains(i) }
        #expect((sequence.weights[prompt + i] == 0) == isInjected)
      }
    }
  }
}
