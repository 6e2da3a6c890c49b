import SIMDMath

// One row times two panels, expanded in registers. Each form has a function of its own, so that each
// is small enough for the optimiser to take in one piece.

/// The sums of two panels over some blocks: 32 outputs.
struct RowSums {
  var (a0, a1, b0, b1) = (Float8(), Float8(), Float8(), Float8())

  @inline(__always)
  mutating func add(_ x: Float, _ p0: Float8, _ p1: Float8, _ q0: Float8, _ q1: Float8) {
    let x = Float8(repeating: x)
    a0 = fma(a0, x, p0)
    a1 = fma(a1, x, p1)
    b0 = fma(b0, x, q0)
    b1 = fma(b1, x, q1)
  }

  /// Adds the products of four values of x with four terms of both panels.
  @inline(__always)
  mutating func add(
    _ x: UnsafePointer<Float>, _ s: PairScales, _ a: Words8, _ b: Words8, _ c: Words8, _ d: Words8
  ) {
    add(x[0], s.p0.lane0(a), s.p1.lane0(b), s.q0.lane0(c), s.q1.lane0(d))
    add(x[1], s.p0.lane1(a), s.p1.lane1(b), s.q0.lane1(c), s.q1.lane1(d))
    add(x[2], s.p0.lane2(a), s.p1.lane2(b), s.q0.lane2(c), s.q1.lane2(d))
    add(x[3], s.p0.lane3(a), s.p1.lane3(b), s.q0.lane3(c), s.q1.lane3(d))
  }
}

/// The scales of two panels.
struct PairScales {
  var (p0, p1): (ColumnScales, ColumnScales)
  var (q0, q1): (ColumnScales, ColumnScales)

  @inline(__always)
  init(_ p: UnsafeRawPointer, _ q: UnsafeRawPointer, group: Int, _ form: PackedForm) {
    p0 = ColumnScales(p, half: 0, group: group, form)
    p1 = ColumnScales(p, half: 1, group: group, form)
    q0 = ColumnScales(q, half: 0, group: group, form)
    q1 = ColumnScales(q, half: 1, group: group, form)
  }
}

/// The sums over `blocks` of the panels `panel` and `next`, beginning at zero.
func rowSums(
  _ x: UnsafePointer<Float>, _ w: PackedView, _ panel: Int, _ next: Int, _ blocks: Range<Int>
) -> RowSums {
  let at = blocks.lowerBound * w.form.blockBytes
  let (p, q) = (w.panel(panel) + at, w.panel(next) + at)
  let x = x + blocks.lowerBound * PackedForm.blockTerms
  return switch w.form {
  case .centred4: rowCentred4(x, p, q, blocks.count)
  case .shifted4: rowShifted4(x, p, q, blocks.count)
  case .wide4: rowWide4(x, p, q, blocks.count)
  case .signed8: rowSigned8(x, p, q, blocks.count)
  case .shifted8: rowShifted8(x, p, q, blocks.count)
  case .wide8: rowWide8(x, p, q, blocks.count)
  case .fine8: rowFine8(x, p, q, blocks.count)
  case .half: rowHalf(x, p, q, blocks.count)
  case .brain: rowBrain(x, p, q, blocks.count)
  case .single: rowSingle(x, p, q, blocks.count)
  }
}

private typealias Panel = UnsafeRawPointer

@inline(never)
private func rowCentred4(_ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int)
  -> RowSums
{ rowNibbles(x, p, q, blocks, .centred4) }

@inline(never)
private func rowShifted4(_ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int)
  -> RowSums
{ rowNibbles(x, p, q, blocks, .shifted4) }

@inline(never)
private func rowWide4(_ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int)
  -> RowSums
{ rowNibbles(x, p, q, blocks, .wide4) }

@inline(never)
private func rowSigned8(_ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int)
  -> RowSums
{ rowBytes(x, p, q, blocks, .signed8) }

