import Foundation
import TensorKernels
import TestSupport
import Testing

// Kernels that work on rows: norms, activations, softmax and cross-entropy, each against its
// formula in Double and, backward, against central differences of that formula.

private func rmsNormReference(_ x: [Double], _ w: [Double], width: Int, epsilon: Double) -> [Double]
{
  x.indices.map { at in
    let row = x[at / width * width..<(at / width + 1) * width]
    let mean = row.reduce(0) { $0 + $1 * $1 } / Double(width)
    return x[at] * w[at % width] / (mean + epsilon).squareRoot()
  }
}

private func layerNormReference(
  _ x: [Double], _ w: [Double], _ b: [Double], width: Int, epsilon: Double
) -> [Double] {
  x.indices.map { at in
    let row = x[at / width * width..<(at / width + 1) * width]
    let mean = row.reduce(0, +) / Double(width)
    let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
    return (x[at] - mean) / (variance + epsilon).squareRoot() * w[at % width] + b[at % width]
  }
}

private func activationReference(_ kind: Activation, _ x: Double) -> Double {
  switch kind {
  case .gelu: x / 2 * (1 + erf(x / 2.0.squareRoot()))
  case .geluTanh: x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  case .reluSquared: max(x, 0) * max(x, 0)
  }
}

private func swiGLUReference(_ x: [Double], width: Int) -> [Double] {
  (0..<x.count / 2).map { at in
    let (row, column) = (at / width, at % width)
    let (gate, up) = (x[row * 2 * width + column], x[row * 2 * width + width + column])
    return gate / (1 + exp(-gate)) * up
  }
}

/// Σ dOut · f(x), whose gradient is what a backward kernel computes.
private func weighted(_ dOut: [Float], _ out: [Double]) -> Double {
  zip(dOut, out).reduce(0) { $0 + Double($1.0) * $1.1 }
}

private func doubles(_ x: [Float]) -> [Double] { x.map(Double.init) }

@Suite struct NormTests {
  static let shapes = [(1, 1), (1, 7), (3, 8), (5, 33), (64, 64), (67, 130)]

  @Test("RMSNorm forward and backward", arguments: shapes)
  func rms(rows: Int, width: Int) {
    var random = TestRandom(seed: UInt64(rows * 100 + width))
    let (x, w, dOut) = (
      random.normals(rows * width), random.normals(width), random.normals(rows * width)
    )
    let (X, W, D) = (Memory(x), Memory(w), Memory(dOut))
    let (out, inverse) = (Memory(rows * width), Memory(rows))
    rmsNorm(
      out.values, inverse: inverse.values, x: X.reading, weight: W.reading, width: width,
      epsilon: 1e-5)
    let expected = rmsNormReference(doubles(x), doubles(w), width: width, epsilon: 1e-5)
    #expect(relativeError(out.array, expected) < 1e-6)

    let gradients = atThreads { () -> ([Float], [Float]) in
      let (dx, dw) = (
        Memory([Float](repeating: 0.5, count: rows * width)),
        Memory([Float](repeating: 0.25, count: width))
      )
      let workspace = Memory(rmsNormWorkspace(rows: rows, width: width))
      rmsNormBackward(
        dx: dx.values, dWeight: dw.values, dOut: D.reading, x: X.reading, weight: W.reading,
        inverse: inverse.reading, width: width, workspace: workspace.values)
      return (dx.array, dw.array)
    }
    #expect(
      gradients.allSatisfy { sameBits($0.0, gradients[0].0) && sameBits($0.1, gradients[0].1) })
    guard rows * width <= 300 else { return }
    let dx = numericGradient(doubles(x)) {
      weighted(dOut, rmsNormReference($0, doubles(w), width: width, epsilon: 1e-5))
    }
    let dw = numericGradient(doubles(w)) {
      weighted(dOut, rmsNormReference(doubles(x), $0, width: width, epsilon: 1e-5))
    }
    #expect(relativeError(gradients[0].0, dx.map { $0 + 0.5 }) < 1e-5)
    #expect(relativeError(gradients[0].1, dw.map { $0 + 0.25 }) < 1e-5)
  }

  @Test("LayerNorm forward and backward", arguments: shapes.filter { $0.1 > 1 })
  func layer(rows: Int, width: Int) {
    var random = TestRandom(seed: UInt64(rows * 10 + width))
    let (x, w, b) = (random.normals(rows * width), random.normals(width), random.normals(width))
    let dOut = random.normals(rows * width)
    let (X, W, B, D) = (Memory(x), Memory(w), Memory(b), Memory(dOut))
    let (out, mean, inverse) = (Memory(rows * width), Memory(rows), Memory(rows))
    layerNorm(
      out.values, mean: mean.values, inverse: inverse.values, x: X.reading, weight: W.reading,
      bias: B.reading, width: width, epsilon: 1e-5)
    let expected = layerNormReference(
      doubles(x), doubles(w), doubles(b), width: width, epsilon: 1e-5)
    #expect(relativeError(out.array, expected) < 2e-6)
    guard rows * width <= 300 else { return }
    let (dx, dw, db) = (
      Memory([Float](repeating: 0, count: rows * width)),
      Memory([Float](repeating: 0, count: width)),
      Memory([Float](repeating: 0, count: width))
    )
    let workspace = Memory(layerNormWorkspace(rows: rows, width: width))
    layerNormBackward(
      dx: dx.values, dWeight: dw.values, dBias: db.values, dOut: D.reading, x: X.reading,
      weight: W.reading, mean: mean.reading, inverse: inverse.reading, width: width,
      workspace: workspace.values)
    func loss(_ x: [Double], _ w: [Double], _ b: [Double]) -> Double {
      weighted(dOut, layerNormReference(x, w, b, width: width, epsilon: 1e-5))
    }
    let (x64, w64, b64) = (doubles(x), doubles(w), doubles(b))
    #expect(relativeError(dx.array, numericGradient(x64) { loss($0, w64, b64) }) < 2e-5)
    #expect(relativeError(dw.array, numericGradient(w64) { loss(x64, $0, b64) }) < 2e-5)
    #expect(relativeError(db.array, numericGradient(b64) { loss(x64, w64, $0) }) < 2e-5)
  }
}

