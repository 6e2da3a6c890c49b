/// What may follow in a sequence, token by token: a grammar, a list of choices.
public protocol TokenConstraint: Sendable {
  /// The tokens that may follow what was accepted so far; never empty while ``isFinished`` is false.
  mutating func allowed() -> TokenMask
  /// Goes on by a token that ``allowed()`` holds.
  mutating func accept(_ token: Int32)
  /// Whether nothing can follow any more, not even a stop token.
  var isFinished: Bool { get }
}

/// A set of tokens.
public struct TokenMask: Sendable, Equatable {
  private var words: [UInt64]

  /// None of `vocabulary` tokens.
  public init(vocabulary: Int) { words = Array(repeating: 0, count: (vocabulary + 63) / 64) }

  public mutating func insert(_ token: Int32) {
    words[Int(token) / 64] |= 1 << UInt64(token % 64)
  }

  public func contains(_ token: Int32) -> Bool {
    let word = Int(token) / 64
    return token >= 0 && word < words.count && words[word] >> UInt64(token % 64) & 1 == 1
  }

  public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  /// Calls `body` for every token below `count` that the set lacks.
  func forEachMissing(below count: Int, _ body: (Int) -> Void) {
    for word in 0..<(count + 63) / 64 {
      var missing = word < words.count ? ~words[word] : .max
      while missing != 0 {
        let token = word * 64 + missing.trailingZeroBitCount
        guard token < count else { break }
        body(token)
        missing &= missing - 1
      }
    }
  }
}
