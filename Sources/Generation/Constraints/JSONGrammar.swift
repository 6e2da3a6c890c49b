/// The pieces of JSON, as rules that are made when they are first needed. Blanks stand where a model
/// likes to put them, but never without end: one, or a line break and an indentation.
struct JSONGrammar {
  var grammar = ByteGrammar()
  private var rules: [String: Int32] = [:]

  private mutating func rule(
    _ name: String, _ body: (inout ByteGrammar, Int32) -> Int32
  ) -> Int32 {
    if let known = rules[name] { return known }
    let rule = grammar.rule(body)
    rules[name] = rule
    return rule
  }

  /// Nothing, a blank, or a line break with up to 24 blanks or 8 tabs.
  mutating func blanks(from: Int32) -> Int32 {
    let rule = rule("blanks") { grammar, start in
      let end = grammar.bytes(0x20...0x20, from: start)
      grammar.jump(start, to: end)
      let line = grammar.bytes(0x0A...0x0A, from: start)
      grammar.jump(line, to: end)
      for (byte, most) in [(UInt8(0x20), 24), (0x09, 8)] {
        var at = line
        for _ in 0..<most {
          at = grammar.bytes(byte...byte, from: at)
          grammar.jump(at, to: end)
        }
      }
      return end
    }
    return grammar.call(rule, from: from)
  }

  /// A character of a string: UTF-8, or an escape. A `\u` escape never stands for half a pair.
  private var character: Int32 {
    mutating get {
      rule("character") { grammar, start in
        let end = grammar.bytes([0x20...0x21, 0x23...0x5B, 0x5D...0x7F], from: start)
        let tail: ClosedRange<UInt8> = 0x80...0xBF
        let last = grammar.state()
        _ = grammar.bytes(tail, from: last, to: end)
        let twoLeft = grammar.state()
        _ = grammar.bytes(tail, from: twoLeft, to: last)
        _ = grammar.bytes(0xC2...0xDF, from: start, to: last)
        _ = grammar.bytes(0xA0...0xBF, from: grammar.bytes(0xE0...0xE0, from: start), to: last)
        _ = grammar.bytes([0xE1...0xEC, 0xEE...0xEF], from: start, to: twoLeft)
        _ = grammar.bytes(0x80...0x9F, from: grammar.bytes(0xED...0xED, from: start), to: last)
        _ = grammar.bytes(0x90...0xBF, from: grammar.bytes(0xF0...0xF0, from: start), to: twoLeft)
        _ = grammar.bytes(tail, from: grammar.bytes(0xF1...0xF3, from: start), to: twoLeft)
        _ = grammar.bytes(0x80...0x8F, from: grammar.bytes(0xF4...0xF4, from: start), to: twoLeft)
        let escape = grammar.bytes(0x5C...0x5C, from: start)
        _ = grammar.bytes(
          "\"\\/bfnrt".utf8.map { $0...$0 }, from: escape, to: end)
        let digits: [ClosedRange<UInt8>] = [0x30...0x39, 0x41...0x46, 0x61...0x66]
        func hex(_ count: Int, from: Int32, to: Int32) {
          var at = from
          for i in 0..<count {
            at = grammar.bytes(digits, from: at, to: i == count - 1 ? to : nil)
          }
        }
        let code = grammar.literal("u", from: escape)
        hex(
          3,
          from: grammar.bytes(
            [0x30...0x39, 0x41...0x43, 0x45...0x46, 0x61...0x63, 0x65...0x66],
            from: code), to: end)
        let d = grammar.bytes([0x44...0x44, 0x64...0x64], from: code)
        hex(2, from: grammar.bytes(0x30...0x37, from: d), to: end)
        // A pair: D800 to DBFF, then DC00 to DFFF.
        let high = grammar.state()
        hex(2, from: grammar.bytes([0x38...0x39, 0x41...0x42, 0x61...0x62], from: d), to: high)
        let low = grammar.bytes(
          [0x44...0x44, 0x64...0x64], from: grammar.literal("\\u", from: high))
        hex(2, from: grammar.bytes([0x43...0x46, 0x63...0x66], from: low), to: end)
        return end
      }
    }
  }

  /// A string of `least` to `most` characters, escapes and pairs counted as one.
  mutating func string(from: Int32, least: Int = 0, most: Int? = nil) -> Int32 {
    let character = character
    let rule = rule("string \(least) \(most ?? -1)") { grammar, start in
      var at = grammar.literal("\"", from: start)
      for _ in 0..<least { at = grammar.call(character, from: at) }
      let end = grammar.state()
      _ = grammar.bytes(0x22...0x22, from: at, to: end)
      if let most {
        for _ in least..<max(least, most) {
          at = grammar.call(character, from: at)
          _ = grammar.bytes(0x22...0x22, from: at, to: end)
        }
      } else {
        _ = grammar.call(character, from: at, to: at)
      }
      return end
    }
    return grammar.call(rule, from: from)
  }

