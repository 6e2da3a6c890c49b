import TensorCore
import TensorKernels

/// The keys and values of sequences under way, so that a new token costs one pass over them.
///
/// Slots are independent: what a sequence gives does not depend on its slot or on its neighbours. The
/// memory is cut into pages of ``pageTokens`` tokens, which slots take as they grow and share where one
/// was copied from another, until one of them writes.
public final class KeyValueCache {
  public typealias Format = CacheLayout.Format

  public static let pageTokens = CacheLayout.pageTokens

  public let slots: Int
  /// Tokens that a slot can hold.
  public let capacity: Int
  public let format: Format
  /// Tokens that each slot holds.
  public private(set) var lengths: [Int]
  private let layout: CacheLayout
  private let layers: [Buffer]
  /// (slots, blocks): the pages of each slot in their order; −1 for none.
  private var tables: [Int32]
  /// Pages in a row of `tables`.
  private let blocks: Int
  /// How many slots hold each page.
  private var holders: [Int32]
  /// Pages that no slot holds, the next one to use last.
  private var free: [Int32]

  /// Room for `slots` sequences of up to `capacity` tokens, at most the model's context.
  ///
  /// - Parameter pages: pages of memory for all of them; nil for as many as they can fill.
  public init(
    _ config: DecoderConfig, slots: Int, capacity: Int, pages: Int? = nil, format: Format = .float
  ) {
    self.slots = slots
    self.capacity = min(capacity, config.context)
    self.format = format
    blocks = Self.pages(tokens: self.capacity)
    layout = CacheLayout(
      pages: pages ?? slots * blocks, keyHeads: config.keyHeads, headWidth: config.headWidth,
      format: format)
    lengths = Array(repeating: 0, count: slots)
    tables = Array(repeating: -1, count: slots * blocks)
    holders = Array(repeating: 0, count: layout.pages)
    free = (0..<Int32(layout.pages)).reversed()
    let count = layout.count
    // Not zeroed: nothing is read that was not written, and what is never touched takes no memory.
    layers = (0..<config.layers).map { _ in Buffer(count) }
  }

  /// Pages that hold `tokens` tokens of one sequence.
  public static func pages(tokens: Int) -> Int { (tokens + pageTokens - 1) / pageTokens }

  /// Bytes of a page in all layers.
  public static func pageBytes(_ config: DecoderConfig, format: Format = .float) -> Int {
    CacheLayout(
      pages: 1, keyHeads: config.keyHeads, headWidth: config.headWidth, format: format
    ).count * config.layers * MemoryLayout<Float>.stride
  }

  /// Bytes that a cache of such a size takes.
  public static func bytes(
    _ config: DecoderConfig, slots: Int, capacity: Int, format: Format = .float
  ) -> Int {
    slots * pages(tokens: min(capacity, config.context)) * pageBytes(config, format: format)
  }

  public var pages: Int { layout.pages }
  /// Pages that no slot holds.
  public var freePages: Int { free.count }

  /// Pages that at least one of `slots` holds.
  public func pages(heldBy slots: some Sequence<Int>) -> Int {
    var held: Set<Int32> = []
    for slot in slots {
      for block in 0..<Self.pages(tokens: lengths[slot]) {
        held.insert(tables[slot * blocks + block])
      }
    }
    return held.count
  }

  /// Pages that `count` more tokens of a slot take at most.
  public func pagesNeeded(_ slot: Int, adding count: Int) -> Int {
    let length = lengths[slot]
    let fresh = Self.pages(tokens: length + count) - Self.pages(tokens: length)
    guard length % Self.pageTokens > 0, count > 0 else { return fresh }
    // The last page is copied before it is written to where another slot holds it too.
    return fresh + (holders[Int(tables[slot * blocks + length / Self.pageTokens])] > 1 ? 1 : 0)
  }

  /// Shortens a slot to its first `length` tokens; 0 empties it.
  public func truncate(_ slot: Int, to length: Int = 0) {
    precondition(
      length <= lengths[slot], "slot \(slot) holds \(lengths[slot]) tokens, not \(length)")
    for block in Self.pages(tokens: length)..<Self.pages(tokens: lengths[slot]) {
      let place = slot * blocks + block
      release(tables[place])
      tables[place] = -1
    }
    lengths[slot] = length
  }

