import SIMDMath

// Rows of bytes times one panel, four rows at a time or one. As with ``rowSums(_:_:_:_:_:)``, each
// form has a function of its own.

/// Writes the outputs of the rows `range` in panel `panel`.
func integerPanel(
  _ place: RowPlace, _ rows: IntegerRows, _ range: Range<Int>, _ w: PackedView, _ panel: Int
) {
  let (p, j) = (w.panel(panel), panel * Tile.columns)
  var r = range.lowerBound
  while r < range.upperBound {
    let count = r + 4 <= range.upperBound ? 4 : 1
    let x = rows.from(r)
    let sums =
      switch w.form {
      case .centred4: count == 4 ? fourCentred4(x, p) : oneCentred4(x, p)
      case .shifted4: count == 4 ? fourShifted4(x, p) : oneShifted4(x, p)
      case .wide4: count == 4 ? fourWide4(x, p) : oneWide4(x, p)
      case .signed8: count == 4 ? fourSigned8(x, p) : oneSigned8(x, p)
      case .shifted8: count == 4 ? fourShifted8(x, p) : oneShifted8(x, p)
      case .wide8: count == 4 ? fourWide8(x, p) : oneWide8(x, p)
      case .fine8: count == 4 ? fourFine8(x, p) : oneFine8(x, p)
      case .half, .brain, .single: preconditionFailure("\(w.form) are no integers")
      }
    place.finish(r, sums.s0, sums.t0, j)
    if count == 4 {
      place.finish(r + 1, sums.s1, sums.t1, j)
      place.finish(r + 2, sums.s2, sums.t2, j)
      place.finish(r + 3, sums.s3, sums.t3, j)
    }
    r += count
  }
}

extension RowPlace {
  @inline(__always)
  fileprivate func finish(_ row: Int, _ low: Float8, _ high: Float8, _ j: Int) {
    var (low, high) = (low, high)
    begin(&low, &high, row: row, j)
    store(low, high, row: row, j)
  }
}

/// Up to four rows of 16 outputs.
private struct PanelSums {
  var (s0, s1, s2, s3) = (Float8(), Float8(), Float8(), Float8())
  var (t0, t1, t2, t3) = (Float8(), Float8(), Float8(), Float8())
}

private typealias Panel = UnsafeRawPointer

@inline(never)
private func fourCentred4(_ x: IntegerRows, _ p: Panel) -> PanelSums {
  fourNibbles(x, p, .centred4)
}
@inline(never)
private func fourShifted4(_ x: IntegerRows, _ p: Panel) -> PanelSums {
  fourNibbles(x, p, .shifted4)
}
@inline(never)
private func fourWide4(_ x: IntegerRows, _ p: Panel) -> PanelSums { fourNibbles(x, p, .wide4) }
@inline(never)
private func fourSigned8(_ x: IntegerRows, _ p: Panel) -> PanelSums { fourBytes(x, p, .signed8) }
@inline(never)
private func fourShifted8(_ x: IntegerRows, _ p: Panel) -> PanelSums { fourBytes(x, p, .shifted8) }
@inline(never)
private func fourWide8(_ x: IntegerRows, _ p: Panel) -> PanelSums { fourBytes(x, p, .wide8) }
@inline(never)
private func fourFine8(_ x: IntegerRows, _ p: Panel) -> PanelSums { fourBytes(x, p, .fine8) }
@inline(never)
private func oneCentred4(_ x: IntegerRows, _ p: Panel) -> PanelSums { oneNibbles(x, p, .centred4) }
@inline(never)
private func oneShifted4(_ x: IntegerRows, _ p: Panel) -> PanelSums { oneNibbles(x, p, .shifted4) }
@inline(never)
private func oneWide4(_ x: IntegerRows, _ p: Panel) -> PanelSums { oneNibbles(x, p, .wide4) }
@inline(never)
private func oneSigned8(_ x: IntegerRows, _ p: Panel) -> PanelSums { oneBytes(x, p, .signed8) }
@inline(never)
private func oneShifted8(_ x: IntegerRows, _ p: Panel) -> PanelSums { oneBytes(x, p, .shifted8) }
@inline(never)
private func oneWide8(_ x: IntegerRows, _ p: Panel) -> PanelSums { oneBytes(x, p, .wide8) }
@inline(never)
private func oneFine8(_ x: IntegerRows, _ p: Panel) -> PanelSums { oneBytes(x, p, .fine8) }

