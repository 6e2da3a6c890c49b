import SIMDMath

// Packed values as Floats. A product of a scale and a small integer is exact, so one rounding makes
// the same bits as the definition of the format does.

/// The scales and offsets of 8 columns, for one group of terms.
struct ColumnScales {
  var scale: Float8
  var offset: Float8

  /// Of the columns from 8·`half` on, for group `group` of the block at `p`.
  @inline(__always)
  init(_ p: UnsafeRawPointer, half: Int, group: Int, _ form: PackedForm) {
    switch form {
    case .centred4:
      scale = loadHalves(p + 16 &* half)
      offset = scale * Float8(repeating: -8)
    case .shifted4, .shifted8:
      scale = loadHalves(p + 16 &* half)
      offset = loadHalves(p + 32 + 16 &* half)
    case .wide4, .wide8:
      scale = (p + 32 &* half).loadUnaligned(as: Float8.self)
      offset = (p + 64 + 32 &* half).loadUnaligned(as: Float8.self)
    case .fine8:
      scale = (p + 64 &* group + 32 &* half).loadUnaligned(as: Float8.self)
      offset = Float8()
    default:
      scale = loadHalves(p + 16 &* half)
      offset = Float8()
    }
  }

  // The values of the first to the fourth signed byte of each word. Without a branch, here and where
  // they are used: the optimiser counts branches before it knows which are taken, and then stops.

  @inline(__always)
  func lane0(_ words: Words8) -> Float8 { value(words &<< Words8(repeating: 24)) }

  @inline(__always)
  func lane1(_ words: Words8) -> Float8 { value(words &<< Words8(repeating: 16)) }

  @inline(__always)
  func lane2(_ words: Words8) -> Float8 { value(words &<< Words8(repeating: 8)) }

  @inline(__always)
  func lane3(_ words: Words8) -> Float8 { value(words) }

  @inline(__always)
  private func value(_ words: Words8) -> Float8 {
    fma(offset, scale, floats(words &>> Words8(repeating: 24)))
  }
}

/// The low four bits of every byte.
@inline(__always)
func lowNibbles(_ words: Words8) -> Words8 { words & Words8(repeating: 0x0F0F_0F0F) }

/// The high four bits of every byte.
@inline(__always)
func highNibbles(_ words: Words8) -> Words8 { lowNibbles(words &>> Words8(repeating: 4)) }

/// Writes `blocks` blocks of a panel as [terms][16] Floats.
func expandPanel(
  _ out: UnsafeMutablePointer<Float>, _ panel: UnsafeRawPointer, blocks: Int, _ form: PackedForm
) {
  switch form {
  case .centred4: expandBlocks(out, panel, blocks, .centred4)
  case .shifted4: expandBlocks(out, panel, blocks, .shifted4)
  case .wide4: expandBlocks(out, panel, blocks, .wide4)
  case .signed8: expandBlocks(out, panel, blocks, .signed8)
  case .shifted8: expandBlocks(out, panel, blocks, .shifted8)
  case .wide8: expandBlocks(out, panel, blocks, .wide8)
  case .fine8: expandBlocks(out, panel, blocks, .fine8)
  case .half:
    for i in stride(from: 0, to: blocks * PackedForm.blockTerms * Tile.columns, by: 8) {
      store8(out + i, loadHalves(panel + 2 * i))
    }
  case .brain:
    for i in stride(from: 0, to: blocks * PackedForm.blockTerms * Tile.columns, by: 8) {
      store8(out + i, loadBrains(panel + 2 * i))
    }
  case .single:
    UnsafeMutableRawPointer(out).copyMemory(
      from: panel, byteCount: blocks * PackedForm.single.blockBytes)
  }
}

@inline(__always)
private func expandBlocks(
  _ out: UnsafeMutablePointer<Float>, _ panel: UnsafeRawPointer, _ blocks: Int, _ form: PackedForm
) {
  for block in 0..<blocks {
    let p = panel + block &* form.blockBytes
    for half in 0..<2 {
      let o = out + block &* 512 + 8 &* half
      let values = p + form.valuesAt + 32 &* half
      let scales = ColumnScales(p, half: half, group: 0, form)
      if form.isNibbles {
        for row in 0..<4 {
          let words = loadWords(values + 64 &* row)
          expandWords(o + 64 &* row, lowNibbles(words), scales)
          expandWords(o + 256 + 64 &* row, highNibbles(words), scales)
        }
      } else {
        for row in 0..<4 { expandWords(o + 64 &* row, loadWords(values + 64 &* row), scales) }
        let scales = form == .fine8 ? ColumnScales(p, half: half, group: 1, form) : scales
        for row in 4..<8 { expandWords(o + 64 &* row, loadWords(values + 64 &* row), scales) }
      }
    }
  }
}

/// Writes four terms of 8 columns.
@inline(__always)
private func expandWords(
  _ out: UnsafeMutablePointer<Float>, _ words: Words8, _ scales: ColumnScales
) {
  store8(out, scales.lane0(words))
  store8(out + Tile.columns, scales.lane1(words))
  store8(out + 2 * Tile.columns, scales.lane2(words))
  store8(out + 3 * Tile.columns, scales.lane3(words))
}

/// out (ids.count, columns) = the rows `ids` of a packed table.
public func packedEmbedding(_ out: MutableFloats, table: PackedView, ids: Integers) {
  let width = table.columns
  precondition(
    out.count == ids.count * width, "packedEmbedding: \(out.count) values for \(ids.count) ids")
  guard ids.count > 0 else { return }
  let (op, ip) = (out.base, ids.base)
  parallelRanges(ids.count, grain: 16) { range in
    withUnsafeTemporaryAllocation(of: Float.self, capacity: PackedForm.blockTerms * Tile.columns) {
      let block = $0.base
      for i in range {
        let row = Int(ip[i])
        precondition(row >= 0 && row < table.rows, "packedEmbedding: id \(row) of \(table.rows)")
        let panel = table.panel(row / Tile.columns)
        for b in 0..<table.blocks {
          expandPanel(block, panel + b * table.form.blockBytes, blocks: 1, table.form)
          let o = op + i * width + b * PackedForm.blockTerms
          for term in 0..<PackedForm.blockTerms {
            o[term] = block[term * Tile.columns + row % Tile.columns]
          }
        }
      }
    }
  }
}
