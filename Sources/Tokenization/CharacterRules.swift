/// SentencePiece's way with text: a blank is part of the word after it (its files spell it ▁), words
/// are merged from characters, and a character that has no token becomes the tokens of its bytes.
///
/// Here text and tokens both spell the blank as a blank, so that decoding needs no rule.
struct CharacterRules: Sendable {
  /// Where a blank is put before text that has none.
  enum Prefix: Sendable { case never, first, always }

  let prefix: Prefix
  /// Whether text may be cut before every blank that follows something else: no token spans such a
  /// place, so no merge can.
  let cutsBeforeBlanks: Bool
  /// Tokens of one character.
  let characters: ByteTable
  let tokens: TokenBytes
  /// The token of every ASCII character, or of its byte.
  let ascii: [Int32]

  private static let blank = UInt8(ascii: " ")
  /// U+2581, which stands for a blank.
  private static let lowBlock: [UInt8] = [0xE2, 0x96, 0x81]

  /// Text as SentencePiece spells it, and blanks for ▁.
  static func unescaped(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    for byte in bytes {
      out.append(byte)
      if byte == 0x81, out.count >= 3, out[out.count - 2] == 0x96, out[out.count - 3] == 0xE2 {
        out.removeLast(3)
        out.append(blank)
      }
    }
    return out
  }

  /// Calls `body` with the text to cut.
  func withPrepared(
    _ p: UnsafePointer<UInt8>, _ count: Int, isFirst: Bool,
    _ body: (UnsafePointer<UInt8>, Int) -> Void
  ) {
    let isPrefixed = prefix == .always || (prefix == .first && isFirst)
    let text = UnsafeBufferPointer(start: p, count: count)
    guard isPrefixed || text.contains(0xE2) else { return body(p, count) }
    var prepared = isPrefixed ? [Self.blank] : []
    prepared += Self.unescaped(text)
    prepared.withUnsafeBufferPointer { prepared in
      if let base = prepared.baseAddress { body(base, prepared.count) }
    }
  }

  /// The end of the word that starts at `start`: blanks and what follows them.
  @inline(__always)
  func wordEnd(_ p: UnsafePointer<UInt8>, from start: Int, _ count: Int) -> Int {
    guard cutsBeforeBlanks else { return count }
    var at = start
    while at < count, p[at] == Self.blank { at += 1 }
    while at < count, p[at] != Self.blank { at += 1 }
    return at
  }
}

extension Tokenizer.Scheme {
  /// Appends the tokens of one word.
  @inline(__always)
  func merge(
    _ p: UnsafePointer<UInt8>, _ count: Int, _ byteIDs: [Int32], _ merges: PairTable,
    _ merger: inout PairMerger, _ ids: inout [Int32]
  ) {
    switch self {
    case .bytes: merger.merge(p, count, byteIDs: byteIDs, merges: merges, into: &ids)
    case .characters(let rules):
      merger.ids.removeAll(keepingCapacity: true)
      var at = 0
      while at < count {
        var length = 1
        if p[at] < 0x80 {
          merger.ids.append(rules.ascii[Int(p[at])])
        } else if CharacterClass.decode(p, at: at, end: count, length: &length) != nil,
          case let id = rules.characters.find(p + at, length, in: rules.tokens), id >= 0
        {
          merger.ids.append(id)
        } else {
          for i in at..<at + length { merger.ids.append(byteIDs[Int(p[i])]) }
        }
        at += length
      }
      merger.merge(merges, into: &ids)
    }
  }
}

extension CharacterRules {
  /// - Parameter table: the tokens that take part in merging.
  init(prefix: Prefix, _ tokens: TokenBytes, _ table: ByteTable, _ byteIDs: [Int32]) {
    self.prefix = prefix
    self.tokens = tokens
    characters = table
    ascii = (0..<128).map { byte in
      let id = withUnsafePointer(to: UInt8(byte)) { table.find($0, 1, in: tokens) }
      return id >= 0 ? id : byteIDs[byte]
    }
    cutsBeforeBlanks = !(0..<tokens.count).contains { id in
      let bytes = Array(tokens[id])
      return bytes.indices.dropFirst().contains { bytes[$0] == 0x20 && bytes[$0 - 1] != 0x20 }
    }
  }

  /// The byte that `<0x0A>` names.
  static func byte(named text: String) -> UInt8? {
    let name = Array(text.utf8)
    guard name.count == 6, text.hasPrefix("<0x"), name[5] == UInt8(ascii: ">"),
      name[3...4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
    else { return nil }
    return UInt8(String(decoding: name[3...4], as: UTF8.self), radix: 16)
  }
}