/// Adds the integer sum of a block to an output.
@inline(__always)
private func add(
  _ sum: inout Float8, _ total: Words8, _ scales: ColumnScales, _ x: IntegerRows, _ block: Int,
  _ form: PackedForm
) {
  if form == .centred4 {
    let centred = total &- Words8(repeating: x.centres[block])
    sum = fma(sum, floats(centred), scales.scale * Float8(repeating: x.scales[block]))
  } else {
    sum = fma(sum, floats(total), scales.scale * Float8(repeating: x.scales[block]))
    if form.hasOffset { sum = fma(sum, scales.offset, Float8(repeating: x.sums[block])) }
  }
}

@inline(__always)
private func fourNibbles(_ x: IntegerRows, _ panel: Panel, _ form: PackedForm) -> PanelSums {
  var sums = PanelSums()
  let (x0, x1, x2, x3) = (x, x.from(1), x.from(2), x.from(3))
  for block in 0..<x.blocks {
    let p = panel + block &* form.blockBytes
    let (low, high) = (
      ColumnScales(p, half: 0, group: 0, form), ColumnScales(p, half: 1, group: 0, form)
    )
    let at = block &* PackedForm.blockTerms
    nibbleSums(
      &sums.s0, &sums.s1, &sums.s2, &sums.s3, x0, x1, x2, x3, p + form.valuesAt, low, block, at,
      form)
    nibbleSums(
      &sums.t0, &sums.t1, &sums.t2, &sums.t3, x0, x1, x2, x3, p + form.valuesAt + 32, high, block,
      at, form)
  }
  return sums
}

/// One block of 8 columns and four rows. Sums of products of four-bit values stay in 16 bits: there
/// are 8 pairs of at most 2 · 15 · 127.
@inline(__always)
private func nibbleSums(
  _ s0: inout Float8, _ s1: inout Float8, _ s2: inout Float8, _ s3: inout Float8,
  _ x0: IntegerRows, _ x1: IntegerRows, _ x2: IntegerRows, _ x3: IntegerRows, _ p: Panel,
  _ scales: ColumnScales, _ block: Int, _ at: Int, _ form: PackedForm
) {
  var (g0, g1, g2, g3) = (Shorts16(), Shorts16(), Shorts16(), Shorts16())
  let (v0, v1, v2, v3) = (x0.values + at, x1.values + at, x2.values + at, x3.values + at)
  for row in 0..<4 {
    let words = loadWords(p + 64 &* row)
    let k = 4 &* row
    let low = lowNibbles(words)
    g0 &+= pairProducts(low, repeatWord(v0 + k))
    g1 &+= pairProducts(low, repeatWord(v1 + k))
    g2 &+= pairProducts(low, repeatWord(v2 + k))
    g3 &+= pairProducts(low, repeatWord(v3 + k))
    let high = highNibbles(words)
    g0 &+= pairProducts(high, repeatWord(v0 + k + 16))
    g1 &+= pairProducts(high, repeatWord(v1 + k + 16))
    g2 &+= pairProducts(high, repeatWord(v2 + k + 16))
    g3 &+= pairProducts(high, repeatWord(v3 + k + 16))
  }
  add(&s0, pairSums(g0), scales, x0, block, form)
  add(&s1, pairSums(g1), scales, x1, block, form)
  add(&s2, pairSums(g2), scales, x2, block, form)
  add(&s3, pairSums(g3), scales, x3, block, form)
}

@inline(__always)
private func oneNibbles(_ x: IntegerRows, _ panel: Panel, _ form: PackedForm) -> PanelSums {
  var (s, t) = (Float8(), Float8())
  for block in 0..<x.blocks {
    let p = panel + block &* form.blockBytes
    let v = x.values + block &* PackedForm.blockTerms
    var (g, h) = (Shorts16(), Shorts16())
    for row in 0..<4 {
      let (low, high) = (repeatWord(v + 4 &* row), repeatWord(v + 4 &* row + 16))
      let w = loadWords(p + form.valuesAt + 64 &* row)
      let u = loadWords(p + form.valuesAt + 64 &* row + 32)
      g &+= pairProducts(lowNibbles(w), low)
      h &+= pairProducts(lowNibbles(u), low)
      g &+= pairProducts(highNibbles(w), high)
      h &+= pairProducts(highNibbles(u), high)
    }
    add(&s, pairSums(g), ColumnScales(p, half: 0, group: 0, form), x, block, form)
    add(&t, pairSums(h), ColumnScales(p, half: 1, group: 0, form), x, block, form)
  }
  var sums = PanelSums()
  (sums.s0, sums.t0) = (s, t)
  return sums
}

