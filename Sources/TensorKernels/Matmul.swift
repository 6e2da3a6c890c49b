// Matrix products over packed panels, in the loop order of Goto and van de Geijn (2008): a panel of
// B stays in the first-level cache while rows of A stream past it, a block of A in the second.

/// A matrix in memory: element (i, j) is `base[i * stride + j]`, or `base[j * stride + i]` where
/// `isTransposed`.
public struct Matrix {
  public var base: UnsafePointer<Float>
  public var stride: Int
  public var isTransposed: Bool

  /// `values` read as (rows, columns); stored as (columns, rows) when transposed.
  public init(_ values: Floats, rows: Int, columns: Int, isTransposed: Bool = false) {
    precondition(
      values.count == rows * columns,
      "matrix: \(values.count) values for \(rows) x \(columns)")
    self.init(values.base, stride: isTransposed ? rows : columns, isTransposed: isTransposed)
  }

  /// A view with a stride of its own. The caller answers for the bounds.
  public init(_ base: UnsafePointer<Float>, stride: Int, isTransposed: Bool = false) {
    (self.base, self.stride, self.isTransposed) = (base, stride, isTransposed)
  }
}

/// Where the sum of a product starts.
public enum MatmulStart {
  /// C = A·B.
  case zero
  /// C += A·B.
  case output
  /// C = residual + A·B, the residual laid out as C.
  case residual(Floats)
}

/// Rows of A per task: with 256 terms a block of A fills half of a second-level cache.
let blockRows = 192
/// Columns per task where there are few rows.
let blockColumns = 128

/// Rows per task: ``blockRows`` at most, and alike for all, so that threads end together.
@inline(__always)
func taskRows(_ m: Int) -> Int {
  let tasks = (m + blockRows - 1) / blockRows
  return roundedUp((m + tasks - 1) / tasks, to: Tile.rows)
}

/// Terms per block: at most 320, split evenly into multiples of the 32 of a block of packed weights.
/// A function of k alone, so that sums associate alike in every batch and every storage.
@inline(__always)
func termBlock(_ k: Int) -> Int {
  let blocks = max(1, (k + 319) / 320)
  return roundedUp((k + blocks - 1) / blocks, to: PackedForm.blockTerms)
}

/// Packs B (k, n) whole into `out`, which holds ``packedCount(k:n:)`` floats.
public func packMatrix(_ out: MutableFloats, b: Matrix, k: Int, n: Int) {
  precondition(out.count >= packedCount(k: k, n: n), "packMatrix: room for \(out.count)")
  guard k > 0, n > 0 else { return }
  let panels = (n + Tile.columns - 1) / Tile.columns
  let o = out.base
  parallelRanges(panels, grain: max(1, 16_384 / (k * Tile.columns))) { range in
    for panel in range {
      packPanelOfB(
        o + panel * Tile.columns * k, b.base, stride: b.stride, transposed: b.isTransposed,
        terms: 0..<k, panel: panel, n: n)
    }
  }
}

/// C (m, n) = start + bias + A (m, k) · B, with B packed by ``packMatrix(_:b:k:n:)`` and the rows of
/// A contiguous. One row gives the same bits alone as among others.
public func matmulPacked(
  c: MutableFloats, a: Floats, packedB: Floats, m: Int, n: Int, k: Int,
  start: MatmulStart = .zero, bias: Floats? = nil
) {
  precondition(c.count == m * n, "matmul: C has \(c.count) values for \(m) x \(n)")
  precondition(a.count == m * k, "matmul: A has \(a.count) values for \(m) x \(k)")
  precondition(packedB.count >= packedCount(k: k, n: n), "matmul: B is not packed for \(k) x \(n)")
  precondition(bias.map { $0.count == n } ?? true, "matmul: the bias does not have \(n) values")
  guard m > 0, n > 0 else { return }
  let first = firstAddend(c, start)
  let (cp, ap, bp, biasp) = (c.base, a.base, packedB.base, bias?.baseAddress)
  let columns = m >= 4 * blockRows ? n : blockColumns
  let columnTasks = (n + columns - 1) / columns
  let rows = taskRows(m)
  let rowTasks = (m + rows - 1) / rows
  parallel(chunks: rowTasks * columnTasks) { task in
    let r0 = task / columnTasks * rows
    let j0 = task % columnTasks * columns
    multiplyBlock(
      c: cp, ldc: n, first: first, bias: biasp, a: ap, lda: k, b: bp, k: k,
      rows: r0..<min(m, r0 + rows), columns: j0..<min(n, j0 + columns))
  }
}

func firstAddend(_ c: MutableFloats, _ start: MatmulStart) -> UnsafePointer<Float>? {
  switch start {
  case .zero: nil
  case .output: UnsafePointer(c.base)
  case .residual(let r):
    {
      precondition(r.count == c.count, "matmul: residual of \(r.count) for \(c.count) outputs")
      return r.base
    }()
  }
}

