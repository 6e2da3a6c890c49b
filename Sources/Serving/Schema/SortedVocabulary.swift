import Tokenization

/// The tokens of a vocabulary in the order of their bytes, so that what begins alike stands together.
struct SortedVocabulary: Sendable {
  struct Token: Sendable {
    var id: Int32
    var bytes: [UInt8]
    /// How many of its first bytes it shares with the token before.
    var shared: Int
  }

  /// Without special and empty tokens.
  let tokens: [Token]
  /// Ids are below.
  let size: Int

  init(_ tokenizer: Tokenizer, size: Int) {
    self.size = size
    var sorted = (0..<Int32(tokenizer.vocabularySize)).compactMap { id -> Token? in
      let bytes = tokenizer.bytes(of: id)
      guard !bytes.isEmpty, !tokenizer.isSpecial(id) else { return nil }
      return Token(id: id, bytes: bytes, shared: 0)
    }
    sorted.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    for i in sorted.indices.dropFirst() {
      let (a, b) = (sorted[i - 1].bytes, sorted[i].bytes)
      sorted[i].shared = zip(a, b).prefix { $0 == $1 }.count
    }
    tokens = sorted
  }
}
