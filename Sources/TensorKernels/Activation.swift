import SIMDMath

/// Functions of one value inside a feed-forward block.
public enum Activation: Sendable, CaseIterable {
  /// ½x(1 + tanh(√(2/π)(x + 0.044715x³))), GPT-2's GELU (Hendrycks and Gimpel 2016, arXiv:1606.08415).
  case geluTanh
  /// ½x(1 + erf(x/√2)).
  case gelu
  /// max(x, 0)² (So et al. 2021, arXiv:2109.08668).
  case reluSquared
}

/// out = f(x).
public func activate(_ out: MutableFloats, x: Floats, _ kind: Activation) {
  precondition(out.count == x.count, "activate: \(x.count) inputs, \(out.count) outputs")
  guard x.count > 0 else { return }
  let (op, xp) = (out.base, x.base)
  parallelRanges(x.count, grain: elementGrain) { range in
    mapLanes(op + range.lowerBound, xp + range.lowerBound, range.count) { value($0, kind) }
  }
}

/// dx += dOut · f′(x).
public func activateBackward(dx: MutableFloats, dOut: Floats, x: Floats, _ kind: Activation) {
  precondition(dx.count == x.count && dOut.count == x.count, "activateBackward: \(x.count) inputs")
  guard x.count > 0 else { return }
  let (dp, gp, xp) = (dx.base, dOut.base, x.base)
  parallelRanges(x.count, grain: elementGrain) { range in
    var i = range.lowerBound
    while i < range.upperBound {
      let count = min(8, range.upperBound - i)
      if count == 8 {
        store8(dp + i, fma(load8(dp + i), load8(gp + i), slope(load8(xp + i), kind)))
      } else {
        let d = fma(
          loadPart(dp + i, count), loadPart(gp + i, count), slope(loadPart(xp + i, count), kind))
        storePart(dp + i, d, count)
      }
      i += 8
    }
  }
}

private let rootTwoOverPi: Float = 0.797_884_56
private let rootHalf: Float = 0.707_106_78

@inline(__always)
func value(_ x: Float8, _ kind: Activation) -> Float8 {
  let half: Float8 = x * Float(0.5)
  switch kind {
  case .geluTanh: return fma(half, half, tanh8(inner(x)))
  case .gelu: return fma(half, half, erf8(x * rootHalf))
  case .reluSquared: return positive(x) * positive(x)
  }
}

/// √(2/π)(x + 0.044715x³).
@inline(__always)
private func inner(_ x: Float8) -> Float8 {
  let cube: Float8 = x * x * x
  return fma(x, cube, Float8(repeating: 0.044_715)) * rootTwoOverPi
}

@inline(__always)
func slope(_ x: Float8, _ kind: Activation) -> Float8 {
  switch kind {
  case .geluTanh:
    let t = tanh8(inner(x))
    let one = Float8(repeating: 1)
    let innerSlope: Float8 = fma(one, x * x, Float8(repeating: 3 * 0.044_715)) * rootTwoOverPi
    let bend: Float8 = x * (one - t * t) * innerSlope
    return (one + t + bend) * Float(0.5)
  case .gelu:
    let half = Float8(repeating: 0.5)
    let density: Float8 = exp8(x * x * Float(-0.5)) * Float(0.398_942_28)
    return fma(fma(half, half, erf8(x * rootHalf)), x, density)
  case .reluSquared: return positive(x) * Float(2)
  }
}

@inline(__always)
private func positive(_ x: Float8) -> Float8 { largest(x, Float8()) }

/// out (rows, width) = silu(gate) · up for rows [gate, up] of 2·width values (Shazeer 2020,
/// arXiv:2002.05202).
public func swiGLU(_ out: MutableFloats, gateUp: Floats, width: Int) {
  precondition(gateUp.count == 2 * out.count && out.count % width == 0, "swiGLU: \(gateUp.count)")
  guard out.count > 0 else { return }
  let (op, xp) = (out.base, gateUp.base)
  parallelRanges(out.count / width, grain: rowGrain(2 * width)) { rows in
    for r in rows {
      let (y, gate, up) = (op + r * width, xp + r * 2 * width, xp + (r * 2 + 1) * width)
      var i = 0
      while i + 8 <= width {
        let g = load8(gate + i)
        store8(y + i, g * sigmoid8(g) * load8(up + i))
        i += 8
      }
      if i < width {
        let g = loadPart(gate + i, width - i)
        storePart(y + i, g * sigmoid8(g) * loadPart(up + i, width - i), width - i)
      }
    }
  }
}

/// Adds the gradient of ``swiGLU(_:gateUp:width:)``, computed again from its input.
public func swiGLUBackward(dGateUp: MutableFloats, dOut: Floats, gateUp: Floats, width: Int) {
  precondition(
    gateUp.count == 2 * dOut.count && dGateUp.count == gateUp.count && dOut.count % width == 0,
    "swiGLUBackward: \(gateUp.count)")
  guard dOut.count > 0 else { return }
  let (dp, gp, xp) = (dGateUp.base, dOut.base, gateUp.base)
  parallelRanges(dOut.count / width, grain: rowGrain(4 * width)) { rows in
    for r in rows {
      let (gate, up, dy) = (xp + r * 2 * width, xp + (r * 2 + 1) * width, gp + r * width)
      let (dGate, dUp) = (dp + r * 2 * width, dp + (r * 2 + 1) * width)
      var i = 0
      while i < width {
        let count = min(8, width - i)
        let isFull = count == 8
        let x = isFull ? load8(gate + i) : loadPart(gate + i, count)
        let u = isFull ? load8(up + i) : loadPart(up + i, count)
        let d = isFull ? load8(dy + i) : loadPart(dy + i, count)
        let s = sigmoid8(x)
        let silu = x * s
        let toGate = d * u * (s + silu * (1 - s))
        if isFull {
          store8(dGate + i, load8(dGate + i) + toGate)
          store8(dUp + i, load8(dUp + i) + d * silu)
        } else {
          storePart(dGate + i, loadPart(dGate + i, count) + toGate, count)
          storePart(dUp + i, loadPart(dUp + i, count) + d * silu, count)
        }
        i += 8
      }
    }
  }
}
