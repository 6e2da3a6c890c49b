// Expressions.
extension Renderer {
  func evaluate(_ expression: Expression) throws -> Value {
    try nested { try value(of: expression) }
  }

  private func value(of expression: Expression) throws -> Value {
    switch expression {
    case .constant(let constant):
      switch constant {
      case .none: return .none
      case .bool(let flag): return .bool(flag)
      case .int(let number): return .int(number)
      case .float(let number): return .float(number)
      case .text(let text): return .text(text)
      }
    case .name(let name, _): return scope.find(name) ?? .undefined(name)
    case .list(let items):
      let values = try items.map(evaluate)
      try wrap(values)
      return .list(values)
    case .tuple(let items):
      let values = try items.map(evaluate)
      try wrap(values)
      return .tuple(values)
    case .map(let pairs):
      var fields = Value.Fields()
      for pair in pairs {
        let key = try evaluate(pair.key)
        guard Value.Fields.isKey(key) else {
          throw TemplateError.raised("\(key.kind) cannot be the key of a mapping")
        }
        fields[key] = try evaluate(pair.value)
      }
      try wrap(fields.values)
      return .map(fields)
    case .attribute(let base, let name, let line):
      return try attribute(try evaluate(base), name, line)
    case .subscripted(let base, let index, let line):
      return try element(try evaluate(base), try evaluate(index), line)
    case .slice(let base, let from, let to, let by, let line):
      return try slice(try evaluate(base), try [from, to, by].map { try $0.map(evaluate) }, line)
    case .call(let callee, let call, let line):
      return try self.call(try evaluate(callee), try arguments(call), line)
    case .filter(let base, let name, let call, let line):
      return try Filters.apply(name, try evaluate(base), try arguments(call), self, line)
    case .test(let base, let name, let call, let line):
      return .bool(
        try Tests.holds(name, try evaluate(base), try arguments(call), self, line))
    case .not(let value): return .bool(!(try evaluate(value).isTrue))
    case .negative(let value, let line): return try negated(try evaluate(value), line)
    case .positive(let value, let line):
      let value = try evaluate(value)
      guard value.number != nil else { throw operand("+", value, line) }
      return value
    case .and(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? try evaluate(right) : value
    case .or(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? value : try evaluate(right)
    case .binary(let symbol, let left, let right, let line):
      return try operate(symbol, try evaluate(left), try evaluate(right), line)
    case .compare(let left, let rest, let line):
      var value = try evaluate(left)
      for (operation, right) in rest {
        let other = try evaluate(right)
        guard try compare(operation, value, other, line) else { return .bool(false) }
        value = other
      }
      return .bool(true)
    case .condition(let test, let then, let otherwise):
      if try evaluate(test).isTrue { return try evaluate(then) }
      return try otherwise.map(evaluate) ?? .undefined("the other branch of an if")
    }
  }

  func arguments(_ call: Expression.Call) throws -> Value.Arguments {
    Value.Arguments(
      positional: try call.positional.map(evaluate),
      named: try call.named.map { ($0.name, try evaluate($0.value)) })
  }

  func call(_ callee: Value, _ arguments: Value.Arguments, _ line: Int) throws -> Value {
    guard case .function(let function) = callee else {
      if case .undefined(let name) = callee {
        throw TemplateError.unknown(line: line, what: "the function \(name)")
      }
      throw TemplateError.type(line: line, what: "\(callee.kind) cannot be called")
    }
    return try nested { try function.body(arguments, self) }
  }

  private func operand(_ symbol: String, _ value: Value, _ line: Int) -> TemplateError {
    .type(line: line, what: "\(symbol) does not apply to \(value.kind)")
  }

  private func negated(_ value: Value, _ line: Int) throws -> Value {
    if let number = value.integer, number != .min { return .int(-number) }
    if case .float(let number) = value { return .float(-number) }
    throw operand("-", value, line)
  }

  func items(of value: Value, _ line: Int) throws -> [Value] {
    switch value {
    case .list(let items), .tuple(let items): return items
    case .map(let fields): return fields.keys
    case .text(let text):
      try spend(text.count)
      return text.units.map { .text(Text(units: [$0])) }
    case .undefined: return []
    default: throw TemplateError.type(line: line, what: "\(value.kind) has no elements")
    }
  }

  func compare(_ operation: String, _ a: Value, _ b: Value, _ line: Int) throws -> Bool {
    switch operation {
    case "==": return try equal(a, b)
    case "!=": return try !equal(a, b)
    case "in": return try contains(b, a, line)
    case "not in": return !(try contains(b, a, line))
    default:
      guard let order = try order(a, b) else {
        throw TemplateError.type(
          line: line, what: "\(a.kind) and \(b.kind) have no order (\(operation))")
      }
      switch operation {
      case "<": return order < 0
      case "<=": return order <= 0
      case ">": return order > 0
      default: return order >= 0
      }
    }
  }

  func contains(_ whole: Value, _ part: Value, _ line: Int) throws -> Bool {
    switch whole {
    case .text(let text):
      guard case .text(let part) = part else {
        throw TemplateError.type(line: line, what: "a string cannot contain \(part.kind)")
      }
      try spend(text.count)
      return text.firstIndex(of: part) != nil
    case .list(let items), .tuple(let items): return try items.contains { try equal($0, part) }
    case .map(let fields): return fields[part] != nil
    case .namespace(let space): return space.fields[part] != nil
    case .undefined: return false
    default: throw TemplateError.type(line: line, what: "\(whole.kind) contains nothing")
    }
  }

  func operate(_ symbol: String, _ a: Value, _ b: Value, _ line: Int) throws -> Value {
    if symbol == "~" { return try checked(try spelled(a) + spelled(b)) }
    switch (symbol, a, b) {
    case ("+", .text(let a), .text(let b)):
      try spend(a.count + b.count)
      return .text(a + b)
    case ("+", .list(let a), .list(let b)): return try checked(a + b)
    case ("+", .tuple(let a), .tuple(let b)): return .tuple(a + b)
    case ("*", .text(let text), _), ("*", _, .text(let text)):
      guard let times = a.integer ?? b.integer else { break }
      let (size, overflow) = text.count.multipliedReportingOverflow(by: max(0, times))
      try spend(overflow ? .max / 2 : size)
      return .text(Text(units: repeatElement(text.units, count: max(0, times)).joined()))
    case ("*", .list(let items), _):
      guard let times = b.integer else { break }
      let (size, overflow) = items.count.multipliedReportingOverflow(by: max(0, times))
      guard !overflow, size <= limits.elements else { return try checked([a, b]) }
      return try checked(Array(repeatElement(items, count: max(0, times)).joined()))
    default: break
    }
    if let x = a.integer, let y = b.integer, symbol != "/" {
      return try integers(symbol, x, y, line)
    }
    guard let x = a.number, let y = b.number else {
      throw operand(symbol, a.number == nil ? a : b, line)
    }
    switch symbol {
    case "+": return .float(x + y)
    case "-": return .float(x - y)
    case "*": return .float(x * y)
    case "**": return .float(Builtins.power(x, y))
    default:
      guard y != 0 else { throw TemplateError.type(line: line, what: "division by zero") }
      let floor = (x / y).rounded(.down)
      return .float(symbol == "/" ? x / y : symbol == "//" ? floor : x - y * floor)
    }
  }

  private func integers(_ symbol: String, _ x: Int, _ y: Int, _ line: Int) throws -> Value {
    var result: (Int, overflow: Bool)
    switch symbol {
    case "+": result = x.addingReportingOverflow(y)
    case "-": result = x.subtractingReportingOverflow(y)
    case "*": result = x.multipliedReportingOverflow(by: y)
    case "**":
      guard y >= 0 else { return .float(Builtins.power(Double(x), Double(y))) }
      result = (1, false)
      for _ in 0..<min(y, 64) where !result.overflow {
        result = result.0.multipliedReportingOverflow(by: x)
      }
      if y > 64, x.magnitude > 1 { result.overflow = true }
    default:
      guard y != 0 else { throw TemplateError.type(line: line, what: "division by zero") }
      guard y != -1 else { return symbol == "//" ? try integers("-", 0, x, line) : .int(0) }
      let remainder = x % y
      let isUneven = remainder != 0 && (remainder < 0) != (y < 0)
      if symbol == "%" { return .int(isUneven ? remainder + y : remainder) }
      return .int(x / y - (isUneven ? 1 : 0))
    }
    guard !result.overflow else {
      throw TemplateError.type(line: line, what: "a whole number grows too large")
    }
    return .int(result.0)
  }

  // Parts of values.

  func element(_ base: Value, _ index: Value, _ line: Int) throws -> Value {
    switch (base, index) {
    case (.map(let fields), _):
      if let value = fields[index] { return value }
      if case .text(let name) = index, let method = Methods.of(base, name.string) { return method }
    case (.namespace(let space), _): if let value = space.fields[index] { return value }
    case (.list(let items), _), (.tuple(let items), _):
      if let i = index.integer {
        let place = i < 0 ? i + items.count : i
        if items.indices.contains(place) { return items[place] }
      }
    case (.text(let text), _):
      if let i = index.integer {
        let place = i < 0 ? i + text.count : i
        if text.units.indices.contains(place) { return .text(Text(units: [text.units[place]])) }
      } else if case .text(let name) = index, let method = Methods.of(base, name.string) {
        return method
      }
    case (.undefined, _):
      throw TemplateError.type(line: line, what: "\(base.kind), has no elements")
    case (.loop, .text(let name)): return try attribute(base, name.string, line)
    default: break
    }
    return .undefined("element \((try? spelled(index).string)?.prefix(40) ?? "")")
  }

  func attribute(_ base: Value, _ name: String, _ line: Int) throws -> Value {
    switch base {
    case .undefined:
      throw TemplateError.type(line: line, what: "\(base.kind), has no attribute \(name)")
    case .namespace(let space): return space.fields[name] ?? .undefined(name)
    case .loop(let loop): return try Methods.of(loop, name, line)
    case .map(let fields):
      return Methods.of(base, name) ?? fields[name] ?? .undefined(name)
    default: return Methods.of(base, name) ?? .undefined(name)
    }
  }

  private func slice(_ base: Value, _ parts: [Value?], _ line: Int) throws -> Value {
    let bounds = try parts.map { part -> Int? in
      guard let part else { return nil }
      if case .none = part { return nil }
      guard let number = part.integer else {
        throw TemplateError.type(
          line: line, what: "a slice goes by whole numbers, not \(part.kind)")
      }
      return number
    }
    func indices(_ count: Int) throws -> [Int] {
      let step = bounds[2] ?? 1
      guard step != 0, step > -1 << 40, step < 1 << 40 else {
        throw TemplateError.type(line: line, what: "a slice cannot go by \(step)")
      }
      func place(_ bound: Int?, _ fallback: Int) -> Int {
        guard let bound else { return fallback }
        let low = step > 0 ? 0 : -1
        let high = step > 0 ? count : count - 1
        return min(high, max(low, bound < 0 ? (bound < -count ? low : bound + count) : bound))
      }
      let from = place(bounds[0], step > 0 ? 0 : count - 1)
      let to = place(bounds[1], step > 0 ? count : -1)
      return Array(stride(from: from, to: to, by: step))
    }
    switch base {
    case .text(let text):
      return try checked(Text(units: try indices(text.count).map { text.units[$0] }))
    case .list(let items): return try checked(try indices(items.count).map { items[$0] })
    case .tuple(let items): return .tuple(try indices(items.count).map { items[$0] })
    default: throw TemplateError.type(line: line, what: "\(base.kind) cannot be sliced")
    }
  }
}
