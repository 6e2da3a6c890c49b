import Corpus
import LanguageModel
import TensorCore

/// Log-probabilities without training.
extension Transformer {
  /// log p of every target of a batch whose weight is not 0, in nats; 0 for the others.
  public func logProbabilities(_ batch: TokenBatch) -> [Float] {
    Tape.paused {
      let layout = SequenceLayout(rows: batch.rows, length: batch.length, segments: batch.segments)
      return hidden(batch.tokens, features: batch.features, layout).crossEntropy(
        head: head, targets: batch.targets, weights: batch.weights, normaliser: 1,
        allowed: batch.allowed
      ).logProbabilities
    }
  }

  /// log p of each token after the first, given those before it; nil for the first.
  public func score(_ tokens: [Int32]) -> [Float?] {
    guard tokens.count > 1 else { return tokens.map { _ in nil } }
    let length = tokens.count - 1
    let batch = TokenBatch(
      rows: 1, length: length, tokens: Array(tokens.dropLast()), targets: Array(tokens.dropFirst()),
      weights: Array(repeating: 1, count: length), segments: Array(repeating: 0, count: length))
    return [nil] + logProbabilities(batch)
  }
}

/// −Σ log₂ p / bytes: comparable between tokenizers, unlike a loss per token.
///
/// - Parameter bytes: of the text that the batches hold.
public func bitsPerByte(_ model: Transformer, _ batches: [TokenBatch], bytes: Int) -> Double {
  var nats = 0.0
  for batch in batches {
    for (value, weight) in zip(model.logProbabilities(batch), batch.weights) where weight != 0 {
      nats -= Double(value)
    }
  }
  return nats / 0.693_147_180_559_945_3 / Double(max(1, bytes))
}
