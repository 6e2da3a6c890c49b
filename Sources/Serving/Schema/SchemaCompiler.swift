import TemplateLanguage

/// Makes a grammar of a JSON schema (draft 2020-12, as far as structured outputs use it).
struct SchemaCompiler {
  private(set) var grammar = Grammar()
  private let root: JSONValue
  private let param: String
  private let ignoresUnknown: Bool
  /// Rules of what `$ref` names, so that a schema may contain itself.
  private var references: [String: Int] = [:]
  private var json: JSONRules
  private var depth = 0

  init(_ schema: JSONValue, param: String, ignoresUnknown: Bool) {
    (root, self.param, self.ignoresUnknown) = (schema, param, ignoresUnknown)
    json = JSONRules(&grammar)
  }

  mutating func compile() throws -> Grammar.Symbol { grammar.rule([[try value(root)]]) }

  private func refused(_ message: String) -> APIError {
    APIError(.badRequest, message, param: param, code: "invalid_json_schema")
  }

  /// Keywords that say nothing of what is valid, or are read elsewhere.
  private static let known: Set<String> = [
    "type", "properties", "required", "additionalProperties", "items", "prefixItems", "minItems",
    "maxItems", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions", "title",
    "description", "default", "examples", "$schema", "$id", "$comment", "format", "deprecated",
    "readOnly", "writeOnly", "minLength", "maxLength", "strict", "nullable",
  ]

  private mutating func value(_ schema: JSONValue) throws -> Grammar.Symbol {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 48 else { throw refused("The JSON schema is nested too deeply.") }
    if let flag = schema.bool {
      guard flag else { throw refused("The JSON schema allows no value at all in one place.") }
      return json.value
    }
    guard let members = schema.members else {
      throw refused("A JSON schema must be an object, or true.")
    }
    if !ignoresUnknown, let odd = members.first(where: { !Self.known.contains($0.key) }) {
      throw refused(
        "The JSON schema's keyword '\(odd.key.prefix(64))' is not supported: leave it out, and check "
          + "it in your own code.")
    }
    if let reference = schema["$ref"] { return try self.reference(reference) }
    if let value = schema["const"] { return literals([value]) }
    if let values = schema["enum"] {
      guard let values = values.array, !values.isEmpty else {
        throw refused("An enum in the JSON schema must be a list with values.")
      }
      return literals(values)
    }
    for name in ["anyOf", "oneOf"] {
      guard let list = schema[name] else { continue }
      guard let choices = list.array, !choices.isEmpty else {
        throw refused("\(name) in the JSON schema must be a list of schemas.")
      }
      return grammar.rule(try choices.map { [try value($0)] })
    }
    if let all = schema["allOf"] {
      guard let only = all.array, only.count == 1 else {
        throw refused("allOf in the JSON schema is supported with one schema only.")
      }
      return try value(only[0])
    }
    return try typed(schema)
  }

  private mutating func typed(_ schema: JSONValue) throws -> Grammar.Symbol {
    let names: [String]
    switch schema["type"] {
    case nil:
      if schema["properties"] != nil { return try object(schema) }
      if schema["items"] != nil { return try array(schema) }
      return json.value
    case .string(let name): names = [name]
    case .array(let list) where !list.isEmpty: names = list.map { $0.string ?? "" }
    default: throw refused("type in the JSON schema must be a name or a list of names.")
    }
    var choices: [[Grammar.Symbol]] = []
    for name in names {
      switch name {
      case "object": choices.append([try object(schema)])
      case "array": choices.append([try array(schema)])
      case "string": choices.append([try string(schema)])
      case "integer": choices.append([json.integer])
      case "number": choices.append([json.number])
      case "boolean": choices += [Grammar.literal("true"), Grammar.literal("false")]
      case "null": choices.append(Grammar.literal("null"))
      default: throw refused("The JSON schema has the type '\(name.prefix(64))', which JSON lacks.")
      }
    }
    if schema["nullable"]?.bool == true { choices.append(Grammar.literal("null")) }
    return grammar.rule(choices)
  }

  private mutating func literals(_ values: [JSONValue]) -> Grammar.Symbol {
    grammar.rule(values.map { Grammar.literal($0.text) })
  }

