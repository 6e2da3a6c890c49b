import TemplateLanguage

/// Turns a schema into a grammar.
struct JSONSchemaReader {
  private let root: JSONValue
  private var pieces = JSONGrammar()
  /// The rules of what `$ref` names.
  private var references: [String: Int32] = [:]
  private var depth = 0

  /// Keywords that say something about a value without restricting it.
  private static let annotations: Set<String> = [
    "title", "description", "default", "examples", "example", "$schema", "$id", "$comment",
    "deprecated", "readOnly", "writeOnly", "$defs", "definitions", "$anchor",
  ]
  /// What may stand beside a type.
  private static let details: [String: Set<String>] = [
    "object": ["properties", "required", "additionalProperties"],
    "array": ["items", "minItems", "maxItems"],
    "string": ["minLength", "maxLength"],
    "number": [], "integer": [], "boolean": [], "null": [],
  ]
  /// Counted lengths become states of the grammar.
  private static let longest = 1_000

  init(_ root: JSONValue) { self.root = root }

  mutating func grammar() throws -> ByteGrammar {
    let start = pieces.grammar.state()
    pieces.grammar.start = start
    pieces.grammar.end(try value(root, "#", from: start))
    return pieces.grammar
  }

  private func unknown(_ keyword: String, _ path: String, _ why: String = "") -> GenerationError {
    GenerationError(
      "the JSON schema has \"\(keyword)\" at \(path)\(why), which cannot be enforced: leave it out, "
        + "and check the answer for it")
  }

  private func wrong(_ keyword: String, _ path: String, _ what: String) -> GenerationError {
    GenerationError("the JSON schema's \"\(keyword)\" at \(path) must be \(what)")
  }

  /// What fits `schema`, from the state `from` to the state that is given back.
  private mutating func value(
    _ schema: JSONValue, _ path: String, from: Int32
  ) throws -> Int32 {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 64 else { throw GenerationError("the JSON schema nests more than 64 deep") }
    if schema.bool == true { return pieces.value(from: from) }
    guard let members = schema.members else {
      throw GenerationError("the JSON schema at \(path) must be an object")
    }
    let keywords = members.map(\.key).filter { !Self.annotations.contains($0) }
    func alone(_ keyword: String) throws {
      if let other = keywords.first(where: { $0 != keyword }) {
        throw unknown(other, path, " beside \"\(keyword)\"")
      }
    }
    if let name = schema["$ref"] {
      try alone("$ref")
      guard let name = name.string else { throw wrong("$ref", path, "a string") }
      return pieces.grammar.call(try reference(name, path), from: from)
    }
    if let choices = schema["anyOf"] {
      try alone("anyOf")
      guard let choices = choices.array, !choices.isEmpty else {
        throw wrong("anyOf", path, "a list of schemas")
      }
      return try choice(choices.indices.map { $0 }, from: from) { reader, i, from in
        try reader.value(choices[i], "\(path)/anyOf/\(i)", from: from)
      }
    }
    if let parts = schema["allOf"] {
      try alone("allOf")
      guard let parts = parts.array, parts.count == 1 else {
        throw unknown("allOf", path, " of several schemas")
      }
      return try value(parts[0], "\(path)/allOf/0", from: from)
    }
    let types = try types(schema, path)
    let literals = try schema["const"].map { [$0] } ?? literals(schema, path)
    let known = (types ?? Array(Self.details.keys)).reduce(
      into: Set(["type", "enum", "const"])
    ) { $0.formUnion(Self.details[$1] ?? []) }
    if let odd = keywords.first(where: { !known.contains($0) }) { throw unknown(odd, path) }
    if let literals {
      if let odd = keywords.first(where: { !["type", "enum", "const"].contains($0) }) {
        throw unknown(odd, path, " beside a list of values")
      }
      let fitting = literals.filter { literal in types?.contains { literal.fits($0) } ?? true }
      guard !fitting.isEmpty else {
        throw GenerationError("the JSON schema at \(path) lists no value of its type")
      }
      return pieces.word(fitting.map(\.compact), from: from)
    }
    guard let types = types ?? impliedType(schema) else { return pieces.value(from: from) }
    return try choice(types, from: from) { reader, type, from in
      try reader.value(of: type, schema, path, from: from)
    }
  }

