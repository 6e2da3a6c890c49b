/// Reads statements; expressions are in ExpressionParser.swift.
struct Parser {
  var lexemes: [(lexeme: Lexeme, line: Int)]
  var at = 0
  private var depth = 0
  private var loops = 0

  /// Deeper nesting than any template has; a stack would not bear much more.
  static let deepest = 100

  static func statements(of template: String) throws -> [Statement] {
    var parser = Parser(lexemes: try Lexer.lexemes(of: template))
    let statements = try parser.body(until: [])
    return statements
  }

  private init(lexemes: [(lexeme: Lexeme, line: Int)]) { self.lexemes = lexemes }

  var next: Lexeme { lexemes[at].lexeme }
  var line: Int { lexemes[at].line }

  func peek(_ ahead: Int = 1) -> Lexeme { lexemes[min(at + ahead, lexemes.count - 1)].lexeme }

  mutating func advance() { if at < lexemes.count - 1 { at += 1 } }

  mutating func skip(_ lexeme: Lexeme) -> Bool {
    guard next == lexeme else { return false }
    advance()
    return true
  }

  mutating func expect(_ lexeme: Lexeme) throws {
    guard skip(lexeme) else { throw unexpected("expected \(Self.spell(lexeme))") }
  }

  func unexpected(_ what: String) -> TemplateError {
    .syntax(line: line, what: "\(what), met \(Self.spell(next))")
  }

  private static func spell(_ lexeme: Lexeme) -> String {
    switch lexeme {
    case .name(let name): name
    case .symbol(let symbol): symbol
    case .string(let text): "\"\(text.prefix(40))\""
    case .int(let number): "\(number)"
    case .float(let number): "\(number)"
    case .data: "text"
    case .beginOutput: "{{"
    case .endOutput: "}}"
    case .beginStatement: "{%"
    case .endStatement: "%}"
    case .end: "the end of the template"
    }
  }

  mutating func nested<T>(_ body: (inout Parser) throws -> T) throws -> T {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else {
      throw TemplateError.limit(what: "is nested more than \(Self.deepest) deep")
    }
    return try body(&self)
  }

  mutating func identifier() throws -> String {
    guard case .name(let name) = next else { throw unexpected("expected a name") }
    advance()
    return name
  }

  /// Statements up to one of the names `ends`, whose tag is left open before that name.
  private mutating func body(until ends: Set<String>) throws -> [Statement] {
    try nested { parser in
      var statements: [Statement] = []
      while true {
        switch parser.next {
        case .end:
          guard ends.isEmpty else {
            throw TemplateError.syntax(
              line: parser.line, what: "\(ends.sorted().joined(separator: " or ")) is missing")
          }
          return statements
        case .data(let text):
          statements.append(.data(Text(text)))
          parser.advance()
        case .beginOutput:
          parser.advance()
          statements.append(.output(try parser.tupleOrExpression()))
          try parser.expect(.endOutput)
        case .beginStatement:
          if case .name(let name) = parser.peek(), ends.contains(name) {
            parser.advance()
            return statements
          }
          parser.advance()
          if let statement = try parser.statement() { statements.append(statement) }
        default: throw parser.unexpected("expected text or a tag")
        }
      }
    }
  }

  /// The body of a statement that `end` ends.
  private mutating func body(_ end: String) throws -> [Statement] {
    try expect(.endStatement)
    let statements = try body(until: [end])
    try close(end)
    return statements
  }

  private mutating func close(_ name: String) throws {
    try expect(.name(name))
    // `endmacro name` and the like.
    if case .name = next { advance() }
    try expect(.endStatement)
  }

