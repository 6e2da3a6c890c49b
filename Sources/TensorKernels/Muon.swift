import SIMDMath

/// The settings of one Muon update (Jordan et al. 2024).
public struct MuonStep: Sendable {
  public var rate: Float
  public var momentum: Float
  public var weightDecay: Float
  public var iterations: Int
  /// What gradients are multiplied by first: for clipping.
  public var gradientScale: Float

  public init(
    rate: Float, momentum: Float, weightDecay: Float, iterations: Int = 5, gradientScale: Float = 1
  ) {
    (self.rate, self.momentum, self.weightDecay) = (rate, momentum, weightDecay)
    (self.iterations, self.gradientScale) = (iterations, gradientScale)
  }
}

/// Floats of scratch that ``muon(parameter:momentum:gradient:rows:columns:_:workspace:)`` needs.
public func muonWorkspace(rows: Int, columns: Int) -> Int {
  newtonSchulzWorkspace(rows: rows, columns: columns) + rows * columns
}

/// buffer ← μ·buffer + g; O = orthogonal(g + μ·buffer); w ← w(1 − rate·decay) − rate·√max(1, rows/columns)·O.
public func muon(
  parameter: MutableFloats, momentum: MutableFloats, gradient: Floats, rows: Int, columns: Int,
  _ s: MuonStep, workspace: MutableFloats
) {
  let count = rows * columns
  precondition(
    parameter.count == count && momentum.count == count && gradient.count == count
      && workspace.count >= muonWorkspace(rows: rows, columns: columns),
    "muon: \(parameter.count) parameters for \(rows) x \(columns)")
  guard count > 0 else { return }
  let update = MutableFloats(rebasing: workspace[0..<count])
  let rest = MutableFloats(rebasing: workspace[count...])
  let (wp, bp, gp, up) = (parameter.base, momentum.base, gradient.base, update.base)
  parallelRanges(count, grain: elementGrain) { range in
    for i in range {
      let g = gp[i] * s.gradientScale
      bp[i] = s.momentum * bp[i] + g
      up[i] = g + s.momentum * bp[i]
    }
  }
  newtonSchulz(update, rows: rows, columns: columns, iterations: s.iterations, workspace: rest)
  let size = s.rate * max(1, Float(rows) / Float(columns)).squareRoot()
  let keep = 1 - s.rate * s.weightDecay
  parallelRanges(count, grain: elementGrain) { range in
    for i in range { wp[i] = wp[i] * keep - size * up[i] }
  }
}

/// Floats of scratch that ``newtonSchulz(_:rows:columns:iterations:workspace:)`` needs.
public func newtonSchulzWorkspace(rows: Int, columns: Int) -> Int {
  let (short, long) = (min(rows, columns), max(rows, columns))
  return 2 * short * long + 2 * short * short
    + max(
      packedCount(k: long, n: short), packedCount(k: short, n: long),
      packedCount(k: short, n: short))
}

/// Replaces a matrix by one with the same singular vectors and singular values near 1, in
/// [0.68, 1.13]: X ← aX + (bA + cA²)X with A = XXᵀ, (a, b, c) = (3.4445, −4.7750, 2.0315).
public func newtonSchulz(
  _ matrix: MutableFloats, rows: Int, columns: Int, iterations: Int, workspace: MutableFloats
) {
  let (short, long) = (min(rows, columns), max(rows, columns))
  precondition(
    matrix.count == rows * columns
      && workspace.count >= newtonSchulzWorkspace(rows: rows, columns: columns),
    "newtonSchulz: \(matrix.count) values for \(rows) x \(columns)")
  guard matrix.count > 0 else { return }
  var rest = workspace
  func take(_ count: Int) -> MutableFloats {
    defer { rest = MutableFloats(rebasing: rest[count...]) }
    return MutableFloats(rebasing: rest[0..<count])
  }
  var x = take(short * long)
  var next = take(short * long)
  let square = take(short * short)
  let polynomial = take(short * short)
  let packed = rest
  let isTall = rows > columns
  for i in 0..<short {
    for j in 0..<long {
      x[i * long + j] = isTall ? matrix[j * columns + i] : matrix[i * columns + j]
    }
  }
  scale(x, by: 1 / (Float(sumOfSquares(x.reading).squareRoot()) + 1e-7))
  let (a, b, c): (Float, Float, Float) = (3.4445, -4.7750, 2.0315)
  for _ in 0..<iterations {
    packMatrix(
      packed, b: Matrix(x.reading, rows: long, columns: short, isTransposed: true), k: long,
      n: short)
    matmulPacked(
      c: square, a: x.reading, packedB: packed.reading, m: short, n: short, k: long)
    packMatrix(packed, b: Matrix(square.reading, rows: short, columns: short), k: short, n: short)
    matmulPacked(
      c: polynomial, a: square.reading, packedB: packed.reading, m: short, n: short, k: short)
    for i in 0..<short * short { polynomial[i] = b * square[i] + c * polynomial[i] }
    for i in 0..<short { polynomial[i * short + i] += a }
    packMatrix(packed, b: Matrix(x.reading, rows: short, columns: long), k: short, n: long)
    matmulPacked(
      c: next, a: polynomial.reading, packedB: packed.reading, m: short, n: long, k: short)
    swap(&x, &next)
  }
  for i in 0..<short {
    for j in 0..<long {
      if isTall {
        matrix[j * columns + i] = x[i * long + j]
      } else {
        matrix[i * columns + j] = x[i * long + j]
      }
    }
  }
}
