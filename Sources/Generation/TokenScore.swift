import TensorKernels

/// A token and what the model thought of it.
public struct TokenScore: Sendable, Equatable {
  /// A token that might have stood there.
  public struct Alternative: Sendable, Equatable {
    public var token: Int32
    /// In nats.
    public var logProbability: Float

    public init(token: Int32, logProbability: Float) {
      (self.token, self.logProbability) = (token, logProbability)
    }
  }

  public var token: Int32
  /// log p under the model itself, at temperature 1 and with nothing cut, in nats; 0 where
  /// ``isScored`` is false.
  public var logProbability: Float
  /// How many tokens the model held likelier; −1 where ``isScored`` is false.
  public var rank: Int
  /// −Σ p log p of the distribution that it came from, in nats.
  public var entropy: Float
  /// How many tokens could have been drawn: what is forbidden and what the sampler cuts do not count.
  /// 0 for tokens that were not drawn.
  public var kept: Int
  /// The likeliest tokens in its place, as many as the job asks for, the likeliest first.
  public var alternatives: [Alternative]

  public init(
    token: Int32, logProbability: Float, rank: Int, entropy: Float, kept: Int,
    alternatives: [Alternative]
  ) {
    (self.token, self.logProbability, self.rank) = (token, logProbability, rank)
    (self.entropy, self.kept, self.alternatives) = (entropy, kept, alternatives)
  }

  /// A token that the model did not predict: the first of a prompt, or what a tool answered.
  public init(unscored token: Int32) {
    self.init(token: token, logProbability: 0, rank: -1, entropy: 0, kept: 0, alternatives: [])
  }

  /// Whether the model predicted it: false for the first token of a prompt and for what a tool
  /// answered.
  public var isScored: Bool { rank >= 0 }
}

/// −Σ p log p of a row, in nats.
func entropy(logits: Floats, probabilities: Floats) -> Float {
  let top = logits[indexOfLargest(logits)]
  // Σ p (x − top) = Σ p log p + log Σ e^(x − top).
  var weighted = 0.0
  var most: Float = 0
  for i in 0..<logits.count where probabilities[i] > 0 {
    weighted += Double(probabilities[i]) * Double(logits[i] - top)
    most = max(most, probabilities[i])
  }
  return Float(max(0, -naturalLogarithm(Double(most)) - weighted))
}

/// How many values are larger than that of `token`, or as large and before it.
func rank(of token: Int, _ logits: Floats) -> Int {
  let value = logits[token]
  var rank = 0
  for i in 0..<logits.count where logits[i] >= value {
    if logits[i] > value || i < token { rank += 1 }
  }
  return rank
}

/// The `count` likeliest tokens of a row, the likeliest first, ties by id.
func likeliest(_ count: Int, logits: Floats, probabilities: Floats) -> [TokenScore.Alternative] {
  guard count > 0 else { return [] }
  var best: [(token: Int, value: Float)] = []
  best.reserveCapacity(count + 1)
  for i in 0..<logits.count {
    let value = logits[i]
    // The list is short, and most values are below its last.
    guard best.count < count || value > best[best.count - 1].value else { continue }
    let place = best.lastIndex { $0.value >= value }.map { $0 + 1 } ?? 0
    best.insert((i, value), at: place)
    if best.count > count { best.removeLast() }
  }
  return best.map { token, _ in
    TokenScore.Alternative(
      token: Int32(token),
      logProbability: likelihood(probabilities[token], of: token, logits: logits))
  }
}
