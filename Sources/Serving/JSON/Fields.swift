import Foundation
import TemplateLanguage

/// The fields of a request, read one by one: each reader throws a 400 that names the field and says
/// what it should be. What is not read is ignored, as clients send much that only others know.
struct Fields: Sendable {
  private let members: [(key: String, value: JSONValue)]
  /// Where these fields stand in the request, with a point behind; empty at the top.
  let path: String

  /// The object of a body.
  init(body: some Sequence<UInt8>) throws {
    let value: JSONValue
    do {
      value = try JSONValue(body)
    } catch {
      throw APIError.invalid(
        nil, "The body is not valid JSON: \(error.what) at byte \(error.byte).",
        code: "invalid_json")
    }
    try self.init(value, path: "")
  }

  init(_ value: JSONValue, path: String) throws {
    guard let members = value.members else {
      throw APIError.invalid(
        path.isEmpty ? nil : String(path.dropLast()),
        (path.isEmpty ? "The body" : "\(path.dropLast())") + " must be a JSON object.")
    }
    (self.members, self.path) = (members, path)
    var seen: Set<String> = []
    for (key, _) in members where !seen.insert(key).inserted {
      throw APIError.invalid(
        path + key.prefix(64), "\(path)\(key.prefix(64)) is there twice.", code: "invalid_json")
    }
  }

  /// The value of a field; nil where it is missing or null.
  subscript(name: String) -> JSONValue? {
    guard let value = members.first(where: { $0.key == name })?.value, !value.isNull else {
      return nil
    }
    return value
  }

  func wrong(_ name: String, _ what: String) -> APIError {
    .invalid(path + name, "\(path)\(name) \(what).", code: "invalid_value")
  }

  func has(_ name: String) -> Bool { self[name] != nil }

  func string(_ name: String, limit: Int = 65_536) throws -> String? {
    guard let value = self[name] else { return nil }
    guard let text = value.string else { throw wrong(name, "must be a string") }
    guard text.utf8.count <= limit else { throw wrong(name, "has more than \(limit) bytes") }
    return text
  }

  func bool(_ name: String) throws -> Bool? {
    guard let value = self[name] else { return nil }
    guard let flag = value.bool else { throw wrong(name, "must be true or false") }
    return flag
  }

  func int(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let value = self[name] else { return nil }
    guard let number = Self.whole(value) else { throw wrong(name, "must be a whole number") }
    guard range.contains(number) else { throw wrong(name, Self.outside(range)) }
    return number
  }

  private static func outside(_ range: ClosedRange<Int>) -> String {
    range.upperBound == .max
      ? "must be at least \(range.lowerBound)"
      : "must lie between \(range.lowerBound) and \(range.upperBound)"
  }

  /// A whole number, 2.0 included.
  private static func whole(_ value: JSONValue) -> Int? {
    switch value {
    case .int(let number): number
    case .double(let number): Int(exactly: number)
    default: nil
    }
  }

  func float(_ name: String, in range: ClosedRange<Float>) throws -> Float? {
    guard let value = self[name] else { return nil }
    let number: Double
    switch value {
    case .int(let whole): number = Double(whole)
    case .double(let other): number = other
    default: throw wrong(name, "must be a number")
    }
    guard number >= Double(range.lowerBound), number <= Double(range.upperBound) else {
      throw wrong(name, "must lie between \(range.lowerBound) and \(range.upperBound)")
    }
    return Float(number)
  }

  func object(_ name: String) throws -> Fields? {
    guard let value = self[name] else { return nil }
    guard value.members != nil else { throw wrong(name, "must be an object") }
    return try Fields(value, path: path + name + ".")
  }

  /// A list, each element as the only field of its own `Fields`.
  func list(_ name: String, limit: Int) throws -> [JSONValue]? {
    guard let value = self[name] else { return nil }
    guard let items = value.array else { throw wrong(name, "must be a list") }
    guard items.count <= limit else { throw wrong(name, "has more than \(limit) elements") }
    return items
  }

  func objects(_ name: String, limit: Int) throws -> [Fields]? {
    try list(name, limit: limit)?.enumerated().map {
      try Fields($0.element, path: "\(path)\(name)[\($0.offset)].")
    }
  }

  func tokens(_ name: String, limit: Int = 1 << 20) throws -> [Int32]? {
    guard let items = try list(name, limit: limit) else { return nil }
    return try Self.tokens(items) ?? { throw wrong(name, "must be a list of token ids") }()
  }

  /// Token ids; nil where an element is none.
  static func tokens(_ items: [JSONValue]) -> [Int32]? {
    var ids: [Int32] = []
    ids.reserveCapacity(items.count)
    for item in items {
      guard let number = item.int, let id = Int32(exactly: number), id >= 0 else { return nil }
      ids.append(id)
    }
    return ids
  }

  /// The whole as JSON.
  var value: JSONValue { .object(members) }
}
