import TensorCore
import TensorKernels

/// The keys and values of sequences under way, so that a new token costs one pass over them.
///
/// Slots are independent: what a sequence gives does not depend on its slot or on its neighbours.
public final class KeyValueCache {
  public let slots: Int
  /// Tokens that a slot can hold.
  public let capacity: Int
  /// Tokens that each slot holds.
  public private(set) var lengths: [Int]
  private let layout: CacheLayout
  private let layers: [Buffer]

  /// Room for `slots` sequences of up to `capacity` tokens, at most the model's context.
  public init(_ config: DecoderConfig, slots: Int, capacity: Int) {
    self.slots = slots
    self.capacity = min(capacity, config.context)
    layout = CacheLayout(
      slots: slots, capacity: self.capacity, keyHeads: config.keyHeads, headWidth: config.headWidth)
    lengths = Array(repeating: 0, count: slots)
    let count = layout.count
    layers = (0..<config.layers).map { _ in Buffer(count, zeroed: true) }
  }

  /// Bytes that a cache of such a size takes.
  public static func bytes(_ config: DecoderConfig, slots: Int, capacity: Int) -> Int {
    CacheLayout(
      slots: slots, capacity: min(capacity, config.context), keyHeads: config.keyHeads,
      headWidth: config.headWidth
    ).count * config.layers * MemoryLayout<Float>.stride
  }

  /// Shortens a slot to its first `length` tokens; 0 empties it.
  public func truncate(_ slot: Int, to length: Int = 0) {
    precondition(
      length <= lengths[slot], "slot \(slot) holds \(lengths[slot]) tokens, not \(length)")
    lengths[slot] = length
  }

  /// Gives `to` the first `tokens` tokens of `from`, or all: what sequences have in common is computed
  /// once.
  public func copy(from: Int, to: Int, tokens: Int? = nil) {
    let tokens = tokens ?? lengths[from]
    precondition(
      tokens <= lengths[from], "slot \(from) holds \(lengths[from]) tokens, not \(tokens)")
    for layer in layers { copySlot(layer.values, from: from, to: to, tokens: tokens, layout) }
    lengths[to] = tokens
  }

  /// The positions of one more token in each of `slots`, which may repeat.
  func advance(_ slots: [Int32]) -> [Int32] {
    slots.map { slot in
      let position = lengths[Int(slot)]
      precondition(position < capacity, "slot \(slot) is full with \(position) tokens")
      lengths[Int(slot)] += 1
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
    let workspace = Buffer(attentionCachedScratch * kernelThreads)
    let shape = form.attentionShape(rows: 1, length: tokens)
    let (queryNorm, keyNorm) = form.normWeights()
    let starts = form.window.map { window in positions.map { max(0, $0 - Int32(window) + 1) } }
    slots.withUnsafeBufferPointer { slots in
      positions.withUnsafeBufferPointer { positions in
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
          slots: slots, positions: positions, layout)
        func attend(_ starts: Integers?) {
          attentionCached(
            out.values,
            q: Heads(source, tokens: tokens, stride: stride, offset: 0, width: queries),
            cache: cache.reading, slots: slots, positions: positions, starts: starts, layout,
            shape, workspace: workspace.values)
        }
        if let starts { starts.withUnsafeBufferPointer { attend($0) } } else { attend(nil) }
      }
    }
    return Tensor([tokens, queries], buffer: out)
  }
}