@inline(__always)
private func fourBytes(_ x: IntegerRows, _ panel: Panel, _ form: PackedForm) -> PanelSums {
  var sums = PanelSums()
  let (x0, x1, x2, x3) = (x, x.from(1), x.from(2), x.from(3))
  let groups = form == .fine8 ? 2 : 1
  for block in 0..<x.blocks {
    let p = panel + block &* form.blockBytes
    for group in 0..<groups {
      let (low, high) = (
        ColumnScales(p, half: 0, group: group, form), ColumnScales(p, half: 1, group: group, form)
      )
      let at = block &* PackedForm.blockTerms + group &* 16
      let q = p + form.valuesAt + group &* 256
      byteSums(&sums.s0, &sums.s1, &sums.s2, &sums.s3, x0, x1, x2, x3, q, low, block, at, form)
      byteSums(
        &sums.t0, &sums.t1, &sums.t2, &sums.t3, x0, x1, x2, x3, q + 32, high, block, at, form)
    }
  }
  return sums
}

/// One group of 8 columns and four rows. A pair of products of bytes fills 16 bits, so each is widened
/// at once; the sign of a weight goes to the row's value, since the instruction wants one factor
/// without.
@inline(__always)
private func byteSums(
  _ s0: inout Float8, _ s1: inout Float8, _ s2: inout Float8, _ s3: inout Float8,
  _ x0: IntegerRows, _ x1: IntegerRows, _ x2: IntegerRows, _ x3: IntegerRows, _ p: Panel,
  _ scales: ColumnScales, _ block: Int, _ at: Int, _ form: PackedForm
) {
  var (g0, g1, g2, g3) = (Words8(), Words8(), Words8(), Words8())
  let (v0, v1, v2, v3) = (x0.values + at, x1.values + at, x2.values + at, x3.values + at)
  for row in 0..<form.groupTerms / 4 {
    let w = loadWords(p + 64 &* row)
    let size = signed(w, w)
    let k = 4 &* row
    g0 &+= pairSums(pairProducts(size, signed(repeatWord(v0 + k), w)))
    g1 &+= pairSums(pairProducts(size, signed(repeatWord(v1 + k), w)))
    g2 &+= pairSums(pairProducts(size, signed(repeatWord(v2 + k), w)))
    g3 &+= pairSums(pairProducts(size, signed(repeatWord(v3 + k), w)))
  }
  add(&s0, g0, scales, x0, block, form)
  add(&s1, g1, scales, x1, block, form)
  add(&s2, g2, scales, x2, block, form)
  add(&s3, g3, scales, x3, block, form)
}

@inline(__always)
private func oneBytes(_ x: IntegerRows, _ panel: Panel, _ form: PackedForm) -> PanelSums {
  var (s, t) = (Float8(), Float8())
  let groups = form == .fine8 ? 2 : 1
  for block in 0..<x.blocks {
    let p = panel + block &* form.blockBytes
    for group in 0..<groups {
      let v = x.values + block &* PackedForm.blockTerms + group &* 16
      let q = p + form.valuesAt + group &* 256
      var (g, h) = (Words8(), Words8())
      for row in 0..<form.groupTerms / 4 {
        let value = repeatWord(v + 4 &* row)
        let w = loadWords(q + 64 &* row)
        g &+= pairSums(pairProducts(signed(w, w), signed(value, w)))
        let u = loadWords(q + 64 &* row + 32)
        h &+= pairSums(pairProducts(signed(u, u), signed(value, u)))
      }
      add(&s, g, ColumnScales(p, half: 0, group: group, form), x, block, form)
      add(&t, h, ColumnScales(p, half: 1, group: group, form), x, block, form)
    }
  }
  var sums = PanelSums()
  (sums.s0, sums.t0) = (s, t)
  return sums
}
