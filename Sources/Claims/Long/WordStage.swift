import Corpus
import Foundation
import LanguageModel
import TensorCore
import Training

/// A small model of whole words and its training on a stream of examples: what the experiments of
/// `--long` share.
struct WordStage: Codable, Sendable, Equatable {
  var width = 64
  var layers = 2
  var heads = 4
  var hiddenWidth = 256
  /// Slots in a row; several examples share a row.
  var length: Int
  /// Examples in a step.
  var examples: Int
  var steps: Int
  var optimizer = OptimizerSettings.pretraining

  func model(vocabulary: Int) -> DecoderConfig {
    DecoderConfig(
      vocabularySize: vocabulary, width: width, layers: layers, heads: heads,
      hiddenWidth: hiddenWidth, context: length, feedForward: .reluSquared)
  }

  /// Trains under a name in a folder of that name, from a new model or from another one. Every example
  /// is held against the exam first.
  func train(
    _ name: String, _ vocabulary: WordVocabulary, seed: UInt64, from start: Transformer? = nil,
    exam: ExamPrompts, in folder: URL, _ observer: ExperimentObserver,
    measure: @escaping (Transformer) throws -> [String: Double] = { _ in [:] },
    _ examples: @escaping (_ step: Int) -> [TokenSequence]
  ) throws -> Transformer {
    let stage = StreamRecipe(
      model: model(vocabulary: vocabulary.count), length: length, steps: steps,
      optimizer: optimizer, schedule: Schedule(warmup: min(50, steps / 4), final: 0.05),
      seed: seed, measureEvery: max(1, steps / 10), data: name)
    return try observer.watch(name, steps) {
      try trainOnStream(
        stage, examples: { try exam.checked(examples($0), stage: name) }, measure: measure,
        start: start.map { start in { try start.copy() } }, in: folder.appendingPathComponent(name),
        observer: $0)
    }
  }
}

/// Every word counts alike in the loss, the first aside, which nothing comes before.
func document(_ tokens: [Int32]) -> TokenSequence {
  TokenSequence(tokens: tokens, weights: tokens.map { _ in 1 })
}
