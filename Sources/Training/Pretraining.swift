import Corpus
import Foundation
import Generation
import LanguageModel
import TensorCore
import Tokenization

// Reading: the model learns to predict every next token of documents.

/// Everything that a pretraining run depends on, but the data.
public struct PretrainingRecipe: Codable, Sendable, Equatable {
  public var stage = "pretrain"
  public var model: DecoderConfig
  /// Tokens in a row.
  public var length: Int
  /// Rows in a batch.
  public var rows: Int
  /// Parts that a batch is computed in, for less memory and the same result.
  public var parts: Int
  public var steps: Int
  /// The first steps, which read exercises instead of documents; nil for none.
  public var exerciseSteps: Int?
  public var optimizer: OptimizerSettings
  public var schedule: Schedule
  public var seed: UInt64
  /// Steps between measurements on the validation part.
  public var validateEvery: Int
  /// What the data and the tokenizer are, so that a run is not continued on others.
  public var data: String

  public init(
    model: DecoderConfig, length: Int, rows: Int, parts: Int = 1, steps: Int,
    exerciseSteps: Int? = nil, optimizer: OptimizerSettings = .pretraining, schedule: Schedule,
    seed: UInt64,
    validateEvery: Int, data: String
  ) {
    (self.model, self.length, self.rows, self.parts) = (model, length, rows, parts)
    self.exerciseSteps = exerciseSteps
    (self.steps, self.optimizer, self.schedule) = (steps, optimizer, schedule)
    (self.seed, self.validateEvery, self.data) = (seed, validateEvery, data)
  }
}

extension OptimizerSettings {
  /// Muon for the matrices inside, AdamW for the rest: what got small models off their plateau.
  public static let pretraining = OptimizerSettings(rate: 6e-3, matrixRate: 0.02)
  /// Half of that, for examples.
  public static let imitation = OptimizerSettings(rate: 3e-3, matrixRate: 0.01)
  /// AdamW alone, for practice.
  public static let practice = OptimizerSettings(rate: 1.5e-3, decay: 0)

  /// The same with another rate for AdamW.
  public func with(rate: Float) -> OptimizerSettings {
    var settings = self
    settings.rate = rate
    return settings
  }
}

/// What a model reads, and what it is measured on.
public struct ReadingMaterial {
  public var training: PackedCorpus
  /// Read first, for ``PretrainingRecipe/exerciseSteps`` steps: practice in a skill that documents
  /// teach too seldom.
  public var exercises: PackedCorpus?
  public var validation: [TokenBatch]
  /// Bytes of the validation documents.
  public var validationBytes: Int

  public init(
    training: PackedCorpus, exercises: PackedCorpus? = nil, validation: [TokenBatch],
    validationBytes: Int
  ) {
    (self.training, self.exercises, self.validation) = (training, exercises, validation)
    self.validationBytes = validationBytes
  }
}

extension ReadingMaterial {
  func batch(_ step: Int, _ recipe: PretrainingRecipe) -> TokenBatch {
    let first = exercises == nil ? 0 : recipe.exerciseSteps ?? 0
    if step < first, let exercises { return exercises.batch(step: step, rows: recipe.rows) }
    return training.batch(step: step - first, rows: recipe.rows)
  }
}

/// Trains a new model on documents.
///
/// - Parameter prompts: continued at every validation, into samples.jsonl: learning that one can read.
public func pretrain(
  _ recipe: PretrainingRecipe, material: ReadingMaterial, tokenizer: Tokenizer,
  prompts: [String] = [], in folder: URL, observer: StageObserver
) throws -> Transformer {
  let stage = try Stage(
    folder, recipe: recipe, steps: recipe.steps, optimizer: recipe.optimizer,
    logs: ["samples.jsonl"], observer: observer
  ) {
    try Transformer(recipe.model, source: RandomSource(seed: recipe.seed))
  }
  try stage.run(observer: observer) { step, factor in
    let batch = material.batch(step, recipe)
    let scale = recipe.schedule.scale(step: step, of: recipe.steps) * factor
    let report = trainStep(
      stage.model, stage.optimizer, batches: batch.cut(into: recipe.parts),
      normaliser: max(1, batch.weightSum), scale: Float(scale))
    var values: [String: Double] = ["rate_scale": scale]
    var note = String(format: "loss %.3f", report.loss)
    let isLast = step == recipe.steps - 1
    if !material.validation.isEmpty,
      isLast || step % recipe.validateEvery == recipe.validateEvery - 1
    {
      let bits = bitsPerByte(
        stage.model, material.validation, bytes: material.validationBytes)
      values["validation_bits_per_byte"] = bits
      note = String(format: "loss %.3f, %.3f bits a byte", report.loss, bits)
      for prompt in prompts {
        let text = try sample(stage.model, tokenizer, prompt, seed: recipe.seed)
        let line = SampleLine(step: step, prompt: prompt, text: text)
        try stage.append(line, to: "samples.jsonl")
        observer.onSample(line)
      }
    }
    return Stage.StepResult(report: report, values: values, note: note)
  }
  return stage.model
}

/// A line of samples.jsonl.
public struct SampleLine: Codable, Sendable, Equatable {
  public var step: Int
  public var prompt: String
  public var text: String
}

/// A continuation of a text, at temperature 0.8.
func sample(_ model: Transformer, _ tokenizer: Tokenizer, _ prompt: String, seed: UInt64) throws
  -> String
{
  let template = try ChatTemplate(tokenizer: tokenizer)
  let generator = Generator(
    model, settings: SamplingSettings(temperature: 0.8, maxTokens: 64), stops: [template.end],
    seed: seed)
  let tokens = [template.bos] + tokenizer.encode(prompt)
  guard tokens.count < model.config.context else { return "" }
  let written = try generator.run([GenerationRequest(prompt: tokens, stream: 0)])[0][0]
  return tokenizer.decode(written.end == .stop ? written.tokens.dropLast() : written.tokens)
}

extension TokenBatch {
  /// The same rows in `parts` batches, as even as they come.
  func cut(into parts: Int) -> [TokenBatch] {
    let size = (rows + max(1, parts) - 1) / max(1, parts)
    return stride(from: 0, to: rows, by: size).map { first in
      let count = min(size, rows - first)
      let range = first * length..<(first + count) * length
      return TokenBatch(
        rows: count, length: length, tokens: Array(tokens[range]), targets: Array(targets[range]),
        weights: Array(weights[range]), segments: Array(segments[range]))
    }
  }
}
