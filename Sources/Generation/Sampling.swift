import TensorKernels

/// How the next token is drawn.
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
  /// Tokens to write at most.
  public var maxTokens: Int

  public init(
    temperature: Float = 1, topK: Int = 0, topP: Float = 1, minP: Float = 0, maxTokens: Int = 256
  ) {
    (self.temperature, self.topK, self.topP) = (temperature, topK, topP)
    (self.minP, self.maxTokens) = (minP, maxTokens)
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
    if maxTokens < 1 { return "max tokens is \(maxTokens): at least 1 is needed" }
    return nil
  }

  /// Whether a draw may come from every token.
  var isPlain: Bool { topK == 0 && topP >= 1 && minP <= 0 }
}

/// A stream of random numbers of its own for every sequence, so that a sequence is the same whatever
/// is sampled beside it: SplitMix64 (Steele et al. 2014).
struct SequenceRandom {
  private var state: UInt64

  init(seed: UInt64, stream: UInt64, sample: Int) {
    state = seed
    state = next() ^ stream
    state = next() ^ UInt64(sample)
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

/// A token drawn from a row of scores, and its log-probability under the model itself: temperature 1,
/// nothing cut off.
struct Draw {
  var token: Int32
  var logProbability: Float
}

/// Draws from one row: `logits` (V) and `probabilities`, their softmax.
func draw(
  logits: Floats, probabilities: Floats, _ settings: SamplingSettings,
  _ random: inout SequenceRandom
) -> Draw {
  let token: Int
  if settings.temperature == 0 {
    token = indexOfLargest(logits)
  } else if settings.temperature == 1, settings.isPlain {
    token = pick(probabilities, total: sum(probabilities), random.uniform())
  } else {
    token = drawAdjusted(logits: logits, settings, &random)
  }
  // A probability that has all its digits is as good as the sum of all exponentials in Double.
  let likelihood = probabilities[token]
  return Draw(
    token: Int32(token),
    logProbability: likelihood > 1e-20
      ? Float(naturalLogarithm(Double(likelihood)))
      : logProbability(of: token, logits: logits))
}

/// log softmax(logits)[token], summed in Double.
func logProbability(of token: Int, logits: Floats) -> Float {
  let top = logits[indexOfLargest(logits)]
  var total = 0.0
  for value in logits { total += exponential(Double(value - top)) }
  return Float(Double(logits[token] - top) - naturalLogarithm(total))
}

/// The first of the largest values.
func indexOfLargest(_ values: Floats) -> Int {
  var best = 0
  for i in 1..<max(1, values.count) where values[i] > values[best] { best = i }
  return best
}

private func sum(_ values: Floats) -> Double {
  var total = 0.0
  for value in values { total += Double(value) }
  return total
}

/// The index at which the running sum passes `uniform` of `total`.
private func pick(_ values: Floats, total: Double, _ uniform: Double) -> Int {
  let target = uniform * total
  var running = 0.0
  var last = 0
  for i in 0..<values.count where values[i] > 0 {
    running += Double(values[i])
    last = i
    if running > target { return i }
  }
  return last
}

/// Temperature first, then top-k, top-p and min-p, each on what the one before left.
private func drawAdjusted(
  logits: Floats, _ settings: SamplingSettings, _ random: inout SequenceRandom
) -> Int {
  let top = logits[indexOfLargest(logits)]
  var candidates = logits.indices.map { i in
    (token: i, weight: exponential(Double((logits[i] - top) / settings.temperature)))
  }
  candidates.sort { $0.weight > $1.weight || ($0.weight == $1.weight && $0.token < $1.token) }
  if settings.topK > 0 { candidates = Array(candidates.prefix(settings.topK)) }
  if settings.topP < 1 {
    let limit = Double(settings.topP) * candidates.reduce(0) { $0 + $1.weight }
    var running = 0.0
    let kept = candidates.prefix { candidate in
      defer { running += candidate.weight }
      return running < limit
    }
    candidates = Array(kept)
  }
  if settings.minP > 0, let first = candidates.first {
    candidates = candidates.filter { $0.weight >= Double(settings.minP) * first.weight }
  }
  let target = random.uniform() * candidates.reduce(0) { $0 + $1.weight }
  var running = 0.0
  for candidate in candidates {
    running += candidate.weight
    if running > target { return candidate.token }
  }
  return candidates.last?.token ?? 0
}
