extension Tokenizer {
  /// Learns merges from documents: again and again, the pair of neighbours that occurs most becomes a
  /// token. Of equally frequent pairs, the one with the smaller ids comes first.
  ///
  /// Ids: the 256 bytes, the merges in their order, the special tokens.
  ///
  /// - Parameter progress: called now and then with the share that is done.
  /// - Throws: ``TokenizerError`` where the vocabulary is too small for the bytes and special tokens,
  ///   or where the documents hold too few pairs that occur twice.
  public static func train(
    documents: some Sequence<String>, vocabularySize: Int, preTokenizer: PreTokenizer,
    specials: [String] = ChatTemplate.specials, progress: ((Double) -> Void)? = nil
  ) throws -> Tokenizer {
    for (i, name) in specials.enumerated()
    where name.isEmpty || specials[..<i].contains(name) { throw TokenizerError.badSpecial(name) }
    let smallest = 256 + specials.count
    guard vocabularySize >= smallest else {
      throw TokenizerError.vocabularyTooSmall(requested: vocabularySize, smallest: smallest)
    }
    var counter = WordCounter()
    for document in documents { counter.add(document, preTokenizer) }
    progress?(0.5)
    let wanted = vocabularySize - smallest
    var trainer = MergeTrainer(counter)
    while trainer.merges.count < wanted, trainer.mergeMostFrequent() {
      if trainer.merges.count % 64 == 0 {
        progress?(0.5 + 0.5 * Double(trainer.merges.count) / Double(wanted))
      }
    }
    let found = trainer.merges
    guard found.count == wanted else {
      throw TokenizerError.corpusTooSmall(
        requested: vocabularySize, merges: found.count, largest: smallest + found.count)
    }
    var tokens = TokenBytes()
    for byte in 0..<256 { tokens.append([UInt8(byte)]) }
    var table = PairTable(capacity: found.count)
    for (rank, merge) in found.enumerated() {
      tokens.append(Array(tokens[Int(merge.0)]) + Array(tokens[Int(merge.1)]))
      table.insert(merge.0, merge.1, rank: Int32(rank), id: Int32(256 + rank))
    }
    for _ in specials { tokens.append([]) }
    progress?(1)
    return Tokenizer(
      .bytes(preTokenizer), tokens: tokens, merges: table,
      byteIDs: (0..<256).map { Int32($0) },
      specials: specials.enumerated().map { ($1, Int32(256 + found.count + $0)) })
  }
}

/// Counts pre-tokens: text has far fewer different ones than it has words.
private struct WordCounter {
  private(set) var words = TokenBytes()
  private(set) var counts: [Int] = []
  /// Word numbers, −1 for free.
  private var slots = [Int32](repeating: -1, count: 1 << 16)

  mutating func add(_ document: String, _ preTokenizer: PreTokenizer) {
    var document = document
    document.withUTF8 { bytes in
      guard let base = bytes.baseAddress else { return }
      var scanner = PreTokenScanner(base, count: bytes.count, kind: preTokenizer)
      var start = 0
      while start < bytes.count {
        let stop = scanner.next(after: start)
        // One byte has no pair.
        if stop - start > 1 { count(base + start, stop - start) }
        start = stop
      }
    }
  }

  @inline(__always)
  private mutating func count(_ p: UnsafePointer<UInt8>, _ length: Int) {
    let mask = slots.count - 1
    var i = Int(truncatingIfNeeded: hashBytes(p, length)) & mask
    while slots[i] >= 0 {
      let word = Int(slots[i])
      let start = words.offsets[word]
      if words.offsets[word + 1] - start == length, isEqual(p, start, length) {
        counts[word] += 1
        return
      }
      i = (i + 1) & mask
    }
    slots[i] = Int32(counts.count)
    words.append(UnsafeBufferPointer(start: p, count: length))
    counts.append(1)
    if 2 * counts.count > slots.count { grow() }
  }

  @inline(__always)
  private func isEqual(_ p: UnsafePointer<UInt8>, _ start: Int, _ length: Int) -> Bool {
    words.bytes.withUnsafeBufferPointer { bytes in
      for i in 0..<length where bytes[start + i] != p[i] { return false }
      return true
    }
  }

