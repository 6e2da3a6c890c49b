/// What follows a bar.
enum Filters {
  static func apply(
    _ name: String, _ value: Value, _ arguments: Value.Arguments, _ renderer: Renderer,
    _ line: Int
  ) throws -> Value {
    if let result = try text(name, value, arguments, renderer, line) { return result }
    if let result = try list(name, value, arguments, renderer, line) { return result }
    switch name {
    case "default", "d":
      let fallback = arguments[0, "default_value"] ?? .string("")
      if case .undefined = value { return fallback }
      return arguments[1, "boolean"]?.isTrue == true && !value.isTrue ? fallback : value
    case "tojson": return try renderer.checked(try renderer.json(value, try style(arguments)))
    case "int":
      let base = arguments[1, "base"]?.integer ?? 10
      return integer(value, base) ?? arguments[0, "default"] ?? .int(0)
    case "float":
      if let number = value.number { return .float(number) }
      if case .text(let text) = value, let number = Double(text.stripped().string) {
        return .float(number)
      }
      return arguments[0, "default"] ?? .float(0)
    case "abs":
      if let number = value.integer, number != .min { return .int(abs(number)) }
      if case .float(let number) = value { return .float(abs(number)) }
      throw TemplateError.type(line: line, what: "\(value.kind) has no absolute value")
    case "round": return try rounded(value, arguments, renderer, line)
    case "items":
      switch value {
      case .map(let fields): return .list(fields.pairs)
      case .undefined: return .list([])
      default:
        throw TemplateError.type(line: line, what: "items takes a mapping, not \(value.kind)")
      }
    case "attr":
      guard case .text(let name)? = arguments.positional.first else {
        throw TemplateError.type(line: line, what: "attr needs a name")
      }
      return try renderer.attribute(value, name.string, line)
    default: throw TemplateError.unknown(line: line, what: "the filter \"\(name)\"")
    }
  }

  private static func style(_ arguments: Value.Arguments) throws -> Spelling.JSON {
    var style = Spelling.JSON()
    style.isASCII = arguments[0, "ensure_ascii"]?.isTrue == true
    style.sortsKeys = arguments[3, "sort_keys"]?.isTrue == true
    switch arguments[1, "indent"] {
    case .int(let width)?:
      style.indent = Text(String(repeating: " ", count: min(max(0, width), 32)))
      style.comma = Text(",")
    case .text(let text)?:
      style.indent = text
      style.comma = Text(",")
    default: break
    }
    if let separators = arguments[2, "separators"]?.items, separators.count == 2,
      case .text(let comma) = separators[0], case .text(let colon) = separators[1]
    {
      (style.comma, style.colon) = (comma, colon)
    }
    return style
  }

  private static func integer(_ value: Value, _ base: Int) -> Value? {
    if let number = value.integer { return .int(number) }
    if case .float(let number) = value {
      return Int(exactly: number.rounded(.towardZero)).map { .int($0) }
    }
    guard case .text(let text) = value else { return nil }
    let string = text.stripped().string.filter { $0 != "_" }
    if (2...36).contains(base), let number = Int(string, radix: base) { return .int(number) }
    guard base == 10, let number = Double(string) else { return nil }
    return Int(exactly: number.rounded(.towardZero)).map { .int($0) }
  }

  private static func rounded(
    _ value: Value, _ arguments: Value.Arguments, _ renderer: Renderer, _ line: Int
  ) throws -> Value {
    guard let number = value.number else {
      throw TemplateError.type(line: line, what: "\(value.kind) cannot be rounded")
    }
    let scale = Builtins.power(10, Double(min(20, max(0, arguments[0, "precision"]?.integer ?? 0))))
    var rule = FloatingPointRoundingRule.toNearestOrEven
    if case .text(let method)? = arguments[1, "method"] {
      rule = method.string == "ceil" ? .up : method.string == "floor" ? .down : rule
    }
    return .float((number * scale).rounded(rule) / scale)
  }

  // Filters of text.