  private mutating func choice<Option>(
    _ options: [Option], from: Int32,
    _ body: (inout JSONSchemaReader, Option, Int32) throws -> Int32
  ) rethrows -> Int32 {
    let end = pieces.grammar.state()
    for option in options {
      let start = pieces.grammar.state()
      pieces.grammar.jump(from, to: start)
      let last = try body(&self, option, start)
      pieces.grammar.jump(last, to: end)
    }
    return end
  }

  private func types(_ schema: JSONValue, _ path: String) throws -> [String]? {
    guard let type = schema["type"] else { return nil }
    let names = type.string.map { [$0] } ?? type.array?.compactMap(\.string) ?? []
    guard !names.isEmpty, names.count == (type.array?.count ?? 1) else {
      throw wrong("type", path, "a type or a list of types")
    }
    if let odd = names.first(where: { Self.details[$0] == nil }) {
      throw wrong(
        "type", path, "one of \(Self.details.keys.sorted().joined(separator: ", ")), not \(odd)")
    }
    return names
  }

  /// The type of a schema that names none but has the details of one.
  private func impliedType(_ schema: JSONValue) -> [String]? {
    let found = Self.details.keys.sorted().filter { type in
      Self.details[type]?.contains { schema[$0] != nil } ?? false
    }
    return found.isEmpty ? nil : found
  }

  private func literals(_ schema: JSONValue, _ path: String) throws -> [JSONValue]? {
    guard let list = schema["enum"] else { return nil }
    guard let values = list.array, !values.isEmpty else {
      throw wrong("enum", path, "a list of values")
    }
    return values
  }

  private mutating func value(
    of type: String, _ schema: JSONValue, _ path: String, from: Int32
  ) throws -> Int32 {
    switch type {
    case "object": return try object(schema, path, from: from)
    case "array":
      let least = try count("minItems", schema, path) ?? 0
      let most = try count("maxItems", schema, path)
      try check(least, most, "minItems", path)
      let item = try rule(schema["items"] ?? .bool(true), "\(path)/items")
      return pieces.array(from: from, least: least, most: most, item: item)
    case "string":
      let least = try count("minLength", schema, path) ?? 0
      let most = try count("maxLength", schema, path)
      try check(least, most, "minLength", path)
      return pieces.string(from: from, least: least, most: most)
    case "number": return pieces.number(from: from)
    case "integer": return pieces.integer(from: from)
    case "boolean": return pieces.word(["true", "false"], from: from)
    default: return pieces.word(["null"], from: from)
    }
  }

  private func count(_ keyword: String, _ schema: JSONValue, _ path: String) throws -> Int? {
    guard let value = schema[keyword] else { return nil }
    guard let count = value.int, (0...Self.longest).contains(count) else {
      throw wrong(keyword, path, "a whole number from 0 to \(Self.longest)")
    }
    return count
  }

  private func check(_ least: Int, _ most: Int?, _ keyword: String, _ path: String) throws {
    if let most, most < least { throw wrong(keyword, path, "at most the maximum, \(most)") }
  }

  private mutating func rule(_ schema: JSONValue, _ path: String) throws -> Int32 {
    let start = pieces.grammar.state()
    pieces.grammar.end(try value(schema, path, from: start))
    return start
  }

  private mutating func object(
    _ schema: JSONValue, _ path: String, from: Int32
  ) throws -> Int32 {
    guard let properties = schema["properties"].map({ $0.members }) ?? [] else {
      throw wrong("properties", path, "an object")
    }
    let required = try required(schema, path)
    let names = Set(properties.map(\.key))
    if names.count < properties.count {
      throw wrong("properties", path, "an object in which no name stands twice")
    }
    if let missing = required.filter({ !names.contains($0) }).min() {
      throw wrong("required", path, "a list of declared properties, which \"\(missing)\" is not")
    }
    let others = schema["additionalProperties"] ?? .bool(properties.isEmpty)
    if properties.isEmpty, others.bool != false {
      let value = try rule(others, "\(path)/additionalProperties")
      return pieces.object(from: from) { $0.grammar.call(value, from: $1) }
    }
    return try object(properties, required, path, from: from)
  }

