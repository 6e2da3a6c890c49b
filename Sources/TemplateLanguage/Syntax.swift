/// An expression of the template language.
indirect enum Expression: Sendable {
  case constant(Constant)
  case name(String, line: Int)
  case list([Expression])
  case tuple([Expression])
  case map([(key: Expression, value: Expression)])
  case attribute(Expression, String, line: Int)
  case subscripted(Expression, Expression, line: Int)
  case slice(Expression, Expression?, Expression?, Expression?, line: Int)
  case call(Expression, Call, line: Int)
  case filter(Expression, String, Call, line: Int)
  case test(Expression, String, Call, line: Int)
  case not(Expression)
  case negative(Expression, line: Int)
  case positive(Expression, line: Int)
  case and(Expression, Expression)
  case or(Expression, Expression)
  case binary(String, Expression, Expression, line: Int)
  case compare(Expression, [(operation: String, right: Expression)], line: Int)
  case condition(Expression, then: Expression, otherwise: Expression?)

  enum Constant: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case text(Text)
  }

  struct Call: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
  }
}

/// Where an assignment puts a value.
indirect enum Target: Sendable {
  case name(String)
  case attribute(String, String)
  case tuple([Target])
}

/// A statement, or text and values to write.
indirect enum Statement: Sendable {
  case data(Text)
  case output(Expression)
  case condition([(test: Expression, body: [Statement])], otherwise: [Statement])
  case loop(Loop)
  case set(Target, Expression, line: Int)
  case setBlock(Target, [Statement], filter: [Filter], line: Int)
  case filterBlock([Filter], [Statement])
  case scope([(Target, Expression)], [Statement], line: Int)
  case macro(Macro)
  case callBlock(Macro, Expression, line: Int)
  case generation([Statement])
  case evaluate(Expression)
  case breakLoop
  case continueLoop

  struct Loop: Sendable {
    var target: Target
    var items: Expression
    var condition: Expression?
    var body: [Statement]
    var otherwise: [Statement]
    var line: Int
  }

  struct Macro: Sendable {
    var name: String
    var parameters: [(name: String, fallback: Expression?)]
    var body: [Statement]
  }

  struct Filter: Sendable {
    var name: String
    var call: Expression.Call
    var line: Int
  }
}
