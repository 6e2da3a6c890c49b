/// How the next token is drawn.
///
/// The order of the steps: penalties and biases change the scores, the temperature divides them,
/// then top-k, top-p and min-p cut, each what the one before left. Log-probabilities are always
/// reported as the model itself gives them, before any of this.
public struct SamplingSettings: Codable, Sendable, Equatable {
  /// Scores are divided by it; 0 takes the likeliest token.
  public var temperature: Float
  /// Only the k likeliest tokens; 0 for all.
  public var topK: Int
  /// Only the likeliest tokens that together have this probability (Holtzman et al. 2019,
  /// arXiv:1904.09751); 1 for all.
  public var topP: Float
  /// Only tokens at least this fraction as likely as the likeliest (Nguyen et al. 2024,
  /// arXiv:2407.01082); 0 for all.
  public var minP: Float
  /// Divides the positive scores, and multiplies the negative ones, of tokens that the prompt or the
  /// answer holds (Keskar et al. 2019, arXiv:1909.05858); 1 for none.
  public var repetitionPenalty: Float
  /// Taken off a token's score for each time that the answer holds it; 0 for none.
  public var frequencyPenalty: Float
  /// Taken off the score of every token that the answer holds; 0 for none.
  public var presencePenalty: Float
  /// Added to the scores of these tokens, -100 to 100: the ends mean never and nearly always.
  public var bias: [Int32: Float]
  /// Tokens to write at most.
  public var maxTokens: Int

  public init(
    temperature: Float = 1, topK: Int = 0, topP: Float = 1, minP: Float = 0,
    repetitionPenalty: Float = 1, frequencyPenalty: Float = 0, presencePenalty: Float = 0,
    bias: [Int32: Float] = [:], maxTokens: Int = 256
  ) {
    (self.temperature, self.topK, self.topP) = (temperature, topK, topP)
    (self.minP, self.maxTokens, self.bias) = (minP, maxTokens, bias)
    (self.repetitionPenalty, self.frequencyPenalty) = (repetitionPenalty, frequencyPenalty)
    self.presencePenalty = presencePenalty
  }

  /// The likeliest token each time.
  public static func greedy(maxTokens: Int) -> SamplingSettings {
    SamplingSettings(temperature: 0, maxTokens: maxTokens)
  }

  /// What is wrong with the settings, in a sentence; nil where they make sense.
  public var problem: String? {
    if !(temperature >= 0 && temperature.isFinite) {
      return "a temperature of \(temperature) is not a number from 0 up"
    }
    if topK < 0 { return "top-k is \(topK): use 0 for no limit, or a positive number" }
    if !(topP > 0 && topP <= 1) { return "top-p is \(topP): it must lie above 0 and at most at 1" }
    if !(minP >= 0 && minP <= 1) { return "min-p is \(minP): it must lie between 0 and 1" }
    if !(repetitionPenalty > 0 && repetitionPenalty.isFinite) {
      return "the repetition penalty is \(repetitionPenalty): it must lie above 0, and 1 means none"
    }
    if !(frequencyPenalty >= -2 && frequencyPenalty <= 2) {
      return "the frequency penalty is \(frequencyPenalty): it must lie between -2 and 2"
    }
    if !(presencePenalty >= -2 && presencePenalty <= 2) {
      return "the presence penalty is \(presencePenalty): it must lie between -2 and 2"
    }
    if let odd = bias.filter({ !($0.value >= -100 && $0.value <= 100) }).keys.min() {
      return "the bias of token \(odd) is \(bias[odd] ?? 0): it must lie between -100 and 100"
    }
    if maxTokens < 1 { return "max tokens is \(maxTokens): at least 1 is needed" }
    return nil
  }

  /// Whether a draw may come from every token.
  var isPlain: Bool { topK == 0 && topP >= 1 && minP <= 0 }

  /// Whether scores depend on what was written.
  var hasPenalties: Bool {
    repetitionPenalty != 1 || frequencyPenalty != 0 || presencePenalty != 0
  }
}

/// A stream of random numbers of its own for every sequence, so that a sequence is the same whatever
/// is sampled beside it: SplitMix64 (Steele et al. 2014).
struct SequenceRandom {
  private var state: UInt64

  init(seed: UInt64, stream: UInt64, sample: Int) {
    state = seed
    state = next() ^ stream
    state = next() ^ UInt64(bitPattern: Int64(sample))
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// In [0, 1).
  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