  private func release(_ page: Int32) {
    holders[Int(page)] -= 1
    if holders[Int(page)] == 0 { free.append(page) }
  }

  private func take() -> Int32 {
    guard let page = free.popLast() else {
      preconditionFailure("the cache is full: all \(pages) pages are in use")
    }
    holders[Int(page)] = 1
    return page
  }

  /// Gives `to` the first `tokens` tokens of `from`, or all: what sequences have in common is computed
  /// once and stored once.
  public func copy(from: Int, to: Int, tokens: Int? = nil) {
    let tokens = tokens ?? lengths[from]
    precondition(
      tokens <= lengths[from], "slot \(from) holds \(lengths[from]) tokens, not \(tokens)")
    guard from != to else { return truncate(to, to: tokens) }
    truncate(to)
    for block in 0..<Self.pages(tokens: tokens) {
      let page = tables[from * blocks + block]
      holders[Int(page)] += 1
      tables[to * blocks + block] = page
    }
    lengths[to] = tokens
  }

  /// The positions of one more token in each of `slots`, which may repeat. The pages that they are
  /// written to are then the slots' own.
  func advance(_ slots: [Int32]) -> [Int32] {
    slots.map { slot in
      let slot = Int(slot)
      let position = lengths[slot]
      precondition(position < capacity, "slot \(slot) is full with \(position) tokens")
      let place = slot * blocks + position / Self.pageTokens
      if position % Self.pageTokens == 0 {
        tables[place] = take()
      } else if holders[Int(tables[place])] > 1 {
        let page = take()
        for layer in layers {
          copyPage(layer.values, from: Int(tables[place]), to: Int(page), layout)
        }
        release(tables[place])
        tables[place] = page
      }
      lengths[slot] += 1
      return Int32(position)
    }
  }

  /// Attention of new tokens, whose keys and values are added first.
  func attention(
    _ qkv: Tensor, _ form: AttentionForm, layer: Int, slots: [Int32], positions: [Int32]
  ) -> Tensor {
    let tokens = slots.count
    let queries = form.heads * form.headWidth
    let keys = form.keyHeads * form.headWidth
    let cache = layers[layer]
    let rotated = form.rotary.map { _ in Buffer(tokens * form.rotatedColumns) }
    let out = Buffer(tokens * queries)
    let workspace = Buffer(attentionCachedScratch(layout) * kernelThreads)
    let shape = form.attentionShape(rows: 1, length: tokens)
    let (queryNorm, keyNorm) = form.normWeights()
    let starts = form.window.map { window in positions.map { max(0, $0 - Int32(window) + 1) } }
    withPlaces(slots, positions) { slots, positions, tables in
      if let rotated, let rotary = form.rotary {
        rotateHeads(
          rotated.values, inverse: nil, qkv: qkv.values, queryNorm: queryNorm?.reading,
          keyNorm: keyNorm?.reading, positions: positions,
          table: rotary.covering(positions).reading, form.rotaryShape())
      }
      let source = rotated?.reading ?? qkv.values
      let stride = rotated == nil ? form.columns : form.rotatedColumns
      appendToCache(
        cache.values,
        k: Heads(source, tokens: tokens, stride: stride, offset: queries, width: keys),
        v: Heads(
          qkv.values, tokens: tokens, stride: form.columns, offset: queries + keys, width: keys),
        slots: slots, positions: positions, tables: tables, blocks: blocks, layout)
      func attend(_ starts: Integers?) {
        attentionCached(
          out.values,
          q: Heads(source, tokens: tokens, stride: stride, offset: 0, width: queries),
          cache: cache.reading, slots: slots, positions: positions, starts: starts,
          tables: tables, blocks: blocks, layout, shape, workspace: workspace.values)
      }
      if let starts { starts.withUnsafeBufferPointer { attend($0) } } else { attend(nil) }
    }
    return Tensor([tokens, queries], buffer: out)
  }

  private func withPlaces(
    _ slots: [Int32], _ positions: [Int32], _ body: (Integers, Integers, Integers) -> Void
  ) {
    slots.withUnsafeBufferPointer { slots in
      positions.withUnsafeBufferPointer { positions in
        tables.withUnsafeBufferPointer { body(slots, positions, $0) }
      }
    }
  }
}
