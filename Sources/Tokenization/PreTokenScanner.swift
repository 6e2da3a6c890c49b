/// Cuts a buffer into pre-tokens, one call each, every byte in exactly one of them.
///
/// Bytes that are not UTF-8 count as symbols. Every rule consumes what it looked at, but for a run of
/// white space, which is looked at again at most twice: the work is linear in the bytes.
struct PreTokenScanner {
  let text: UnsafePointer<UInt8>
  let end: Int
  let kind: PreTokenizer
  /// Bytes looked at in runs so far: the operation count that tests hold against the input's length.
  private(set) var examined = 0

  private let byteClass = CharacterClass.ofScalar.bytes
  private let scalarClass = CharacterClass.ofScalar.scalars
  private let caseClass: UnsafePointer<CharacterClass.Raw>

  init(_ text: UnsafePointer<UInt8>, count: Int, kind: PreTokenizer) {
    self.text = text
    end = count
    self.kind = kind
    // The second table costs a megabyte: only where it is asked for.
    caseClass =
      kind == .o200k || kind == .tekken
      ? CharacterClass.Case.ofScalar.scalars : CharacterClass.ofScalar.scalars
  }

  /// The rules of 2019: contractions in lower case, no rule for line ends.
  @inline(__always)
  private var isGPT2: Bool { kind == .gpt2 || kind == .smollm }

  private static let blank = UInt8(ascii: " ")
  private static let apostrophe = UInt8(ascii: "'")

  /// The end of the pre-token that starts at `start`, which is below the buffer's end.
  @inline(__always)
  mutating func next(after start: Int) -> Int {
    let stop = cut(start)
    examined += stop - start
    return stop
  }

  @inline(__always)
  private func classify(_ at: Int, _ length: inout Int) -> CharacterClass.Raw {
    let value = byteClass[Int(text[at])]
    length = 1
    return value == CharacterClass.beyondASCII ? classifyBeyondASCII(at, &length) : value
  }

  @inline(never)
  private func classifyBeyondASCII(_ at: Int, _ length: inout Int) -> CharacterClass.Raw {
    guard let scalar = CharacterClass.decode(text, at: at, end: end, length: &length) else {
      return CharacterClass.other
    }
    return scalarClass[Int(scalar)]
  }

  /// The end of the run of one class from `at` on.
  @inline(__always)
  private func run(of wanted: CharacterClass.Raw, from at: Int) -> Int {
    var at = at
    while at < end {
      var value = byteClass[Int(text[at])]
      var length = 1
      if value == CharacterClass.beyondASCII { value = classifyBeyondASCII(at, &length) }
      guard value == wanted else { break }
      at += length
    }
    return at
  }

  @inline(__always)
  private mutating func cut(_ start: Int) -> Int {
    var length = 0
    let first = classify(start, &length)
    if kind == .o200k || kind == .tekken { return cutCased(start, first, length) }
    switch first {
    case CharacterClass.letter:
      return word(start, letters: start)
    case CharacterClass.number:
      return number(start + length)
    case CharacterClass.other:
      return symbols(start, length)
    default:
      return whiteSpace(start, first, length)
    }
  }

  /// A word whose letters begin at `letters`, a prefix before them already accepted.
  @inline(__always)
  private func word(_ start: Int, letters: Int) -> Int {
    if kind == .formulas, let stop = elementSymbol(letters) { return stop }
    return run(of: CharacterClass.letter, from: letters)
  }

  /// `[A-Z][a-z]?(?![^\P{L}A-Z])`.
  private func elementSymbol(_ at: Int) -> Int? {
    guard Self.isUpper(text[at]) else { return nil }
    var stop = at + 1
    if stop < end, text[stop] >= UInt8(ascii: "a"), text[stop] <= UInt8(ascii: "z") { stop += 1 }
    guard stop < end, !Self.isUpper(text[stop]) else { return stop }
    var length = 0
    return classify(stop, &length) == CharacterClass.letter ? nil : stop
  }

