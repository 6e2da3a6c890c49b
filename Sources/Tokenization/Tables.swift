// Flat hash tables with open addressing: lookups are what encoding spends its time on.

/// Pairs of neighbouring tokens that merge, with their rank and the token they become.
struct PairTable: Sendable {
  private(set) var keys: [UInt64]
  private var values: [SIMD2<Int32>]
  private var mask: Int
  private(set) var count = 0

  init(capacity: Int) {
    var size = 64
    while size < 2 * capacity { size *= 2 }
    keys = Array(repeating: .max, count: size)
    values = Array(repeating: SIMD2(-1, -1), count: size)
    mask = size - 1
  }

  @inline(__always)
  static func key(_ a: Int32, _ b: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: a)) << 32 | UInt64(UInt32(bitPattern: b))
  }

  @inline(__always)
  private static func slot(_ key: UInt64, _ mask: Int) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
  }

  /// Keeps the first value of a key; false where there was one.
  @discardableResult
  mutating func insert(_ a: Int32, _ b: Int32, rank: Int32, id: Int32) -> Bool {
    precondition(2 * count < keys.count, "the pair table is full")
    let key = Self.key(a, b)
    var i = Self.slot(key, mask)
    while keys[i] != .max {
      if keys[i] == key { return false }
      i = (i + 1) & mask
    }
    keys[i] = key
    values[i] = SIMD2(rank, id)
    count += 1
    return true
  }

  init(_ pairs: [(a: Int32, b: Int32, rank: Int32, id: Int32)]) {
    self.init(capacity: pairs.count)
    for pair in pairs { insert(pair.a, pair.b, rank: pair.rank, id: pair.id) }
  }

  /// (rank, id), or a rank of `Int32.max` where the pair does not merge.
  @inline(__always)
  func find(_ a: Int32, _ b: Int32) -> SIMD2<Int32> {
    let key = Self.key(a, b)
    return keys.withUnsafeBufferPointer { keys in
      var i = Self.slot(key, mask)
      while true {
        let found = keys[i]
        if found == key { return values.withUnsafeBufferPointer { $0[i] } }
        if found == .max { return SIMD2(.max, -1) }
        i = (i + 1) & mask
      }
    }
  }

  /// All pairs, as (a, b, rank, id).
  func all() -> [(a: Int32, b: Int32, rank: Int32, id: Int32)] {
    keys.indices.compactMap { i in
      guard keys[i] != .max else { return nil }
      return (
        Int32(truncatingIfNeeded: keys[i] >> 32), Int32(truncatingIfNeeded: keys[i]),
        values[i].x, values[i].y
      )
    }
  }
}

extension PairTable {
  /// Every way to make a token of two others, for vocabularies that give tokens ranks and list no
  /// merges.
  ///
  /// - Parameters:
  ///   - table: the tokens that take part, by their bytes.
  ///   - ranks: by id; nil for tokens that take no part.
  init(
    spelledBy tokens: TokenBytes, table: ByteTable, ranks: [Int32?], onlyWholeCharacters: Bool
  ) {
    var pairs: [(a: Int32, b: Int32, rank: Int32, id: Int32)] = []
    tokens.bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      for id in 0..<tokens.count {
        let length = tokens.length(id)
        guard length > 1, let rank = ranks[id] else { continue }
        let p = base + tokens.offsets[id]
        for cut in 1..<length where !onlyWholeCharacters || p[cut] & 0xC0 != 0x80 {
          let a = table.find(p, cut, in: tokens)
          guard a >= 0 else { continue }
          let b = table.find(p + cut, length - cut, in: tokens)
          if b >= 0 { pairs.append((a, b, rank, Int32(id))) }
        }
      }
    }
    self.init(pairs)
  }
}

/// A hash of `count` bytes, eight at a time.
@inline(__always)
func hashBytes(_ p: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
  var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: count)
  var i = 0
  while i + 8 <= count {
    let word = UnsafeRawPointer(p + i).loadUnaligned(as: UInt64.self)
    hash = mix(hash ^ word)
    i += 8
  }
  if i < count {
    var tail: UInt64 = 0
    while i < count {
      tail = tail << 8 | UInt64(p[i])
      i += 1
    }
    hash = mix(hash ^ tail)
  }
  return hash
}

@inline(__always)
private func mix(_ x: UInt64) -> UInt64 {
  let product = x.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
  return product.high ^ product.low
}

/// The bytes of every token, one after another.
struct TokenBytes: Sendable {
  private(set) var bytes: [UInt8] = []
  private(set) var offsets: [Int] = [0]

  var count: Int { offsets.count - 1 }

  mutating func append(_ token: some Collection<UInt8>) {
    bytes.append(contentsOf: token)
    offsets.append(bytes.count)
  }

  func length(_ id: Int) -> Int { offsets[id + 1] - offsets[id] }

  subscript(id: Int) -> ArraySlice<UInt8> { bytes[offsets[id]..<offsets[id + 1]] }
}

/// Finds a token by its bytes.
struct ByteTable: Sendable {
  private var slots: [Int32]
  private var mask: Int

  init(capacity: Int) {
    var size = 64
    while size < 2 * capacity { size *= 2 }
    slots = Array(repeating: -1, count: size)
    mask = size - 1
  }

  /// False where a token with these bytes is there already.
  @discardableResult
  mutating func insert(_ id: Int32, of tokens: TokenBytes) -> Bool {
    let range = tokens.offsets[Int(id)]..<tokens.offsets[Int(id) + 1]
    return tokens.bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return false }
      let (p, count) = (base + range.lowerBound, range.count)
      var i = Int(truncatingIfNeeded: hashBytes(p, count)) & mask
      while slots[i] >= 0 {
        if Self.equal(p, count, slots[i], base, tokens.offsets) { return false }
        i = (i + 1) & mask
      }
      slots[i] = id
      return true
    }
  }

  /// The token with these bytes, or −1.
  @inline(__always)
  func find(_ p: UnsafePointer<UInt8>, _ count: Int, in tokens: TokenBytes) -> Int32 {
    tokens.bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return -1 }
      return tokens.offsets.withUnsafeBufferPointer { offsets in
        slots.withUnsafeBufferPointer { slots in
          var i = Int(truncatingIfNeeded: hashBytes(p, count)) & mask
          while true {
            let id = slots[i]
            if id < 0 { return -1 }
            let start = offsets[Int(id)]
            if offsets[Int(id) + 1] - start == count, Self.same(p, base + start, count) {
              return id
            }
            i = (i + 1) & mask
          }
        }
      }
    }
  }

  private static func equal(
    _ p: UnsafePointer<UInt8>, _ count: Int, _ id: Int32, _ base: UnsafePointer<UInt8>,
    _ offsets: [Int]
  ) -> Bool {
    let start = offsets[Int(id)]
    return offsets[Int(id) + 1] - start == count && same(p, base + start, count)
  }

  @inline(__always)
  private static func same(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int)
    -> Bool
  {
    var i = 0
    while i + 8 <= count {
      if UnsafeRawPointer(a + i).loadUnaligned(as: UInt64.self)
        != UnsafeRawPointer(b + i).loadUnaligned(as: UInt64.self)
      {
        return false
      }
      i += 8
    }
    while i < count {
      if a[i] != b[i] { return false }
      i += 1
    }
    return true
  }
}
