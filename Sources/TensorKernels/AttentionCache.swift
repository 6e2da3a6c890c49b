// Attention over a cache of keys and values in pages of 48 tokens, which are the blocks that the tiles
// of ``attention(_:logSum:q:k:v:starts:_:workspace:)`` visit: a new token costs one pass over its
// sequence, and gives the bits that the whole sequence would. Sequences that begin alike share pages.

/// The memory of one layer of a cache.
public struct CacheLayout: Sendable, Equatable {
  /// What keys and values are stored as. Halves take half the memory; they are rounded once, when
  /// they are written, so that results still do not depend on how tokens were batched.
  public enum Format: String, Sendable, CaseIterable {
    case float, half

    var bytes: Int { self == .float ? 4 : 2 }
  }

  /// Tokens in a page.
  public static let pageTokens = ScoreTile.keys

  public let pages: Int
  public let keyHeads: Int
  public let headWidth: Int
  public let format: Format

  public init(pages: Int, keyHeads: Int, headWidth: Int, format: Format = .float) {
    (self.pages, self.keyHeads, self.headWidth) = (pages, keyHeads, headWidth)
    self.format = format
  }

  var keysPerHead: Int { ScoreTile.keys * headWidth }
  var valuesPerHead: Int { ScoreTile.keys * roundedUp(headWidth, to: Tile.columns) }
  /// Keys and values of a page.
  var pageCount: Int { keyHeads * (keysPerHead + valuesPerHead) }
  /// Floats of memory of a page; two halves stand in one.
  public var pageFloats: Int { pageCount * format.bytes / 4 }
  /// Floats of memory of the layer.
  public var count: Int { pages * pageFloats }
}

/// Writes the keys and values of one token each: token i at `positions[i]` of the sequence whose pages
/// the row `slots[i]` of `tables` lists.
///
/// - Parameters:
///   - tables: (slots, blocks): the pages of each sequence.
///   - blocks: pages in a row of `tables`.
public func appendToCache(
  _ cache: MutableFloats, k: Heads, v: Heads, slots: Integers, positions: Integers,
  tables: Integers, blocks: Int, _ layout: CacheLayout
) {
  switch layout.format {
  case .float:
    append(Float.self, cache, k, v, slots, positions, tables, blocks, layout)
  case .half:
    append(Float16.self, cache, k, v, slots, positions, tables, blocks, layout)
  }
}

@inline(__always)
private func append<Element: PanelElement>(
  _ type: Element.Type, _ cache: MutableFloats, _ k: Heads, _ v: Heads, _ slots: Integers,
  _ positions: Integers, _ tables: Integers, _ blocks: Int, _ layout: CacheLayout
) {
  precondition(cache.count == layout.count, "cache of \(cache.count) values for \(layout)")
  precondition(slots.count == positions.count, "\(slots.count) slots, \(positions.count) positions")
  let width = layout.headWidth
  let base = UnsafeMutableRawPointer(cache.base).assumingMemoryBound(to: Element.self)
  for i in 0..<slots.count {
    let (slot, t) = (Int(slots[i]), Int(positions[i]))
    let place = slot * blocks + t / ScoreTile.keys
    precondition(
      slot >= 0 && t >= 0 && t / ScoreTile.keys < blocks && place < tables.count,
      "no room for slot \(slot), position \(t) in \(blocks) pages")
    let page = Int(tables[place])
    precondition(page >= 0 && page < layout.pages, "page \(page) of \(layout)")
    let row = t % ScoreTile.keys
    for head in 0..<layout.keyHeads {
      let key = k.base + i * k.stride + head * width
      let value = v.base + i * v.stride + head * width
      let start = base + page * layout.pageCount
      let keys =
        start + head * layout.keysPerHead + row / Tile.columns * Tile.columns * width
        + row % Tile.columns
      let values =
        start + layout.keyHeads * layout.keysPerHead + head * layout.valuesPerHead
        + row * Tile.columns
      for d in 0..<width {
        keys[d * Tile.columns] = Element.rounded(key[d])
        values[d / Tile.columns * ScoreTile.keys * Tile.columns + d % Tile.columns] =
          Element.rounded(value[d])
      }
    }
  }
}

/// Copies a page to another.
public func copyPage(_ cache: MutableFloats, from: Int, to: Int, _ layout: CacheLayout) {
  precondition(
    cache.count == layout.count && from < layout.pages && to < layout.pages, "copyPage: \(layout)")
  (cache.base + to * layout.pageFloats).update(
    from: cache.base + from * layout.pageFloats, count: layout.pageFloats)
}

