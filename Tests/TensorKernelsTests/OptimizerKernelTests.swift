import Foundation
import TensorKernels
import TestSupport
import Testing

@Suite struct OptimizerKernelTests {
  @Test("AdamW follows its formula over three updates", arguments: [1, 7, 16, 1_003])
  func adamWFormula(count: Int) {
    var random = TestRandom(seed: UInt64(count))
    let start = random.normals(count)
    let (w, m, v) = (
      Memory(start), Memory([Float](repeating: 0, count: count)),
      Memory([Float](repeating: 0, count: count))
    )
    var (w64, m64, v64) = (
      start.map(Double.init), [Double](repeating: 0, count: count),
      [Double](repeating: 0, count: count)
    )
    for step in 1...3 {
      let gradient = random.normals(count)
      let G = Memory(gradient)
      adamW(
        parameter: w.values, m: m.values, v: v.values, gradient: G.reading,
        AdamWStep(
          rate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, step: step,
          gradientScale: 0.5))
      for i in 0..<count {
        let g = 0.5 * Double(gradient[i])
        m64[i] = 0.9 * m64[i] + 0.1 * g
        v64[i] = 0.99 * v64[i] + 0.01 * g * g
        let (mHat, vHat) = (
          m64[i] / (1 - pow(0.9, Double(step))), v64[i] / (1 - pow(0.99, Double(step)))
        )
        w64[i] = w64[i] * (1 - 0.01 * 0.1) - 0.01 * mHat / (vHat.squareRoot() + 1e-8)
      }
    }
    #expect(relativeError(w.array, w64) < 1e-6)
    #expect(relativeError(m.array, m64) < 1e-5 && relativeError(v.array, v64) < 1e-5)
  }

  @Test(
    "Newton-Schulz brings singular values near 1", arguments: [(4, 4), (3, 17), (40, 16), (64, 64)])
  func newton(rows: Int, columns: Int) {
    var random = TestRandom(seed: UInt64(rows))
    let matrix = Memory(random.normals(rows * columns))
    let workspace = Memory(newtonSchulzWorkspace(rows: rows, columns: columns))
    newtonSchulz(
      matrix.values, rows: rows, columns: columns, iterations: 8, workspace: workspace.values)
    let x = matrix.array.map(Double.init)
    // For any unit vector u on the short side, |uᵀX| lies between the extreme singular values.
    let (short, long) = (min(rows, columns), max(rows, columns))
    for _ in 0..<20 {
      var u = random.normals(short).map(Double.init)
      let size = u.reduce(0) { $0 + $1 * $1 }.squareRoot()
      u = u.map { $0 / size }
      let image = (0..<long).map { j in
        (0..<short).reduce(0.0) { sum, i in
          sum + u[i] * (rows <= columns ? x[i * columns + j] : x[j * columns + i])
        }
      }
      let length = image.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(length > 0.6 && length < 1.25)
    }
  }

  @Test("a Muon update moves along the momentum made orthogonal, at any number of threads")
  func muonStep() {
    let (rows, columns) = (24, 16)
    var random = TestRandom(seed: 2)
    let (start, gradient) = (random.normals(rows * columns), Memory(random.normals(rows * columns)))
    let results = atThreads { () -> [Float] in
      let (w, m) = (Memory(start), Memory([Float](repeating: 0, count: rows * columns)))
      let workspace = Memory(muonWorkspace(rows: rows, columns: columns))
      muon(
        parameter: w.values, momentum: m.values, gradient: gradient.reading, rows: rows,
        columns: columns, MuonStep(rate: 0.1, momentum: 0.9, weightDecay: 0),
        workspace: workspace.values)
      return w.array
    }
    #expect(sameBits(results[0], results[1]) && sameBits(results[0], results[2]))
    let move = zip(start, results[0]).map { ($0 - $1) / 0.1 }
    // The move goes with the gradient, and its length is that of an orthogonal matrix, scaled.
    #expect(zip(move, gradient.array).reduce(0) { $0 + $1.0 * $1.1 } > 0)
    let length = move.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let expected = (Float(rows) / Float(columns) * Float(columns)).squareRoot()
    #expect(length > 0.7 * expected && length < 1.2 * expected)
  }
}

@Suite struct ElementwiseTests {
  @Test("sums, scales and column sums", arguments: [1, 7, 8, 33, 5_001])
  func sums(count: Int) {
    var random = TestRandom(seed: UInt64(count))
    let (x, y) = (random.normals(count), random.normals(count))
    let (X, Y, out) = (Memory(x), Memory(y), Memory(count))
    add(out.values, X.reading, Y.reading)
    #expect(out.array == zip(x, y).map(+))
    accumulate(out.values, X.reading)
    #expect(out.array == zip(zip(x, y).map(+), x).map(+))
    scale(out.values, by: 0)
    #expect(out.array.allSatisfy { $0 == 0 })
    let expected = x.reduce(0.0) { $0 + Double($1) * Double($1) }
    let sums = atThreads { sumOfSquares(X.reading) }
    #expect(abs(sums[0] - expected) < 1e-9 * expected)
    #expect(sums.allSatisfy { $0 == sums[0] })
    let bad = Memory(x)
    bad.values[count / 2] = .infinity
    #expect(!sumOfSquares(bad.reading).isFinite)
  }