@Suite struct ActivationTests {
  @Test("activations and their derivatives", arguments: Activation.allCases, [1, 7, 8, 31, 1_000])
  func activations(kind: Activation, count: Int) {
    var random = TestRandom(seed: UInt64(count))
    var x = random.normals(count, scale: 2)
    if count > 30 { x.replaceSubrange(0..<6, with: [0, -0.0, 30, -30, 9, -9]) }
    let dOut = random.normals(count)
    let (X, D, out) = (Memory(x), Memory(dOut), Memory(count))
    activate(out.values, x: X.reading, kind)
    #expect(worstError(out.array, doubles(x).map { activationReference(kind, $0) }) < 2e-6)
    let dx = Memory([Float](repeating: 1, count: count))
    activateBackward(dx: dx.values, dOut: D.reading, x: X.reading, kind)
    let expected = x.indices.map { i in
      let x = Double(x[i])
      let slope = (activationReference(kind, x + 1e-5) - activationReference(kind, x - 1e-5)) / 2e-5
      return 1 + slope * Double(dOut[i])
    }
    #expect(relativeError(dx.array, expected) < 5e-6)
  }

  @Test("SwiGLU forward and backward", arguments: [(1, 1), (2, 7), (3, 16), (5, 21)])
  func swiglu(rows: Int, width: Int) {
    var random = TestRandom(seed: UInt64(rows + width))
    let (x, dOut) = (random.normals(rows * 2 * width, scale: 2), random.normals(rows * width))
    let (X, D, out) = (Memory(x), Memory(dOut), Memory(rows * width))
    swiGLU(out.values, gateUp: X.reading, width: width)
    #expect(relativeError(out.array, swiGLUReference(doubles(x), width: width)) < 2e-6)
    let dx = Memory([Float](repeating: 0, count: x.count))
    swiGLUBackward(dGateUp: dx.values, dOut: D.reading, gateUp: X.reading, width: width)
    let expected = numericGradient(doubles(x)) { weighted(dOut, swiGLUReference($0, width: width)) }
    #expect(relativeError(dx.array, expected) < 5e-6)
  }
}

@Suite struct SoftmaxTests {
  static func softmax(_ x: [Double]) -> [Double] {
    let top = x.max() ?? 0
    let e = x.map { exp($0 - top) }
    return e.map { $0 / e.reduce(0, +) }
  }

  @Test("softmax of rows, large scores included", arguments: [(1, 1), (3, 5), (4, 8), (2, 513)])
  func rows(rows: Int, width: Int) {
    var random = TestRandom(seed: UInt64(width))
    var x = random.normals(rows * width, scale: 4)
    x[0] = 300
    let (X, out) = (Memory(x), Memory(rows * width))
    softmaxRows(out.values, x: X.reading, width: width)
    let expected = (0..<rows).flatMap {
      Self.softmax(doubles(Array(x[$0 * width..<($0 + 1) * width])))
    }
    #expect(relativeError(out.array, expected) < 1e-6)
  }

  @Test("cross-entropy: log-probabilities, entropies and the gradient", arguments: [2, 7, 16, 515])
  func crossEntropy(vocabulary: Int) {
    let rows = 3
    var random = TestRandom(seed: UInt64(vocabulary))
    let x = random.normals(rows * vocabulary, scale: 3)
    let targets: [Int32] = [0, Int32(vocabulary - 1), Int32(vocabulary / 2)]
    let weights: [Float] = [1, -0.5, 2]
    let (T, W) = (IntegerMemory(targets), Memory(weights))
    let (logits, logp, entropy) = (Memory(x), Memory(rows), Memory(rows))
    crossEntropyChunk(
      logits: logits.values, targets: T.reading, weights: W.reading, scale: 0.25,
      logProbability: logp.values, entropy: entropy.values, vocabulary: vocabulary, gradient: true)
    for row in 0..<rows {
      let p = Self.softmax(doubles(Array(x[row * vocabulary..<(row + 1) * vocabulary])))
      let target = Int(targets[row])
      #expect(abs(Double(logp.array[row]) - log(p[target])) < 1e-5)
      #expect(
        abs(Double(entropy.array[row]) + p.reduce(0) { $0 + $1 * log(max($1, 1e-300)) }) < 1e-5)
      let expected = p.indices.map {
        0.25 * Double(weights[row]) * (p[$0] - ($0 == target ? 1 : 0))
      }
      let found = Array(logits.array[row * vocabulary..<(row + 1) * vocabulary])
      #expect(relativeError(found, expected) < 5e-6)
    }
  }
}
