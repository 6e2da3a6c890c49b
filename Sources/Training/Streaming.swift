import Corpus
import Foundation
import LanguageModel
import TensorCore

// Training on examples that are made as they are needed: worlds that never run out.

/// Everything that training on a stream depends on, but the examples.
public struct StreamRecipe: Codable, Sendable, Equatable {
  public var stage = "stream"
  public var model: DecoderConfig
  /// Slots in a row; several examples share a row.
  public var length: Int
  public var steps: Int
  public var optimizer: OptimizerSettings
  public var schedule: Schedule
  public var seed: UInt64
  /// Steps between measurements of what the model can do so far; 0 for none.
  public var measureEvery: Int
  /// What the examples are, so that a run is not continued on others.
  public var data: String

  public init(
    model: DecoderConfig, length: Int, steps: Int, optimizer: OptimizerSettings = .pretraining,
    schedule: Schedule, seed: UInt64, measureEvery: Int = 0, data: String
  ) {
    (self.model, self.length, self.steps) = (model, length, steps)
    (self.optimizer, self.schedule, self.seed) = (optimizer, schedule, seed)
    (self.measureEvery, self.data) = (measureEvery, data)
  }
}

/// Trains a model on the examples of each step.
///
/// - Parameters:
///   - start: the model to go on from; nil for a new one.
///   - examples: those of a step: a function of its number, so that a run that was stopped goes on
///     with the same. Their loss is the mean over the weights. What it throws ends the training.
///   - measure: what the model can do so far, by name, for the log.
public func trainOnStream(
  _ recipe: StreamRecipe, examples: (Int) throws -> [TokenSequence],
  measure: (Transformer) throws -> [String: Double] = { _ in [:] },
  start: (() throws -> Transformer)? = nil, in folder: URL,
  observer: StageObserver
) throws -> Transformer {
  let stage = try Stage(
    folder, recipe: recipe, steps: recipe.steps, optimizer: recipe.optimizer, observer: observer
  ) {
    try start?() ?? Transformer(recipe.model, source: RandomSource(seed: recipe.seed))
  }
  try stage.run(observer: observer) { step, factor in
    let packing = Packing(try examples(step), length: recipe.length)
    guard !packing.rows.isEmpty else {
      throw TrainingError("step \(step) of the stream holds no example to learn from")
    }
    let batch = packing.batch(rows: Array(packing.rows.indices))
    let scale = recipe.schedule.scale(step: step, of: recipe.steps) * factor
    let report = trainStep(
      stage.model, stage.optimizer, batches: [batch], normaliser: max(1, batch.weightSum),
      scale: Float(scale))
    var values = ["rate_scale": scale]
    let isLast = step == recipe.steps - 1
    if recipe.measureEvery > 0, isLast || (step + 1) % recipe.measureEvery == 0 {
      values.merge(try measure(stage.model)) { $1 }
    }
    return Stage.StepResult(
      report: report, values: values, note: String(format: "loss %.3f", report.loss))
  }
  return stage.model
}
