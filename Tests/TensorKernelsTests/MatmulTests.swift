import TensorKernels
import TestSupport
import Testing

/// C = A·B in Double: the definition.
private func product(_ a: [Float], _ b: [Float], m: Int, n: Int, k: Int) -> [Double] {
  (0..<m * n).map { at in
    let (i, j) = (at / n, at % n)
    return (0..<k).reduce(0.0) { $0 + Double(a[i * k + $1]) * Double(b[$1 * n + j]) }
  }
}

private func transposed(_ x: [Float], rows: Int, columns: Int) -> [Float] {
  (0..<rows * columns).map { x[$0 % rows * columns + $0 / rows] }
}

/// Rounding of a sum of k terms, against the size of the result.
private func tolerance(_ k: Int) -> Double { 2e-7 * max(1, Double(k).squareRoot()) }

@Suite struct MatmulTests {
  static let shapes = [
    (1, 1, 1), (1, 17, 3), (5, 1, 9), (7, 13, 1), (6, 16, 8), (12, 32, 256), (13, 31, 257),
    (193, 47, 61), (2, 129, 300), (97, 16, 512),
  ]

  private func packed(_ b: Memory, k: Int, n: Int, isTransposed: Bool) -> Memory {
    let out = Memory(packedCount(k: k, n: n))
    packMatrix(
      out.values, b: Matrix(b.reading, rows: k, columns: n, isTransposed: isTransposed), k: k, n: n)
    return out
  }

  @Test(
    "the forward product equals the definition, with and without bias and residual",
    arguments: shapes)
  func forward(m: Int, n: Int, k: Int) {
    var random = TestRandom(seed: UInt64(m * 1_000 + n * 10 + k))
    let (a, b) = (random.normals(m * k), random.normals(k * n))
    let (bias, residual) = (random.normals(n), random.normals(m * n))
    let expected = product(a, b, m: m, n: n, k: k)
    let A = Memory(a)
    // Weights are stored as (n, k).
    let B = packed(Memory(transposed(b, rows: k, columns: n)), k: k, n: n, isTransposed: true)
    let plain = Memory(m * n)
    matmulPacked(c: plain.values, a: A.reading, packedB: B.reading, m: m, n: n, k: k)
    #expect(relativeError(plain.array, expected) < tolerance(k))

    let C = Memory(m * n)
    let (biasMemory, residualMemory) = (Memory(bias), Memory(residual))
    matmulPacked(
      c: C.values, a: A.reading, packedB: B.reading, m: m, n: n, k: k,
      start: .residual(residualMemory.reading), bias: biasMemory.reading)
    let sum = expected.indices.map { expected[$0] + Double(bias[$0 % n]) + Double(residual[$0]) }
    #expect(worstError(C.array, sum) < 8 * tolerance(k))

    let added = Memory(residual)
    matmulPacked(
      c: added.values, a: A.reading, packedB: B.reading, m: m, n: n, k: k, start: .output)
    let both = expected.indices.map { expected[$0] + Double(residual[$0]) }
    #expect(worstError(added.array, both) < 8 * tolerance(k))
  }

  @Test("the product with B as it stands equals the one with B transposed", arguments: shapes)
  func layouts(m: Int, n: Int, k: Int) {
    var random = TestRandom(seed: UInt64(m + n + k))
    let (a, b) = (Memory(random.normals(m * k)), random.normals(k * n))
    let results = [false, true].map { isTransposed in
      let source = Memory(isTransposed ? transposed(b, rows: k, columns: n) : b)
      let B = packed(source, k: k, n: n, isTransposed: isTransposed)
      let C = Memory(m * n)
      matmulPacked(c: C.values, a: a.reading, packedB: B.reading, m: m, n: n, k: k)
      return C.array
    }
    #expect(sameBits(results[0], results[1]))
  }

  @Test("the weight gradient adds Aᵀ·B", arguments: shapes)
  func weightGradient(m: Int, n: Int, k: Int) {
    var random = TestRandom(seed: UInt64(m * 7 + n * 5 + k))
    let (a, b, start) = (random.normals(k * m), random.normals(k * n), random.normals(m * n))
    let sum = product(transposed(a, rows: k, columns: m), b, m: m, n: n, k: k)
    let expected = sum.indices.map { sum[$0] + Double(start[$0]) }
    let (A, B) = (Memory(a), Memory(b))
    let results = atThreads { () -> [Float] in
      let C = Memory(start)
      let workspace = Memory(transposedWorkspace(m: m, n: n, k: k))
      matmulTransposed(
        c: C.values, a: A.reading, b: B.reading, m: m, n: n, k: k, workspace: workspace.values)
      return C.array
    }
    #expect(relativeError(results[0], expected) < tolerance(k))
    #expect(sameBits(results[0], results[1]) && sameBits(results[0], results[2]))
  }

  @Test("a row alone has the bits it has among others, at any number of threads", arguments: shapes)
  func rowAlone(m: Int, n: Int, k: Int) {
    var random = TestRandom(seed: 3)
    let (a, b) = (random.normals(m * k), Memory(random.normals(n * k)))
    let B = packed(b, k: k, n: n, isTransposed: true)
    func multiply(_ rows: [Float]) -> [Float] {
      let (A, C) = (Memory(rows), Memory(rows.count / k * n))
      matmulPacked(
        c: C.values, a: A.reading, packedB: B.reading, m: rows.count / k, n: n, k: k)
      return C.array
    }
    let whole = atThreads { multiply(a) }
    #expect(sameBits(whole[0], whole[1]) && sameBits(whole[0], whole[2]))
    for row in Set([0, m / 2, m - 1]) {
      let alone = multiply(Array(a[row * k..<(row + 1) * k]))
      #expect(sameBits(alone, Array(whole[0][row * n..<(row + 1) * n])))
    }
  }
}
