// gzip (RFC 1952) over DEFLATE (RFC 1951), read strictly: every checksum must hold, and what comes
// out is capped, so that a small hostile file cannot fill the memory.

/// The bytes of a gzip file, its members one after another.
///
/// - Throws: ``CorpusError`` without a file's name; the caller knows it.
func inflateGzip(_ bytes: [UInt8], limit: Int = 4 << 30) throws -> [UInt8] {
  var out: [UInt8] = []
  var reader = BitReader(bytes)
  repeat {
    try skipGzipHeader(&reader)
    let start = out.count
    try inflate(&reader, into: &out, limit: limit)
    reader.alignToByte()
    let (checksum, size) = (try reader.little32(), try reader.little32())
    guard size == UInt32(truncatingIfNeeded: out.count - start), checksum == crc32(out[start...])
    else { throw CorpusError("its checksum does not hold: the file is damaged") }
  } while !reader.isAtEnd
  return out
}

private func skipGzipHeader(_ reader: inout BitReader) throws {
  let head = try (0..<10).map { _ in try reader.byte() }
  guard head[0] == 0x1F, head[1] == 0x8B, head[2] == 8, head[3] & 0xE0 == 0 else {
    throw CorpusError("it is not a gzip file")
  }
  let flags = head[3]
  if flags & 4 != 0 {
    let low = Int(try reader.byte())
    let length = try low | Int(reader.byte()) << 8
    for _ in 0..<length { _ = try reader.byte() }
  }
  // A name and a comment, each ended by a zero.
  for flag: UInt8 in [8, 16] where flags & flag != 0 {
    while try reader.byte() != 0 {}
  }
  if flags & 2 != 0 { for _ in 0..<2 { _ = try reader.byte() } }
}

private func inflate(_ reader: inout BitReader, into out: inout [UInt8], limit: Int) throws {
  var isLast = false
  while !isLast {
    isLast = try reader.bits(1) == 1
    switch try reader.bits(2) {
    case 0: try copyStored(&reader, into: &out)
    case 1: try inflateBlock(&reader, .fixedLiterals, .fixedDistances, into: &out, limit: limit)
    case 2:
      let (literals, distances) = try readCodes(&reader)
      try inflateBlock(&reader, literals, distances, into: &out, limit: limit)
    default: throw CorpusError("it holds a block of an unknown kind: the file is damaged")
    }
  }
}

private func copyStored(_ reader: inout BitReader, into out: inout [UInt8]) throws {
  reader.alignToByte()
  let length = try reader.bits(16)
  guard try reader.bits(16) == ~length & 0xFFFF else {
    throw CorpusError("a stored block has the wrong length: the file is damaged")
  }
  for _ in 0..<length { out.append(try reader.byte()) }
}

private let lengthBase = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
  163, 195, 227, 258,
]
private let lengthBits = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
]
private let distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1_025, 1_537,
  2_049, 3_073, 4_097, 6_145, 8_193, 12_289, 16_385, 24_577,
]

private func inflateBlock(
  _ reader: inout BitReader, _ literals: HuffmanCode, _ distances: HuffmanCode,
  into out: inout [UInt8], limit: Int
) throws {
  while true {
    let symbol = try literals.decode(&reader)
    if symbol < 256 {
      out.append(UInt8(symbol))
    } else if symbol == 256 {
      return
    } else {
      guard symbol - 257 < lengthBase.count else { throw CorpusError("the file is damaged") }
      let length = lengthBase[symbol - 257] + (try reader.bits(lengthBits[symbol - 257]))
      let code = try distances.decode(&reader)
      guard code < distanceBase.count else { throw CorpusError("the file is damaged") }
      let distance = distanceBase[code] + (try reader.bits(code < 2 ? 0 : code / 2 - 1))
      guard distance <= out.count else {
        throw CorpusError("it points back before its beginning: the file is damaged")
      }
      // One by one: the source may overlap what is being written.
      for _ in 0..<length { out.append(out[out.count - distance]) }
    }
    guard out.count <= limit else {
      throw CorpusError("it unpacks to more than \(limit >> 20) MB: unpack and cut it first")
    }
  }
}