/// Rows `rows`, columns `columns` of a product whose B is packed.
private func multiplyBlock(
  c: UnsafeMutablePointer<Float>, ldc: Int, first: UnsafePointer<Float>?,
  bias: UnsafePointer<Float>?, a: UnsafePointer<Float>, lda: Int, b: UnsafePointer<Float>, k: Int,
  rows: Range<Int>, columns: Range<Int>
) {
  let block = termBlock(k)
  var k0 = 0
  repeat {
    let terms = min(block, k - k0)
    var j = columns.lowerBound
    while j < columns.upperBound {
      let panel = b + (j / Tile.columns * k) * Tile.columns + k0 * Tile.columns
      let validColumns = min(Tile.columns, columns.upperBound - j)
      var r = rows.lowerBound
      while r < rows.upperBound {
        let at = r * ldc + j
        let start = TileStart(
          addend: k0 == 0 ? first.map { $0 + at } : UnsafePointer(c + at),
          bias: k0 == 0 ? bias.map { $0 + j } : nil)
        tile(
          c: c + at, stride: ldc, start: start, a: a + r * lda + k0, rowStride: lda, termStride: 1,
          b: panel, k: terms, validRows: min(Tile.rows, rows.upperBound - r),
          validColumns: validColumns)
        r += Tile.rows
      }
      j += Tile.columns
    }
    k0 += block
  } while k0 < k
}

/// Floats of scratch that ``matmulTransposed(c:a:b:m:n:k:workspace:)`` needs.
public func transposedWorkspace(m: Int, n: Int, k: Int) -> Int {
  let panelsOfA = (m + Tile.rows - 1) / Tile.rows * Tile.rows
  return (panelsOfA + (n + Tile.columns - 1) / Tile.columns * Tile.columns) * termBlock(k)
}

/// C (m, n) += Aᵀ·B for A (k, m) and B (k, n), both row-major: the weight gradient dyᵀ·x.
///
/// One block of terms at a time is packed and then multiplied, so that neither operand is ever
/// copied whole.
public func matmulTransposed(
  c: MutableFloats, a: Floats, b: Floats, m: Int, n: Int, k: Int, workspace: MutableFloats
) {
  precondition(
    c.count == m * n && a.count == k * m && b.count == k * n,
    "matmulTransposed: \(c.count), \(a.count), \(b.count) values for m \(m), n \(n), k \(k)")
  precondition(workspace.count >= transposedWorkspace(m: m, n: n, k: k), "workspace too small")
  guard m > 0, n > 0, k > 0 else { return }
  let block = termBlock(k)
  let panelsOfA = (m + Tile.rows - 1) / Tile.rows
  let panelsOfB = (n + Tile.columns - 1) / Tile.columns
  let (cp, ap, bp) = (c.base, a.base, b.base)
  let packedA = workspace.base
  let packedB = packedA + panelsOfA * Tile.rows * block
  let rowPanels = max(1, taskRows(m) / Tile.rows)
  let rowTasks = (panelsOfA + rowPanels - 1) / rowPanels
  let columnPanels = max(1, min(panelsOfB, blockColumns / Tile.columns))
  let columnTasks = (panelsOfB + columnPanels - 1) / columnPanels
  var k0 = 0
  while k0 < k {
    let terms = k0..<min(k, k0 + block)
    let count = terms.count
    let grain = max(1, 16_384 / (count * Tile.columns))
    parallelRanges(panelsOfA + panelsOfB, grain: grain) { range in
      for panel in range {
        if panel < panelsOfA {
          packPanelOfA(
            packedA + panel * Tile.rows * count, ap, stride: m, terms: terms,
            row: panel * Tile.rows, m: m)
        } else {
          packPanelOfB(
            packedB + (panel - panelsOfA) * Tile.columns * count, bp, stride: n, transposed: false,
            terms: terms, panel: panel - panelsOfA, n: n)
        }
      }
    }
    parallel(chunks: rowTasks * columnTasks) { task in
      let p0 = task / columnTasks * rowPanels
      let q0 = task % columnTasks * columnPanels
      for q in q0..<min(panelsOfB, q0 + columnPanels) {
        for p in p0..<min(panelsOfA, p0 + rowPanels) {
          let at = p * Tile.rows * n + q * Tile.columns
          tile(
            c: cp + at, stride: n, start: TileStart(addend: UnsafePointer(cp + at), bias: nil),
            a: packedA + p * Tile.rows * count, rowStride: 1, termStride: Tile.rows,
            b: packedB + q * Tile.columns * count, k: count,
            validRows: min(Tile.rows, m - p * Tile.rows),
            validColumns: min(Tile.columns, n - q * Tile.columns))
        }
      }
    }
    k0 += block
  }
}