  private mutating func grow() {
    slots = Array(repeating: -1, count: 4 * slots.count)
    let mask = slots.count - 1
    words.bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      for word in counts.indices {
        let start = words.offsets[word]
        var i =
          Int(truncatingIfNeeded: hashBytes(base + start, words.offsets[word + 1] - start)) & mask
        while slots[i] >= 0 { i = (i + 1) & mask }
        slots[i] = Int32(word)
      }
    }
  }
}

/// The state of training: words as tokens, pairs with their counts and the words they stand in.
private struct MergeTrainer {
  private(set) var merges: [(Int32, Int32)] = []
  private var words: [[Int32]]
  private let counts: [Int]
  private var pairs: [UInt64: Pair] = [:]
  private var heap: [Candidate] = []

  private struct Pair {
    var count = 0
    /// Words that hold the pair, or held it once.
    var words: [Int32] = []
  }

  private struct Candidate {
    let count: Int
    let key: UInt64

    func precedes(_ other: Candidate) -> Bool {
      count != other.count ? count > other.count : key < other.key
    }
  }

  init(_ counter: WordCounter) {
    counts = counter.counts
    words = counter.counts.indices.map { counter.words[$0].map(Int32.init) }
    for (word, ids) in words.enumerated() {
      for i in 0..<ids.count - 1 {
        add(PairTable.key(ids[i], ids[i + 1]), counts[word], Int32(word))
      }
    }
    heap = pairs.map { Candidate(count: $0.value.count, key: $0.key) }
    for i in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(i) }
  }

  private mutating func add(_ key: UInt64, _ count: Int, _ word: Int32) {
    pairs[key, default: Pair()].count += count
    if count > 0, pairs[key]?.words.last != word { pairs[key]?.words.append(word) }
  }

  /// False where no pair occurs twice.
  mutating func mergeMostFrequent() -> Bool {
    while let top = heap.first {
      let count = pairs[top.key]?.count ?? 0
      if count == top.count {
        guard count >= 2 else { return false }
        popTop()
        apply(top.key)
        return true
      }
      // The count has fallen since; look again with the true one.
      popTop()
      if count > 0 { push(Candidate(count: count, key: top.key)) }
    }
    return false
  }

  private mutating func apply(_ key: UInt64) {
    let (a, b) = (Int32(truncatingIfNeeded: key >> 32), Int32(truncatingIfNeeded: key))
    let id = Int32(256 + merges.count)
    merges.append((a, b))
    guard let holders = pairs.removeValue(forKey: key)?.words else { return }
    var risen: Set<UInt64> = []
    for word in holders { replace(a, b, with: id, in: Int(word), &risen) }
    for pair in risen {
      if let count = pairs[pair]?.count, count > 0 { push(Candidate(count: count, key: pair)) }
    }
  }

  /// Merges the pair in one word, and moves the counts of its neighbours.
  private mutating func replace(
    _ a: Int32, _ b: Int32, with id: Int32, in word: Int, _ risen: inout Set<UInt64>
  ) {
    let old = words[word]
    let count = counts[word]
    var new: [Int32] = []
    new.reserveCapacity(old.count)
    var i = 0
    while i < old.count {
      if i + 1 < old.count, old[i] == a, old[i + 1] == b {
        new.append(id)
        i += 2
      } else {
        new.append(old[i])
        i += 1
      }
    }
    guard new.count < old.count else { return }
    for i in 0..<old.count - 1 {
      let key = PairTable.key(old[i], old[i + 1])
      if key != PairTable.key(a, b) { pairs[key]?.count -= count }
    }
    for i in 0..<max(0, new.count - 1) {
      let key = PairTable.key(new[i], new[i + 1])
      add(key, count, Int32(word))
      if new[i] == id || new[i + 1] == id { risen.insert(key) }
    }
    words[word] = new
  }

  private mutating func push(_ candidate: Candidate) {
    heap.append(candidate)
    var i = heap.count - 1
    while i > 0, heap[i].precedes(heap[(i - 1) / 2]) {
      heap.swapAt(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  private mutating func popTop() {
    guard let last = heap.popLast(), !heap.isEmpty else { return }
    heap[0] = last
    sink(0)
  }

  private mutating func sink(_ start: Int) {
    var i = start
    while true {
      var best = i
      if 2 * i + 1 < heap.count, heap[2 * i + 1].precedes(heap[best]) { best = 2 * i + 1 }
      if 2 * i + 2 < heap.count, heap[2 * i + 2].precedes(heap[best]) { best = 2 * i + 2 }
      if best == i { return }
      heap.swapAt(i, best)
      i = best
    }
  }
}
