import LanguageModel
import TensorCore

// A reward model stands in for people (Christiano et al. 2017, arXiv:1706.03741; Ouyang et al. 2022,
// arXiv:2203.02155): the trunk of a decoder, and instead of the next token one number for an answer,
// made of a linear map of the answer's tokens.

/// How the tokens of an answer make one score.
public enum RewardPooling: String, Codable, Sendable {
  /// The mean of what the tokens say.
  case mean
  /// The sum of what they say, in sixteenths: every token adds something, so a longer answer can be
  /// worth more.
  case sum
}

/// An answer to a prompt, as tokens.
public struct AnswerTokens: Sendable, Equatable {
  public var prompt: [Int32]
  public var answer: [Int32]

  public init(prompt: [Int32], answer: [Int32]) { (self.prompt, self.answer) = (prompt, answer) }

  var count: Int { prompt.count + answer.count }
}

/// A decoder's trunk with a head that gives one score.
public final class RewardModel {
  public let trunk: Transformer
  /// (1, D).
  public let head: Parameter
  public let pooling: RewardPooling
  /// The mean and the deviation of the scores that it was calibrated on.
  public var centre = 0.0
  public var spread = 1.0

  static let headName = "score.weight"

  /// A trunk, which is trained further, under a head that begins at zero or comes from `source`.
  public init(
    _ trunk: Transformer, pooling: RewardPooling = .mean, head source: (any ParameterSource)? = nil
  ) throws {
    (self.trunk, self.pooling) = (trunk, pooling)
    let scope = ParameterScope(source: source ?? RandomSource(seed: 0))
    _ = try scope.matrix(
      Self.headName, parts: [(Self.headName, 1)], columns: trunk.config.width,
      initial: .constant(0), kind: .table)
    head = scope.parameters[0]
  }

  /// The same head, the same object, over another trunk.
  init(_ other: RewardModel, trunk: Transformer) {
    (self.trunk, head, pooling) = (trunk, other.head, other.pooling)
    (centre, spread) = (other.centre, other.spread)
  }

  /// The scores (count, 1) of the answers of a batch.
  func scores(_ batch: AnswerBatch) -> Tensor {
    let layout = SequenceLayout(rows: batch.rows, length: batch.length, segments: batch.segments)
    let hidden = trunk.hidden(batch.tokens, layout)
    let pooled =
      switch pooling {
      case .mean: hidden.groupMeans(batch.answers, count: batch.count)
      case .sum:
        hidden.groupSums(batch.answers, weights: Array(repeating: 1 / 16, count: batch.count))
      }
    return pooled.linear(head.tensor)
  }

  /// The scores of answers in units of the deviation from the mean that it was calibrated on.
  ///
  /// - Throws: ``TrainingError`` where one is longer than the context.
  public func score(_ answers: [AnswerTokens]) throws -> [Double] {
    try rawScores(answers).map { ($0 - centre) / spread }
  }

  /// From now on, the mean of ``score(_:)`` over these answers is 0 and its deviation 1.
  public func calibrate(on answers: [AnswerTokens]) throws {
    let raw = try rawScores(answers)
    let mean = raw.reduce(0, +) / Double(max(1, raw.count))
    let variance = raw.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, raw.count))
    // A model that says the same of everything has no unit.
    (centre, spread) = (mean, variance > 0 ? variance.squareRoot() : 1)
  }

  private func rawScores(_ answers: [AnswerTokens]) throws -> [Double] {
    var out: [Double] = []
    out.reserveCapacity(answers.count)
    for start in stride(from: 0, to: answers.count, by: 240) {
      let part = Array(answers[start..<min(answers.count, start + 240)])
      let batch = try AnswerBatch(part, context: trunk.config.context)
      out += Tape.paused { scores(batch) }.array.map(Double.init)
    }
    return out
  }
}

/// Answers in rows, one after another; attention does not cross from one to the next.
struct AnswerBatch {
  let count: Int
  let rows: Int
  let length: Int
  var tokens: [Int32]
  var segments: [Int32]
  /// Which answer a slot is part of; −1 for prompts and padding.
  var answers: [Int32]

  /// Rows of 128 slots, or of the longest answer with its prompt.
  init(_ items: [AnswerTokens], context: Int) throws {
    if let long = items.first(where: { $0.count > context }) {
      throw TrainingError(
        "an answer has \(long.count) tokens with its prompt, more than the reward model's context of "
          + "\(context): shorten it")
    }
    if items.contains(where: \.answer.isEmpty) {
      throw TrainingError("an answer without a token has no score")
    }
    count = items.count
    length = max(128, items.map(\.count).max() ?? 1)
    var starts: [(row: Int, slot: Int, segment: Int32)] = []
    var place = (row: 0, slot: 0, segment: Int32(0))
    for item in items {
      if place.slot + item.count > length { place = (place.row + 1, 0, 0) }
      starts.append(place)
      place = (place.row, place.slot + item.count, place.segment + 1)
    }
    rows = place.row + 1
    tokens = Array(repeating: 0, count: rows * length)
    segments = Array(repeating: -1, count: rows * length)
    answers = Array(repeating: -1, count: rows * length)
    for (i, (item, start)) in zip(items, starts).enumerated() {
      var slot = start.row * length + start.slot
      for (t, token) in (item.prompt + item.answer).enumerated() {
        tokens[slot] = token
        segments[slot] = start.segment
        if t >= item.prompt.count { answers[slot] = Int32(i) }
        slot += 1
      }
    }
  }
}