  @inline(__always)
  private static func isUpper(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "A") < 26 }

  /// A number whose first digit ends at `at`.
  @inline(__always)
  private func number(_ at: Int) -> Int {
    switch kind {
    case .digits, .formulas, .smollm, .tekken: return at
    case .gpt2: return run(of: CharacterClass.number, from: at)
    case .cl100k, .o200k:
      var stop = at
      for _ in 0..<2 where stop < end {
        var length = 0
        guard classify(stop, &length) == CharacterClass.number else { break }
        stop += length
      }
      return stop
    }
  }

  /// From a symbol at `start`: a contraction, a symbol that a word takes along, or a run of symbols.
  @inline(__always)
  private func symbols(_ start: Int, _ length: Int) -> Int {
    if text[start] == Self.apostrophe {
      let stop = contraction(start)
      if stop > 0 { return stop }
    }
    if kind == .cl100k || kind == .digits, isLetter(start + length) {
      return run(of: CharacterClass.letter, from: start + length)
    }
    return symbolRun(start + length)
  }

  @inline(__always)
  private func isLetter(_ at: Int) -> Bool {
    var length = 0
    return at < end && classify(at, &length) == CharacterClass.letter
  }

  @inline(__always)
  private func symbolRun(_ at: Int) -> Int {
    let stop = run(of: CharacterClass.other, from: at)
    return isGPT2 ? stop : run(of: CharacterClass.newline, from: stop)
  }

  /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at `start`, or 0.
  private func contraction(_ start: Int) -> Int {
    guard start + 1 < end else { return 0 }
    let anyCase = !isGPT2
    let first = anyCase ? Self.lowered(text[start + 1]) : text[start + 1]
    switch first {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      return start + 2
    case 0xC5:
      // U+017F, the long s, is an s when case is ignored.
      return anyCase && start + 2 < end && text[start + 2] == 0xBF ? start + 3 : 0
    default: break
    }
    guard start + 2 < end else { return 0 }
    let second = anyCase ? Self.lowered(text[start + 2]) : text[start + 2]
    switch (first, second) {
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
      (UInt8(ascii: "l"), UInt8(ascii: "l")):
      return start + 3
    default: return 0
    }
  }

  @inline(__always)
  private static func lowered(_ byte: UInt8) -> UInt8 { isUpper(byte) ? byte | 0x20 : byte }

  /// From white space at `start`: a blank that the next piece takes along, or a cut of the run.
  @inline(__always)
  private mutating func whiteSpace(
    _ start: Int, _ first: CharacterClass.Raw, _ length: Int
  ) -> Int {
    let next = start + length
    guard next < end else { return next }
    var nextLength = 0
    let following = classify(next, &nextLength)
    if text[start] == Self.blank {
      switch following {
      case CharacterClass.letter: return word(start, letters: next)
      case CharacterClass.number where kind == .gpt2:
        return run(of: CharacterClass.number, from: next)
      case CharacterClass.other: return symbolRun(next + nextLength)
      default: break
      }
    } else if following == CharacterClass.letter, first == CharacterClass.space,
      kind == .cl100k || kind == .digits
    {
      return run(of: CharacterClass.letter, from: next)
    }
    return whiteSpaceRun(start)
  }

  /// `\s*[\r\n]+` (not GPT-2), then `\s+(?!\S)`, then `\s+`.
  private mutating func whiteSpaceRun(_ start: Int) -> Int {
    var at = start
    var last = start
    var newlineEnd = start
    while at < end {
      var length = 0
      let value = classify(at, &length)
      guard value == CharacterClass.space || value == CharacterClass.newline else { break }
      last = at
      at += length
      if value == CharacterClass.newline { newlineEnd = at }
    }
    examined += at - start
    if !isGPT2, newlineEnd > start { return newlineEnd }
    // Before a word, the run leaves it its last character. A digit that stands alone is no word.
    if at == end || last == start { return at }
    var length = 0
    return kind == .smollm && classify(at, &length) == CharacterClass.number ? at : last
  }

  // o200k's rules, where a word is upper case and then lower case.

  private mutating func cutCased(
    _ start: Int, _ first: CharacterClass.Raw, _ length: Int
  ) -> Int {
    let next = start + length
    switch first {
    case CharacterClass.letter:
      return suffixed(mixedWord(start) ?? upperWord(start) ?? next)
    case CharacterClass.number: return number(next)
    case CharacterClass.other:
      if let stop = mixedWord(next) { return suffixed(stop) }
      // A mark is a character that a word may take along, and one that a word may begin with.
      if let stop = mixedWord(start) ?? upperWord(next) { return suffixed(stop) }
      return casedSymbolRun(next)
    case CharacterClass.space:
      if let stop = mixedWord(next) ?? upperWord(next) { return suffixed(stop) }
      var nextLength = 0
      if text[start] == Self.blank, next < end,
        classify(next, &nextLength) == CharacterClass.other
      {
        return casedSymbolRun(next + nextLength)
      }
      return whiteSpaceRun(start)
    default: return whiteSpaceRun(start)
    }
  }

  @inline(__always)
  private func caseBits(_ at: Int, _ length: inout Int) -> CharacterClass.Raw {
    let byte = text[at]
    length = 1
    if byte < 0x80 { return caseClass[Int(byte)] }
    guard let scalar = CharacterClass.decode(text, at: at, end: end, length: &length) else {
      return CharacterClass.other
    }
    return caseClass[Int(scalar)]
  }

  /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+` from `at`, nil where it does
  /// not match.
  private func mixedWord(_ at: Int) -> Int? {
    var at = at
    var length = 0
    // Where the upper-case part must give its last caseless character to the lower-case part.
    var fallback: Int?
    while at < end {
      let bits = caseBits(at, &length)
      if bits == CharacterClass.Case.lower { return run(ofCase: bits, from: at) }
      guard bits & CharacterClass.Case.upper != 0 else { break }
      at += length
      if bits == CharacterClass.Case.both { fallback = at }
    }
    return fallback
  }

  /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+` from `at`, where ``mixedWord(_:)`` does not match.
  private func upperWord(_ at: Int) -> Int? {
    let stop = run(ofCase: CharacterClass.Case.upper, from: at)
    return stop > at ? stop : nil
  }

  private func run(ofCase bit: CharacterClass.Raw, from at: Int) -> Int {
    var at = at
    var length = 0
    while at < end, caseBits(at, &length) & bit != 0 { at += length }
    return at
  }

  private func suffixed(_ stop: Int) -> Int {
    guard kind == .o200k, stop < end, text[stop] == Self.apostrophe else { return stop }
    return max(stop, contraction(stop))
  }

  /// The rest of `[^\s\p{L}\p{N}]+[\r\n/]*`.
  private func casedSymbolRun(_ at: Int) -> Int {
    var stop = run(of: CharacterClass.other, from: at)
    while stop < end, text[stop] == 0x0A || text[stop] == 0x0D || text[stop] == UInt8(ascii: "/") {
      stop += 1
    }
    return stop
  }
}