/// Floats of scratch a thread that
/// ``attentionCached(_:q:cache:slots:positions:starts:tables:blocks:_:_:workspace:)`` needs.
public func attentionCachedScratch(_ layout: CacheLayout) -> Int {
  ScoreTile.queries * ScoreTile.keys + 2 * ScoreTile.queries
    + (layout.format == .float ? 0 : max(layout.keysPerHead, ScoreTile.keys * Tile.columns))
}

/// out (tokens, heads·headWidth): token i, at `positions[i]` of slot `slots[i]`, over all tokens of
/// its slot up to itself. Its own key and value must be in the cache already.
///
/// Consecutive tokens of a slot share the work of a tile; the bits do not depend on it.
///
/// - Parameters:
///   - starts: for every token, the first position that it sees; nil for all from 0 on.
///   - tables: (slots, blocks): the pages of each slot.
///   - blocks: pages in a row of `tables`.
///   - workspace: ``attentionCachedScratch(_:)`` values a thread.
public func attentionCached(
  _ out: MutableFloats, q: Heads, cache: Floats, slots: Integers, positions: Integers,
  starts: Integers? = nil, tables: Integers, blocks: Int, _ layout: CacheLayout,
  _ shape: AttentionShape, workspace: MutableFloats
) {
  switch layout.format {
  case .float:
    attend(
      Float.self, out, q, cache, slots, positions, starts, tables, blocks, layout, shape, workspace)
  case .half:
    attend(
      Float16.self, out, q, cache, slots, positions, starts, tables, blocks, layout, shape,
      workspace)
  }
}

@inline(__always)
private func attend<Element: PanelElement>(
  _ type: Element.Type, _ out: MutableFloats, _ q: Heads, _ cache: Floats, _ slots: Integers,
  _ positions: Integers, _ starts: Integers?, _ tables: Integers, _ blocks: Int,
  _ layout: CacheLayout, _ shape: AttentionShape, _ workspace: MutableFloats
) {
  let tokens = slots.count
  let width = shape.headWidth
  let outStride = shape.heads * width
  precondition(
    cache.count == layout.count && positions.count == tokens && out.count == tokens * outStride
      && (starts == nil || starts?.count == tokens)
      && layout.keyHeads == shape.keyHeads && layout.headWidth == width,
    "attentionCached: \(out.count) outputs, \(tokens) tokens, \(layout)")
  guard tokens > 0 else { return }
  for i in 0..<tokens {
    precondition(
      slots[i] >= 0 && positions[i] >= 0 && Int(positions[i]) / ScoreTile.keys < blocks
        && (Int(slots[i]) + 1) * blocks <= tables.count,
      "slot \(slots[i]), position \(positions[i]) in \(blocks) pages")
  }
  let (op, sp, pp, tp) = (out.base, slots.base, positions.base, tables.base)
  let base = UnsafeRawPointer(cache.base).assumingMemoryBound(to: Element.self)
  let first = starts?.base
  // A fixed number of tokens a task, so that the cuts do not depend on the threads.
  let grain = tokens <= 8 ? 1 : ScoreTile.queries
  let tasks = (tokens + grain - 1) / grain
  parallel(
    chunks: tasks * shape.keyHeads, scratch: attentionCachedScratch(layout), workspace: workspace
  ) { task, scratch in
    let keyHead = task % shape.keyHeads
    var i = task / shape.keyHeads * grain
    let end = min(tokens, i + grain)
    while i < end {
      var run = 1
      while i + run < end, sp[i + run] == sp[i], pp[i + run] == pp[i] + Int32(run) { run += 1 }
      let pages = KeyBlocks(
        keys: base + keyHead * layout.keysPerHead,
        values: base + layout.keyHeads * layout.keysPerHead + keyHead * layout.valuesPerHead,
        pages: tp + Int(sp[i]) * blocks, stride: layout.pageCount)
      for head in keyHead * shape.group..<(keyHead + 1) * shape.group {
        attendTile(
          out: op + i * outStride + head * width, outStride: outStride, logSum: nil,
          logSumStride: 0, q: q.base + i * q.stride + head * width, qStride: q.stride,
          queries: run, position: Int(pp[i]), starts: first.map { $0 + i }, blocks: pages,
          width: width, scale: shape.scale, scratch: scratch)
      }
      i += run
    }
  }
}
