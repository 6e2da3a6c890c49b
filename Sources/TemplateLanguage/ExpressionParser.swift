// Expressions, with the precedence of the reference: condition, or, and, not, comparison, + and −,
// ~, * and its like, **, sign, then what follows a value.
extension Parser {
  mutating func expression() throws -> Expression {
    try nested { parser in
      let value = try parser.or()
      guard parser.skip(.name("if")) else { return value }
      let test = try parser.or()
      let otherwise = parser.skip(.name("else")) ? try parser.expression() : nil
      return .condition(test, then: value, otherwise: otherwise)
    }
  }

  /// Values with commas between make a tuple.
  mutating func tupleOrExpression(withCondition: Bool = true) throws -> Expression {
    let first = withCondition ? try expression() : try or()
    guard next == .symbol(",") else { return first }
    var items = [first]
    while skip(.symbol(",")) {
      if [.endStatement, .endOutput, .symbol(")"), .name("in")].contains(next) { break }
      items.append(withCondition ? try expression() : try or())
    }
    return .tuple(items)
  }

  private mutating func or() throws -> Expression {
    var left = try and()
    var links = 0
    while skip(.name("or")) { left = .or(left, try linked(&links) { try $0.and() }) }
    return left
  }

  private mutating func and() throws -> Expression {
    var left = try not()
    var links = 0
    while skip(.name("and")) { left = .and(left, try linked(&links) { try $0.not() }) }
    return left
  }

  private mutating func not() throws -> Expression {
    guard skip(.name("not")) else { return try comparison() }
    return .not(try nested { try $0.not() })
  }

  private mutating func comparison() throws -> Expression {
    let line = line
    let left = try sum()
    var rest: [(operation: String, right: Expression)] = []
    while true {
      if case .symbol(let symbol) = next, ["==", "!=", "<", "<=", ">", ">="].contains(symbol) {
        advance()
        rest.append((symbol, try sum()))
      } else if skip(.name("in")) {
        rest.append(("in", try sum()))
      } else if next == .name("not"), peek() == .name("in") {
        advance()
        advance()
        rest.append(("not in", try sum()))
      } else {
        return rest.isEmpty ? left : .compare(left, rest, line: line)
      }
    }
  }

  private mutating func operations(
    _ symbols: Set<String>, _ operand: (inout Parser) throws -> Expression
  ) throws -> Expression {
    var left = try operand(&self)
    var links = 0
    while case .symbol(let symbol) = next, symbols.contains(symbol) {
      let line = line
      advance()
      left = .binary(symbol, left, try linked(&links, operand), line: line)
    }
    return left
  }

  /// A chain of operations nests the tree as deep as it is long.
  private mutating func linked(
    _ links: inout Int, _ operand: (inout Parser) throws -> Expression
  ) throws -> Expression {
    links += 1
    guard links <= Self.deepest else {
      throw TemplateError.limit(what: "chains more than \(Self.deepest) operations")
    }
    return try operand(&self)
  }

  private mutating func sum() throws -> Expression {
    try operations(["+", "-"]) { try $0.concatenation() }
  }

  private mutating func concatenation() throws -> Expression {
    try operations(["~"]) { try $0.product() }
  }

  private mutating func product() throws -> Expression {
    try operations(["*", "/", "//", "%"]) { try $0.power() }
  }

  private mutating func power() throws -> Expression {
    try operations(["**"]) { try $0.unary() }
  }

  private mutating func unary(withFilters: Bool = true) throws -> Expression {
    let line = line
    var value: Expression
    if skip(.symbol("-")) {
      value = .negative(try nested { try $0.unary(withFilters: false) }, line: line)
    } else if skip(.symbol("+")) {
      value = .positive(try nested { try $0.unary(withFilters: false) }, line: line)
    } else {
      value = try primary()
    }
    value = try postfix(value)
    return withFilters ? try filtered(value) : value
  }

