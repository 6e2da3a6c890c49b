import Corpus
import Foundation
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

/// What a model expects after a prompt.
public struct Prediction: Sendable {
  /// Of every token to be the next.
  public var probabilities: [Float]
  /// The residual stream at the prompt's last token, after each layer.
  public var states: [[Float]]

  /// The likeliest token, the first of equals.
  public var likeliest: Int32 {
    var best = 0
    for i in probabilities.indices where probabilities[i] > probabilities[best] { best = i }
    return Int32(best)
  }
}

extension Transformer {
  /// The distribution of the next token after each prompt. Prompts are computed together; each is
  /// independent of the others.
  public func predict(_ prompts: [[Int32]]) -> [Prediction] {
    guard let length = prompts.map(\.count).max(), length > 0 else { return [] }
    var tokens: [Int32] = []
    var segments: [Int32] = []
    for prompt in prompts {
      let padding = length - prompt.count
      tokens += prompt + Array(repeating: 0, count: padding)
      segments +=
        Array(repeating: 0, count: prompt.count) + Array(repeating: -1, count: padding)
    }
    return Tape.paused {
      let layout = SequenceLayout(rows: prompts.count, length: length, segments: segments)
      let places = prompts.indices.map { $0 * length + max(0, prompts[$0].count - 1) }
      let states = states(tokens, layout).map { $0.selecting(places) }
      let logits = logits(states[states.count - 1])
      let (width, size) = (config.width, logits.columns)
      return prompts.indices.map { i in
        let scores = logits.values[i * size..<(i + 1) * size]
        let top = scores.max() ?? 0
        let powers = scores.map { exp(Double($0 - top)) }
        let total = powers.reduce(0, +)
        return Prediction(
          probabilities: powers.map { Float($0 / total) },
          states: states.dropLast().map { Array($0.values[i * width..<(i + 1) * width]) })
      }
    }
  }
}
