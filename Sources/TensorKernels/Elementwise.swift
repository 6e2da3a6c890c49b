import SIMDMath

/// out += x.
public func accumulate(_ out: MutableFloats, _ x: Floats) {
  add(out, out.reading, x)
}

/// out = x + y.
public func add(_ out: MutableFloats, _ x: Floats, _ y: Floats) {
  precondition(out.count == x.count && out.count == y.count, "add: \(x.count) and \(y.count)")
  guard out.count > 0 else { return }
  let (op, xp, yp) = (out.base, x.base, y.base)
  parallelRanges(out.count, grain: elementGrain) { range in
    var i = range.lowerBound
    while i + 8 <= range.upperBound {
      store8(op + i, load8(xp + i) + load8(yp + i))
      i += 8
    }
    while i < range.upperBound {
      op[i] = xp[i] + yp[i]
      i += 1
    }
  }
}

/// out = x · factor.
public func scaled(_ out: MutableFloats, _ x: Floats, by factor: Float) {
  precondition(out.count == x.count, "scaled: \(x.count) inputs, \(out.count) outputs")
  guard x.count > 0 else { return }
  let (op, xp) = (out.base, x.base)
  parallelRanges(x.count, grain: elementGrain) { range in
    mapLanes(op + range.lowerBound, xp + range.lowerBound, range.count) { $0 * factor }
  }
}

/// out += x · factor.
public func accumulate(_ out: MutableFloats, _ x: Floats, scaledBy factor: Float) {
  precondition(out.count == x.count, "accumulate: \(x.count) inputs, \(out.count) outputs")
  for i in 0..<x.count { out[i] += x[i] * factor }
}

/// x *= factor.
public func scale(_ x: MutableFloats, by factor: Float) {
  guard x.count > 0 else { return }
  let p = x.base
  parallelRanges(x.count, grain: elementGrain) { range in
    mapLanes(p + range.lowerBound, p + range.lowerBound, range.count) { $0 * factor }
  }
}

/// dBias += the column sums of dOut (rows, width): a bias's gradient.
public func addColumnSums(_ dBias: MutableFloats, dOut: Floats, width: Int) {
  precondition(dBias.count == width && dOut.count % width == 0, "addColumnSums: \(dOut.count)")
  guard dOut.count > 0 else { return }
  let (bp, gp) = (dBias.base, dOut.base)
  parallelRanges(width, grain: 64) { columns in
    for r in 0..<dOut.count / width {
      let row = gp + r * width
      for j in columns { bp[j] += row[j] }
    }
  }
}

/// Σ x², in Double by blocks of fixed size. Not finite where a value is not.
public func sumOfSquares(_ x: Floats) -> Double {
  guard x.count > 0 else { return 0 }
  let chunks = (x.count + elementGrain - 1) / elementGrain
  let xp = x.base
  return withUnsafeTemporaryAllocation(of: Double.self, capacity: chunks) { partial in
    let sums = partial.base
    parallel(chunks: chunks) { chunk in
      let end = min(x.count, (chunk + 1) * elementGrain)
      var (low, high) = (SIMD4<Double>(), SIMD4<Double>())
      var i = chunk * elementGrain
      while i < end {
        let v = end - i >= 8 ? load8(xp + i) : loadPart(xp + i, end - i)
        let (a, b) = (SIMD4<Double>(v.lowHalf), SIMD4<Double>(v.highHalf))
        low += a * a
        high += b * b
        i += 8
      }
      sums[chunk] = (low + high).sum()
    }
    return partial.reduce(0, +)
  }
}
