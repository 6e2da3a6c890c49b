/// One rendering of a template: its variables, its output and what it may still spend.
public final class Renderer {
  let limits: Template.Limits
  let clock: TemplateClock?
  private var steps = 0
  private var depth = 0
  private var work = 0
  private var comparisons: Int
  private var wrappings = 0
  var output: [UInt32] = []
  private(set) var scope = Scope(nil)
  private var scopesOfMacros: [Scope] = []
  private var loopDepth = 0

  /// Names and their values, inside those of the statement around.
  final class Scope {
    var values: [String: Value] = [:]
    let outer: Scope?
    init(_ outer: Scope?) { self.outer = outer }

    func find(_ name: String) -> Value? {
      var scope: Scope? = self
      while let current = scope {
        if let value = current.values[name] { return value }
        scope = current.outer
      }
      return nil
    }
  }

  enum Flow { case on, breaks, continues }

  init(_ limits: Template.Limits, _ clock: TemplateClock?) {
    (self.limits, self.clock) = (limits, clock)
    comparisons = 100 * limits.steps
  }

  /// Macros hold the scopes that hold them.
  func dispose() { for scope in scopesOfMacros { scope.values = [:] } }

  func render(_ statements: [Statement], _ variables: Value.Fields) throws -> Text {
    for (name, value) in Builtins.functions { scope.values[name] = value }
    for (key, value) in zip(variables.keys, variables.values) {
      if case .text(let name) = key { scope.values[name.string] = value }
    }
    scope = Scope(scope)
    _ = try run(statements)
    return Text(units: output)
  }

  // What a rendering may spend.

  private func step() throws {
    steps += 1
    guard steps <= limits.steps else {
      throw TemplateError.limit(what: "takes more than \(limits.steps) steps")
    }
  }

  func nested<T>(_ body: () throws -> T) throws -> T {
    try step()
    depth += 1
    defer { depth -= 1 }
    guard depth <= limits.depth else {
      throw TemplateError.limit(what: "goes more than \(limits.depth) levels deep")
    }
    return try body()
  }

  /// Every text that is made passes here, so that none grows past the limit and all of them together
  /// cost no more than a hundred times it.
  func checked(_ text: Text) throws -> Value {
    try spend(text.count)
    return .text(text)
  }

  func spend(_ characters: Int) throws {
    work += characters
    guard characters <= limits.characters, work <= 100 * limits.characters else {
      throw TemplateError.limit(what: "makes texts of more than \(limits.characters) characters")
    }
  }

  func checked(_ items: [Value]) throws -> Value {
    work += items.count
    guard items.count <= limits.elements, work <= 100 * limits.characters else {
      throw TemplateError.limit(what: "makes lists of more than \(limits.elements) elements")
    }
    return .list(items)
  }

  /// Whoever puts values into a new list or mapping says so here: each time may nest them a level
  /// deeper, and what is nested too deep could not even be freed.
  func wrap(_ values: [Value]) throws {
    let isNesting = values.contains {
      switch $0 {
      case .list, .tuple, .map, .namespace: true
      default: false
      }
    }
    guard isNesting else { return }
    wrappings += 1
    guard wrappings <= limits.wrappings else {
      throw TemplateError.limit(what: "puts lists into lists more than \(limits.wrappings) times")
    }
  }

  func equal(_ a: Value, _ b: Value) throws -> Bool {
    let result = Value.equal(a, b, &comparisons)
    try checkComparisons()
    return result
  }

  func order(_ a: Value, _ b: Value) throws -> Int? {
    let result = Value.order(a, b, &comparisons)
    try checkComparisons()
    return result
  }

  private func checkComparisons() throws {
    guard comparisons > 0 else { throw TemplateError.limit(what: "compares too much") }
  }

  func write(_ text: Text) throws {
    output += text.units
    guard output.count <= limits.characters else {
      throw TemplateError.limit(what: "writes more than \(limits.characters) characters")
    }
  }

  // Statements.

  func run(_ statements: [Statement]) throws -> Flow {
    for statement in statements {
      let flow = try nested { try run(statement) }
      if flow != .on { return flow }
    }
    return .on
  }