  private func required(_ schema: JSONValue, _ path: String) throws -> Set<String> {
    guard let list = schema["required"] else { return [] }
    guard let names = list.array?.map(\.string), !names.contains(nil) else {
      throw wrong("required", path, "a list of names")
    }
    return Set(names.compactMap { $0 })
  }

  /// The declared properties in their order; those that are not required may be left out.
  private mutating func object(
    _ properties: [(key: String, value: JSONValue)], _ required: Set<String>, _ path: String,
    from: Int32
  ) throws -> Int32 {
    // `first`: nothing was written yet; `later`: a comma must come before the next property.
    var first = pieces.blanks(from: pieces.grammar.literal("{", from: from))
    var later = pieces.grammar.state()
    for (key, schema) in properties {
      let start = pieces.grammar.state()
      pieces.grammar.jump(first, to: start)
      let next = pieces.blanks(from: pieces.grammar.literal(",", from: later))
      pieces.grammar.jump(next, to: start)
      let colon = pieces.grammar.literal(
        JSONValue.string(key).compact + ":", from: start)
      let begin = pieces.space(from: colon)
      let end = pieces.blanks(from: try value(schema, "\(path)/properties/\(key)", from: begin))
      let (none, some) = (pieces.grammar.state(), pieces.grammar.state())
      pieces.grammar.jump(end, to: some)
      if !required.contains(key) {
        pieces.grammar.jump(first, to: none)
        pieces.grammar.jump(later, to: some)
      }
      (first, later) = (none, some)
    }
    let end = pieces.grammar.state()
    for last in [first, later] { _ = pieces.grammar.bytes(0x7D...0x7D, from: last, to: end) }
    return end
  }

  /// The rule of what a reference names: `#`, or a path in the same schema.
  private mutating func reference(_ name: String, _ path: String) throws -> Int32 {
    if let known = references[name] { return known }
    guard name.hasPrefix("#") else {
      throw wrong("$ref", path, "a path in the same schema, as in #/$defs/name, not \(name)")
    }
    var target = root
    for part in name.dropFirst().split(separator: "/", omittingEmptySubsequences: true) {
      let key = part.split(separator: "~", omittingEmptySubsequences: false).enumerated().map {
        // RFC 6901: ~1 is a slash, ~0 a tilde.
        $0 == 0 ? String($1) : ($1.first == "1" ? "/" : "~") + $1.dropFirst()
      }.joined()
      guard
        let next = target[key]
          ?? target.array.flatMap({ list in
            Int(key).flatMap { list.indices.contains($0) ? list[$0] : nil }
          })
      else { throw wrong("$ref", path, "a path that exists, which \(name) is not") }
      target = next
    }
    let start = pieces.grammar.state()
    // Known before it is complete: it may name itself.
    references[name] = start
    pieces.grammar.end(try value(target, name, from: start))
    return start
  }
}

extension JSONValue {
  /// Whether it is of a type of JSON Schema.
  fileprivate func fits(_ type: String) -> Bool {
    switch (self, type) {
    case (.null, "null"), (.bool, "boolean"), (.string, "string"), (.array, "array"),
      (.object, "object"), (.int, "integer"), (.int, "number"), (.double, "number"):
      true
    case (.double(let value), "integer"): value == value.rounded()
    default: false
    }
  }

  /// The shortest spelling.
  fileprivate var compact: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .double(let value): String(value)
    case .string(let text): "\"" + text.unicodeScalars.map(Self.escaped).joined() + "\""
    case .array(let items): "[" + items.map(\.compact).joined(separator: ",") + "]"
    case .object(let members):
      "{"
        + members.map { JSONValue.string($0.key).compact + ":" + $0.value.compact }
        .joined(separator: ",") + "}"
    }
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    case _ where scalar.value < 0x20:
      let digits = String(scalar.value, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: return String(scalar)
    }
  }
}
