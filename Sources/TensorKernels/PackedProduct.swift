import SIMDMath

// Products with packed weights in Float arithmetic. One row streams the panels and expands them in
// registers; more rows share a panel that is expanded once into the first-level cache. Either way an
// output is one sum over k in the order of ``matmulPacked(c:a:packedB:m:n:k:start:bias:)``, so the bits
// are those of the same weights expanded at loading.

/// Floats of scratch that ``matmul(c:a:weights:m:start:bias:workspace:)`` needs.
public func packedWorkspace(m: Int, _ weights: PackedView) -> Int {
  m == 1 || weights.form == .single ? 0 : kernelThreads * expandedFloats(weights.columns)
}

private func expandedFloats(_ k: Int) -> Int { termBlock(k) * Tile.columns }

/// The columns of `weights` of C = start + bias + A (m, columns) · Wᵀ.
public func matmul(
  c: MutableFloats, a: Floats, weights: PackedView, m: Int, start: MatmulStart = .zero,
  bias: Floats? = nil, workspace: MutableFloats
) {
  let k = weights.columns
  weights.check(c: c, a: a, m: m, bias: bias)
  let scratch = m == 1 || weights.form == .single ? 0 : expandedFloats(k)
  // Less than packedWorkspace(m:_:) is room for fewer threads.
  precondition(workspace.count >= scratch, "matmul: workspace too small")
  guard m > 0, weights.rows > 0, k > 0 else { return }
  let place = RowPlace(c, start, bias, weights)
  let ap = a.base
  if m == 1 {
    let pairs = (weights.panels + 1) / 2
    parallelRanges(pairs, grain: panelGrain(pairs, bytes: 2 * weights.panelByteCount)) { range in
      for pair in range { multiplyRow(place, a: ap, weights, panel: 2 * pair) }
    }
    return
  }
  let rows = taskRows(m)
  let rowTasks = (m + rows - 1) / rows
  let panels = m >= 4 * blockRows ? weights.panels : blockColumns / Tile.columns
  let panelTasks = (weights.panels + panels - 1) / panels
  parallel(chunks: rowTasks * panelTasks, scratch: scratch, workspace: workspace) {
    task, expanded in
    let r0 = task / panelTasks * rows
    let p0 = task % panelTasks * panels
    multiplyBlock(
      place, a: ap, weights, rows: r0..<min(m, r0 + rows),
      panels: p0..<min(weights.panels, p0 + panels), expanded: expanded)
  }
}

/// Panels, or pairs of them, per task: some 32 tasks for a large matrix, and none below 16 KB.
@inline(__always)
func panelGrain(_ count: Int, bytes: Int) -> Int {
  max((count + 31) / 32, (16_384 + bytes - 1) / bytes)
}

private func multiplyBlock(
  _ place: RowPlace, a: UnsafePointer<Float>, _ w: PackedView, rows: Range<Int>,
  panels: Range<Int>, expanded: UnsafeMutablePointer<Float>
) {
  let k = w.columns
  let block = termBlock(k)
  var k0 = 0
  while k0 < k {
    let terms = min(block, k - k0)
    for index in panels {
      let j = index * Tile.columns
      let source = w.panel(index) + k0 / PackedForm.blockTerms * w.form.blockBytes
      let panel: UnsafePointer<Float>
      if w.form == .single {
        panel = source.assumingMemoryBound(to: Float.self)
      } else {
        expandPanel(expanded, source, blocks: terms / PackedForm.blockTerms, w.form)
        panel = UnsafePointer(expanded)
      }
      var r = rows.lowerBound
      while r < rows.upperBound {
        let at = r * place.stride + j
        let start = TileStart(
          addend: k0 == 0 ? place.first.map { $0 + at } : UnsafePointer(place.c + at),
          bias: k0 == 0 ? place.bias.map { $0 + j } : nil)
        tile(
          c: place.c + at, stride: place.stride, start: start, a: a + r * k + k0, rowStride: k,
          termStride: 1, b: panel, k: terms, validRows: min(Tile.rows, rows.upperBound - r),
          validColumns: min(Tile.columns, place.columns - j))
        r += Tile.rows
      }
    }
    k0 += block
  }
}

/// The 32 outputs of one row that stand in panels `panel` and `panel` + 1: two panels at a time,
/// since the sums of one wait for themselves.
private func multiplyRow(
  _ place: RowPlace, a: UnsafePointer<Float>, _ w: PackedView, panel: Int
) {
  // A panel that does not exist repeats the one that does.
  let next = min(panel + 1, w.panels - 1)
  let block = termBlock(w.columns) / PackedForm.blockTerms
  var total = RowSums()
  var b0 = 0
  while b0 < w.blocks {
    let sums = rowSums(a, w, panel, next, b0..<min(w.blocks, b0 + block))
    if b0 == 0 {
      total = sums
      place.begin(&total.a0, &total.a1, row: 0, panel * Tile.columns)
      if next > panel { place.begin(&total.b0, &total.b1, row: 0, next * Tile.columns) }
    } else {
      total.a0 = sums.a0 + total.a0
      total.a1 = sums.a1 + total.a1
      total.b0 = sums.b0 + total.b0
      total.b1 = sums.b1 + total.b1
    }
    b0 += block
  }
  place.store(total.a0, total.a1, row: 0, panel * Tile.columns)
  if next > panel { place.store(total.b0, total.b1, row: 0, next * Tile.columns) }
}

/// Where the outputs of a packed matrix go, and what they are added to.
struct RowPlace {
  let c: UnsafeMutablePointer<Float>
  let first: UnsafePointer<Float>?
  let bias: UnsafePointer<Float>?
  /// Outputs.
  let columns: Int
  /// Values in a row of C.
  let stride: Int

  init(_ c: MutableFloats, _ start: MatmulStart, _ bias: Floats?, _ w: PackedView) {
    self.c = c.base + w.outputs.at
    first = firstAddend(c, start).map { $0 + w.outputs.at }
    self.bias = bias.map { $0.base + w.outputs.at }
    (columns, stride) = (w.rows, w.outputs.of)
  }

  /// Adds what the columns from `j` on begin with.
  @inline(__always)
  func begin(_ low: inout Float8, _ high: inout Float8, row: Int, _ j: Int) {
    if let first {
      low += loadColumns(first + row * stride + j, columns - j)
      high += loadColumns(first + row * stride + j + 8, columns - j - 8)
    }
    if let bias {
      low += loadColumns(bias + j, columns - j)
      high += loadColumns(bias + j + 8, columns - j - 8)
    }
  }

  /// Writes the columns from `j` on.
  @inline(__always)
  func store(_ low: Float8, _ high: Float8, row: Int, _ j: Int) {
    let c = c + row * stride + j
    if columns - j >= Tile.columns {
      store8(c, low)
      store8(c + 8, high)
    } else {
      storePart(c, low, min(8, columns - j))
      storePart(c + 8, high, max(0, columns - j - 8))
    }
  }
}

/// The first `count` of eight values, or all; zeros behind.
@inline(__always)
private func loadColumns(_ p: UnsafePointer<Float>, _ count: Int) -> Float8 {
  count >= 8 ? load8(p) : loadPart(p, max(0, count))
}