  private static func text(
    _ name: String, _ value: Value, _ arguments: Value.Arguments, _ renderer: Renderer, _ line: Int
  ) throws -> Value? {
    switch name {
    case "string", "safe":
      return .text(try renderer.spelled(value))
    case "trim":
      var set: Text?
      if case .text(let characters)? = arguments[0, "chars"] { set = characters }
      return try renderer.checked(try renderer.spelled(value).stripped(set))
    case "upper", "lower", "title", "capitalize":
      return try renderer.checked(Methods.cased(try renderer.spelled(value), name))
    case "replace":
      guard let old = arguments[0, "old"], let new = arguments[1, "new"] else {
        throw TemplateError.type(line: line, what: "replace takes two strings")
      }
      let limit = arguments[2, "count"]?.integer ?? -1
      return try renderer.replaced(
        try renderer.spelled(value), try renderer.spelled(old), try renderer.spelled(new),
        limit < 0 ? .max : limit)
    case "escape", "e", "forceescape":
      return try renderer.checked(
        try renderer.spelled(value).mapped {
          switch $0 {
          case "&": "&amp;"
          case "<": "&lt;"
          case ">": "&gt;"
          case "\"": "&#34;"
          case "'": "&#39;"
          default: String($0)
          }
        })
    case "indent":
      var filler = Text("    ")
      if let width = arguments[0, "width"]?.integer {
        filler = Text(String(repeating: " ", count: min(max(0, width), 1_000)))
      } else if case .text(let text)? = arguments[0, "width"] {
        filler = text
      }
      let isFirst = arguments[1, "first"]?.isTrue == true
      let isBlank = arguments[2, "blank"]?.isTrue == true
      let lines = try renderer.spelled(value).split(Text("\n"))
      try renderer.spend(lines.count * filler.count)
      var out: [UInt32] = []
      for (i, line) in lines.enumerated() {
        if i > 0 { out.append(10) }
        if i == 0 ? isFirst : isBlank || line.count > 0 { out += filler.units }
        out += line.units
      }
      return try renderer.checked(Text(units: out))
    case "wordcount": return .int(try renderer.spelled(value).words().count)
    default: return nil
    }
  }

  // Filters of lists.

  private static func list(
    _ name: String, _ value: Value, _ arguments: Value.Arguments, _ renderer: Renderer, _ line: Int
  ) throws -> Value? {
    switch name {
    case "length", "count":
      switch value {
      case .text(let text): return .int(text.count)
      case .map(let fields): return .int(fields.count)
      case .none, .bool, .int, .float:
        throw TemplateError.type(line: line, what: "\(value.kind) has no length")
      default: return .int(try renderer.items(of: value, line).count)
      }
    case "list": return try renderer.checked(try renderer.items(of: value, line))
    case "first":
      return try renderer.items(of: value, line).first ?? .undefined("the first of no elements")
    case "last":
      return try renderer.items(of: value, line).last ?? .undefined("the last of no elements")
    case "reverse":
      if case .text(let text) = value { return .text(Text(units: text.units.reversed())) }
      return try renderer.checked(try renderer.items(of: value, line).reversed())
    case "join":
      var items = try renderer.items(of: value, line)
      if let attribute = arguments[1, "attribute"] {
        items = try items.map { try part($0, attribute, renderer, line) }
      }
      return try renderer.joined(items, try renderer.spelled(arguments[0, "d"] ?? .string("")))
    case "map": return try mapped(value, arguments, renderer, line)
    case "select", "reject", "selectattr", "rejectattr":
      return try selected(name, value, arguments, renderer, line)
    case "sort", "unique", "min", "max", "sum":
      return try ordered(name, try renderer.items(of: value, line), arguments, renderer, line)
    case "dictsort":
      guard case .map(let fields) = value else {
        throw TemplateError.type(line: line, what: "dictsort takes a mapping, not \(value.kind)")
      }
      let pairs = zip(fields.keys, fields.values).map { (key: $0, value: $1) }
      let sorted = try stable(pairs, renderer) { folded($0.key, false) }
      let items = sorted.map { Value.tuple([$0.key, $0.value]) }
      return .list(arguments[2, "reverse"]?.isTrue == true ? items.reversed() : items)
    case "groupby":
      guard let attribute = arguments[0, "attribute"] else {
        throw TemplateError.type(line: line, what: "groupby needs an attribute")
      }
      var groups: [(key: Value, items: [Value])] = []
      let items = try renderer.items(of: value, line).map {
        (key: try part($0, attribute, renderer, line), item: $0)
      }
      for (key, item) in try stable(items, renderer, by: { folded($0.key, false) }) {
        if let last = groups.last, try renderer.equal(folded(last.key, false), folded(key, false)) {
          groups[groups.count - 1].items.append(item)
        } else {
          groups.append((key, [item]))
        }
      }
      try renderer.wrap([.list([])])
      return .list(groups.map { .tuple([$0.key, .list($0.items)]) })
    case "batch", "slice", "random", "pprint", "format", "xmlattr", "urlencode", "truncate",
      "center":
      return nil
    default: return nil
    }
  }

  /// An attribute of an element, by a name that may have dots or by a number.
  private static func part(
    _ item: Value, _ attribute: Value, _ renderer: Renderer, _ line: Int
  ) throws -> Value {
    guard case .text(let path) = attribute else {
      return try renderer.element(item, attribute, line)
    }
    return try path.split(Text(".")).reduce(item) { value, name in
      if let index = Int(name.string) { return try renderer.element(value, .int(index), line) }
      return try renderer.element(value, .text(name), line)
    }
  }

