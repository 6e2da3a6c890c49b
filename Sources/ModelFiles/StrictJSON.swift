// JSON of files from strangers: no key twice, no depth without end, no number that is not quite one.
// Foundation's reader keeps the last of two equal keys and takes 1.0 for 1.

/// What is wrong with a JSON text, and at which byte.
struct StrictJSONProblem: Error, CustomStringConvertible {
  let what: String
  let at: Int
  var description: String { "\(what) at byte \(at)" }
}

/// A JSON value. Object keys are bytes: texts that only look alike stay apart.
enum StrictJSON: Sendable {
  case null
  case bool(Bool)
  /// By the grammar 0 | -?[1-9][0-9]*, in the range of Int.
  case integer(Int)
  /// Any other number, as it is spelled.
  case number(String)
  case string([UInt8])
  case array([StrictJSON])
  /// In the order of the file.
  case object([(key: ByteName, value: StrictJSON)])

  init(_ bytes: UnsafeRawBufferPointer) throws(StrictJSONProblem) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw StrictJSONProblem(what: "it is not UTF-8", at: 0)
    }
    var parser = StrictJSONParser(bytes: bytes)
    self = try parser.document()
  }

  /// The members of an object; nil for anything else.
  var members: [(key: ByteName, value: StrictJSON)]? {
    if case .object(let members) = self { members } else { nil }
  }

  var isNull: Bool { if case .null = self { true } else { false } }

  var text: String? {
    if case .string(let bytes) = self { String(validating: bytes, as: UTF8.self) } else { nil }
  }

  /// The whole numbers of a list; nil for anything else.
  var integers: [Int]? {
    guard case .array(let values) = self else { return nil }
    var out: [Int] = []
    for value in values {
      guard case .integer(let number) = value else { return nil }
      out.append(number)
    }
    return out
  }
}

private struct StrictJSONParser {
  static let depth = 64

  let bytes: UnsafeRawBufferPointer
  private var at = 0
  private var level = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private func problem(_ what: String) -> StrictJSONProblem {
    StrictJSONProblem(what: what, at: at)
  }

  mutating func document() throws(StrictJSONProblem) -> StrictJSON {
    skipBlanks()
    let value = try value()
    skipBlanks()
    if at < bytes.count { throw problem("something follows its end") }
    return value
  }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
  }

  private mutating func value() throws(StrictJSONProblem) -> StrictJSON {
    guard let byte = next else { throw problem("it ends too early") }
    switch byte {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(
    _ text: String, _ value: StrictJSON
  ) throws(StrictJSONProblem) -> StrictJSON {
    guard bytes[at...].starts(with: text.utf8) else { throw problem("an unknown word") }
    at += text.utf8.count
    return value
  }

  private mutating func enter() throws(StrictJSONProblem) {
    level += 1
    at += 1
    if level > Self.depth { throw problem("more than \(Self.depth) levels") }
  }

  /// Whether another element follows; steps over the comma or the end.
  private mutating func goesOn(_ end: UInt8, isFirst: Bool) throws(StrictJSONProblem) -> Bool {
    skipBlanks()
    if next == end {
      at += 1
      level -= 1
      return false
    }
    if isFirst { return true }
    guard next == UInt8(ascii: ",") else { throw problem("a comma is missing") }
    at += 1
    skipBlanks()
    if next == end { throw problem("a comma without a value") }
    return true
  }

  private mutating func object() throws(StrictJSONProblem) -> StrictJSON {
    try enter()
    var members: [(key: ByteName, value: StrictJSON)] = []
    var seen: Set<ByteName> = []
    while try goesOn(UInt8(ascii: "}"), isFirst: members.isEmpty) {
      guard next == UInt8(ascii: "\"") else { throw problem("a name is missing") }
      let key = ByteName(try string())
      guard seen.insert(key).inserted else { throw problem("the name \"\(key.shown)\" twice") }
      skipBlanks()
      guard next == UInt8(ascii: ":") else { throw problem("a colon is missing") }
      at += 1
      skipBlanks()
      members.append((key, try value()))
    }
    return .object(members)
  }

  private mutating func array() throws(StrictJSONProblem) -> StrictJSON {
    try enter()
    var values: [StrictJSON] = []
    while try goesOn(UInt8(ascii: "]"), isFirst: values.isEmpty) { values.append(try value()) }
    return .array(values)
  }

  private mutating func number() throws(StrictJSONProblem) -> StrictJSON {
    let start = at
    if next == UInt8(ascii: "-") { at += 1 }
    let first = at
    skipDigits()
    let digits = at - first
    guard digits > 0, digits == 1 || bytes[first] != UInt8(ascii: "0") else {
      throw problem("no value")
    }
    var isWhole = true
    if next == UInt8(ascii: ".") {
      isWhole = false
      at += 1
      let from = at
      skipDigits()
      if at == from { throw problem("a number without digits after its point") }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isWhole = false
      at += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { at += 1 }
      let from = at
      skipDigits()
      if at == from { throw problem("a number without an exponent") }
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    // "-0" is no whole number: readers do not agree on what it is.
    if isWhole, text != "-0", let value = Int(text) { return .integer(value) }
    return .number(text)
  }

  private mutating func skipDigits() {
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
  }

  private mutating func string() throws(StrictJSONProblem) -> [UInt8] {
    at += 1
    var out: [UInt8] = []
    while let byte = next {
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return out
      case UInt8(ascii: "\\"): try escape(&out)
      case 0..<0x20: throw problem("a control character in a text")
      default: out.append(byte)
      }
    }
    throw problem("a text without an end")
  }

  private mutating func escape(_ out: inout [UInt8]) throws(StrictJSONProblem) {
    guard let byte = next else { throw problem("a text without an end") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if (0xD800..<0xDC00).contains(code) {
        guard bytes[at...].starts(with: "\\u".utf8) else { throw problem("half a character") }
        at += 2
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else { throw problem("half a character") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw problem("half a character") }
      out += Array(String(scalar).utf8)
    default: throw problem("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(StrictJSONProblem) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw problem("an escape without four digits")
      }
      code = code << 4 | UInt32(digit)
      at += 1
    }
    return code
  }
}
