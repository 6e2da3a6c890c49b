import Foundation

// tiktoken's rank files: a base64 token and its rank on every line. The rank is the id, and two
// neighbours merge when what they spell together is a token, the lowest rank first.

extension Tokenizer {
  /// Reads a rank file; `specials` get the ids that are given for them.
  public init(
    tiktokenRanks data: Data, preTokenizer: PreTokenizer, specials: [String: Int32] = [:]
  ) throws {
    var byRank: [Int: [UInt8]] = [:]
    for (number, line) in data.split(separator: 0x0A).enumerated() {
      let parts = line.split(separator: 0x20)
      guard parts.count == 2, let bytes = Data(base64Encoded: Data(parts[0])), !bytes.isEmpty,
        let rank = Int(
          String(decoding: parts[1], as: UTF8.self).trimmingCharacters(in: .whitespaces)),
        rank >= 0, rank < 10_000_000
      else {
        throw TokenizerError.badRankLine(line: number + 1, what: "is not a token and its rank")
      }
      guard byRank.updateValue(Array(bytes), forKey: rank) == nil else {
        throw TokenizerError.duplicate(what: "the rank \(rank)")
      }
    }
    guard let highest = (Array(byRank.keys) + specials.values.map(Int.init)).max(),
      highest < 4 * byRank.count + 1_024
    else { throw TokenizerError.badRankLine(line: 1, what: "holds no ranks that fit together") }
    var tokens = TokenBytes()
    for id in 0...highest { tokens.append(byRank[id] ?? []) }
    var table = ByteTable(capacity: byRank.count)
    for rank in byRank.keys.sorted() where !table.insert(Int32(rank), of: tokens) {
      throw TokenizerError.duplicate(what: "the token of rank \(rank)")
    }
    let byteIDs = try (0..<256).map { byte in
      let id = withUnsafePointer(to: UInt8(byte)) { table.find($0, 1, in: tokens) }
      guard id >= 0 else { throw TokenizerError.missingByte(UInt8(byte)) }
      return id
    }
    let ranks = (0...highest).map { byRank[$0] == nil ? nil : Int32($0) }
    self.init(
      .bytes(preTokenizer), tokens: tokens,
      merges: PairTable(
        spelledBy: tokens, table: table, ranks: ranks, onlyWholeCharacters: false),
      byteIDs: byteIDs, specials: specials.map { ($0.key, $0.value) }, ignoresMerges: true)
  }

  /// This tokenizer as a rank file. Special tokens have no place in it.
  public func tiktokenRanks() -> Data {
    var lines = ""
    for id in 0..<tokens.count where !tokens[id].isEmpty {
      lines += Data(tokens[id]).base64EncodedString() + " \(id)\n"
    }
    return Data(lines.utf8)
  }
}

extension PreTokenizer {
  /// How the text of a rank file is cut, by its name: o200k_base, gpt2, r50k_base and p50k_base have
  /// their own rules, every other file cl100k's.
  public static func ofRankFile(named name: String) -> PreTokenizer {
    if name.hasPrefix("o200k") { return .o200k }
    return ["gpt2", "r50k", "p50k"].contains { name.hasPrefix($0) } ? .gpt2 : .cl100k
  }
}
