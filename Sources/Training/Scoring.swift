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

  /// Σ log p of the weighted tokens of each sequence, none longer than a row of `length`.
  public func logProbabilities(of sequences: [TokenSequence], length: Int) -> [Double] {
    var out: [Double] = []
    for start in stride(from: 0, to: sequences.count, by: 256) {
      let part = Array(sequences[start..<min(sequences.count, start + 256)])
      var rows: [(row: Int, slot: Int)] = []
      var place = (row: 0, slot: 0)
      for sequence in part {
        precondition(sequence.slots <= length, "a sequence of \(sequence.slots) slots in \(length)")
        if place.slot + sequence.slots > length { place = (place.row + 1, 0) }
        rows.append(place)
        place.slot += sequence.slots
      }
      let count = (place.row + 1) * length
      var batch = TokenBatch(
        rows: place.row + 1, length: length, tokens: Array(repeating: 0, count: count),
        targets: Array(repeating: 0, count: count), weights: Array(repeating: 0, count: count),
        segments: Array(repeating: -1, count: count))
      for (i, (sequence, place)) in zip(part, rows).enumerated() {
        for t in 0..<sequence.slots {
          let slot = place.row * length + place.slot + t
          batch.tokens[slot] = sequence.tokens[t]
          batch.targets[slot] = sequence.tokens[t + 1]
          batch.weights[slot] = sequence.weights[t + 1]
          batch.segments[slot] = Int32(i)
        }
      }
      let values = logProbabilities(batch)
      for (sequence, place) in zip(part, rows) {
        let first = place.row * length + place.slot
        out.append((first..<first + sequence.slots).reduce(0) { $0 + Double(values[$1]) })
      }
    }
    return out
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