  /// A whole number of up to 15 digits, which every reader takes exactly.
  mutating func integer(from: Int32) -> Int32 {
    let rule = rule("integer") { grammar, start in
      let end = grammar.state()
      Self.whole(&grammar, from: start, to: end)
      return end
    }
    return grammar.call(rule, from: from)
  }

  /// A number of up to 15 digits before and behind the point, and an exponent of up to two.
  mutating func number(from: Int32) -> Int32 {
    let rule = rule("number") { grammar, start in
      let (whole, end) = (grammar.state(), grammar.state())
      Self.whole(&grammar, from: start, to: whole)
      grammar.jump(whole, to: end)
      let digit: ClosedRange<UInt8> = 0x30...0x39
      var at = grammar.literal(".", from: whole)
      let fraction = grammar.state()
      for _ in 0..<15 {
        at = grammar.bytes(digit, from: at)
        grammar.jump(at, to: fraction)
      }
      grammar.jump(fraction, to: end)
      let exponent = grammar.bytes([0x45...0x45, 0x65...0x65], from: whole)
      _ = grammar.bytes([0x45...0x45, 0x65...0x65], from: fraction, to: exponent)
      let signed = grammar.bytes([0x2B...0x2B, 0x2D...0x2D], from: exponent)
      grammar.jump(exponent, to: signed)
      let one = grammar.bytes(digit, from: signed)
      grammar.jump(one, to: end)
      _ = grammar.bytes(digit, from: one, to: end)
      return end
    }
    return grammar.call(rule, from: from)
  }

  private static func whole(_ grammar: inout ByteGrammar, from: Int32, to: Int32) {
    let unsigned = grammar.literal("-", from: from)
    grammar.jump(from, to: unsigned)
    _ = grammar.bytes(0x30...0x30, from: unsigned, to: to)
    var at = grammar.bytes(0x31...0x39, from: unsigned)
    grammar.jump(at, to: to)
    for _ in 0..<14 {
      at = grammar.bytes(0x30...0x39, from: at)
      grammar.jump(at, to: to)
    }
  }

  mutating func word(_ words: [String], from: Int32) -> Int32 {
    let end = grammar.state()
    for word in words { grammar.jump(grammar.literal(word, from: from), to: end) }
    return end
  }

  /// Any value.
  mutating func value(from: Int32) -> Int32 {
    grammar.call(anyValue(), from: from)
  }

  private mutating func anyValue() -> Int32 {
    if let known = rules["value"] { return known }
    let (start, end) = (grammar.state(), grammar.state())
    grammar.end(end)
    // Known before it is complete: values hold values.
    rules["value"] = start
    grammar.jump(string(from: start), to: end)
    grammar.jump(number(from: start), to: end)
    grammar.jump(word(["true", "false", "null"], from: start), to: end)
    grammar.jump(object(from: start) { $0.value(from: $1) }, to: end)
    grammar.jump(array(from: start, least: 0, most: nil, item: start), to: end)
    return start
  }

  /// An object with any keys, whose values `value` makes.
  mutating func object(
    from: Int32, value: (inout JSONGrammar, Int32) throws -> Int32
  ) rethrows -> Int32 {
    let open = blanks(from: grammar.literal("{", from: from))
    let end = grammar.literal("}", from: open)
    let key = grammar.state()
    grammar.jump(open, to: key)
    let colon = grammar.literal(":", from: string(from: key))
    let start = space(from: colon)
    let closing = blanks(from: try value(&self, start))
    _ = grammar.bytes(0x7D...0x7D, from: closing, to: end)
    grammar.jump(blanks(from: grammar.literal(",", from: closing)), to: key)
    return end
  }

  /// An array of `least` to `most` values of the rule `item`.
  mutating func array(from: Int32, least: Int, most: Int?, item: Int32) -> Int32 {
    let end = grammar.state()
    var at = blanks(from: grammar.literal("[", from: from))
    if least == 0 { _ = grammar.bytes(0x5D...0x5D, from: at, to: end) }
    if most == 0 { return end }
    var count = 0
    while true {
      let closing = grammar.state()
      grammar.jump(blanks(from: grammar.call(item, from: at)), to: closing)
      count += 1
      if count >= least { _ = grammar.bytes(0x5D...0x5D, from: closing, to: end) }
      if let most, count >= most { return end }
      let next = blanks(from: grammar.literal(",", from: closing))
      if most == nil, count >= least {
        grammar.jump(blanks(from: grammar.call(item, from: next)), to: closing)
        return end
      }
      at = next
    }
  }

  /// Nothing or one blank.
  mutating func space(from: Int32) -> Int32 {
    let end = grammar.bytes(0x20...0x20, from: from)
    grammar.jump(from, to: end)
    return end
  }
}
