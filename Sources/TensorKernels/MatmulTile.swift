import SIMDMath

// The micro-kernel of the matrix product: a tile of 6 x 16 outputs in twelve registers, one
// multiply-add per output and k. Every output has one accumulator that runs over k in ascending
// order, so its bits do not depend on which other rows or columns stand in the product.

/// Rows and columns of one register tile.
enum Tile {
  static let rows = 6
  static let columns = 16
}

/// What a finished tile is added to.
struct TileStart {
  /// Added to the tile where present: the output itself, or a residual of the same layout.
  var addend: UnsafePointer<Float>?
  /// One value per column, added where present.
  var bias: UnsafePointer<Float>?
}

/// The tile's `validRows` x `validColumns` corner of C = addend + bias + A·B for `k` terms.
///
/// `a` addresses row r, term i as `a[r * rowStride + i * termStride]`; rows beyond `validRows` are
/// not read. `b` is a panel packed [k][16].
@inline(__always)
func tile(
  c: UnsafeMutablePointer<Float>, stride: Int, start: TileStart,
  a: UnsafePointer<Float>, rowStride: Int, termStride: Int, b: UnsafePointer<Float>, k: Int,
  validRows: Int, validColumns: Int
) {
  // Rows that do not exist repeat the last one that does; their results are dropped.
  let last = validRows - 1
  let a0 = a
  let a1 = a + min(1, last) * rowStride
  let a2 = a + min(2, last) * rowStride
  let a3 = a + min(3, last) * rowStride
  let a4 = a + min(4, last) * rowStride
  let a5 = a + min(5, last) * rowStride
  var (c00, c01, c10, c11) = (Float8(), Float8(), Float8(), Float8())
  var (c20, c21, c30, c31) = (Float8(), Float8(), Float8(), Float8())
  var (c40, c41, c50, c51) = (Float8(), Float8(), Float8(), Float8())
  var bp = b
  var i = 0
  let end = k &* termStride
  while i < end {
    let b0 = load8(bp)
    let b1 = load8(bp + 8)
    var s = Float8(repeating: a0[i])
    c00 = fma(c00, s, b0)
    c01 = fma(c01, s, b1)
    s = Float8(repeating: a1[i])
    c10 = fma(c10, s, b0)
    c11 = fma(c11, s, b1)
    s = Float8(repeating: a2[i])
    c20 = fma(c20, s, b0)
    c21 = fma(c21, s, b1)
    s = Float8(repeating: a3[i])
    c30 = fma(c30, s, b0)
    c31 = fma(c31, s, b1)
    s = Float8(repeating: a4[i])
    c40 = fma(c40, s, b0)
    c41 = fma(c41, s, b1)
    s = Float8(repeating: a5[i])
    c50 = fma(c50, s, b0)
    c51 = fma(c51, s, b1)
    bp += Tile.columns
    i = i &+ termStride
  }
  if validColumns == Tile.columns {
    finish(c, 0, stride, start, validRows, c00, c01)
    finish(c, 1, stride, start, validRows, c10, c11)
    finish(c, 2, stride, start, validRows, c20, c21)
    finish(c, 3, stride, start, validRows, c30, c31)
    finish(c, 4, stride, start, validRows, c40, c41)
    finish(c, 5, stride, start, validRows, c50, c51)
  } else {
    finishPart(c, 0, stride, start, validRows, validColumns, c00, c01)
    finishPart(c, 1, stride, start, validRows, validColumns, c10, c11)
    finishPart(c, 2, stride, start, validRows, validColumns, c20, c21)
    finishPart(c, 3, stride, start, validRows, validColumns, c30, c31)
    finishPart(c, 4, stride, start, validRows, validColumns, c40, c41)
    finishPart(c, 5, stride, start, validRows, validColumns, c50, c51)
  }
}

/// Writes one row of a tile of full width.
@inline(__always)
private func finish(
  _ c: UnsafeMutablePointer<Float>, _ r: Int, _ stride: Int, _ start: TileStart, _ rows: Int,
  _ low: Float8, _ high: Float8
) {
  guard r < rows else { return }
  var (low, high) = (low, high)
  if let addend = start.addend {
    low += load8(addend + r * stride)
    high += load8(addend + r * stride + 8)
  }
  if let bias = start.bias {
    low += load8(bias)
    high += load8(bias + 8)
  }
  store8(c + r * stride, low)
  store8(c + r * stride + 8, high)
}

/// Writes the first `columns` of one row of a tile at the right edge.
private func finishPart(
  _ c: UnsafeMutablePointer<Float>, _ r: Int, _ stride: Int, _ start: TileStart, _ rows: Int,
  _ columns: Int, _ low: Float8, _ high: Float8
) {
  guard r < rows else { return }
  for j in 0..<columns {
    var value = j < 8 ? low[j] : high[j - 8]
    if let addend = start.addend { value += addend[r * stride + j] }
    if let bias = start.bias { value += bias[j] }
    c[r * stride + j] = value
  }
}