  private mutating func statement() throws -> Statement? {
    let line = line
    let name = try identifier()
    switch name {
    case "if": return try ifStatement()
    case "for": return try forStatement(line)
    case "set": return try setStatement(line)
    case "macro":
      let name = try identifier()
      return .macro(try macro(name))
    case "call":
      let parameters = next == .symbol("(") ? try self.parameters() : []
      let callee = try expression()
      let statements = try body("endcall")
      return .callBlock(
        .init(name: "caller", parameters: parameters, body: statements), callee, line: line)
    case "filter":
      let filters = try filterChain()
      return .filterBlock(filters, try body("endfilter"))
    case "with":
      var values: [(Target, Expression)] = []
      while next != .endStatement {
        let target = try target()
        try expect(.symbol("="))
        values.append((target, try expression()))
        guard skip(.symbol(",")) else { break }
      }
      return .scope(values, try body("endwith"), line: line)
    case "generation": return .generation(try body("endgeneration"))
    case "do":
      let value = try tupleOrExpression()
      try expect(.endStatement)
      return .evaluate(value)
    case "break", "continue":
      try expect(.endStatement)
      guard loops > 0 else {
        throw TemplateError.syntax(line: line, what: "\(name) stands outside of a loop")
      }
      return name == "break" ? .breakLoop : .continueLoop
    default: throw TemplateError.unknown(line: line, what: "the statement \"\(name)\"")
    }
  }

  private mutating func ifStatement() throws -> Statement {
    var branches: [(test: Expression, body: [Statement])] = []
    var otherwise: [Statement] = []
    var test = try tupleOrExpression()
    while true {
      try expect(.endStatement)
      branches.append((test, try body(until: ["elif", "else", "endif"])))
      if skip(.name("elif")) {
        test = try tupleOrExpression()
        continue
      }
      if skip(.name("else")) {
        try expect(.endStatement)
        otherwise = try body(until: ["endif"])
      }
      try close("endif")
      return .condition(branches, otherwise: otherwise)
    }
  }

  private mutating func forStatement(_ line: Int) throws -> Statement {
    let target = try targets()
    try expect(.name("in"))
    let items = try tupleOrExpression(withCondition: false)
    let condition = skip(.name("if")) ? try expression() : nil
    if next == .name("recursive") {
      throw TemplateError.unknown(line: line, what: "a recursive loop")
    }
    try expect(.endStatement)
    loops += 1
    defer { loops -= 1 }
    let statements = try body(until: ["else", "endfor"])
    var otherwise: [Statement] = []
    if skip(.name("else")) {
      try expect(.endStatement)
      otherwise = try body(until: ["endfor"])
    }
    try close("endfor")
    return .loop(
      .init(
        target: target, items: items, condition: condition, body: statements,
        otherwise: otherwise, line: line))
  }

  private mutating func setStatement(_ line: Int) throws -> Statement {
    let target = try targets()
    if skip(.symbol("=")) {
      let value = try tupleOrExpression()
      try expect(.endStatement)
      return .set(target, value, line: line)
    }
    let filters = skip(.symbol("|")) ? try filterChain() : []
    return .setBlock(target, try body("endset"), filter: filters, line: line)
  }

  private mutating func filterChain() throws -> [Statement.Filter] {
    var filters: [Statement.Filter] = []
    repeat {
      let line = line
      let name = try identifier()
      filters.append(.init(name: name, call: try optionalCall(), line: line))
    } while skip(.symbol("|"))
    return filters
  }

  private mutating func macro(_ name: String) throws -> Statement.Macro {
    let parameters = try parameters()
    // A loop around a macro is not one around its body.
    let outer = loops
    loops = 0
    defer { loops = outer }
    return .init(name: name, parameters: parameters, body: try body("endmacro"))
  }

  private mutating func parameters() throws -> [(name: String, fallback: Expression?)] {
    var parameters: [(name: String, fallback: Expression?)] = []
    try expect(.symbol("("))
    while next != .symbol(")") {
      let name = try identifier()
      parameters.append((name, skip(.symbol("=")) ? try expression() : nil))
      guard skip(.symbol(",")) else { break }
    }
    try expect(.symbol(")"))
    return parameters
  }

  private mutating func target() throws -> Target {
    if skip(.symbol("(")) {
      let target = try targets()
      try expect(.symbol(")"))
      return target
    }
    let name = try identifier()
    guard skip(.symbol(".")) else { return .name(name) }
    return .attribute(name, try identifier())
  }

  private mutating func targets() throws -> Target {
    let first = try target()
    guard next == .symbol(",") else { return first }
    var all = [first]
    while skip(.symbol(",")) { all.append(try target()) }
    return .tuple(all)
  }
}
