// Attention over a cache of keys and values. A slot holds one sequence: its keys and values stand
// in the panels that the tiles of ``attention(_:logSum:q:k:v:starts:_:workspace:)`` read, so a new
// token costs one pass over them, and gives the bits that the whole sequence would.

/// The memory of one layer of a cache: `slots` sequences of up to `capacity` tokens.
public struct CacheLayout: Sendable, Equatable {
  public let slots: Int
  /// Tokens that a slot can hold, a multiple of 48.
  public let capacity: Int
  public let keyHeads: Int
  public let headWidth: Int

  /// Rounds `capacity` up to whole tiles.
  public init(slots: Int, capacity: Int, keyHeads: Int, headWidth: Int) {
    self.slots = slots
    self.capacity = roundedUp(max(1, capacity), to: ScoreTile.keys)
    (self.keyHeads, self.headWidth) = (keyHeads, headWidth)
  }

  var keysPerHead: Int { capacity * headWidth }
  var valuesPerHead: Int { capacity * roundedUp(headWidth, to: Tile.columns) }
  /// Floats of keys and values of one slot.
  public var slotCount: Int { keyHeads * (keysPerHead + valuesPerHead) }
  /// Floats of one layer.
  public var count: Int { slots * slotCount }

  func keys(slot: Int, head: Int) -> Int { slot * slotCount + head * keysPerHead }
  func values(slot: Int, head: Int) -> Int {
    slot * slotCount + keyHeads * keysPerHead + head * valuesPerHead
  }
}

/// Writes the keys and values of one token each into slot `slots[i]` at `positions[i]`.
public func appendToCache(
  _ cache: MutableFloats, k: Heads, v: Heads, slots: Integers, positions: Integers,
  _ layout: CacheLayout
) {
  precondition(cache.count == layout.count, "cache of \(cache.count) values for \(layout)")
  precondition(slots.count == positions.count, "\(slots.count) slots, \(positions.count) positions")
  let width = layout.headWidth
  for i in 0..<slots.count {
    let (slot, t) = (Int(slots[i]), Int(positions[i]))
    precondition(
      slot >= 0 && slot < layout.slots && t >= 0 && t < layout.capacity,
      "no room for slot \(slot), position \(t) in \(layout)")
    for head in 0..<layout.keyHeads {
      let key = k.base + i * k.stride + head * width
      let value = v.base + i * v.stride + head * width
      let keys =
        cache.base + layout.keys(slot: slot, head: head)
        + t / Tile.columns * Tile.columns * width + t % Tile.columns
      let values = cache.base + layout.values(slot: slot, head: head) + t * Tile.columns
      for d in 0..<width {
        keys[d * Tile.columns] = key[d]
        values[d / Tile.columns * layout.capacity * Tile.columns + d % Tile.columns] = value[d]
      }
    }
  }
}

/// Copies the first `tokens` tokens of a slot to another, rounded up to a panel.
public func copySlot(
  _ cache: MutableFloats, from: Int, to: Int, tokens: Int, _ layout: CacheLayout
) {
  precondition(cache.count == layout.count && tokens <= layout.capacity, "copySlot: \(layout)")
  let rounded = roundedUp(tokens, to: Tile.columns)
  for head in 0..<layout.keyHeads {
    (cache.base + layout.keys(slot: to, head: head)).update(
      from: cache.base + layout.keys(slot: from, head: head), count: rounded * layout.headWidth)
    for d in stride(from: 0, to: layout.headWidth, by: Tile.columns) {
      let column = d * layout.capacity
      (cache.base + layout.values(slot: to, head: head) + column).update(
        from: cache.base + layout.values(slot: from, head: head) + column,
        count: rounded * Tile.columns)
    }
  }
}

/// Floats of scratch a thread that ``attentionCached(_:q:cache:slots:positions:_:_:workspace:)``
/// needs.
public let attentionCachedScratch =
  ScoreTile.queries * ScoreTile.keys + 2 * ScoreTile.queries

/// out (tokens, heads·headWidth): token i, at `positions[i]` of slot `slots[i]`, over all tokens of
/// its slot up to itself. Its own key and value must be in the cache already.
///
/// Consecutive tokens of a slot share the work of a tile; the bits do not depend on it.
///
/// - Parameters:
///   - starts: for every token, the first position that it sees; nil for all from 0 on.
///   - workspace: ``attentionCachedScratch`` values a thread.
public func attentionCached(
  _ out: MutableFloats, q: Heads, cache: Floats, slots: Integers, positions: Integers,
  starts: Integers? = nil, _ layout: CacheLayout, _ shape: AttentionShape,
  workspace: MutableFloats
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
  let (op, cp, sp, pp) = (out.base, cache.base, slots.base, positions.base)
  let first = starts?.base
  // A fixed number of tokens a task, so that the cuts do not depend on the threads.
  let grain = tokens <= 8 ? 1 : ScoreTile.queries
  let tasks = (tokens + grain - 1) / grain
  parallel(
    chunks: tasks * shape.keyHeads, scratch: attentionCachedScratch, workspace: workspace
  ) { task, scratch in
    let keyHead = task % shape.keyHeads
    var i = task / shape.keyHeads * grain
    let end = min(tokens, i + grain)
    while i < end {
      var run = 1
      while i + run < end, sp[i + run] == sp[i], pp[i + run] == pp[i] + Int32(run) { run += 1 }
      let slot = Int(sp[i])
      for head in keyHead * shape.group..<(keyHead + 1) * shape.group {
        attendTile(
          out: op + i * outStride + head * width, outStride: outStride, logSum: nil,
          logSumStride: 0, q: q.base + i * q.stride + head * width, qStride: q.stride,
          queries: run, position: Int(pp[i]), starts: first.map { $0 + i },
          keys: cp + layout.keys(slot: slot, head: keyHead),
          values: cp + layout.values(slot: slot, head: keyHead), valueRows: layout.capacity,
          width: width, scale: shape.scale, scratch: scratch)
      }
      i += run
    }
  }
}
