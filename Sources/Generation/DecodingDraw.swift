import TensorCore
import TensorKernels

extension DecodingCore {
  /// A token for each sequence from its row of `logits`, −1 where nothing may follow.
  func drawAll(_ drawing: [DecodingSequence], _ logits: Tensor) -> [TokenScore] {
    let width = logits.columns
    let probabilities = Buffer(logits.count)
    softmaxRows(probabilities.values, x: logits.values, width: width)
    let changes = drawing.contains { $0.isMasked || $0.isReshaped }
    let scores = changes ? Buffer(logits.values) : logits.buffer
    var draws = Array(repeating: TokenScore(unscored: -1), count: drawing.count)
    draws.withUnsafeMutableBufferPointer { draws in
      parallelRanges(drawing.count, grain: max(1, min(16, 16_384 / width))) { range in
        for i in range {
          let row = i * width..<(i + 1) * width
          draws[i] = Self.draw(
            drawing[i], logits: Floats(rebasing: logits.values[row]),
            probabilities: MutableFloats(rebasing: probabilities.values[row]),
            scores: MutableFloats(rebasing: scores.values[row]))
        }
      }
    }
    return draws
  }

  private static func draw(
    _ sequence: DecodingSequence, logits: Floats, probabilities: MutableFloats,
    scores: MutableFloats
  ) -> TokenScore {
    let job = sequence.job
    let isMeasured = job.isMeasured || job.alternatives > 0
    // Before what may not follow loses its probability: the model's own view is reported.
    let spread = isMeasured ? entropy(logits: logits, probabilities: probabilities.reading) : 0
    let others = likeliest(
      job.alternatives, logits: logits, probabilities: probabilities.reading)
    if sequence.isReshaped { sequence.reshape(scores) }
    if sequence.isMasked {
      sequence.forEachForbidden(below: scores.count) { token in
        scores[token] = -.infinity
        probabilities[token] = 0
      }
    }
    let draw = Generation.draw(
      scores: scores.reading, probabilities: probabilities.reading, logits: logits, job.settings,
      isReshaped: sequence.isReshaped, &sequence.random)
    guard draw.token >= 0 else { return TokenScore(unscored: -1) }
    return TokenScore(
      token: draw.token, logProbability: draw.logProbability,
      rank: isMeasured ? rank(of: Int(draw.token), logits) : 0, entropy: spread,
      kept: isMeasured ? min(draw.kept, possible(scores)) : 0, alternatives: others)
  }

  private static func possible(_ scores: MutableFloats) -> Int {
    var count = 0
    for score in scores where score > -.infinity { count += 1 }
    return count
  }

  /// What the model thought of `tokens`, each in its row of `logits`.
  func scored(_ tokens: [Int32], _ logits: Tensor, _ job: GenerationJob) -> [TokenScore] {
    let width = logits.columns
    let probabilities = Buffer(logits.count)
    softmaxRows(probabilities.values, x: logits.values, width: width)
    let isMeasured = job.isMeasured || job.alternatives > 0
    var scores = tokens.map { TokenScore(unscored: $0) }
    scores.withUnsafeMutableBufferPointer { scores in
      parallelRanges(tokens.count, grain: max(1, min(16, 16_384 / width))) { range in
        for i in range {
          let row = i * width..<(i + 1) * width
          let logits = Floats(rebasing: logits.values[row])
          let p = Floats(rebasing: probabilities.reading[row])
          let token = Int(tokens[i])
          scores[i] = TokenScore(
            token: tokens[i], logProbability: likelihood(p[token], of: token, logits: logits),
            rank: isMeasured ? rank(of: token, logits) : 0,
            entropy: isMeasured ? entropy(logits: logits, probabilities: p) : 0, kept: 0,
            alternatives: likeliest(job.alternatives, logits: logits, probabilities: p))
        }
      }
    }
    return scores
  }
}
