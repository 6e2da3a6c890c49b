/// `is` and what follows it.
enum Tests {
  static func holds(
    _ name: String, _ value: Value, _ arguments: Value.Arguments, _ renderer: Renderer,
    _ line: Int
  ) throws -> Bool {
    func other() throws -> Value {
      guard let other = arguments.positional.first else {
        throw TemplateError.type(
          line: line, what: "the test \(name) needs something to compare with")
      }
      return other
    }
    switch name {
    case "defined":
      guard case .undefined = value else { return true }
      return false
    case "undefined":
      guard case .undefined = value else { return false }
      return true
    case "none":
      guard case .none = value else { return false }
      return true
    case "true":
      guard case .bool(true) = value else { return false }
      return true
    case "false":
      guard case .bool(false) = value else { return false }
      return true
    case "boolean":
      guard case .bool = value else { return false }
      return true
    case "integer":
      guard case .int = value else { return false }
      return true
    case "float":
      guard case .float = value else { return false }
      return true
    case "number": return value.number != nil
    case "string":
      guard case .text = value else { return false }
      return true
    case "mapping":
      guard case .map = value else { return false }
      return true
    case "iterable", "sequence":
      switch value {
      case .text, .list, .tuple, .map, .undefined: return true
      default: return false
      }
    case "callable":
      guard case .function = value else { return false }
      return true
    case "even", "odd":
      guard let number = value.integer else {
        throw TemplateError.type(line: line, what: "\(value.kind) is neither even nor odd")
      }
      return (number % 2 == 0) == (name == "even")
    case "divisibleby":
      guard let a = value.integer, let b = try other().integer, b != 0 else {
        throw TemplateError.type(line: line, what: "divisibleby takes two whole numbers")
      }
      return b == -1 || a % b == 0
    case "upper", "lower":
      guard case .text(let text) = value else { return false }
      let string = text.string
      return string == (name == "upper" ? string.uppercased() : string.lowercased())
        && string.uppercased() != string.lowercased()
    case "eq", "equalto", "sameas": return try renderer.equal(value, try other())
    case "ne": return try !renderer.equal(value, try other())
    case "lt", "lessthan", "gt", "greaterthan", "le", "ge":
      guard let order = try renderer.order(value, try other()) else {
        throw TemplateError.type(line: line, what: "\(value.kind) has no order with the other")
      }
      switch name {
      case "lt", "lessthan": return order < 0
      case "gt", "greaterthan": return order > 0
      default: return name == "le" ? order <= 0 : order >= 0
      }
    case "in":
      return try renderer.contains(try other(), value, line)
    default: throw TemplateError.unknown(line: line, what: "the test \"\(name)\"")
    }
  }
}
