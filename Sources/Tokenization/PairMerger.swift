/// Merges the pairs of one pre-token, the lowest rank first and, of equal ranks, the leftmost.
struct PairMerger {
  private var ids: [Int32] = []
  /// (rank, id) of the pair that begins at each token.
  private var pairs: [SIMD2<Int32>] = []

  /// Up to this many bytes, looking through all pairs beats keeping a heap.
  private static let shortLength = 96

  mutating func merge(
    _ bytes: UnsafePointer<UInt8>, _ count: Int, byteIDs: [Int32], merges: PairTable,
    into out: inout [Int32]
  ) {
    if count == 1 {
      out.append(byteIDs[Int(bytes[0])])
    } else if count <= Self.shortLength {
      mergeShort(bytes, count, byteIDs, merges, &out)
    } else {
      mergeLong(bytes, count, byteIDs, merges, &out)
    }
  }

  private mutating func mergeShort(
    _ bytes: UnsafePointer<UInt8>, _ count: Int, _ byteIDs: [Int32], _ merges: PairTable,
    _ out: inout [Int32]
  ) {
    ids.removeAll(keepingCapacity: true)
    pairs.removeAll(keepingCapacity: true)
    for i in 0..<count { ids.append(byteIDs[Int(bytes[i])]) }
    for i in 0..<count - 1 { pairs.append(merges.find(ids[i], ids[i + 1])) }
    pairs.append(SIMD2(.max, -1))
    var length = count
    ids.withUnsafeMutableBufferPointer { ids in
      pairs.withUnsafeMutableBufferPointer { pairs in
        while length > 1 {
          var best = 0
          for i in 1..<length - 1 + 1 where pairs[i].x < pairs[best].x { best = i }
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

  /// A linked list of tokens and a heap of pairs: n log n for a pre-token of a megabyte.
  private func mergeLong(
    _ bytes: UnsafePointer<UInt8>, _ count: Int, _ byteIDs: [Int32], _ merges: PairTable,
    _ out: inout [Int32]
  ) {
    var ids = (0..<count).map { byteIDs[Int(bytes[$0])] }
    var next = Array(1...count)
    var previous = Array(-1..<count - 1)
    var heap = MergeHeap()
    func push(_ left: Int) {
      guard left >= 0, next[left] < count else { return }
      let found = merges.find(ids[left], ids[next[left]])
      if found.x != .max {
        heap.push(
          MergeHeap.Entry(
            rank: found.x, at: left, left: ids[left], right: ids[next[left]], id: found.y))
      }
    }
    for i in 0..<count - 1 { push(i) }
    while let entry = heap.pop() {
      let right = ids[entry.at] >= 0 ? next[entry.at] : count
      // An entry is stale where either token has changed since.
      guard right < count, ids[entry.at] == entry.left, ids[right] == entry.right else { continue }
      ids[entry.at] = entry.id
      ids[right] = -1
      next[entry.at] = next[right]
      if next[right] < count { previous[next[right]] = entry.at }
      push(previous[entry.at])
      push(entry.at)
    }
    var at = 0
    while at < count {
      out.append(ids[at])
      at = next[at]
    }
  }
}

/// A binary heap of merges, the lowest rank and then the leftmost on top.
private struct MergeHeap {
  struct Entry {
    let rank: Int32
    let at: Int
    let left: Int32
    let right: Int32
    let id: Int32

    func precedes(_ other: Entry) -> Bool {
      rank != other.rank ? rank < other.rank : at < other.at
    }
  }

  private var entries: [Entry] = []

  mutating func push(_ entry: Entry) {
    entries.append(entry)
    var i = entries.count - 1
    while i > 0, entries[i].precedes(entries[(i - 1) / 2]) {
      entries.swapAt(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  mutating func pop() -> Entry? {
    guard let top = entries.first, let last = entries.popLast() else { return nil }
    guard !entries.isEmpty else { return top }
    entries[0] = last
    var i = 0
    while true {
      var least = i
      for child in [2 * i + 1, 2 * i + 2]
      where child < entries.count && entries[child].precedes(entries[least]) {
        least = child
      }
      if least == i { return top }
      entries.swapAt(i, least)
      i = least
    }
  }
}
