import Foundation

/// Logistic regression on vectors: whether a yes or no can be read off them along one direction.
public struct LinearProbe: Sendable {
  private let means: [Double]
  private let scales: [Double]
  private let weights: [Double]
  private let bias: Double

  /// Fits by gradient descent with momentum on standardised features, with a little L2.
  public init(
    _ vectors: [[Double]], _ labels: [Bool], decay: Double = 1e-3, steps: Int = 400
  ) {
    let n = Double(max(1, vectors.count))
    let width = vectors.first?.count ?? 0
    var means = [Double](repeating: 0, count: width)
    for x in vectors { for j in 0..<width { means[j] += x[j] / n } }
    var scales = [Double](repeating: 0, count: width)
    for x in vectors {
      for j in 0..<width { scales[j] += (x[j] - means[j]) * (x[j] - means[j]) / n }
    }
    scales = scales.map { 1 / max(1e-6, $0.squareRoot()) }
    let inputs = vectors.map { x in (0..<width).map { (x[$0] - means[$0]) * scales[$0] } }
    var weights = [Double](repeating: 0, count: width + 1)
    var velocity = weights
    for _ in 0..<steps {
      var gradient = weights.map { decay * $0 }
      gradient[width] = 0
      for (x, label) in zip(inputs, labels) {
        var score = weights[width]
        for j in 0..<width { score += weights[j] * x[j] }
        let error = (1 / (1 + exp(-score)) - (label ? 1 : 0)) / n
        for j in 0..<width { gradient[j] += error * x[j] }
        gradient[width] += error
      }
      for j in 0...width {
        velocity[j] = 0.9 * velocity[j] - 0.1 * gradient[j]
        weights[j] += velocity[j]
      }
    }
    (self.means, self.scales) = (means, scales)
    (self.weights, bias) = (Array(weights.dropLast()), weights.last ?? 0)
  }

  /// The fitted chance of yes.
  public func probability(_ vector: [Double]) -> Double {
    var score = bias
    for j in weights.indices { score += weights[j] * (vector[j] - means[j]) * scales[j] }
    return 1 / (1 + exp(-score))
  }
}
