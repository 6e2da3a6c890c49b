import SIMDMath

// RMSNorm (Zhang and Sennrich 2019, arXiv:1910.07467) and LayerNorm (Ba et al. 2016,
// arXiv:1607.06450), by row.

/// out = x · inverse · weight with inverse = 1/√(mean x² + ε).
public func rmsNorm(
  _ out: MutableFloats, inverse: MutableFloats, x: Floats, weight: Floats?, width: Int,
  epsilon: Float
) {
  precondition(
    out.count == x.count && inverse.count * width == x.count
      && (weight == nil || weight?.count == width), "rmsNorm: \(x.count) values of width \(width)")
  guard x.count > 0 else { return }
  let (op, xp, ip, wp) = (out.base, x.base, inverse.base, weight?.baseAddress)
  parallelRanges(inverse.count, grain: rowGrain(width)) { rows in
    for r in rows {
      let row = xp + r * width
      let scale = 1 / (sumOfProducts(row, row, width) / Float(width) + epsilon).squareRoot()
      ip[r] = scale
      scaleRow(op + r * width, row, wp, scale, width)
    }
  }
}

@inline(__always)
private func scaleRow(
  _ out: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>?,
  _ scale: Float, _ width: Int
) {
  var i = 0
  while i + 8 <= width {
    let y = load8(x + i) * scale
    store8(out + i, weight.map { y * load8($0 + i) } ?? y)
    i += 8
  }
  while i < width {
    out[i] = x[i] * scale * (weight?[i] ?? 1)
    i += 1
  }
}

@inline(__always)
private func sumOfProducts(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int)
  -> Float
{
  var sum = Float8()
  var i = 0
  while i + 8 <= count {
    sum = fma(sum, load8(a + i), load8(b + i))
    i += 8
  }
  if i < count { sum = fma(sum, loadPart(a + i, count - i), loadPart(b + i, count - i)) }
  return laneSum(sum)
}

/// Rows per partial sum of a weight's gradient.
private let partialRows = 128

/// Floats that ``rmsNormBackward(dx:dWeight:dOut:x:weight:inverse:width:workspace:)`` needs.
public func rmsNormWorkspace(rows: Int, width: Int) -> Int {
  (rows + partialRows - 1) / partialRows * width
}

/// Adds the gradients of ``rmsNorm(_:inverse:x:weight:width:epsilon:)``.
public func rmsNormBackward(
  dx: MutableFloats?, dWeight: MutableFloats?, dOut: Floats, x: Floats, weight: Floats?,
  inverse: Floats, width: Int, workspace: MutableFloats
) {
  let rows = inverse.count
  precondition(
    dOut.count == x.count && rows * width == x.count
      && workspace.count >= rmsNormWorkspace(rows: rows, width: width),
    "rmsNormBackward: \(x.count) values of width \(width)")
  guard rows > 0 else { return }
  let (gp, xp, wp, sp) = (dOut.base, x.base, weight?.baseAddress, workspace.base)
  let (dxp, dwp) = (dx?.baseAddress, dWeight?.baseAddress)
  let chunks = (rows + partialRows - 1) / partialRows
  parallel(chunks: chunks) { chunk in
    let sums = sp + chunk * width
    if dwp != nil { for i in 0..<width { sums[i] = 0 } }
    for r in chunk * partialRows..<min(rows, (chunk + 1) * partialRows) {
      let (g, row, scale) = (gp + r * width, xp + r * width, inverse[r])
      if dwp != nil { addScaledProduct(sums, g, row, scale, width) }
      if let dxp { rmsRowBackward(dxp + r * width, g, row, wp, scale, width) }
    }
  }
  if let dwp { addPartialSums(dwp, sp, chunks: chunks, width: width) }
}

/// dx += scale · (g·w − x · scale² · mean(g·w·x)).
@inline(__always)
private func rmsRowBackward(
  _ dx: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
  _ weight: UnsafePointer<Float>?, _ scale: Float, _ width: Int
) {
  var sum = Float8()
  var i = 0
  while i + 8 <= width {
    let gw = weight.map { load8(g + i) * load8($0 + i) } ?? load8(g + i)
    sum = fma(sum, gw, load8(x + i))
    i += 8
  }
  var total = laneSum(sum)
  while i < width {
    total += g[i] * (weight?[i] ?? 1) * x[i]
    i += 1
  }
  let slope = total / Float(width) * scale * scale
  i = 0
  while i + 8 <= width {
    let gw = weight.map { load8(g + i) * load8($0 + i) } ?? load8(g + i)
    store8(dx + i, load8(dx + i) + scale * (gw - load8(x + i) * slope))
    i += 8
  }
  while i < width {
    dx[i] += scale * (g[i] * (weight?[i] ?? 1) - x[i] * slope)
    i += 1
  }
}

