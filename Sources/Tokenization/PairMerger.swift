/// Merges the pairs of one pre-token, the lowest rank first and, of equal ranks, the leftmost.
struct PairMerger {
  /// The symbols to merge; the caller fills it.
  var ids: [Int32] = []
  /// (rank, id) of the pair that begins at each symbol.
  private var pairs: [SIMD2<Int32>] = []

  /// Up to this many symbols, looking through all pairs beats keeping a heap.
  private static let shortLength = 96

  /// Merges the bytes of a pre-token. A byte without a token (−1) is left out, as the libraries do
  /// that made vocabularies with such gaps.
  @inline(__always)
  mutating func merge(
    _ bytes: UnsafePointer<UInt8>, _ count: Int, byteIDs: [Int32], merges: PairTable,
    into out: inout [Int32]
  ) {
    ids.removeAll(keepingCapacity: true)
    for i in 0..<count {
      let id = byteIDs[Int(bytes[i])]
      if id >= 0 { ids.append(id) }
    }
    merge(merges, into: &out)
  }

  /// Merges ``ids``, which is left in an unspecified state.
  mutating func merge(_ merges: PairTable, into out: inout [Int32]) {
    if ids.count <= 1 {
      out.append(contentsOf: ids)
    } else if ids.count <= Self.shortLength {
      mergeShort(merges, &out)
    } else {
      mergeLong(merges, &out)
    }
  }

  private mutating func mergeShort(_ merges: PairTable, _ out: inout [Int32]) {
    let count = ids.count
    pairs.removeAll(keepingCapacity: true)
    for i in 0..<count - 1 { pairs.append(merges.find(ids[i], ids[i + 1])) }
    pairs.append(SIMD2(.max, -1))
    var length = count
    ids.withUnsafeMutableBufferPointer { ids in
      pairs.withUnsafeMutableBufferPointer { pairs in
        while length > 1 {
          var best = 0
          for i in 1..<length where pairs[i].x < pairs[best].x { best = i }
          guard pairs[best].x != .max else { break }
          ids[best] = pairs[best].y
          for i in best + 1..<length - 1 {
            ids[i] = ids[i + 1]
            pairs[i] = pairs[i + 1]
          }
          length -= 1
          pairs[length - 1] = SIMD2(.max, -1)
          if best < length - 1 { pairs[best] = merges.find(ids[best], ids[best + 1]) }
          if best > 0 { pairs[best - 1] = merges.find(ids[best - 1], ids[best]) }
        }
      }
    }
    out.append(contentsOf: ids[0..<length])
  }

  /// A linked list of symbols and a heap of pairs: n log n for a pre-token of megabytes.
  private mutating func mergeLong(_ merges: PairTable, _ out: inout [Int32]) {
    let count = ids.count
    var next = (0..<count).map { Int32(truncatingIfNeeded: $0 + 1) }
    var previous = (0..<count).map { Int32(truncatingIfNeeded: $0 - 1) }
    pairs.removeAll(keepingCapacity: true)
    for i in 0..<count - 1 { pairs.append(merges.find(ids[i], ids[i + 1])) }
    pairs.append(SIMD2(.max, -1))
    var heap = MergeHeap()
    for i in 0..<count - 1 where pairs[i].x != .max { heap.add(rank: pairs[i].x, at: i) }
    heap.order()
    while let entry = heap.pop() {
      let at = entry.at
      // An entry is stale where the pair has changed since.
      guard pairs[at].x == entry.rank else { continue }
      let right = Int(next[at])
      ids[at] = pairs[at].y
      pairs[right].x = .max
      let after = Int(next[right])
      next[at] = Int32(truncatingIfNeeded: after)
      pairs[at] = SIMD2(.max, -1)
      if after < count {
        previous[after] = Int32(truncatingIfNeeded: at)
        pairs[at] = merges.find(ids[at], ids[after])
        if pairs[at].x != .max { heap.push(rank: pairs[at].x, at: at) }
      }
      let before = Int(previous[at])
      if before >= 0 {
        pairs[before] = merges.find(ids[before], ids[at])
        if pairs[before].x != .max { heap.push(rank: pairs[before].x, at: before) }
      }
    }
    var at = 0
    while at < count {
      out.append(ids[at])
      at = Int(next[at])
    }
  }
}

/// A binary heap of merges, the lowest rank and then the leftmost on top.
private struct MergeHeap {
  /// Rank and place in one number, so that entries compare as they should.
  private var entries: [UInt64] = []

  @inline(__always)
  private static func entry(_ rank: Int32, _ at: Int) -> UInt64 {
    UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(truncatingIfNeeded: at)
  }

  /// Adds an entry out of order; ``order()`` comes after the last.
  mutating func add(rank: Int32, at: Int) { entries.append(Self.entry(rank, at)) }

  mutating func order() {
    for i in stride(from: entries.count / 2 - 1, through: 0, by: -1) { sink(i) }
  }

  mutating func push(rank: Int32, at: Int) {
    entries.append(Self.entry(rank, at))
    var i = entries.count - 1
    while i > 0, entries[i] < entries[(i - 1) / 2] {
      entries.swapAt(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  mutating func pop() -> (rank: Int32, at: Int)? {
    guard let top = entries.first, let last = entries.popLast() else { return nil }
    if !entries.isEmpty {
      entries[0] = last
      sink(0)
    }
    return (Int32(truncatingIfNeeded: top >> 32), Int(truncatingIfNeeded: top & 0xFFFF_FFFF))
  }

  private mutating func sink(_ start: Int) {
    var i = start
    while true {
      var least = i
      let child = 2 * i + 1
      if child < entries.count, entries[child] < entries[least] { least = child }
      if child + 1 < entries.count, entries[child + 1] < entries[least] { least = child + 1 }
      if least == i { return }
      entries.swapAt(i, least)
      i = least
    }
  }
}