/// The two codes that a dynamic block begins with, themselves Huffman-coded as lengths.
private func readCodes(_ reader: inout BitReader) throws -> (HuffmanCode, HuffmanCode) {
  let literals = try reader.bits(5) + 257
  let distances = try reader.bits(5) + 1
  let count = try reader.bits(4) + 4
  let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
  var lengths = [Int](repeating: 0, count: 19)
  for i in order.prefix(count) { lengths[i] = try reader.bits(3) }
  let code = try HuffmanCode(lengths: lengths)
  var all: [Int] = []
  while all.count < literals + distances {
    switch try code.decode(&reader) {
    case 16:
      guard let last = all.last else { throw CorpusError("the file is damaged") }
      all += Array(repeating: last, count: 3 + (try reader.bits(2)))
    case 17: all += Array(repeating: 0, count: 3 + (try reader.bits(3)))
    case 18: all += Array(repeating: 0, count: 11 + (try reader.bits(7)))
    case let length: all.append(length)
    }
  }
  guard all.count == literals + distances else { throw CorpusError("the file is damaged") }
  return (
    try HuffmanCode(lengths: Array(all[..<literals])),
    try HuffmanCode(lengths: Array(all[literals...]))
  )
}

/// A canonical Huffman code of at most 15 bits.
private struct HuffmanCode {
  /// How many codes have each length, and the symbols in the order of their codes.
  private var counts = [Int](repeating: 0, count: 16)
  private var symbols: [Int] = []
  /// By the next 9 bits: symbol · 16 + length, or −1 where the code is longer.
  private var quick = [Int](repeating: -1, count: 512)

  static let fixedLiterals = HuffmanCode(
    complete: Array(repeating: 8, count: 144) + Array(repeating: 9, count: 112)
      + Array(repeating: 7, count: 24) + Array(repeating: 8, count: 8))
  static let fixedDistances = HuffmanCode(complete: Array(repeating: 5, count: 30))

  init(lengths: [Int]) throws {
    var left = 1
    for length in 1...15 {
      left = 2 * left - lengths.count { $0 == length }
      guard left >= 0 else { throw CorpusError("a code has too many words: the file is damaged") }
    }
    self.init(complete: lengths)
  }

  private init(complete lengths: [Int]) {
    for length in lengths where length > 0 { counts[length] += 1 }
    for length in 1...15 {
      for (symbol, found) in lengths.enumerated() where found == length { symbols.append(symbol) }
    }
    fillQuick()
  }

  private mutating func fillQuick() {
    var (code, index) = (0, 0)
    for length in 1...9 {
      for _ in 0..<counts[length] {
        var reversed = 0
        for bit in 0..<length where code >> bit & 1 == 1 { reversed |= 1 << (length - 1 - bit) }
        for entry in stride(from: reversed, to: 512, by: 1 << length) {
          quick[entry] = symbols[index] * 16 + length
        }
        (code, index) = (code + 1, index + 1)
      }
      code <<= 1
    }
  }

  func decode(_ reader: inout BitReader) throws -> Int {
    let entry = quick[reader.peek(9)]
    if entry >= 0 {
      try reader.skip(entry & 15)
      return entry >> 4
    }
    // Bit by bit: `code` less the first code of each length is the place among its symbols.
    var (code, first, index) = (0, 0, 0)
    for length in 1...15 {
      code |= try reader.bits(1)
      let count = counts[length]
      if code - first < count { return symbols[index + code - first] }
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    throw CorpusError("it holds a word that its code does not: the file is damaged")
  }
}

/// Bits from the lowest of each byte.
private struct BitReader {
  private let bytes: [UInt8]
  private var at = 0
  private var held: UInt64 = 0
  private var count = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { count == 0 && at == bytes.count }

  private mutating func fill() {
    while count <= 48, at < bytes.count {
      held |= UInt64(bytes[at]) << UInt64(count)
      at += 1
      count += 8
    }
  }

  /// The next bits without taking them; zeros past the end.
  mutating func peek(_ width: Int) -> Int {
    if count < width { fill() }
    return Int(held & (1 << UInt64(width) - 1))
  }

  mutating func skip(_ width: Int) throws {
    guard width <= count else { throw CorpusError("it ends too early: the file is cut off") }
    held >>= UInt64(width)
    count -= width
  }

  mutating func bits(_ width: Int) throws -> Int {
    let value = peek(width)
    try skip(width)
    return value
  }

  mutating func byte() throws -> UInt8 { UInt8(try bits(8)) }

  mutating func little32() throws -> UInt32 {
    UInt32(try bits(16)) | UInt32(try bits(16)) << 16
  }

  mutating func alignToByte() {
    let odd = count % 8
    held >>= UInt64(odd)
    count -= odd
  }
}

private let crcTable: [UInt32] = (0..<256).map { i in
  (0..<8).reduce(UInt32(i)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
}

private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
  crcTable.withUnsafeBufferPointer { table in
    ~bytes.reduce(~UInt32(0)) { $0 >> 8 ^ table[Int(($0 ^ UInt32($1)) & 0xFF)] }
  }
}