  private func run(_ statement: Statement) throws -> Flow {
    switch statement {
    case .data(let text): try write(text)
    case .output(let expression):
      try write(try spelled(try evaluate(expression)))
    case .condition(let branches, let otherwise):
      for branch in branches where try evaluate(branch.test).isTrue { return try run(branch.body) }
      return try run(otherwise)
    case .loop(let loop): try run(loop)
    case .set(let target, let expression, let line):
      try assign(target, try evaluate(expression), line)
    case .setBlock(let target, let body, let filters, let line):
      let text = try captured { _ = try run(body) }
      try assign(target, try apply(filters, to: .text(text)), line)
    case .filterBlock(let filters, let body):
      let text = try captured { _ = try run(body) }
      try write(try spelled(try apply(filters, to: .text(text))))
    case .scope(let values, let body, let line):
      return try inScope(Scope(scope)) {
        for (target, expression) in values { try assign(target, try evaluate(expression), line) }
        return try run(body)
      }
    case .macro(let macro): scope.values[macro.name] = .function(function(macro))
    case .callBlock(let block, let callee, let line):
      guard case .call(let called, let call, _) = callee else {
        throw TemplateError.unknown(line: line, what: "call without a call")
      }
      var arguments = try self.arguments(call)
      arguments.named.append(("caller", .function(function(block))))
      try write(try spelled(try self.call(try evaluate(called), arguments, line)))
    case .generation(let body):
      let start = output.count
      _ = try run(body)
      for i in start..<output.count { output[i] |= Text.Origin.answer.rawValue }
    case .evaluate(let expression): _ = try evaluate(expression)
    case .breakLoop: return .breaks
    case .continueLoop: return .continues
    }
    return .on
  }

  func inScope<T>(_ inner: Scope, _ body: () throws -> T) rethrows -> T {
    let outer = scope
    scope = inner
    defer { scope = outer }
    return try body()
  }

  /// What `body` writes, kept from the output.
  func captured(_ body: () throws -> Void) throws -> Text {
    let before = output
    output = []
    defer { output = before }
    try body()
    try spend(output.count)
    return Text(units: output)
  }

  private func run(_ loop: Statement.Loop) throws {
    var items = try self.items(of: try evaluate(loop.items), loop.line)
    if let condition = loop.condition {
      items = try items.filter { item in
        try inScope(Scope(scope)) {
          try assign(loop.target, item, loop.line)
          return try evaluate(condition).isTrue
        }
      }
    }
    guard !items.isEmpty else {
      _ = try run(loop.otherwise)
      return
    }
    let state = Value.Loop(items, depth: loopDepth)
    loopDepth += 1
    defer { loopDepth -= 1 }
    for (index, item) in items.enumerated() {
      state.index = index
      let flow = try inScope(Scope(scope)) {
        scope.values["loop"] = .loop(state)
        try assign(loop.target, item, loop.line)
        return try run(loop.body)
      }
      if flow == .breaks { break }
    }
  }

  private func assign(_ target: Target, _ value: Value, _ line: Int) throws {
    switch target {
    case .name(let name): scope.values[name] = value
    case .attribute(let name, let key):
      guard case .namespace(let space)? = scope.find(name) else {
        throw TemplateError.type(line: line, what: "\(name) is no namespace to set \(key) in")
      }
      space.fields[key] = value
    case .tuple(let targets):
      let values = try items(of: value, line)
      guard values.count == targets.count else {
        throw TemplateError.type(
          line: line, what: "\(values.count) values cannot be unpacked into \(targets.count) names")
      }
      for (target, value) in zip(targets, values) { try assign(target, value, line) }
    }
  }

  func apply(_ filters: [Statement.Filter], to value: Value) throws -> Value {
    try filters.reduce(value) { value, filter in
      try Filters.apply(filter.name, value, try arguments(filter.call), self, filter.line)
    }
  }

  private func function(_ macro: Statement.Macro) -> Value.Function {
    let home = scope
    scopesOfMacros.append(home)
    return Value.Function(macro.name) { arguments, renderer in
      try renderer.inScope(Scope(home)) {
        for (i, parameter) in macro.parameters.enumerated() {
          if let value = arguments[i, parameter.name] {
            renderer.scope.values[parameter.name] = value
          } else if let fallback = parameter.fallback {
            renderer.scope.values[parameter.name] = try renderer.evaluate(fallback)
          } else {
            renderer.scope.values[parameter.name] = .undefined(parameter.name)
          }
        }
        let known = Set(macro.parameters.map(\.name) + ["caller"])
        if let odd = arguments.named.first(where: { !known.contains($0.name) }) {
          throw TemplateError.raised("\(macro.name) has no argument \(odd.name)")
        }
        guard arguments.positional.count <= macro.parameters.count else {
          throw TemplateError.raised("\(macro.name) takes \(macro.parameters.count) arguments")
        }
        if let caller = arguments.named.first(where: { $0.name == "caller" }) {
          renderer.scope.values["caller"] = caller.value
        }
        return .text(try renderer.captured { _ = try renderer.run(macro.body) })
      }
    }
  }
}
