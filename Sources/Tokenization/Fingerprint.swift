extension Tokenizer {
  /// A short text that differs between tokenizers that give different ids.
  public var fingerprint: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ bytes: some Sequence<UInt8>) {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    }
    switch scheme {
    case .bytes(let cut, let isNormalised):
      add((cut.rawValue + (isNormalised ? " NFC" : "")).utf8)
    case .characters(let rules): add("characters \(rules.prefix)".utf8)
    }
    for id in 0..<tokens.count { add(tokens[id]) }
    for merge in merges.all().sorted(by: { ($0.rank, $0.a, $0.b) < ($1.rank, $1.a, $1.b) }) {
      add("\(merge.a) \(merge.b) \(merge.id)".utf8)
    }
    for name in specials { add("\(name) \(specialIDs[name] ?? -1)".utf8) }
    for word in words { add("\(word.name) \(word.id)".utf8) }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
