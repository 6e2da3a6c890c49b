/// What follows the dot of a string, a mapping, a list or `loop`.
enum Methods {
  static func of(_ loop: Value.Loop, _ name: String, _ line: Int) throws -> Value {
    let count = loop.items.count
    switch name {
    case "index": return .int(loop.index + 1)
    case "index0": return .int(loop.index)
    case "revindex": return .int(count - loop.index)
    case "revindex0": return .int(count - loop.index - 1)
    case "first": return .bool(loop.index == 0)
    case "last": return .bool(loop.index == count - 1)
    case "length": return .int(count)
    case "depth": return .int(1)
    case "depth0": return .int(0)
    case "previtem":
      return loop.index > 0 ? loop.items[loop.index - 1] : .undefined("loop.previtem")
    case "nextitem":
      return loop.index + 1 < count ? loop.items[loop.index + 1] : .undefined("loop.nextitem")
    case "cycle":
      return method(name) { arguments, _ in
        guard !arguments.positional.isEmpty else { throw TemplateError.raised("cycle of nothing") }
        return arguments.positional[loop.index % arguments.positional.count]
      }
    case "changed":
      return method(name) { arguments, renderer in
        let now = arguments.positional
        defer { loop.lastChecked = now }
        guard let before = loop.lastChecked, before.count == now.count else { return .bool(true) }
        return .bool(try !zip(before, now).allSatisfy { try renderer.equal($0, $1) })
      }
    default: throw TemplateError.unknown(line: line, what: "loop.\(name)")
    }
  }

  static func of(_ value: Value, _ name: String) -> Value? {
    switch value {
    case .text(let text): of(text, name)
    case .map(let fields): of(fields, name)
    case .list(let items), .tuple(let items): of(items, name)
    default: nil
    }
  }

  private static func method(
    _ name: String, _ body: @escaping (Value.Arguments, Renderer) throws -> Value
  ) -> Value { .function(Value.Function(name, body)) }

  private static func of(_ fields: Value.Fields, _ name: String) -> Value? {
    switch name {
    case "items": method(name) { _, _ in .list(fields.pairs) }
    case "keys": method(name) { _, _ in .list(fields.keys) }
    case "values": method(name) { _, _ in .list(fields.values) }
    case "get":
      method(name) { arguments, _ in
        guard let key = arguments[0, "key"] else { throw TemplateError.raised("get needs a key") }
        return fields[key] ?? arguments[1, "default"] ?? .none
      }
    case "copy": method(name) { _, _ in .map(fields) }
    case "update", "pop", "popitem", "clear", "setdefault": refusal(name)
    default: nil
    }
  }

  private static func of(_ items: [Value], _ name: String) -> Value? {
    switch name {
    case "index":
      method(name) { arguments, renderer in
        let wanted = arguments.positional.first ?? .none
        guard let at = try items.firstIndex(where: { try renderer.equal($0, wanted) }) else {
          throw TemplateError.raised("the list does not hold what it was asked for")
        }
        return .int(at)
      }
    case "count":
      method(name) { arguments, renderer in
        let wanted = arguments.positional.first ?? .none
        return .int(try items.count { try renderer.equal($0, wanted) })
      }
    case "append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse": refusal(name)
    default: nil
    }
  }

  private static func refusal(_ name: String) -> Value {
    method(name) { _, _ in
      throw TemplateError.raised("it may not change what it is given (\(name))")
    }
  }

  /// A string argument; nil where there is none.
  private static func text(_ value: Value?, _ name: String) throws -> Text? {
    switch value {
    case nil, .some(.none): nil
    case .text(let text): text
    case .some(let other):
      throw TemplateError.raised("\(name) takes a string, not \(other.kind)")
    }
  }

  private static func needed(_ value: Value?, _ name: String) throws -> Text {
    guard let text = try text(value, name) else {
      throw TemplateError.raised("\(name) needs a string")
    }
    return text
  }

  private static func limit(_ value: Value?) -> Int {
    let limit = value?.integer ?? -1
    return limit < 0 ? .max : limit
  }

