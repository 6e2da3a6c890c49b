import TensorKernels

/// What a weighted cross-entropy gives. Entries of tokens whose weight is 0 are 0.
public struct HeadLoss {
  /// −Σ weight · log p(target) / normaliser, one value.
  public let loss: Tensor
  /// log p(target) of every token, in nats.
  public let logProbabilities: [Float]
  /// The entropy of every token's distribution, in nats; empty unless asked for.
  public let entropies: [Float]
}

/// Tokens whose logits exist at one time: enough to fill the products, few enough for the cache.
private let chunkTokens = 512

extension Tensor {
  /// The loss −Σ wᵢ log softmax(xᵢ·Wᵀ)[targetᵢ] / normaliser of x (N, D) under the head W (V, D).
  ///
  /// The logits of the batch never exist at once, and tokens of weight 0 cost nothing. Gradients
  /// are computed on the way, chunk by chunk, for a loss that is the root of ``backward()``: that of
  /// the head is added at once, that of x is kept until then.
  ///
  /// - Parameter allowed: for every token, the targets that it is chosen among, as bits: the softmax
  ///   is over them alone. Empty for all; at most 32 rows of the head can be told apart.
  public func crossEntropy(
    head: Tensor, targets: [Int32], weights: [Float], normaliser: Float, allowed: [UInt32] = [],
    entropies: Bool = false
  ) -> HeadLoss {
    let n = rows
    precondition(
      targets.count == n && weights.count == n && head.columns == columns,
      "crossEntropy of \(shape), head \(head.shape), \(targets.count) targets")
    precondition(normaliser > 0, "crossEntropy: normaliser \(normaliser)")
    precondition(
      allowed.isEmpty || (allowed.count == n && head.rows <= 32),
      "crossEntropy: \(allowed.count) sets for \(n) tokens of \(head.rows)")
    let records = Tape.isRecording && (wantsGradient || head.wantsGradient)
    let dx = records && wantsGradient ? Buffer(count, zeroed: true) : nil
    let active = (0..<n).filter { weights[$0] != 0 }
    var logProbabilities = [Float](repeating: 0, count: n)
    var allEntropies = [Float](repeating: 0, count: entropies ? n : 0)
    var total = 0.0
    var start = 0
    while start < active.count {
      let tokens = active[start..<min(active.count, start + chunkTokens)]
      let part = chunk(
        Array(tokens), head: head, targets: targets, weights: weights, scale: 1 / normaliser,
        allowed: allowed, entropies: entropies, dx: dx, records: records)
      for (i, token) in tokens.enumerated() {
        logProbabilities[token] = part.logProbabilities.values[i]
        if let found = part.entropies { allEntropies[token] = found.values[i] }
        total -= Double(weights[token]) * Double(part.logProbabilities.values[i])
      }
      start += tokens.count
    }
    let loss = Buffer([Float(total / Double(normaliser))])
    let output = Tensor.result([1], loss, inputs: [self, head]) { [self] _ in
      if let dx { donateGradient(dx) }
    }
    return HeadLoss(loss: output, logProbabilities: logProbabilities, entropies: allEntropies)
  }

  /// Logits, losses and gradients of some tokens.
  private func chunk(
    _ tokens: [Int], head: Tensor, targets: [Int32], weights: [Float], scale: Float,
    allowed: [UInt32], entropies: Bool, dx: Buffer?, records: Bool
  ) -> (logProbabilities: Buffer, entropies: Buffer?) {
    let (n, width, vocabulary) = (tokens.count, columns, head.rows)
    let x = selecting(tokens)
    let logits = Buffer(n * vocabulary)
    head.multiply(logits.values, x.values, rows: n)
    if !allowed.isEmpty {
      for (i, token) in tokens.enumerated() {
        for target in 0..<vocabulary where allowed[token] >> UInt32(target) & 1 == 0 {
          // Finite, so that its share of the entropy is 0 and not 0 · ∞.
          logits.values[i * vocabulary + target] = -1e9
        }
      }
    }
    let logProbabilities = Buffer(n)
    let found = entropies ? Buffer(n) : nil
    let chunkTargets = tokens.map { targets[$0] }
    let chunkWeights = tokens.map { weights[$0] }
    chunkTargets.withUnsafeBufferPointer { targets in
      chunkWeights.withUnsafeBufferPointer { weights in
        crossEntropyChunk(
          logits: logits.values, targets: targets, weights: weights, scale: scale,
          logProbability: logProbabilities.values, entropy: found?.values, vocabulary: vocabulary,
          gradient: records)
      }
    }
    if let dx {
      let dChunk = Buffer(n * width)
      head.multiplyBackward(dChunk.values, logits.reading, rows: n, start: .zero)
      for (i, token) in tokens.enumerated() {
        _ = MutableFloats(rebasing: dx.values[token * width..<(token + 1) * width])
          .update(fromContentsOf: dChunk.values[i * width..<(i + 1) * width])
      }
    }
    if records, let dHead = head.gradientToAdd() {
      addProduct(dHead.values, logits.reading, x.values, m: vocabulary, n: width, k: n)
    }
    return (logProbabilities, found)
  }
}
