// Values as text: as output writes them, as they stand inside of lists, and as JSON.
extension Renderer {
  func spelled(_ value: Value) throws -> Text {
    switch value {
    case .undefined: return Text("")
    case .text(let text): return text
    default:
      let text = try represented(value)
      try spend(text.count)
      return text
    }
  }

  private func represented(_ value: Value) throws -> Text {
    try nested {
      switch value {
      case .undefined: return Text("Undefined")
      case .none: return Text("None")
      case .bool(let flag): return Text(flag ? "True" : "False")
      case .int(let number): return Text(String(number))
      case .float(let number): return Text(Spelling.float(number))
      case .text(let text): return Spelling.quoted(text)
      case .list(let items): return try joined(items, "[", "]")
      case .tuple(let items): return try joined(items, "(", items.count == 1 ? ",)" : ")")
      case .map(let fields):
        var out = Text("{")
        for (i, key) in fields.keys.enumerated() {
          if i > 0 { out.units += Text(", ").units }
          out.units += try represented(key).units + Text(": ").units
          out.units += try represented(fields.values[i]).units
        }
        out.units += Text("}").units
        return out
      case .namespace, .loop, .function:
        throw TemplateError.raised("\(value.kind) cannot be written")
      }
    }
  }

  private func joined(_ items: [Value], _ open: String, _ close: String) throws -> Text {
    var out = Text(open)
    for (i, item) in items.enumerated() {
      if i > 0 { out.units += Text(", ").units }
      out.units += try represented(item).units
      try spend(0)
    }
    out.units += Text(close).units
    return out
  }

  /// A value as JSON.
  func json(_ value: Value, _ style: Spelling.JSON, indent: Int = 0) throws -> Text {
    try nested {
      switch value {
      case .none: return Text("null")
      case .bool(let flag): return Text(flag ? "true" : "false")
      case .int(let number): return Text(String(number))
      case .float(let number):
        guard number.isFinite else {
          return Text(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
        }
        return Text(Spelling.float(number))
      case .text(let text):
        try spend(text.count)
        return Spelling.json(text, isASCII: style.isASCII)
      case .list(let items), .tuple(let items):
        let parts = try items.map { try json($0, style, indent: indent + 1) }
        return style.joined(parts, "[", "]", indent)
      case .map(let fields):
        var pairs = try zip(fields.keys, fields.values).map { key, value -> (Text, Value) in
          switch key {
          case .text(let text): return (text, value)
          case .int, .float, .bool, .none: return (try json(key, style), value)
          default: throw TemplateError.raised("\(key.kind) cannot be a key of JSON")
          }
        }
        if style.sortsKeys { pairs.sort { $0.0 < $1.0 } }
        let parts = try pairs.map { key, value in
          Spelling.json(key, isASCII: style.isASCII) + style.colon
            + (try json(value, style, indent: indent + 1))
        }
        return style.joined(parts, "{", "}", indent)
      case .undefined, .namespace, .loop, .function:
        throw TemplateError.raised("\(value.kind) cannot be written as JSON")
      }
    }
  }
}

enum Spelling {
  struct JSON {
    var indent: Text?
    var comma = Text(", ")
    var colon = Text(": ")
    var isASCII = false
    var sortsKeys = false

    func joined(_ parts: [Text], _ open: String, _ close: String, _ level: Int) -> Text {
      guard !parts.isEmpty else { return Text(open + close) }
      var out = Text(open)
      let line = indent.map { indent in
        { (level: Int) in [10] + Array(repeatElement(indent.units, count: level).joined()) }
      }
      for (i, part) in parts.enumerated() {
        if i > 0 { out.units += comma.units }
        if let line { out.units += line(level + 1) }
        out.units += part.units
      }
      if let line { out.units += line(level) }
      out.units += Text(close).units
      return out
    }
  }

  /// The shortest digits that give the number back, with an exponent from 1e16 and below 1e-4.
  static func float(_ number: Double) -> String {
    guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
    let parts = number.magnitude.description.split(separator: "e")
    let pieces = parts[0].split(separator: ".")
    var digits = String(pieces[0]) + (pieces.count > 1 && pieces[1] != "0" ? pieces[1] : "")
    var point = pieces[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    while digits.count > 1, digits.hasPrefix("0") {
      digits.removeFirst()
      point -= 1
    }
    while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
    let sign = number.sign == .minus ? "-" : ""
    if number == 0 { return sign + "0.0" }
    let exponent = point - 1
    guard exponent >= -4, exponent < 16 else {
      let tail = digits.count > 1 ? "." + digits.dropFirst() : ""
      let size = String(abs(exponent))
      return sign + String(digits.prefix(1)) + tail + (exponent < 0 ? "e-" : "e+")
        + (size.count < 2 ? "0" + size : size)
    }
    if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
    if digits.count <= point {
      return sign + digits + String(repeating: "0", count: point - digits.count) + ".0"
    }
    return sign + String(digits.prefix(point)) + "." + String(digits.dropFirst(point))
  }

  /// A string in the quotes of a list.
  static func quoted(_ text: Text) -> Text {
    let hasSingle = text.units.contains { $0 & Text.scalarBits == 39 }
    let hasDouble = text.units.contains { $0 & Text.scalarBits == 34 }
    let quote: Unicode.Scalar = hasSingle && !hasDouble ? "\"" : "'"
    let inner = text.mapped { scalar in
      switch scalar {
      case "\\": "\\\\"
      case quote: "\\" + String(quote)
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      default:
        isPrintable(scalar) ? String(scalar) : escaped(scalar)
      }
    }
    return Text(String(quote)) + inner + Text(String(quote))
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }

  private static func hex(_ value: UInt32, _ digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    scalar.value < 0x100
      ? "\\x" + hex(scalar.value, 2)
      : scalar.value < 0x10000 ? "\\u" + hex(scalar.value, 4) : "\\U" + hex(scalar.value, 8)
  }

  static func json(_ text: Text, isASCII: Bool) -> Text {
    let inner = text.mapped { scalar in
      switch scalar {
      case "\"": return "\\\""
      case "\\": return "\\\\"
      case "\n": return "\\n"
      case "\r": return "\\r"
      case "\t": return "\\t"
      case "\u{8}": return "\\b"
      case "\u{C}": return "\\f"
      default:
        if scalar.value < 0x20 { return "\\u" + hex(scalar.value, 4) }
        guard isASCII, scalar.value > 0x7E else { return String(scalar) }
        return String(scalar).utf16.map { "\\u" + hex(UInt32($0), 4) }.joined()
      }
    }
    return Text("\"") + inner + Text("\"")
  }
}
