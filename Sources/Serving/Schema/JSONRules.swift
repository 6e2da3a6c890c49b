/// The rules of JSON itself.
///
/// White space is as people write it, and short: what could go on for ever would, with some models.
struct JSONRules: Sendable {
  let space: Grammar.Symbol
  /// A character of a string, escaped or not.
  let character: Grammar.Symbol
  let string: Grammar.Symbol
  let integer: Grammar.Symbol
  let number: Grammar.Symbol
  let value: Grammar.Symbol
  let object: Grammar.Symbol

  init(_ grammar: inout Grammar) {
    typealias Bytes = Grammar.Bytes
    func any(_ text: String) -> Grammar.Symbol { .bytes(Bytes(text)) }
    func range(_ ranges: ClosedRange<UInt8>...) -> Grammar.Symbol { .bytes(Bytes(ranges)) }
    let literal = Grammar.literal

    let indent = grammar.repeated(any(" "), 0, 12)
    space = grammar.rule([[], [any(" ")], [any("\n")] + indent])

    let digit = any("0123456789")
    let hex = any("0123456789abcdefABCDEF")
    let tail = range(0x80...0xBF)
    // Halves of surrogate pairs are no characters.
    let code = grammar.rule([
      [any("0123456789abcefABCEF"), hex, hex, hex], [any("dD"), any("01234567"), hex, hex],
    ])
    character = grammar.rule([
      [range(0x20...0x21, 0x23...0x5B, 0x5D...0x7F)], [range(0xC2...0xDF), tail],
      [range(0xE0...0xE0), range(0xA0...0xBF), tail],
      [range(0xE1...0xEC, 0xEE...0xEF), tail, tail],
      [range(0xED...0xED), range(0x80...0x9F), tail],
      [range(0xF0...0xF0), range(0x90...0xBF), tail, tail],
      [range(0xF1...0xF3), tail, tail, tail],
      [range(0xF4...0xF4), range(0x80...0x8F), tail, tail],
      [any("\\"), any("\"\\/bfnrt")], literal("\\u") + [code],
    ])
    string = grammar.rule([literal("\"") + grammar.repeated(character, 0, nil) + literal("\"")])

    let digits = grammar.repeated(digit, 0, 14)
    let whole = grammar.rule([[any("0")], [any("123456789")] + digits])
    integer = grammar.rule([[whole], [any("-"), whole]])
    let fraction = grammar.rule([[], [any("."), digit] + digits])
    let sign = grammar.rule([[], [any("+-")]])
    let power = grammar.rule([[], [any("eE"), sign, digit], [any("eE"), sign, digit, digit]])
    number = grammar.rule([[integer, fraction, power]])

    let inner = grammar.reserve()
    let object = Self.object(of: .rule(inner), string, space, &grammar)
    let next = grammar.rule([literal(",") + [space, .rule(inner)]])
    let array = grammar.rule([
      literal("[") + [space] + literal("]"),
      literal("[") + [space, .rule(inner)] + grammar.repeated(next, 0, nil) + [space]
        + literal("]"),
    ])
    grammar.define(
      inner,
      [
        [object], [array], [string], [number], literal("true"), literal("false"), literal("null"),
      ])
    (value, self.object) = (.rule(inner), object)
  }

  /// An object with any names and values of a kind.
  func object(of value: Grammar.Symbol, _ grammar: inout Grammar) -> Grammar.Symbol {
    Self.object(of: value, string, space, &grammar)
  }

  private static func object(
    of value: Grammar.Symbol, _ string: Grammar.Symbol, _ space: Grammar.Symbol,
    _ grammar: inout Grammar
  ) -> Grammar.Symbol {
    let literal = Grammar.literal
    let member = grammar.rule([[string] + literal(":") + [space, value]])
    let next = grammar.rule([literal(",") + [space, member]])
    return grammar.rule([
      literal("{") + [space] + literal("}"),
      literal("{") + [space, member] + grammar.repeated(next, 0, nil) + [space] + literal("}"),
    ])
  }
}
