/// Tokens to learn from, with the weight of each.
public struct TokenSequence: Sendable, Equatable {
  public var tokens: [Int32]
  /// `weights[i]` is what predicting `tokens[i]` from those before it counts. The first is not used.
  public var weights: [Float]

  public init(tokens: [Int32], weights: [Float]) {
    precondition(tokens.count == weights.count, "\(tokens.count) tokens, \(weights.count) weights")
    (self.tokens, self.weights) = (tokens, weights)
  }

  /// Every token counts alike: a document.
  public init(tokens: [Int32]) {
    self.init(tokens: tokens, weights: Array(repeating: 1, count: tokens.count))
  }

  /// Slots that the sequence takes: the last token is only a target.
  public var slots: Int { max(0, tokens.count - 1) }
}

/// Rows of packed sequences: what one call of a model works on. All arrays hold rows · length values.
public struct TokenBatch: Sendable, Equatable {
  public var rows: Int
  /// Slots in a row.
  public var length: Int
  public var tokens: [Int32]
  /// The token that follows each one in its sequence.
  public var targets: [Int32]
  /// What each target counts; 0 for padding.
  public var weights: [Float]
  /// Which sequence of its row a slot belongs to, from 0; −1 for padding.
  public var segments: [Int32]
  /// What comes with each token beside its id, one after another: empty for a model that takes none.
  public var features: [Float]
  /// The tokens that each target is chosen among, as bits; empty for all of them.
  public var allowed: [UInt32]

  public init(
    rows: Int, length: Int, tokens: [Int32], targets: [Int32], weights: [Float], segments: [Int32],
    features: [Float] = [], allowed: [UInt32] = []
  ) {
    let count = rows * length
    precondition(
      tokens.count == count && targets.count == count && weights.count == count
        && segments.count == count && features.count % max(1, count) == 0
        && (allowed.isEmpty || allowed.count == count),
      "a batch of \(rows) x \(length) with \(tokens.count) tokens")
    (self.rows, self.length, self.tokens, self.targets) = (rows, length, tokens, targets)
    (self.weights, self.segments) = (weights, segments)
    (self.features, self.allowed) = (features, allowed)
  }

  /// Slots that are not padding.
  public var tokenCount: Int { segments.count { $0 >= 0 } }
}