/// sums += g · x · scale.
@inline(__always)
private func addScaledProduct(
  _ sums: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
  _ scale: Float, _ width: Int
) {
  var i = 0
  while i + 8 <= width {
    store8(sums + i, fma(load8(sums + i), load8(g + i), load8(x + i) * scale))
    i += 8
  }
  while i < width {
    sums[i] += g[i] * (x[i] * scale)
    i += 1
  }
}

@inline(__always)
private func addPartialSums(
  _ out: UnsafeMutablePointer<Float>, _ partial: UnsafePointer<Float>, chunks: Int, width: Int
) {
  for chunk in 0..<chunks {
    for i in 0..<width { out[i] += partial[chunk * width + i] }
  }
}

/// out = (x − mean) · inverse · weight + bias with inverse = 1/√(variance + ε).
public func layerNorm(
  _ out: MutableFloats, mean: MutableFloats, inverse: MutableFloats, x: Floats, weight: Floats,
  bias: Floats, width: Int, epsilon: Float
) {
  precondition(
    out.count == x.count && inverse.count * width == x.count && mean.count == inverse.count
      && weight.count == width && bias.count == width,
    "layerNorm: \(x.count) values of width \(width)")
  guard x.count > 0 else { return }
  let (op, xp, mp, ip) = (out.base, x.base, mean.base, inverse.base)
  let (wp, bp) = (weight.base, bias.base)
  parallelRanges(inverse.count, grain: rowGrain(width)) { rows in
    for r in rows {
      let (row, y) = (xp + r * width, op + r * width)
      var sum: Float = 0
      for i in 0..<width { sum += row[i] }
      let center = sum / Float(width)
      var variance: Float = 0
      for i in 0..<width { variance += (row[i] - center) * (row[i] - center) }
      let scale = 1 / (variance / Float(width) + epsilon).squareRoot()
      (mp[r], ip[r]) = (center, scale)
      for i in 0..<width { y[i] = (row[i] - center) * scale * wp[i] + bp[i] }
    }
  }
}

/// Floats that
/// ``layerNormBackward(dx:dWeight:dBias:dOut:x:weight:mean:inverse:width:workspace:)`` needs.
public func layerNormWorkspace(rows: Int, width: Int) -> Int {
  2 * rmsNormWorkspace(rows: rows, width: width)
}

/// Adds the gradients of ``layerNorm(_:mean:inverse:x:weight:bias:width:epsilon:)``.
public func layerNormBackward(
  dx: MutableFloats?, dWeight: MutableFloats, dBias: MutableFloats, dOut: Floats, x: Floats,
  weight: Floats, mean: Floats, inverse: Floats, width: Int, workspace: MutableFloats
) {
  let rows = inverse.count
  precondition(
    dOut.count == x.count && rows * width == x.count && mean.count == rows
      && workspace.count >= layerNormWorkspace(rows: rows, width: width),
    "layerNormBackward: \(x.count) values of width \(width)")
  guard rows > 0 else { return }
  let (gp, xp, wp, sp) = (dOut.base, x.base, weight.base, workspace.base)
  let dxp = dx?.baseAddress
  let chunks = (rows + partialRows - 1) / partialRows
  parallel(chunks: chunks) { chunk in
    let weights = sp + chunk * width
    let biases = sp + (chunks + chunk) * width
    for i in 0..<width { (weights[i], biases[i]) = (0, 0) }
    for r in chunk * partialRows..<min(rows, (chunk + 1) * partialRows) {
      let (g, row, center, scale) = (gp + r * width, xp + r * width, mean[r], inverse[r])
      var sum: Float = 0
      var projected: Float = 0
      for i in 0..<width {
        let normal = (row[i] - center) * scale
        weights[i] += g[i] * normal
        biases[i] += g[i]
        sum += g[i] * wp[i]
        projected += g[i] * wp[i] * normal
      }
      guard let dxp else { continue }
      let d = dxp + r * width
      for i in 0..<width {
        let normal = (row[i] - center) * scale
        d[i] += scale * (g[i] * wp[i] - sum / Float(width) - normal * projected / Float(width))
      }
    }
  }
  addPartialSums(dWeight.base, sp, chunks: chunks, width: width)
  addPartialSums(dBias.base, sp + chunks * width, chunks: chunks, width: width)
}
