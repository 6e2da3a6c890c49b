import SIMDMath

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// What happens to queries and keys before they meet: RMSNorm of every head where the model has it
// (Henry et al. 2020, arXiv:2010.04245), then a rotation by position (Su et al. 2021,
// arXiv:2104.09864) of the pairs (i, i + width/2).

/// The heads that ``rotateHeads(_:inverse:qkv:queryNorm:keyNorm:positions:table:_:)`` works on:
/// `heads` queries, then `keyHeads` keys, in rows of `stride` values.
public struct RotaryShape: Sendable {
  public var heads: Int
  public var keyHeads: Int
  public var headWidth: Int
  /// Values in a row of the input.
  public var stride: Int
  public var epsilon: Float

  public init(heads: Int, keyHeads: Int, headWidth: Int, stride: Int, epsilon: Float) {
    precondition(headWidth % 2 == 0, "rotary positions need an even head width, not \(headWidth)")
    (self.heads, self.keyHeads, self.headWidth) = (heads, keyHeads, headWidth)
    (self.stride, self.epsilon) = (stride, epsilon)
  }

  var all: Int { heads + keyHeads }
}

/// The frequencies base^(−2i/headWidth) of the pairs of a head.
public func rotaryFrequencies(headWidth: Int, base: Double) -> [Double] {
  (0..<headWidth / 2).map { pow(base, -2 * Double($0) / Double(headWidth)) }
}

/// Fills rows of headWidth values for the positions from `first` on: the cosines of the angles
/// position · frequency, then their sines. Angles are computed in Double.
public func fillRotaryTable(_ table: MutableFloats, first: Int = 0, frequencies: [Double]) {
  let half = frequencies.count
  precondition(table.count % max(1, 2 * half) == 0, "rotary table of \(table.count) for \(half)")
  guard table.count > 0 else { return }
  for row in 0..<table.count / (2 * half) {
    for i in 0..<half {
      let angle = Double(first + row) * frequencies[i]
      table[row * 2 * half + i] = Float(cos(angle))
      table[row * 2 * half + half + i] = Float(sin(angle))
    }
  }
}

/// out (tokens, (heads + keyHeads)·headWidth) = rotate(norm(q and k)).
///
/// - Parameters:
///   - inverse: (tokens, heads + keyHeads) receives 1/√(mean x² + ε); nil without a norm.
///   - queryNorm, keyNorm: headWidth weights each; nil for no norm.
///   - table: of ``fillRotaryTable(_:first:frequencies:)``.
public func rotateHeads(
  _ out: MutableFloats, inverse: MutableFloats?, qkv: Floats, queryNorm: Floats?, keyNorm: Floats?,
  positions: Integers, table: Floats, _ shape: RotaryShape
) {
  let tokens = positions.count
  let width = shape.headWidth
  precondition(
    out.count == tokens * shape.all * width && qkv.count == tokens * shape.stride
      && (queryNorm == nil) == (keyNorm == nil)
      && (inverse == nil || inverse?.count == tokens * shape.all),
    "rotateHeads: \(out.count) outputs, \(qkv.count) inputs, \(tokens) tokens")
  guard tokens > 0 else { return }
  let half = width / 2
  let (op, xp) = (out.base, qkv.base)
  parallelRanges(tokens, grain: 64) { range in
    for t in range {
      let position = Int(positions[t])
      precondition(
        (position + 1) * width <= table.count, "position \(position) is not in the table")
      let cosines = table.base + position * width
      for head in 0..<shape.all {
        let x = xp + t * shape.stride + head * width
        let y = op + (t * shape.all + head) * width
        guard let queryNorm, let keyNorm else {
          rotatePairs(y, x, cosines, cosines + half, half)
          continue
        }
        let weight = (head < shape.heads ? queryNorm : keyNorm).base
        let scale = 1 / (meanSquare(x, width) + shape.epsilon).squareRoot()
        inverse?[t * shape.all + head] = scale
        for i in 0..<width { y[i] = x[i] * scale * weight[i] }
        rotatePairs(y, y, cosines, cosines + half, half)
      }
    }
  }
}

/// Tokens per partial sum of the norms' gradients.
private let partialTokens = 128

/// Floats that ``rotateHeadsBackward(dqkv:dQueryNorm:dKeyNorm:dOut:qkv:inverse:queryNorm:keyNorm:positions:table:_:workspace:)``
/// needs.
public func rotateHeadsWorkspace(tokens: Int, _ shape: RotaryShape) -> Int {
  (tokens + partialTokens - 1) / partialTokens * 3 * shape.headWidth
}

