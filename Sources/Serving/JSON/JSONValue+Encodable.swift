import Foundation
import TemplateLanguage

// JSON that came with a request and goes back with the reply, and the text of what is encoded.

extension JSONValue: Encodable {
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .null:
      var box = encoder.singleValueContainer()
      try box.encodeNil()
    case .bool(let flag):
      var box = encoder.singleValueContainer()
      try box.encode(flag)
    case .int(let number):
      var box = encoder.singleValueContainer()
      try box.encode(number)
    case .double(let number):
      var box = encoder.singleValueContainer()
      try box.encode(number)
    case .string(let text):
      var box = encoder.singleValueContainer()
      try box.encode(text)
    case .array(let items):
      var box = encoder.unkeyedContainer()
      for item in items { try box.encode(item) }
    case .object(let members):
      var box = encoder.container(keyedBy: Key.self)
      for (key, value) in members { try box.encode(value, forKey: Key(stringValue: key)) }
    }
  }
}

extension JSONValue {
  /// The value as compact JSON, keys in their order.
  var text: String {
    switch self {
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .int(let number): String(number)
    case .double(let number): number.description
    case .string(let text): Self.quoted(text)
    case .array(let items): "[" + items.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { Self.quoted($0.key) + ":" + $0.value.text }.joined(separator: ",") + "}"
    }
  }

  /// `text` as a JSON string.
  static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

/// A key of a JSON object that is there even where its value is null.
@propertyWrapper
struct Nullable<Value: Encodable & Sendable>: Encodable, Sendable {
  var wrappedValue: Value?
  init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

  func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    if let wrappedValue { try box.encode(wrappedValue) } else { try box.encodeNil() }
  }
}

/// The bytes of a reply.
func json(_ value: some Encodable) throws -> Data {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
  return try encoder.encode(value)
}
