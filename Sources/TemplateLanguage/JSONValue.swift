/// JSON as it stands: keys in their order, numbers whole or not, strings by their scalars.
public enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([(key: String, value: JSONValue)])

  /// What was met and at which byte.
  public struct Failure: Error, Equatable {
    public let what: String
    public let byte: Int
  }

  /// Reads JSON strictly, nested at most 64 deep.
  public init(_ bytes: some Sequence<UInt8>) throws(Failure) {
    var reader = JSONReader(Array(bytes))
    self = try reader.document()
  }

  /// The value under a key; the first, where a key is there twice.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
  }

  public var string: String? { if case .string(let string) = self { string } else { nil } }
  public var int: Int? { if case .int(let int) = self { int } else { nil } }
  public var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
  public var array: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
  public var isNull: Bool { if case .null = self { true } else { false } }

  public var members: [(key: String, value: JSONValue)]? {
    if case .object(let members) = self { members } else { nil }
  }
}

private struct JSONReader {
  private let bytes: [UInt8]
  private var at = 0
  private var depth = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private func failure(_ what: String) -> JSONValue.Failure { .init(what: what, byte: at) }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
  }

  mutating func document() throws(JSONValue.Failure) -> JSONValue {
    let value = try value()
    skipBlanks()
    guard at == bytes.count else { throw failure("more than one value") }
    return value
  }

  private mutating func value() throws(JSONValue.Failure) -> JSONValue {
    skipBlanks()
    switch next {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw failure("the end, where a value should be")
    default: return try number()
    }
  }

  private mutating func word(
    _ word: StaticString, _ value: JSONValue
  ) throws(JSONValue.Failure) -> JSONValue {
    let end = at + word.utf8CodeUnitCount
    guard end <= bytes.count,
      bytes[at..<end].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: end - at))
    else { throw failure("a word that is none of JSON's") }
    at = end
    return value
  }

  private mutating func enter() throws(JSONValue.Failure) {
    depth += 1
    guard depth <= 64 else { throw failure("nesting of more than 64 levels") }
    at += 1
  }

  private mutating func array() throws(JSONValue.Failure) -> JSONValue {
    try enter()
    defer { depth -= 1 }
    var items: [JSONValue] = []
    skipBlanks()
    if next == UInt8(ascii: "]") {
      at += 1
      return .array([])
    }
    while true {
      items.append(try value())
      guard try goesOn(UInt8(ascii: "]")) else { return .array(items) }
    }
  }

  private mutating func object() throws(JSONValue.Failure) -> JSONValue {
    try enter()
    defer { depth -= 1 }
    var members: [(key: String, value: JSONValue)] = []
    skipBlanks()
    if next == UInt8(ascii: "}") {
      at += 1
      return .object([])
    }
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw failure("no key in quotes") }
      let key = try string()
      skipBlanks()
      guard next == UInt8(ascii: ":") else { throw failure("no colon after a key") }
      at += 1
      members.append((key, try value()))
      guard try goesOn(UInt8(ascii: "}")) else { return .object(members) }
    }
  }

  private mutating func goesOn(_ end: UInt8) throws(JSONValue.Failure) -> Bool {
    skipBlanks()
    guard let byte = next, byte == end || byte == UInt8(ascii: ",") else {
      throw failure("no comma between two values")
    }
    at += 1
    return byte != end
  }

  private mutating func string() throws(JSONValue.Failure) -> String {
    at += 1
    let start = at
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      at += 1
    }
    if next == UInt8(ascii: "\"") {
      at += 1
      return try checked(bytes[start..<at - 1])
    }
    var out = Array(bytes[start..<at])
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw failure("a control character in a string") }
      at += 1
      if byte == UInt8(ascii: "\\") {
        try escape(into: &out)
      } else {
        out.append(byte)
      }
    }
    guard next != nil else { throw failure("the end, inside of a string") }
    at += 1
    return try checked(out[...])
  }

  private func checked(_ utf8: ArraySlice<UInt8>) throws(JSONValue.Failure) -> String {
    guard let string = String(validating: utf8, as: UTF8.self) else {
      throw failure("a string that is not UTF-8")
    }
    return string
  }

  private mutating func escape(into out: inout [UInt8]) throws(JSONValue.Failure) {
    guard let byte = next else { throw failure("the end, inside of a string") }
    at += 1
    switch byte {
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
    case UInt8(ascii: "u"):
      var value = try hexadecimal()
      if value & 0xFC00 == 0xD800, next == UInt8(ascii: "\\"), at + 1 < bytes.count,
        bytes[at + 1] == UInt8(ascii: "u")
      {
        at += 2
        let low = try hexadecimal()
        guard low & 0xFC00 == 0xDC00 else { throw failure("half a surrogate pair") }
        value = 0x10000 + (value & 0x3FF) << 10 + (low & 0x3FF)
      }
      guard let scalar = Unicode.Scalar(value) else { throw failure("half a surrogate pair") }
      out += Array(String(scalar).utf8)
    default: throw failure("an escape that is none of JSON's")
    }
  }

  private mutating func hexadecimal() throws(JSONValue.Failure) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80
      else { throw failure("an escape without four hexadecimal digits") }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }

  private mutating func number() throws(JSONValue.Failure) -> JSONValue {
    let start = at
    var isWhole = true
    if next == UInt8(ascii: "-") { at += 1 }
    func isDigit(_ byte: UInt8?) -> Bool { byte.map { $0 &- 48 < 10 } ?? false }
    guard isDigit(next) else { throw failure("no value") }
    if next == 48, at + 1 < bytes.count, isDigit(bytes[at + 1]) {
      throw failure("a number that begins with 0")
    }
    while isDigit(next) { at += 1 }
    if next == UInt8(ascii: ".") {
      isWhole = false
      at += 1
      guard isDigit(next) else { throw failure("no digit after a point") }
      while isDigit(next) { at += 1 }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isWhole = false
      at += 1
      if next == UInt8(ascii: "-") || next == UInt8(ascii: "+") { at += 1 }
      guard isDigit(next) else { throw failure("no digit in an exponent") }
      while isDigit(next) { at += 1 }
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if isWhole, let int = Int(text) { return .int(int) }
    guard let double = Double(text), double.isFinite else { throw failure("a number too large") }
    return .double(double)
  }
}

extension Value {
  /// JSON as a template sees it; every string has the `origin`.
  public init(_ json: JSONValue, _ origin: Text.Origin) {
    switch json {
    case .null: self = .none
    case .bool(let flag): self = .bool(flag)
    case .int(let number): self = .int(number)
    case .double(let number): self = .float(number)
    case .string(let text): self = .string(text, origin)
    case .array(let items): self = .list(items.map { Value($0, origin) })
    case .object(let members):
      var fields = Fields()
      for (key, value) in members { fields[.string(key, origin)] = Value(value, origin) }
      self = .map(fields)
    }
  }
}