  private static func mapped(
    _ value: Value, _ arguments: Value.Arguments, _ renderer: Renderer, _ line: Int
  ) throws -> Value {
    let items = value.isTrue ? try renderer.items(of: value, line) : []
    if let attribute = arguments.named.first(where: { $0.name == "attribute" })?.value {
      let fallback = arguments.named.first { $0.name == "default" }?.value
      return try renderer.checked(
        try items.map {
          let found = try part($0, attribute, renderer, line)
          if case .undefined = found, let fallback { return fallback }
          return found
        })
    }
    guard case .text(let filter)? = arguments.positional.first else {
      throw TemplateError.type(line: line, what: "map needs a filter or an attribute")
    }
    var rest = arguments
    rest.positional.removeFirst()
    return try renderer.checked(
      try items.map { item in
        try renderer.nested { try apply(filter.string, item, rest, renderer, line) }
      })
  }

  private static func selected(
    _ name: String, _ value: Value, _ arguments: Value.Arguments, _ renderer: Renderer, _ line: Int
  ) throws -> Value {
    var rest = arguments
    var attribute: Value?
    if name.hasSuffix("attr") {
      guard !rest.positional.isEmpty else {
        throw TemplateError.type(line: line, what: "\(name) needs an attribute")
      }
      attribute = rest.positional.removeFirst()
    }
    var test: String?
    if case .text(let name)? = rest.positional.first {
      test = name.string
      rest.positional.removeFirst()
    }
    let keeps = name.hasPrefix("select")
    return try renderer.checked(
      (value.isTrue ? renderer.items(of: value, line) : []).filter { item in
        let subject = try attribute.map { try part(item, $0, renderer, line) } ?? item
        let holds =
          try test.map { try Tests.holds(named($0), subject, rest, renderer, line) }
          ?? subject.isTrue
        return holds == keeps
      })
  }

  /// A test by its sign.
  private static func named(_ test: String) -> String {
    ["==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"][test] ?? test
  }

  private static func folded(_ value: Value, _ isCaseSensitive: Bool) -> Value {
    guard !isCaseSensitive, case .text(let text) = value else { return value }
    return .text(Methods.cased(text, "lower"))
  }

  /// Sorted by a key, equal elements in the order in which they came.
  private static func stable<T>(
    _ items: [T], _ renderer: Renderer, by key: (T) -> Value
  ) throws -> [T] {
    let keyed = items.map { ($0, key($0)) }
    return try keyed.enumerated().sorted {
      guard let order = try renderer.order($0.element.1, $1.element.1) else {
        throw TemplateError.raised(
          "\($0.element.1.kind) and \($1.element.1.kind) cannot be sorted")
      }
      return order != 0 ? order < 0 : $0.offset < $1.offset
    }.map(\.element.0)
  }

  private static func ordered(
    _ name: String, _ items: [Value], _ arguments: Value.Arguments, _ renderer: Renderer,
    _ line: Int
  ) throws -> Value {
    let attribute = arguments.named.first { $0.name == "attribute" }?.value
    let isCaseSensitive =
      arguments.named.first { $0.name == "case_sensitive" }?.value.isTrue == true
    func key(_ item: Value) throws -> Value {
      folded(try attribute.map { try part(item, $0, renderer, line) } ?? item, isCaseSensitive)
    }
    switch name {
    case "sum":
      return try items.reduce(arguments[1, "start"] ?? .int(0)) {
        let term = try attribute.map { [item = $1] in try part(item, $0, renderer, line) } ?? $1
        return try renderer.operate("+", $0, term, line)
      }
    case "unique":
      var kept: [Value] = []
      var seen = Value.Fields()
      for item in items {
        let key = try key(item)
        guard seen[key] == nil else { continue }
        seen[key] = .bool(true)
        kept.append(item)
      }
      return .list(kept)
    default:
      let keyed = try items.map { (item: $0, key: try key($0)) }
      let sorted = try stable(keyed, renderer) { $0.key }.map(\.item)
      switch name {
      case "min": return sorted.first ?? .undefined("the least of no elements")
      case "max": return sorted.last ?? .undefined("the greatest of no elements")
      default:
        let isReversed = arguments[0, "reverse"]?.isTrue == true
        guard isReversed else { return .list(sorted) }
        // Equal elements keep their order here too.
        let backwards = Array(keyed.reversed())
        return .list(try stable(backwards, renderer) { $0.key }.map(\.item).reversed())
      }
    }
  }
}
