import TensorKernels

// What a reward model needs beside a decoder: one row for a whole answer, and the loss of an order.

/// One comparison of two scores.
public struct ScorePair: Sendable, Equatable {
  /// The score that should be the higher one, and the other.
  public var better: Int
  public var worse: Int
  public var weight: Float

  public init(better: Int, worse: Int, weight: Float = 1) {
    (self.better, self.worse, self.weight) = (better, worse, weight)
  }
}

extension Tensor {
  /// The means of groups of rows: x (N, D) to (count, D). Row i belongs to group `groups[i]`, or to
  /// none where that is −1; a group without rows is zero.
  public func groupMeans(_ groups: [Int32], count: Int) -> Tensor {
    var sizes = [Float](repeating: 0, count: count)
    for group in groups where group >= 0 { sizes[Int(group)] += 1 }
    return groupSums(groups, weights: sizes.map { $0 > 0 ? 1 / $0 : 0 })
  }

  /// The sums of groups of rows, each times its weight: x (N, D) to (weights.count, D).
  public func groupSums(_ groups: [Int32], weights: [Float]) -> Tensor {
    let (n, width, count) = (rows, columns, weights.count)
    precondition(groups.count == n, "groups of \(shape): there are \(groups.count)")
    precondition(groups.allSatisfy { $0 >= -1 && $0 < count }, "a group beyond \(count)")
    let out = Buffer(count * width, zeroed: true)
    for (i, group) in groups.enumerated() where group >= 0 {
      let (weight, target, source) = (weights[Int(group)], Int(group) * width, i * width)
      for c in 0..<width { out.values[target + c] += weight * values[source + c] }
    }
    return .result([count, width], out, inputs: [self]) { [self] dOut in
      guard let gradient = gradientToAdd() else { return }
      for (i, group) in groups.enumerated() where group >= 0 {
        let (weight, source, target) = (weights[Int(group)], Int(group) * width, i * width)
        for c in 0..<width { gradient.values[target + c] += weight * dOut.values[source + c] }
      }
    }
  }

  /// The logistic loss of comparisons (Bradley and Terry 1952) of the scores s (N):
  /// −Σ weight · log σ(s[better] − s[worse]) / normaliser.
  public func pairLogistic(_ pairs: [ScorePair], normaliser: Float) -> Tensor {
    precondition(normaliser > 0, "pairLogistic: normaliser \(normaliser)")
    precondition(
      pairs.allSatisfy { (0..<count).contains($0.better) && (0..<count).contains($0.worse) },
      "pairLogistic: a pair beyond \(count) scores")
    var total = 0.0
    // ∂loss/∂(s[better] − s[worse]) of each pair.
    let slopes = pairs.map { pair -> Float in
      let margin = Double(values[pair.better] - values[pair.worse])
      // log(1 + e^−m) without overflow on either side.
      let small = exponential(-abs(margin))
      total += Double(pair.weight) * (max(0, -margin) + logarithm(1 + small))
      let losing = margin >= 0 ? small / (1 + small) : 1 / (1 + small)
      return -pair.weight * Float(losing) / normaliser
    }
    let loss = Buffer([Float(total / Double(normaliser))])
    return .result([1], loss, inputs: [self]) { [self] dOut in
      guard let gradient = gradientToAdd() else { return }
      for (pair, slope) in zip(pairs, slopes) {
        gradient.values[pair.better] += slope * dOut.values[0]
        gradient.values[pair.worse] -= slope * dOut.values[0]
      }
    }
  }
}