  @Test("embedding rows, and their gradients where ids repeat")
  func embeddings() {
    let (V, width) = (5, 19)
    var random = TestRandom(seed: 1)
    let table = random.normals(V * width)
    let ids: [Int32] = [3, 0, 3, 4, 3]
    let (T, I, out) = (Memory(table), IntegerMemory(ids), Memory(ids.count * width))
    embedding(out.values, table: T.reading, ids: I.reading, width: width)
    #expect(out.array == ids.flatMap { table[Int($0) * width..<(Int($0) + 1) * width] })
    let dOut = random.normals(ids.count * width)
    let D = Memory(dOut)
    let dTable = Memory([Float](repeating: 0, count: V * width))
    embeddingBackward(dTable.values, dOut: D.reading, ids: I.reading, width: width)
    var expected = [Double](repeating: 0, count: V * width)
    for (i, id) in ids.enumerated() {
      for c in 0..<width { expected[Int(id) * width + c] += Double(dOut[i * width + c]) }
    }
    #expect(relativeError(dTable.array, expected) < 1e-6)
    let bias = Memory([Float](repeating: 1, count: width))
    addColumnSums(bias.values, dOut: D.reading, width: width)
    let columns = (0..<width).map { c in
      1 + ids.indices.reduce(0.0) { $0 + Double(dOut[$1 * width + c]) }
    }
    #expect(relativeError(bias.array, columns) < 1e-6)
  }

  @Test("rotary heads with norm equal the formula; backward equals central differences")
  func rotary() {
    let (tokens, heads, keyHeads, width) = (4, 2, 1, 6)
    let stride = (heads + 2 * keyHeads) * width
    var random = TestRandom(seed: 8)
    let x = random.normals(tokens * stride)
    let (qn, kn) = (random.normals(width), random.normals(width))
    let positions = IntegerMemory([0, 1, 2, 9])
    let table = Memory(10 * width)
    fillRotaryTable(
      table.values, frequencies: rotaryFrequencies(headWidth: width, base: 100))
    let shape = RotaryShape(
      heads: heads, keyHeads: keyHeads, headWidth: width, stride: stride, epsilon: 1e-6)
    func reference(_ x: [Double]) -> [Double] {
      (0..<tokens).flatMap { t in
        (0..<heads + keyHeads).flatMap { h -> [Double] in
          let row = Array(x[t * stride + h * width..<t * stride + (h + 1) * width])
          let inverse = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(width) + 1e-6).squareRoot()
          let weight = h < heads ? qn : kn
          let y = row.indices.map { row[$0] * inverse * Double(weight[$0]) }
          return (0..<width).map { i in
            let half = width / 2
            let angle = Double(positions.array[t]) * pow(100, -2 * Double(i % half) / Double(width))
            let other = i < half ? -y[i + half] : y[i - half]
            return y[i] * cos(angle) + other * sin(angle)
          }
        }
      }
    }
    let (X, Q, K) = (Memory(x), Memory(qn), Memory(kn))
    let (out, inverse) = (
      Memory(tokens * (heads + keyHeads) * width), Memory(tokens * (heads + keyHeads))
    )
    rotateHeads(
      out.values, inverse: inverse.values, qkv: X.reading, queryNorm: Q.reading,
      keyNorm: K.reading, positions: positions.reading, table: table.reading, shape)
    #expect(relativeError(out.array, reference(x.map(Double.init))) < 1e-6)

    let dOut = random.normals(out.array.count)
    let D = Memory(dOut)
    let dx = Memory([Float](repeating: 0, count: x.count))
    let (dq, dk) = (
      Memory([Float](repeating: 0, count: width)), Memory([Float](repeating: 0, count: width))
    )
    let workspace = Memory(rotateHeadsWorkspace(tokens: tokens, shape))
    rotateHeadsBackward(
      dqkv: dx.values, dQueryNorm: dq.values, dKeyNorm: dk.values, dOut: D.reading,
      qkv: X.reading, inverse: inverse.reading, queryNorm: Q.reading, keyNorm: K.reading,
      positions: positions.reading, table: table.reading, shape, workspace: workspace.values)
    let expected = numericGradient(x.map(Double.init)) { x in
      zip(dOut, reference(x)).reduce(0) { $0 + Double($1.0) * $1.1 }
    }
    #expect(relativeError(dx.array, expected) < 1e-5)
  }

  @Test("no number of threads is taken that would starve the machine")
  func threadLimit() {
    let before = kernelThreads
    defer { kernelThreads = before }
    kernelThreads = 100_000
    #expect(kernelThreads < 5_000)
    kernelThreads = -3
    #expect(kernelThreads == 1)
  }
}
