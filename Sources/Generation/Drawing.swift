import TensorKernels

/// A token drawn from a row of scores, and its log-probability under the model itself: temperature 1,
/// nothing cut off.
struct Draw {
  /// −1 where nothing may follow.
  var token: Int32
  var logProbability: Float
  /// Tokens that the sampler's cuts leave.
  var kept: Int
}

/// Draws from one row: `scores` (V), the logits with what may not be sampled at −∞, and
/// `probabilities`, the softmax of the logits, with 0 there.
///
/// - Parameter isReshaped: penalties or biases changed the scores, so that `probabilities` are no
///   longer theirs.
func draw(
  scores: Floats, probabilities: Floats, logits: Floats, _ settings: SamplingSettings,
  isReshaped: Bool, _ random: inout SequenceRandom
) -> Draw {
  let top = indexOfLargest(scores)
  guard scores[top] > -.infinity else { return Draw(token: -1, logProbability: 0, kept: 0) }
  var token = top
  var kept = 1
  let isPlain = settings.temperature == 1 && settings.isPlain && !isReshaped
  let total = isPlain ? sum(probabilities) : 0
  if settings.temperature == 0 {
    // The likeliest.
  } else if total > 1e-20 {
    token = pick(probabilities, total: total, random.uniform())
    kept = scores.count
  } else {
    // Also where all that may follow is so unlikely that its probabilities have lost their digits.
    var candidates = Candidates(scores, top: scores[top], temperature: settings.temperature)
    (token, kept) = candidates.draw(settings, random.uniform())
  }
  return Draw(
    token: Int32(token),
    logProbability: likelihood(probabilities[token], of: token, logits: logits), kept: kept)
}

/// log p of a token from its probability and, where that has lost digits, from the row. A probability
/// that has all its digits is as good as the sum of all exponentials in Double.
func likelihood(_ probability: Float, of token: Int, logits: Floats) -> Float {
  probability > 1e-20
    ? Float(naturalLogarithm(Double(probability))) : logProbability(of: token, logits: logits)
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

/// The tokens of a row from the likeliest down, ties by id, sorted only as far as they are asked for:
/// a draw seldom looks at more than a few of 50,000.
private struct Candidates {
  struct Candidate {
    var token: Int32
    var weight: Double
  }

  /// Tokens by how far their scores lie below the best, in eighths of a nat of the tempered scores.
  private var buckets: [[Candidate]]
  /// What is sorted, from the likeliest down.
  private var sorted: [Candidate] = []
  private var next = 0
  /// Σ of all weights.
  private let total: Double
  private let count: Int

  init(_ scores: Floats, top: Float, temperature: Float) {
    buckets = Array(repeating: [], count: 400)
    var total = 0.0
    var count = 0
    for (i, score) in scores.enumerated() {
      let exponent = (score - top) / temperature
      // Below e^−49 of the likeliest a weight changes no sum of Doubles by half a digit.
      guard exponent > -49 else { continue }
      let weight = exponential(Double(exponent))
      total += weight
      count += 1
      buckets[Int(exponent * -8)].append(Candidate(token: Int32(i), weight: weight))
    }
    (self.total, self.count) = (total, count)
  }

  /// The candidate at `index`, or nil beyond the last.
  private mutating func candidate(_ index: Int) -> Candidate? {
    while index >= sorted.count, next < buckets.count {
      buckets[next].sort {
        $0.weight > $1.weight || ($0.weight == $1.weight && $0.token < $1.token)
      }
      sorted += buckets[next]
      next += 1
    }
    return index < sorted.count ? sorted[index] : nil
  }

  /// Cuts by top-k, top-p and min-p in turn and draws from what is left: the token, and how many
  /// were left.
  mutating func draw(_ settings: SamplingSettings, _ uniform: Double) -> (token: Int, kept: Int) {
    var end = count
    var mass = total
    if settings.topK > 0, settings.topK < end {
      end = settings.topK
      mass = weight(ofFirst: end)
    }
    if settings.topP < 1 {
      let limit = Double(settings.topP) * mass
      var running = 0.0
      var kept = 0
      while kept < end, running < limit, let candidate = candidate(kept) {
        running += candidate.weight
        kept += 1
      }
      (end, mass) = (max(1, kept), running)
    }
    if settings.minP > 0, let first = candidate(0) {
      let least = Double(settings.minP) * first.weight
      var kept = 0
      while kept < end, let candidate = candidate(kept), candidate.weight >= least { kept += 1 }
      end = max(1, kept)
      mass = weight(ofFirst: end)
    }
    let target = uniform * mass
    var running = 0.0
    var last = 0
    for i in 0..<end {
      guard let candidate = candidate(i) else { break }
      running += candidate.weight
      last = Int(candidate.token)
      if running > target { break }
    }
    return (last, end)
  }

  private mutating func weight(ofFirst end: Int) -> Double {
    var running = 0.0
    for i in 0..<end {
      guard let candidate = candidate(i) else { break }
      running += candidate.weight
    }
    return running
  }
}
