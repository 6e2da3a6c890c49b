import SIMDMath

/// out (rows, width) = gelu(gate) · up for rows [gate, up] of 2·width values, with GELU by tanh (Shazeer
/// 2020, arXiv:2002.05202).
public func geGLU(_ out: MutableFloats, gateUp: Floats, width: Int) {
  precondition(gateUp.count == 2 * out.count && out.count % width == 0, "geGLU: \(gateUp.count)")
  guard out.count > 0 else { return }
  let (op, xp) = (out.base, gateUp.base)
  parallelRanges(out.count / width, grain: rowGrain(2 * width)) { rows in
    for r in rows {
      let (y, gate, up) = (op + r * width, xp + r * 2 * width, xp + (r * 2 + 1) * width)
      var i = 0
      while i + 8 <= width {
        store8(y + i, value(load8(gate + i), .geluTanh) * load8(up + i))
        i += 8
      }
      if i < width {
        let count = width - i
        let g = value(loadPart(gate + i, count), .geluTanh)
        storePart(y + i, g * loadPart(up + i, count), count)
      }
    }
  }
}

/// Adds the gradient of ``geGLU(_:gateUp:width:)``, computed again from its input.
public func geGLUBackward(dGateUp: MutableFloats, dOut: Floats, gateUp: Floats, width: Int) {
  precondition(
    gateUp.count == 2 * dOut.count && dGateUp.count == gateUp.count && dOut.count % width == 0,
    "geGLUBackward: \(gateUp.count)")
  guard dOut.count > 0 else { return }
  let (dp, gp, xp) = (dGateUp.base, dOut.base, gateUp.base)
  parallelRanges(dOut.count / width, grain: rowGrain(4 * width)) { rows in
    for r in rows {
      let (gate, up, dy) = (xp + r * 2 * width, xp + (r * 2 + 1) * width, gp + r * width)
      let (dGate, dUp) = (dp + r * 2 * width, dp + (r * 2 + 1) * width)
      var i = 0
      while i < width {
        let count = min(8, width - i)
        let (x, d) = (loadPart(gate + i, count), loadPart(dy + i, count))
        let toGate = d * loadPart(up + i, count) * slope(x, .geluTanh)
        storePart(dGate + i, loadPart(dGate + i, count) + toGate, count)
        storePart(dUp + i, loadPart(dUp + i, count) + d * value(x, .geluTanh), count)
        i += 8
      }
    }
  }
}
