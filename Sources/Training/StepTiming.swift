import Corpus
import LanguageModel
import TensorCore

/// Seconds that a training step takes here and now, measured on a model that is then thrown away.
/// One step where steps are long, else the second: the first one also fills the buffers.
///
/// - Parameter tokens: of a step, in rows of `length`. At most 4,096 are measured, the rest reckoned.
public func timedStep(
  _ config: DecoderConfig, tokens: Int, length: Int, optimizer settings: OptimizerSettings
) throws -> Double {
  let rows = max(1, min(tokens, 4_096) / length)
  let model = try Transformer(config, source: RandomSource(seed: 1))
  let optimizer = Optimizer(model.parameters, settings)
  let count = rows * length
  let ids = (0...count).map { Int32($0 * 7_919 % config.vocabularySize) }
  let batch = TokenBatch(
    rows: rows, length: length, tokens: Array(ids.dropLast()), targets: Array(ids.dropFirst()),
    weights: Array(repeating: 1, count: count), segments: Array(repeating: 0, count: count))
  var seconds = 0.0
  for _ in 0..<2 where seconds < 1 {
    let start = ContinuousClock.now
    _ = trainStep(model, optimizer, batches: [batch], normaliser: Float(count), scale: 0)
    seconds = (ContinuousClock.now - start) / .seconds(1)
  }
  return seconds * Double(tokens) / Double(count)
}
