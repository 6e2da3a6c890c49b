import SIMDMath

// Panels: the layout that the micro-kernel streams. A panel of B is [k][16], one of A is [k][6];
// what lies beyond the edge of the matrix is zero.

/// Floats that `k` x `n` of B take once packed.
public func packedCount(k: Int, n: Int) -> Int {
  (n + Tile.columns - 1) / Tile.columns * Tile.columns * k
}

/// Packs terms `terms` of panel `panel` of B. B[i, j] is `b[j * stride + i]` when transposed, else
/// `b[i * stride + j]`.
@inline(__always)
func packPanelOfB(
  _ out: UnsafeMutablePointer<Float>, _ b: UnsafePointer<Float>, stride: Int, transposed: Bool,
  terms: Range<Int>, panel: Int, n: Int
) {
  let j0 = panel * Tile.columns
  let columns = min(Tile.columns, n - j0)
  if transposed {
    packColumns(
      out, width: Tile.columns, b + j0 * stride, stride: stride, terms: terms, count: columns)
  } else if columns == Tile.columns {
    var o = out
    var p = b + terms.lowerBound * stride + j0
    for _ in terms {
      store8(o, load8(p))
      store8(o + 8, load8(p + 8))
      o += Tile.columns
      p += stride
    }
  } else {
    var o = out
    for i in terms {
      for j in 0..<Tile.columns { o[j] = j < columns ? b[i * stride + j0 + j] : 0 }
      o += Tile.columns
    }
  }
}

/// Packs terms `terms` of the panel of A that starts at row `row`, for A[i, p] = `a[p * stride + i]`.
@inline(__always)
func packPanelOfA(
  _ out: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, stride: Int, terms: Range<Int>,
  row: Int, m: Int
) {
  let rows = min(Tile.rows, m - row)
  var o = out
  var p = a + terms.lowerBound * stride + row
  if rows == Tile.rows {
    for _ in terms {
      let four = UnsafeRawPointer(p).loadUnaligned(as: SIMD4<Float>.self)
      let two = UnsafeRawPointer(p + 4).loadUnaligned(as: SIMD2<Float>.self)
      UnsafeMutableRawPointer(o).storeBytes(of: four, as: SIMD4<Float>.self)
      UnsafeMutableRawPointer(o + 4).storeBytes(of: two, as: SIMD2<Float>.self)
      o += Tile.rows
      p += stride
    }
  } else {
    for _ in terms {
      for r in 0..<Tile.rows { o[r] = r < rows ? p[r] : 0 }
      o += Tile.rows
      p += stride
    }
  }
}

/// out[i][r] = rows[r][i]: `count` rows of length `terms.count`, transposed into a panel of `width`.
private func packColumns(
  _ out: UnsafeMutablePointer<Float>, width: Int, _ rows: UnsafePointer<Float>, stride: Int,
  terms: Range<Int>, count: Int
) {
  for r in 0..<count {
    let row = rows + r * stride
    var o = out + r
    for i in terms {
      o.pointee = row[i]
      o += width
    }
  }
  for r in count..<max(count, width) {
    var o = out + r
    for _ in terms {
      o.pointee = 0
      o += width
    }
  }
}
