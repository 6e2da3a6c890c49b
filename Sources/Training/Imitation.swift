import Corpus
import Foundation
import LanguageModel
import TensorCore
import Tokenization

// Imitation: the same step on conversations, where only what the assistant wrote has a weight.

/// Everything that an imitation run depends on, but the examples.
public struct ImitationRecipe: Codable, Sendable, Equatable {
  public var stage = "sft"
  /// Tokens in a row; several examples share a row.
  public var length: Int
  public var rows: Int
  public var steps: Int
  public var optimizer: OptimizerSettings
  public var schedule: Schedule
  public var seed: UInt64
  /// What the start and the examples are, so that a run is not continued from others.
  public var data: String
  /// The adapter that is trained; nil where all parameters are.
  public var adapter: AdapterSettings?

  public init(
    length: Int, rows: Int, steps: Int, optimizer: OptimizerSettings = .imitation,
    schedule: Schedule, seed: UInt64, data: String, adapter: AdapterSettings? = nil
  ) {
    self.adapter = adapter
    (self.length, self.rows, self.steps) = (length, rows, steps)
    (self.optimizer, self.schedule, self.seed, self.data) = (optimizer, schedule, seed, data)
  }
}

/// A conversation as tokens: weight 1 on what the assistant wrote, on its calls to tools and on the
/// end of its turns; 0 on what tools answered.
public func exampleSequence(_ messages: [Message], _ template: ChatTemplate) -> TokenSequence {
  let (tokens, isTrained) = template.render(messages)
  return TokenSequence(tokens: tokens, weights: isTrained.map { $0 ? 1 : 0 })
}

/// As ``exampleSequence(_:_:)`` for any model's format.
public func exampleSequence(_ messages: [Message], _ format: ChatFormat) throws -> TokenSequence {
  let (tokens, isTrained) = try format.render(messages)
  return TokenSequence(tokens: tokens, weights: isTrained.map { $0 ? 1 : 0 })
}

/// Goes on training `start` on examples: all of it, or the adapter that it was loaded with.
public func imitate(
  _ recipe: ImitationRecipe, examples: [TokenSequence], start: () throws -> Transformer,
  in folder: URL, observer: StageObserver
) throws -> Transformer {
  guard examples.contains(where: { $0.weights.dropFirst().contains { $0 != 0 } }) else {
    throw TrainingError("the examples hold no assistant turn to imitate")
  }
  let corpus = try PackedCorpus(examples, length: recipe.length, seed: recipe.seed)
  let stage = try Stage(
    folder, recipe: recipe, steps: recipe.steps, optimizer: recipe.optimizer,
    adapts: recipe.adapter != nil, observer: observer, begin: start)
  try stage.run(observer: observer) { step, factor in
    let batch = corpus.batch(step: step, rows: recipe.rows)
    let scale = recipe.schedule.scale(step: step, of: recipe.steps) * factor
    let report = trainStep(
      stage.model, stage.optimizer, batches: [batch], normaliser: max(1, batch.weightSum),
      scale: Float(scale))
    return Stage.StepResult(
      report: report, values: ["rate_scale": scale], note: String(format: "loss %.3f", report.loss))
  }
  return stage.model
}