@inline(never)
private func rowShifted8(_ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int)
  -> RowSums
{ rowBytes(x, p, q, blocks, .shifted8) }

@inline(never)
private func rowWide8(_ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int)
  -> RowSums
{ rowBytes(x, p, q, blocks, .wide8) }

@inline(never)
private func rowFine8(_ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int)
  -> RowSums
{ rowBytes(x, p, q, blocks, .fine8) }

@inline(__always)
private func rowNibbles(
  _ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int, _ form: PackedForm
) -> RowSums {
  var sums = RowSums()
  var (x, p, q) = (x, p, q)
  for _ in 0..<blocks {
    let scales = PairScales(p, q, group: 0, form)
    let (v, u) = (p + form.valuesAt, q + form.valuesAt)
    for row in 0..<4 {
      sums.add(
        x + 4 &* row, scales, lowNibbles(loadWords(v + 64 &* row)),
        lowNibbles(loadWords(v + 32 + 64 &* row)), lowNibbles(loadWords(u + 64 &* row)),
        lowNibbles(loadWords(u + 32 + 64 &* row)))
    }
    for row in 0..<4 {
      sums.add(
        x + 16 + 4 &* row, scales, highNibbles(loadWords(v + 64 &* row)),
        highNibbles(loadWords(v + 32 + 64 &* row)), highNibbles(loadWords(u + 64 &* row)),
        highNibbles(loadWords(u + 32 + 64 &* row)))
    }
    x += PackedForm.blockTerms
    p += form.blockBytes
    q += form.blockBytes
  }
  return sums
}

@inline(__always)
private func rowBytes(
  _ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int, _ form: PackedForm
) -> RowSums {
  var sums = RowSums()
  var (x, p, q) = (x, p, q)
  for _ in 0..<blocks {
    var scales = PairScales(p, q, group: 0, form)
    let (v, u) = (p + form.valuesAt, q + form.valuesAt)
    for row in 0..<4 {
      sums.add(
        x + 4 &* row, scales, loadWords(v + 64 &* row), loadWords(v + 32 + 64 &* row),
        loadWords(u + 64 &* row), loadWords(u + 32 + 64 &* row))
    }
    if form == .fine8 { scales = PairScales(p, q, group: 1, form) }
    for row in 4..<8 {
      sums.add(
        x + 4 &* row, scales, loadWords(v + 64 &* row), loadWords(v + 32 + 64 &* row),
        loadWords(u + 64 &* row), loadWords(u + 32 + 64 &* row))
    }
    x += PackedForm.blockTerms
    p += form.blockBytes
    q += form.blockBytes
  }
  return sums
}

@inline(never)
private func rowHalf(_ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int) -> RowSums {
  var sums = RowSums()
  for term in 0..<blocks &* PackedForm.blockTerms {
    let (p, q) = (p + 32 &* term, q + 32 &* term)
    sums.add(x[term], loadHalves(p), loadHalves(p + 16), loadHalves(q), loadHalves(q + 16))
  }
  return sums
}

@inline(never)
private func rowBrain(_ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int) -> RowSums {
  var sums = RowSums()
  for term in 0..<blocks &* PackedForm.blockTerms {
    let (p, q) = (p + 32 &* term, q + 32 &* term)
    sums.add(x[term], loadBrains(p), loadBrains(p + 16), loadBrains(q), loadBrains(q + 16))
  }
  return sums
}

@inline(never)
private func rowSingle(_ x: UnsafePointer<Float>, _ p: Panel, _ q: Panel, _ blocks: Int) -> RowSums
{
  var sums = RowSums()
  for term in 0..<blocks &* PackedForm.blockTerms {
    let (p, q) = (p + 64 &* term, q + 64 &* term)
    sums.add(
      x[term], p.loadUnaligned(as: Float8.self), (p + 32).loadUnaligned(as: Float8.self),
      q.loadUnaligned(as: Float8.self), (q + 32).loadUnaligned(as: Float8.self))
  }
  return sums
}
