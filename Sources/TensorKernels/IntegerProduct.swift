import SIMDMath

// Products of packed weights with rows that are rounded to eight bits, 32 values to a scale: the
// integers are multiplied and summed exactly, and each block's sum is added to a Float with one
// rounding, in ascending order. So a row gives the same bits alone as among others here too.

extension PackedForm {
  /// Whether ``matmulIntegers(c:a:weights:m:start:bias:workspace:)`` takes it.
  public var hasIntegers: Bool { !isPlain }
}

/// Floats of scratch that ``matmulIntegers(c:a:weights:m:start:bias:workspace:)`` needs.
public func integerWorkspace(m: Int, k: Int) -> Int { IntegerRows.floats(m: m, k: k) }

/// As ``matmul(c:a:weights:m:start:bias:workspace:)`` with the rows of A rounded to eight bits.
public func matmulIntegers(
  c: MutableFloats, a: Floats, weights: PackedView, m: Int, start: MatmulStart = .zero,
  bias: Floats? = nil, workspace: MutableFloats
) {
  let k = weights.columns
  precondition(weights.form.hasIntegers, "matmulIntegers: \(weights.form) are no integers")
  weights.check(c: c, a: a, m: m, bias: bias)
  precondition(workspace.count >= integerWorkspace(m: m, k: k), "matmul: workspace too small")
  guard m > 0, weights.rows > 0, k > 0 else { return }
  let rows = IntegerRows(workspace.base, m: m, k: k)
  let ap = a.base
  parallelRanges(m, grain: max(1, 16_384 / k)) { for r in $0 { rows.round(r, ap) } }
  let place = RowPlace(c, start, bias, weights)
  let taskRows = taskRows(m)
  let rowTasks = (m + taskRows - 1) / taskRows
  let grain = panelGrain(weights.panels, bytes: weights.panelByteCount * min(m, taskRows))
  let panelTasks = (weights.panels + grain - 1) / grain
  parallel(chunks: rowTasks * panelTasks) { task in
    let r0 = task / panelTasks * taskRows
    let p0 = task % panelTasks * grain
    let range = r0..<min(m, r0 + taskRows)
    for panel in p0..<min(weights.panels, p0 + grain) {
      integerPanel(place, rows, range, weights, panel)
    }
  }
}