  private static func of(_ text: Text, _ name: String) -> Value? {
    switch name {
    case "strip", "lstrip", "rstrip":
      method(name) { arguments, renderer in
        let set = try Self.text(arguments[0, "chars"], name)
        return try renderer.checked(
          text.stripped(set, left: name != "rstrip", right: name != "lstrip"))
      }
    case "split", "rsplit":
      method(name) { arguments, renderer in
        let limit = limit(arguments[1, "maxsplit"])
        try renderer.spend(text.count)
        guard let separator = try Self.text(arguments[0, "sep"], name) else {
          return try renderer.checked(text.words(limit: limit).map { .text($0) })
        }
        guard separator.count > 0 else { throw TemplateError.raised("split by an empty string") }
        let parts =
          name == "split" || limit == .max
          ? text.split(separator, limit: limit) : text.splitFromEnd(separator, limit: limit)
        return try renderer.checked(parts.map { .text($0) })
      }
    case "partition", "rpartition":
      method(name) { arguments, _ in
        let separator = try needed(arguments.positional.first, name)
        let isFirst = name == "partition"
        guard separator.count > 0,
          let at = isFirst ? text.firstIndex(of: separator) : text.lastIndex(of: separator)
        else {
          let parts: [Text] = isFirst ? [text, Text(""), Text("")] : [Text(""), Text(""), text]
          return .tuple(parts.map { .text($0) })
        }
        return .tuple([
          .text(Text(units: text.units[..<at])), .text(separator),
          .text(Text(units: text.units[(at + separator.count)...])),
        ])
      }
    case "splitlines":
      method(name) { _, renderer in try renderer.checked(text.lines.map { .text($0) }) }
    case "startswith", "endswith":
      method(name) { arguments, _ in
        let given = arguments.positional.first
        let options = try (given?.items ?? given.map { [$0] } ?? []).map { try needed($0, name) }
        return .bool(
          options.contains { name == "startswith" ? text.hasPrefix($0) : text.hasSuffix($0) })
      }
    case "removeprefix", "removesuffix":
      method(name) { arguments, _ in
        let part = try needed(arguments.positional.first, name)
        if name == "removeprefix", text.hasPrefix(part) {
          return .text(Text(units: text.units.dropFirst(part.count)))
        }
        if name == "removesuffix", text.hasSuffix(part) {
          return .text(Text(units: text.units.dropLast(part.count)))
        }
        return .text(text)
      }
    case "replace":
      method(name) { arguments, renderer in
        let old = try needed(arguments[0, "old"], name)
        let new = try needed(arguments[1, "new"], name)
        return try renderer.replaced(text, old, new, limit(arguments[2, "count"]))
      }
    case "upper", "lower", "title", "capitalize", "swapcase":
      method(name) { _, renderer in try renderer.checked(cased(text, name)) }
    case "find", "rfind", "index":
      method(name) { arguments, _ in
        let part = try needed(arguments.positional.first, name)
        let at = name == "rfind" ? text.lastIndex(of: part) : text.firstIndex(of: part)
        guard at != nil || name != "index" else {
          throw TemplateError.raised("index found nothing")
        }
        return .int(at ?? -1)
      }
    case "count":
      method(name) { arguments, _ in
        .int(text.occurrences(of: try needed(arguments.positional.first, name)).count)
      }
    case "format":
      method(name) { arguments, renderer in try formatted(text, arguments, renderer) }
    case "join":
      method(name) { arguments, renderer in
        try renderer.joined(try renderer.items(of: arguments.positional.first ?? .none, 0), text)
      }
    case "isdigit", "isnumeric", "isdecimal":
      method(name) { _, _ in .bool(holds(text) { $0.properties.numericType != nil }) }
    case "isalpha": method(name) { _, _ in .bool(holds(text) { $0.properties.isAlphabetic }) }
    case "isalnum":
      method(name) { _, _ in
        .bool(holds(text) { $0.properties.isAlphabetic || $0.properties.numericType != nil })
      }
    case "isspace": method(name) { _, _ in .bool(holds(text) { Text.isBlank($0.value) }) }
    case "isupper", "islower":
      method(name) { _, renderer in
        .bool(
          try Tests.holds(
            name == "isupper" ? "upper" : "lower", .text(text), .init(), renderer, 0))
      }
    default: nil
    }
  }

  private static func holds(_ text: Text, _ test: (Unicode.Scalar) -> Bool) -> Bool {
    text.count > 0
      && text.units.allSatisfy { Unicode.Scalar($0 & Text.scalarBits).map(test) ?? false }
  }

  /// `{}`, `{0}` and `{name}` replaced by arguments; how to write them cannot be said here.
  private static func formatted(
    _ text: Text, _ arguments: Value.Arguments, _ renderer: Renderer
  ) throws -> Value {
    var out: [UInt32] = []
    var (at, used) = (0, 0)
    while at < text.count {
      let scalar = text.scalar(at)
      guard scalar == 0x7B || scalar == 0x7D else {
        out.append(text.units[at])
        at += 1
        continue
      }
      if at + 1 < text.count, text.scalar(at + 1) == scalar {
        out.append(text.units[at])
        at += 2
        continue
      }
      guard scalar == 0x7B, let close = text.firstIndex(of: Text("}"), from: at) else {
        throw TemplateError.raised("a brace of format has no other")
      }
      let name = Text.string(text.units[at + 1..<close])
      let found: Value?
      if name.isEmpty {
        found = used < arguments.positional.count ? arguments.positional[used] : nil
        used += 1
      } else if let index = Int(name) {
        found = arguments.positional.indices.contains(index) ? arguments.positional[index] : nil
      } else {
        found = arguments.named.first { $0.name == name }?.value
      }
      guard let found else { throw TemplateError.raised("format has nothing for {\(name)}") }
      out += try renderer.spelled(found).units
      at = close + 1
    }
    return try renderer.checked(Text(units: out))
  }

  static func cased(_ text: Text, _ name: String) -> Text {
    switch name {
    case "upper": return text.mapped { $0.properties.uppercaseMapping }
    case "lower": return text.mapped { $0.properties.lowercaseMapping }
    case "swapcase":
      return text.mapped {
        $0.properties.isUppercase ? $0.properties.lowercaseMapping : $0.properties.uppercaseMapping
      }
    default:
      var isInside = false
      return text.mapped { scalar in
        defer { isInside = name == "capitalize" || scalar.properties.isCased }
        return isInside ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
      }
    }
  }
}

extension Renderer {
  func replaced(_ text: Text, _ old: Text, _ new: Text, _ limit: Int) throws -> Value {
    let times = old.count == 0 ? text.count + 1 : text.occurrences(of: old, limit: limit).count
    try spend(text.count + min(times, limit) * new.count)
    return .text(text.replacing(old, new, limit: limit))
  }

  func joined(_ items: [Value], _ separator: Text) throws -> Value {
    var out: [UInt32] = []
    for (i, item) in items.enumerated() {
      if i > 0 { out += separator.units }
      out += try spelled(item).units
      guard out.count <= limits.characters else { break }
    }
    return try checked(Text(units: out))
  }
}