/// Adds the gradients of queries and keys to the same columns of `dqkv`, and those of the norms'
/// weights to `dQueryNorm` and `dKeyNorm`.
public func rotateHeadsBackward(
  dqkv: MutableFloats, dQueryNorm: MutableFloats?, dKeyNorm: MutableFloats?, dOut: Floats,
  qkv: Floats, inverse: Floats?, queryNorm: Floats?, keyNorm: Floats?, positions: Integers,
  table: Floats, _ shape: RotaryShape, workspace: MutableFloats
) {
  let tokens = positions.count
  let width = shape.headWidth
  precondition(
    dOut.count == tokens * shape.all * width && qkv.count == tokens * shape.stride
      && dqkv.count == qkv.count, "rotateHeadsBackward: \(dOut.count) outputs, \(tokens) tokens")
  guard tokens > 0 else { return }
  precondition(workspace.count >= rotateHeadsWorkspace(tokens: tokens, shape), "workspace")
  let half = width / 2
  let (gp, xp, dp, wp) = (dOut.base, qkv.base, dqkv.base, workspace.base)
  let chunks = (tokens + partialTokens - 1) / partialTokens
  parallel(chunks: chunks) { chunk in
    let sums = wp + chunk * 3 * width
    let g = sums + 2 * width
    for i in 0..<2 * width { sums[i] = 0 }
    for t in chunk * partialTokens..<min(tokens, (chunk + 1) * partialTokens) {
      let cosines = table.base + Int(positions[t]) * width
      for head in 0..<shape.all {
        let x = xp + t * shape.stride + head * width
        let dx = dp + t * shape.stride + head * width
        unrotatePairs(
          g, gp + (t * shape.all + head) * width, cosines, cosines + half, half)
        guard let queryNorm, let keyNorm, let inverse else {
          for i in 0..<width { dx[i] += g[i] }
          continue
        }
        let isQuery = head < shape.heads
        let weight = (isQuery ? queryNorm : keyNorm).base
        let dWeight = sums + (isQuery ? 0 : width)
        normGradient(dx, dWeight, g, x, weight, inverse[t * shape.all + head], width)
      }
    }
  }
  for chunk in 0..<chunks {
    for i in 0..<width {
      dQueryNorm?[i] += workspace[chunk * 3 * width + i]
      dKeyNorm?[i] += workspace[chunk * 3 * width + width + i]
    }
  }
}

/// Adds the gradient through y = x·inverse·weight, with dy in `g`.
@inline(__always)
private func normGradient(
  _ dx: UnsafeMutablePointer<Float>, _ dWeight: UnsafeMutablePointer<Float>,
  _ g: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>,
  _ inverse: Float, _ width: Int
) {
  var mean: Float = 0
  for i in 0..<width {
    let normal = x[i] * inverse
    dWeight[i] += g[i] * normal
    g[i] *= weight[i]
    mean += g[i] * normal
  }
  mean /= Float(width)
  for i in 0..<width { dx[i] += inverse * (g[i] - x[i] * inverse * mean) }
}

@inline(__always)
private func meanSquare(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
  var sum = Float8()
  var i = 0
  while i + 8 <= count {
    sum = fma(sum, load8(x + i), load8(x + i))
    i += 8
  }
  var total = laneSum(sum)
  while i < count {
    total += x[i] * x[i]
    i += 1
  }
  return total / Float(count)
}

/// (y1, y2) = (x1 c − x2 s, x2 c + x1 s). `y` may be `x`.
@inline(__always)
private func rotatePairs(
  _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ c: UnsafePointer<Float>,
  _ s: UnsafePointer<Float>, _ half: Int
) {
  for i in 0..<half {
    let (a, b) = (x[i], x[half + i])
    y[i] = a * c[i] - b * s[i]
    y[half + i] = b * c[i] + a * s[i]
  }
}

/// The rotation back.
@inline(__always)
private func unrotatePairs(
  _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ c: UnsafePointer<Float>,
  _ s: UnsafePointer<Float>, _ half: Int
) {
  for i in 0..<half {
    let (a, b) = (x[i], x[half + i])
    y[i] = a * c[i] + b * s[i]
    y[half + i] = b * c[i] - a * s[i]
  }
}
