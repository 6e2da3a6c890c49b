import BigInt

/// Exact arithmetic on fractions: `+ - * / ^`, parentheses and decimals, nothing else.
///
///     sum     = product { ("+" | "-") product }
///     product = signed { ("*" | "/") signed }
///     signed  = ("+" | "-") signed | power
///     power   = atom [ "^" signed ]
///     atom    = digits [ "." digits ] | "." digits | "(" sum ")"
///
/// So -2^2 is -4 and 2^3^2 is 512. `×`, `÷` and `−` (U+2212) are read as their plain forms.
public struct Calculator: Tool {
  public let name = "calc"
  /// Characters in an expression, levels of nesting, and digits of any number on the way.
  public static let (characterLimit, depthLimit, digitLimit) = (1_000, 64, 2_000)

  public init() {}

  public func call(_ argument: String) throws -> String {
    let text = try Self.evaluate(argument).description
    guard text.utf8.count <= Self.digitLimit else { throw ToolError(Self.tooLarge) }
    return text
  }

  /// The exact value of an expression. Throws ``ToolError`` that says where it is wrong.
  public static func evaluate(_ expression: String) throws -> Rational {
    guard expression.utf8.count <= characterLimit else {
      throw ToolError("the expression is longer than \(characterLimit) characters")
    }
    var parser = ExpressionParser(expression)
    return try parser.whole()
  }

  static let tooLarge = "the numbers grow beyond \(digitLimit) digits"
}

/// Reads and computes at the same time, by recursive descent.
private struct ExpressionParser {
  private let text: [Character]
  private var at = 0
  private var depth = 0
  /// ln 10 / ln 2, rounded up.
  private static let bitLimit = Calculator.digitLimit * 3_322 / 1_000

  init(_ expression: String) {
    let plain: [Character: Character] = ["×": "*", "·": "*", "÷": "/", "−": "-"]
    text = expression.map { plain[$0] ?? $0 }
  }

  mutating func whole() throws -> Rational {
    let value = try sum()
    guard peek() == nil else { throw unexpected() }
    return value
  }

  private mutating func sum() throws -> Rational {
    var value = try product()
    while let sign = take("+", "-") {
      let next = try product()
      value = try bounded(sign == "+" ? value + next : value - next)
    }
    return value
  }

  private mutating func product() throws -> Rational {
    var value = try signed()
    while let sign = take("*", "/") {
      let next = try signed()
      if sign == "*" {
        value = try bounded(value * next)
      } else {
        guard let quotient = value.divided(by: next) else { throw ToolError("division by zero") }
        value = try bounded(quotient)
      }
    }
    return value
  }

  private mutating func signed() throws -> Rational {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Calculator.depthLimit else {
      throw ToolError("the expression is nested deeper than \(Calculator.depthLimit) levels")
    }
    guard let sign = take("+", "-") else { return try power() }
    let value = try signed()
    return sign == "-" ? -value : value
  }

  private mutating func power() throws -> Rational {
    let base = try atom()
    guard take("^") != nil else { return base }
    let exponent = try signed()
    guard exponent.denominator == 1 else {
      throw ToolError("an exponent must be a whole number, not \(exponent)")
    }
    // What 0, 1 and -1 become does not grow, whatever the exponent.
    guard exponent.numerator.magnitude <= 1_000_000,
      base.bitWidth <= 1 || base.bitWidth * Int(exponent.numerator.magnitude) <= Self.bitLimit * 2,
      let value = base.power(Int(exponent.numerator))
    else {
      throw ToolError(
        base.numerator == 0 && exponent.numerator < 0 ? "division by zero" : Calculator.tooLarge)
    }
    return try bounded(value)
  }

  private mutating func atom() throws -> Rational {
    if take("(") != nil {
      let value = try sum()
      guard take(")") != nil else { throw unexpected() }
      return value
    }
    _ = peek()
    let digits = run()
    var fraction = ""
    if at < text.count, text[at] == "." {
      at += 1
      fraction = run()
      guard !fraction.isEmpty else { throw unexpected() }
    }
    guard let value = Rational(digits: digits, fraction: fraction) else { throw unexpected() }
    return value
  }

  /// ASCII digits from here on.
  private mutating func run() -> String {
    let start = at
    while at < text.count, text[at].isASCII, text[at].isNumber { at += 1 }
    return String(text[start..<at])
  }

  private mutating func take(_ wanted: Character...) -> Character? {
    guard let next = peek(), wanted.contains(next) else { return nil }
    at += 1
    return next
  }

  /// The next character that is not a space; nil at the end.
  private mutating func peek() -> Character? {
    while at < text.count, text[at] == " " { at += 1 }
    return at < text.count ? text[at] : nil
  }

  private mutating func unexpected() -> ToolError {
    guard let next = peek() else { return ToolError("the expression ends too early") }
    return ToolError(
      "\"\(next)\" at character \(at + 1) does not belong there; only numbers, + - * / ^ and "
        + "parentheses do")
  }

  private func bounded(_ value: Rational) throws -> Rational {
    guard value.bitWidth <= Self.bitLimit else { throw ToolError(Calculator.tooLarge) }
    return value
  }
}
