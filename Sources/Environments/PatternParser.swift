/// Reads a regular expression by recursive descent. Errors say at which character.
struct PatternParser {
  private typealias Set = LinearPattern.CharacterSet

  private let text: [Unicode.Scalar]
  private var at = 0
  private var depth = 0
  private(set) var ignoresCase = false

  init(_ pattern: String) {
    var scalars = Array(pattern.unicodeScalars)
    if pattern.hasPrefix("(?i)") {
      scalars.removeFirst(4)
      ignoresCase = true
    }
    if scalars.first == "^" { scalars.removeFirst() }
    // An escaped dollar sign stays: it has an odd number of backslashes before it.
    let slashes = scalars.dropLast().reversed().prefix { $0 == "\\" }.count
    if scalars.last == "$", slashes % 2 == 0 { scalars.removeLast() }
    text = scalars
  }

  mutating func whole() throws -> PatternTree {
    let tree = try choice()
    guard at == text.count else { throw error("a \")\" closes nothing") }
    return tree
  }

  private mutating func choice() throws -> PatternTree {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 200 else { throw error("groups are nested too deep") }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws -> PatternTree {
    var parts: [PatternTree] = []
    while let next = peek(), next != "|", next != ")" { parts.append(try repeated()) }
    return .sequence(parts)
  }

  private mutating func repeated() throws -> PatternTree {
    let part = try atom()
    guard let (least, most) = try count() else { return part }
    // Lazy or not is the same for a whole match; a possessive one would not be.
    _ = take("?")
    if let next = peek(), "*+?".unicodeScalars.contains(next) {
      throw error("a repetition of a repetition needs a group")
    }
    return .repeated(part, least: least, most: most)
  }

  /// How often what stands before is to occur; nil for once.
  private mutating func count() throws -> (least: Int, most: Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    guard take("{") else { return nil }
    guard let least = number() else { throw error("\"{\" needs a number; write \\{ for the sign") }
    var most: Int? = least
    if take(",") { most = number() }
    guard take("}") else { throw error("\"{\" is not closed") }
    guard least <= 1_000, most ?? 0 <= 1_000, most ?? least >= least else {
      throw error("a count must grow and be 1,000 at most")
    }
    return (least, most)
  }

  private mutating func atom() throws -> PatternTree {
    guard let scalar = next() else { throw error("it ends too early") }
    switch scalar {
    case "(":
      if take("?"), !take(":") {
        throw error("only groups ( ) and (?: ) are known, and (?i) at the very beginning")
      }
      let tree = try choice()
      guard take(")") else { throw error("a \"(\" is not closed") }
      return tree
    case "[": return .set(try bracket())
    case ".": return .set(Set(ranges: [0x0A...0x0A], isInverted: true))
    case "\\": return .set(try escape())
    case "*", "+", "?": throw error("\"\(scalar)\" has nothing to repeat")
    case "{": throw error("\"{\" has nothing to repeat; write \\{ for the sign")
    case "^", "$": throw error("\"\(scalar)\" may stand only at the ends, where it means nothing")
    default: return .set(Set(ranges: [scalar.value...scalar.value]))
    }
  }

  private mutating func escape() throws -> LinearPattern.CharacterSet {
    guard let scalar = next() else { throw error("a \"\\\" ends the pattern") }
    let digits: [ClosedRange<UInt32>] = [0x30...0x39]
    let words: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
    let spaces: [ClosedRange<UInt32>] = [0x09...0x0D, 0x20...0x20]
    switch scalar {
    case "d": return Set(ranges: digits)
    case "D": return Set(ranges: digits, isInverted: true)
    case "w": return Set(ranges: words)
    case "W": return Set(ranges: words, isInverted: true)
    case "s": return Set(ranges: spaces)
    case "S": return Set(ranges: spaces, isInverted: true)
    case "t": return Set(ranges: [0x09...0x09])
    case "n": return Set(ranges: [0x0A...0x0A])
    case "r": return Set(ranges: [0x0D...0x0D])
    default:
      guard !scalar.properties.isAlphabetic, scalar.properties.numericType == nil else {
        throw error("\"\\\(scalar)\" is not known (no back references, no \\b)")
      }
      return Set(ranges: [scalar.value...scalar.value])
    }
  }

  private mutating func bracket() throws -> LinearPattern.CharacterSet {
    var set = Set(ranges: [], isInverted: take("^"))
    repeat {
      guard let scalar = next() else { throw error("a \"[\" is not closed") }
      var low = Set(ranges: [scalar.value...scalar.value])
      if scalar == "\\" { low = try escape() }
      guard !low.isInverted else { throw error("\\D, \\W and \\S do not stand in brackets") }
      // A minus before the end is a minus.
      if peek() == "-", at + 1 < text.count, text[at + 1] != "]" {
        at += 1
        guard let end = next() else { throw error("a \"[\" is not closed") }
        let high = end == "\\" ? try escape() : Set(ranges: [end.value...end.value])
        guard let first = single(low), let last = single(high), first <= last else {
          throw error("a range must go from a character to a later one")
        }
        low = Set(ranges: [first...last])
      }
      set.ranges += low.ranges
    } while peek() != "]"
    at += 1
    return set
  }

  private func single(_ set: LinearPattern.CharacterSet) -> UInt32? {
    guard !set.isInverted, set.ranges.count == 1, set.ranges[0].count == 1 else { return nil }
    return set.ranges[0].lowerBound
  }

  private mutating func number() -> Int? {
    let start = at
    while let next = peek(), next.value >= 0x30, next.value <= 0x39, at - start < 6 { at += 1 }
    return Int(String(String.UnicodeScalarView(text[start..<at])))
  }

  private func peek() -> Unicode.Scalar? { at < text.count ? text[at] : nil }

  private mutating func next() -> Unicode.Scalar? {
    guard at < text.count else { return nil }
    at += 1
    return text[at - 1]
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek() == scalar else { return false }
    at += 1
    return true
  }

  private func error(_ what: String) -> EnvironmentError {
    EnvironmentError("\(what) (at character \(at))")
  }
}
