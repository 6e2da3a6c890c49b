/// Byte-level byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909; Radford et al. 2019): every
/// byte is a token, and frequent neighbours become tokens of their own. Any bytes have an encoding,
/// and decoding gives them back.
public struct Tokenizer: Sendable {
  public let preTokenizer: PreTokenizer
  /// Special tokens, in the order of their ids. Text never becomes one unless a call allows it.
  public let specials: [String]
  let specialIDs: [String: Int32]
  let tokens: TokenBytes
  let merges: PairTable
  let byteIDs: [Int32]
  /// Tokens that their own bytes encode to.
  private let whole: ByteTable

  /// - Parameters:
  ///   - tokens: bytes by id; empty for special tokens and unused ids.
  ///   - merges: with the lower rank first.
  init(
    preTokenizer: PreTokenizer, tokens: TokenBytes, merges: PairTable, byteIDs: [Int32],
    specials: [(name: String, id: Int32)]
  ) {
    self.preTokenizer = preTokenizer
    (self.tokens, self.merges, self.byteIDs) = (tokens, merges, byteIDs)
    let ordered = specials.sorted { $0.id < $1.id }
    self.specials = ordered.map(\.name)
    specialIDs = Dictionary(ordered.map { ($0.name, $0.id) }) { first, _ in first }
    var whole = ByteTable(capacity: tokens.count)
    var encoder = PairMerger()
    for id in 0..<tokens.count where !tokens[id].isEmpty {
      let bytes = Array(tokens[id])
      let ids = bytes.withUnsafeBufferPointer { p -> [Int32] in
        guard let base = p.baseAddress else { return [] }
        var out: [Int32] = []
        encoder.merge(base, p.count, byteIDs: byteIDs, merges: merges, into: &out)
        return out
      }
      if ids == [Int32(id)] { whole.insert(Int32(id), of: tokens) }
    }
    self.whole = whole
  }

  /// Ids are 0..<vocabularySize.
  public var vocabularySize: Int { tokens.count }

  public func id(ofSpecial name: String) -> Int32? { specialIDs[name] }

  /// The ids of a text. What looks like a special token in it stays text.
  public func encode(_ text: String) -> [Int32] {
    var ids: [Int32] = []
    var text = text
    text.withUTF8 { encode(bytes: $0, into: &ids) }
    return ids
  }

  /// As ``encode(_:)``, with the special tokens `allowed` recognised in the text.
  public func encode(_ text: String, allowing allowed: Set<String>) -> [Int32] {
    let known = specialIDs.filter { allowed.contains($0.key) }
    guard !known.isEmpty else { return encode(text) }
    var ids: [Int32] = []
    let bytes = Array(text.utf8)
    // Longer names first, so that one that begins another does not hide it.
    let names = known.map { (Array($0.key.utf8), $0.value) }
      .sorted { ($1.0.count, $0.1) < ($0.0.count, $1.1) }
    var start = 0
    var at = 0
    while at < bytes.count {
      if let (name, id) = names.first(where: { bytes[at...].starts(with: $0.0) }) {
        bytes[start..<at].withUnsafeBufferPointer { encode(bytes: $0, into: &ids) }
        ids.append(id)
        at += name.count
        start = at
      } else {
        at += 1
      }
    }
    bytes[start...].withUnsafeBufferPointer { encode(bytes: $0, into: &ids) }
    return ids
  }

  /// Appends the ids of any bytes, UTF-8 or not.
  public func encode(bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    var scanner = PreTokenScanner(base, count: bytes.count, kind: preTokenizer)
    var merger = PairMerger()
    var start = 0
    while start < bytes.count {
      let stop = scanner.next(after: start)
      let id = whole.find(base + start, stop - start, in: tokens)
      if id >= 0 {
        ids.append(id)
      } else {
        merger.merge(base + start, stop - start, byteIDs: byteIDs, merges: merges, into: &ids)
      }
      start = stop
    }
  }

  /// The bytes of a token; for a special one, its name.
  public func bytes(of id: Int32) -> [UInt8] {
    guard id >= 0, Int(id) < tokens.count else { return [] }
    let bytes = tokens[Int(id)]
    return bytes.isEmpty ? (specialName(id).map { Array($0.utf8) } ?? []) : Array(bytes)
  }

  public func bytes(of ids: some Sequence<Int32>) -> [UInt8] { ids.flatMap { bytes(of: $0) } }

  /// The text of tokens, with U+FFFD for what is not UTF-8.
  public func decode(_ ids: some Sequence<Int32>) -> String {
    String(decoding: bytes(of: ids), as: UTF8.self)
  }

  func specialName(_ id: Int32) -> String? { specialIDs.first { $0.value == id }?.key }

  /// A short text that differs between tokenizers that give different ids.
  public var fingerprint: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ bytes: some Sequence<UInt8>) {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    }
    add(preTokenizer.rawValue.utf8)
    for id in 0..<tokens.count { add(tokens[id]) }
    for merge in merges.all().sorted(by: { $0.rank < $1.rank }) {
      add("\(merge.a) \(merge.b) \(merge.id)".utf8)
    }
    for name in specials { add("\(name) \(specialIDs[name] ?? -1)".utf8) }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