  private mutating func reference(_ value: JSONValue) throws -> Grammar.Symbol {
    guard let path = value.string, path.hasPrefix("#") else {
      throw refused("$ref in the JSON schema must begin with #: other documents are not read.")
    }
    if let known = references[path] { return .rule(known) }
    var target = root
    for part in path.dropFirst().split(separator: "/") {
      let name = part.replacing("~1", with: "/").replacing("~0", with: "~")
      guard let next = target[String(name)] else {
        throw refused("$ref in the JSON schema names \(path.prefix(200)), which is not there.")
      }
      target = next
    }
    // A schema that is nothing but itself would never come to an end.
    guard target["$ref"]?.string != path else {
      throw refused("$ref in the JSON schema refers to itself.")
    }
    let rule = grammar.reserve()
    references[path] = rule
    let symbol = try self.value(target)
    grammar.define(rule, [[symbol]])
    return .rule(rule)
  }

  private func count(_ schema: JSONValue, _ name: String) throws -> Int? {
    guard let value = schema[name] else { return nil }
    guard let number = value.int, (0...1000).contains(number) else {
      throw refused("\(name) in the JSON schema must be a whole number from 0 to 1000.")
    }
    return number
  }

  private mutating func string(_ schema: JSONValue) throws -> Grammar.Symbol {
    let (fewest, most) = (try count(schema, "minLength") ?? 0, try count(schema, "maxLength"))
    guard fewest <= most ?? .max else {
      throw refused("minLength in the JSON schema is above maxLength.")
    }
    if fewest == 0, most == nil { return json.string }
    let quote = Grammar.literal("\"")
    return grammar.rule([quote + grammar.repeated(json.character, fewest, most) + quote])
  }

  private mutating func array(_ schema: JSONValue) throws -> Grammar.Symbol {
    let first = try (schema["prefixItems"]?.array ?? []).map { try value($0) }
    let item = try schema["items"].map { try value($0) } ?? json.value
    let fewest = max(try count(schema, "minItems") ?? 0, first.count)
    var most = try count(schema, "maxItems")
    if schema["items"]?.bool == false { most = min(most ?? first.count, first.count) }
    guard fewest <= most ?? .max else {
      throw refused("minItems in the JSON schema is above maxItems.")
    }
    let open = Grammar.literal("[") + [json.space]
    let close = [json.space] + Grammar.literal("]")
    let next = grammar.rule([Grammar.literal(",") + [json.space, item]])
    var filled: [Grammar.Symbol] = []
    for (i, symbol) in first.enumerated() {
      filled += (i > 0 ? Grammar.literal(",") + [json.space] : []) + [symbol]
    }
    if filled.isEmpty {
      if most == 0 { return grammar.rule([open + close]) }
      let rest = grammar.repeated(next, max(0, fewest - 1), most.map { $0 - 1 })
      let some = open + [item] + rest + close
      return grammar.rule(fewest == 0 ? [some, open + close] : [some])
    }
    let rest = grammar.repeated(next, fewest - first.count, most.map { $0 - first.count })
    return grammar.rule([open + filled + rest + close])
  }

  private mutating func object(_ schema: JSONValue) throws -> Grammar.Symbol {
    let open = Grammar.literal("{") + [json.space]
    let close = [json.space] + Grammar.literal("}")
    guard let properties = schema["properties"]?.members, !properties.isEmpty else {
      switch schema["additionalProperties"] {
      case .bool(false): return grammar.rule([open + close])
      case let inner? where inner.members != nil:
        return json.object(of: try value(inner), &grammar)
      default: return json.object
      }
    }
    let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
    let members = try properties.map { key, inner -> [Grammar.Symbol] in
      Grammar.literal(JSONValue.quoted(key) + ":") + [json.space, try value(inner)]
    }
    // From the last to the first: what may follow where a member stands before, and where none does.
    var (after, first): ([Grammar.Symbol], [Grammar.Symbol]) = ([], [])
    for (i, member) in members.enumerated().reversed() {
      let isRequired = required.contains(properties[i].key)
      let more = Grammar.literal(",") + [json.space] + member + after
      let begin = member + after
      let (skipped, none) = (after, first)
      after = [grammar.rule(isRequired ? [more] : [more, skipped])]
      first = [grammar.rule(isRequired ? [begin] : [begin, none])]
    }
    return grammar.rule([open + first + close])
  }
}
