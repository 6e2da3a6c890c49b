/// A context-free grammar over bytes, without left recursion.
struct Grammar: Sendable {
  /// A set of bytes.
  struct Bytes: Sendable, Hashable {
    private var words: SIMD4<UInt64> = .zero

    init(_ ranges: [ClosedRange<UInt8>]) {
      for range in ranges { for byte in range { insert(byte) } }
    }

    init(_ text: String) { for byte in text.utf8 { insert(byte) } }

    private mutating func insert(_ byte: UInt8) {
      words[Int(byte >> 6)] |= 1 << UInt64(byte & 63)
    }

    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }
  }

  enum Symbol: Sendable {
    case bytes(Bytes)
    case rule(Int)
    /// The end of an alternative.
    case end
  }

  /// All alternatives one after another, each with its end.
  private(set) var symbols: [Symbol] = []
  /// Where the alternatives of each rule begin.
  private(set) var rules: [[Int]] = []

  /// A rule whose alternatives come later, for what refers to itself.
  mutating func reserve() -> Int {
    rules.append([])
    return rules.count - 1
  }

  mutating func define(_ rule: Int, _ alternatives: [[Symbol]]) {
    for alternative in alternatives {
      rules[rule].append(symbols.count)
      symbols += alternative
      symbols.append(.end)
    }
  }

  mutating func rule(_ alternatives: [[Symbol]]) -> Symbol {
    let rule = reserve()
    define(rule, alternatives)
    return .rule(rule)
  }

  static func literal(_ text: String) -> [Symbol] {
    text.utf8.map { .bytes(Bytes([$0...$0])) }
  }

  /// `symbol` at least `fewest` and at most `most` times; nil for any number.
  mutating func repeated(_ symbol: Symbol, _ fewest: Int, _ most: Int?) -> [Symbol] {
    let needed = Array(repeating: symbol, count: fewest)
    guard let most else {
      let more = reserve()
      define(more, [[symbol, .rule(more)], []])
      return needed + [.rule(more)]
    }
    var rest: [Symbol] = []
    for _ in fewest..<max(fewest, most) { rest = [rule([[symbol] + rest, []])] }
    return needed + rest
  }
}