  private mutating func primary() throws -> Expression {
    let line = line
    switch next {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return .constant(.bool(true))
      case "false", "False": return .constant(.bool(false))
      case "none", "None": return .constant(.none)
      default: return .name(name, line: line)
      }
    case .string(let first):
      advance()
      var text = first
      while case .string(let more) = next {
        text += more
        advance()
      }
      return .constant(.text(Text(text)))
    case .int(let number):
      advance()
      return .constant(.int(number))
    case .float(let number):
      advance()
      return .constant(.float(number))
    case .symbol("("):
      advance()
      if skip(.symbol(")")) { return .tuple([]) }
      let value = try tupleOrExpression()
      try expect(.symbol(")"))
      return value
    case .symbol("["):
      advance()
      return .list(try items(until: "]"))
    case .symbol("{"):
      advance()
      return try map()
    default: throw unexpected("expected a value")
    }
  }

  private mutating func items(until end: String) throws -> [Expression] {
    var items: [Expression] = []
    while next != .symbol(end) {
      items.append(try expression())
      guard skip(.symbol(",")) else { break }
    }
    try expect(.symbol(end))
    return items
  }

  private mutating func map() throws -> Expression {
    var pairs: [(key: Expression, value: Expression)] = []
    while next != .symbol("}") {
      let key = try expression()
      try expect(.symbol(":"))
      pairs.append((key, try expression()))
      guard skip(.symbol(",")) else { break }
    }
    try expect(.symbol("}"))
    return .map(pairs)
  }

  private mutating func postfix(_ value: Expression) throws -> Expression {
    var value = value
    var links = 0
    while true {
      let line = line
      links += 1
      guard links <= Self.deepest else {
        throw TemplateError.limit(what: "chains more than \(Self.deepest) attributes and calls")
      }
      if skip(.symbol(".")) {
        if case .int(let index) = next {
          advance()
          value = .subscripted(value, .constant(.int(index)), line: line)
        } else {
          value = .attribute(value, try identifier(), line: line)
        }
      } else if skip(.symbol("[")) {
        value = try subscripted(value, line)
      } else if next == .symbol("(") {
        value = .call(value, try call(), line: line)
      } else {
        return value
      }
    }
  }

  private mutating func subscripted(_ value: Expression, _ line: Int) throws -> Expression {
    var parts: [Expression?] = []
    var current: Expression?
    while next != .symbol("]") {
      if skip(.symbol(":")) {
        parts.append(current)
        current = nil
      } else {
        guard current == nil else { throw unexpected("expected ]") }
        current = try expression()
      }
    }
    try expect(.symbol("]"))
    if parts.isEmpty {
      guard let current else { throw unexpected("expected an index") }
      return .subscripted(value, current, line: line)
    }
    parts.append(current)
    guard parts.count <= 3 else { throw unexpected("expected at most two colons") }
    return .slice(value, parts[0], parts[1], parts.count > 2 ? parts[2] : nil, line: line)
  }

  mutating func call() throws -> Expression.Call {
    var call = Expression.Call()
    try expect(.symbol("("))
    while next != .symbol(")") {
      if next == .symbol("*") || next == .symbol("**") {
        throw TemplateError.unknown(line: line, what: "* before an argument")
      }
      if case .name(let name) = next, peek() == .symbol("=") {
        advance()
        advance()
        call.named.append((name, try expression()))
      } else {
        guard call.named.isEmpty else { throw unexpected("expected a named argument") }
        call.positional.append(try expression())
      }
      guard skip(.symbol(",")) else { break }
    }
    try expect(.symbol(")"))
    return call
  }

  mutating func optionalCall() throws -> Expression.Call {
    next == .symbol("(") ? try call() : .init()
  }

  private mutating func filtered(_ value: Expression) throws -> Expression {
    var value = value
    var links = 0
    while true {
      let line = line
      links += 1
      guard links <= Self.deepest else {
        throw TemplateError.limit(what: "chains more than \(Self.deepest) filters")
      }
      if skip(.symbol("|")) {
        let name = try identifier()
        value = .filter(value, name, try optionalCall(), line: line)
      } else if skip(.name("is")) {
        let isNegated = skip(.name("not"))
        let name = try identifier()
        let test = Expression.test(value, name, try testArguments(), line: line)
        value = isNegated ? .not(test) : test
      } else if next == .symbol("(") {
        value = .call(value, try call(), line: line)
      } else {
        return value
      }
    }
  }

  private mutating func testArguments() throws -> Expression.Call {
    switch next {
    case .symbol("("): return try call()
    case .name("else"), .name("or"), .name("and"), .name("if"), .name("is"), .name("in"),
      .name("not"):
      return .init()
    case .name, .string, .int, .float, .symbol("["), .symbol("{"):
      let value = try primary()
      return .init(positional: [try postfix(value)])
    default: return .init()
    }
  }
}
