/// A template in pieces: its own text, and the tokens of its tags.
enum Lexeme: Equatable {
  case data(String)
  case beginOutput, endOutput, beginStatement, endStatement
  case name(String)
  case string(String)
  case int(Int)
  case float(Double)
  /// An operator or a bracket.
  case symbol(String)
  case end
}

/// Cuts a template as the reference does with `trim_blocks` and `lstrip_blocks`: a line end right
/// after a statement or comment goes, and so does white space before one that begins a line.
struct Lexer {
  private let source: [Unicode.Scalar]
  private var at = 0
  private var line = 1
  private var isLineStart = true
  private var lexemes: [(lexeme: Lexeme, line: Int)] = []

  static func lexemes(of template: String) throws -> [(lexeme: Lexeme, line: Int)] {
    var lexer = Lexer(template)
    try lexer.run()
    return lexer.lexemes
  }

  private init(_ template: String) {
    // Any line end becomes a line feed, and one at the very end goes.
    var scalars: [Unicode.Scalar] = []
    var afterReturn = false
    for scalar in template.unicodeScalars {
      if scalar == "\r" {
        scalars.append("\n")
      } else if scalar != "\n" || !afterReturn {
        scalars.append(scalar)
      }
      afterReturn = scalar == "\r"
    }
    if scalars.last == "\n" { scalars.removeLast() }
    source = scalars
  }

  private func starts(_ text: String, at place: Int? = nil) -> Bool {
    var i = place ?? at
    for scalar in text.unicodeScalars {
      guard i < source.count, source[i] == scalar else { return false }
      i += 1
    }
    return true
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { Text.isBlank(scalar.value) }

  private mutating func add(_ lexeme: Lexeme) { lexemes.append((lexeme, line)) }

  private mutating func advance(to place: Int) {
    for scalar in source[at..<place] where scalar == "\n" { line += 1 }
    at = place
  }

  private mutating func run() throws {
    while at < source.count {
      var tag = at
      while tag < source.count,
        !(source[tag] == "{" && tag + 1 < source.count
          && (source[tag + 1] == "{" || source[tag + 1] == "%" || source[tag + 1] == "#"))
      {
        tag += 1
      }
      guard tag < source.count else {
        addData(Array(source[at...]))
        return add(.end)
      }
      let kind = source[tag + 1]
      let sign = tag + 2 < source.count ? source[tag + 2] : " "
      addData(kept(Array(source[at..<tag]), before: kind, sign: sign))
      advance(to: tag + 2)
      if sign == "-" || sign == "+" { advance(to: at + 1) }
      switch kind {
      case "#": try skipComment()
      case "{":
        add(.beginOutput)
        try tokens(until: "}}")
        add(.endOutput)
      default:
        if let place = rawBegin() {
          try raw(from: place)
        } else {
          add(.beginStatement)
          try tokens(until: "%}")
          add(.endStatement)
        }
      }
    }
    add(.end)
  }

  private mutating func addData(_ scalars: [Unicode.Scalar]) {
    guard !scalars.isEmpty else { return }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    add(.data(String(view)))
  }

  /// What stays of text before a tag.
  private func kept(
    _ text: [Unicode.Scalar], before kind: Unicode.Scalar, sign: Unicode.Scalar
  ) -> [Unicode.Scalar] {
    if sign == "-" {
      return Array(text[..<(text.lastIndex { !Self.isBlank($0) }.map { $0 + 1 } ?? 0)])
    }
    guard sign != "+", kind != "{" else { return text }
    let lineStart = text.lastIndex(of: "\n").map { $0 + 1 } ?? 0
    guard lineStart > 0 || isLineStart, text[lineStart...].allSatisfy(Self.isBlank) else {
      return text
    }
    return Array(text[..<lineStart])
  }

  /// Consumes a tag's end at `at`, of `length` scalars, with what it takes along.
  private mutating func finishTag(_ length: Int, strips: Bool, trims: Bool) {
    var place = at + length
    if strips {
      while place < source.count, Self.isBlank(source[place]) { place += 1 }
    } else if trims, place < source.count, source[place] == "\n" {
      place += 1
    }
    isLineStart = source[place - 1] == "\n"
    advance(to: place)
  }

  private mutating func skipComment() throws {
    let begin = line
    while at < source.count {
      if starts("-#}") { return finishTag(3, strips: true, trims: false) }
      if starts("+#}") { return finishTag(3, strips: false, trims: false) }
      if starts("#}") { return finishTag(2, strips: false, trims: true) }
      advance(to: at + 1)
    }
    throw TemplateError.syntax(line: begin, what: "a comment has no end")
  }

  // {% raw %} … {% endraw %}

  private func skippingBlanks(_ place: Int) -> Int {
    var place = place
    while place < source.count, Self.isBlank(source[place]) { place += 1 }
    return place
  }

  /// Where the tag's end begins, if the tag at `at` is `raw`.
  private func rawBegin() -> Int? {
    let name = skippingBlanks(at)
    guard starts("raw", at: name) else { return nil }
    let place = skippingBlanks(name + 3)
    return starts("%}", at: place) || starts("-%}", at: place) ? place : nil
  }

  private mutating func raw(from place: Int) throws {
    advance(to: place)
    let strips = starts("-")
    finishTag(strips ? 3 : 2, strips: strips, trims: false)
    let start = at
    var tag = at
    while tag < source.count {
      if starts("{%", at: tag) {
        let sign = tag + 2 < source.count ? source[tag + 2] : " "
        let name = skippingBlanks(tag + (sign == "-" || sign == "+" ? 3 : 2))
        let close = skippingBlanks(name + 6)
        if starts("endraw", at: name),
          starts("%}", at: close) || starts("-%}", at: close) || starts("+%}", at: close)
        {
          addData(kept(Array(source[start..<tag]), before: "%", sign: sign))
          advance(to: close)
          let strips = starts("-")
          return finishTag(strips || starts("+") ? 3 : 2, strips: strips, trims: !starts("+"))
        }
      }
      tag += 1
    }
    throw TemplateError.syntax(line: line, what: "raw has no endraw")
  }

  // Tokens inside a tag.

  private static let symbols = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
  ]

  private mutating func tokens(until close: String) throws {
    let begin = line
    var brackets: [String] = []
    while at < source.count {
      if brackets.isEmpty {
        let trims = close == "%}"
        if starts("-" + close) { return finishTag(3, strips: true, trims: false) }
        if trims, starts("+" + close) { return finishTag(3, strips: false, trims: false) }
        if starts(close) { return finishTag(2, strips: false, trims: trims) }
      }
      let scalar = source[at]
      if Self.isBlank(scalar) {
        advance(to: at + 1)
      } else if scalar == "'" || scalar == "\"" {
        try string(scalar)
      } else if scalar.properties.isXIDStart || scalar == "_" {
        var stop = at + 1
        while stop < source.count, source[stop].properties.isXIDContinue { stop += 1 }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: source[at..<stop])
        add(.name(String(view)))
        at = stop
      } else if ("0"..."9").contains(scalar) {
        try number()
      } else if let symbol = Self.symbols.first(where: { starts($0) }) {
        if ["(", "[", "{"].contains(symbol) { brackets.append(symbol) }
        if let pair = [")": "(", "]": "[", "}": "{"][symbol] {
          guard brackets.popLast() == pair else {
            throw TemplateError.syntax(line: line, what: "\(symbol) closes nothing")
          }
        }
        add(.symbol(symbol))
        at += symbol.unicodeScalars.count
      } else {
        throw TemplateError.syntax(line: line, what: "the character \(scalar) is out of place")
      }
    }
    throw TemplateError.syntax(line: begin, what: "a tag has no end")
  }

  private mutating func string(_ quote: Unicode.Scalar) throws {
    let begin = line
    var view = String.UnicodeScalarView()
    advance(to: at + 1)
    while at < source.count, source[at] != quote {
      let scalar = source[at]
      guard scalar == "\\", at + 1 < source.count else {
        view.append(scalar)
        advance(to: at + 1)
        continue
      }
      let escaped = source[at + 1]
      advance(to: at + 2)
      switch escaped {
      case "n": view.append("\n")
      case "t": view.append("\t")
      case "r": view.append("\r")
      case "b": view.append("\u{8}")
      case "f": view.append("\u{C}")
      case "v": view.append("\u{B}")
      case "a": view.append("\u{7}")
      case "\\", "'", "\"": view.append(escaped)
      case "\n": break
      case "x", "u", "U":
        let digits = escaped == "x" ? 2 : escaped == "u" ? 4 : 8
        var value: UInt32 = 0
        for i in at..<at + digits {
          guard i < source.count, let digit = Character(source[i]).hexDigitValue else {
            throw TemplateError.syntax(line: line, what: "\\\(escaped) lacks hexadecimal digits")
          }
          value = value << 4 | UInt32(digit)
        }
        at += digits
        view.append(Unicode.Scalar(value) ?? "\u{FFFD}")
      case "0"..."7":
        var value = escaped.value - 48
        for _ in 0..<2 where at < source.count && ("0"..."7").contains(source[at]) {
          value = value << 3 | (source[at].value - 48)
          at += 1
        }
        view.append(Unicode.Scalar(value) ?? "\u{FFFD}")
      default:
        view.append("\\")
        view.append(escaped)
      }
    }
    guard at < source.count else {
      throw TemplateError.syntax(line: begin, what: "a string has no end")
    }
    advance(to: at + 1)
    add(.string(String(view)))
  }

  private mutating func number() throws {
    var text = ""
    var isFloat = false
    while at < source.count {
      let scalar = source[at]
      if ("0"..."9").contains(scalar) {
        text.unicodeScalars.append(scalar)
      } else if scalar == "_" {
        // Only for the eye.
      } else if scalar == ".", !isFloat, at + 1 < source.count,
        ("0"..."9").contains(source[at + 1])
      {
        text += "."
        isFloat = true
      } else if scalar == "e" || scalar == "E", at + 1 < source.count,
        ("0"..."9").contains(source[at + 1]) || source[at + 1] == "-" || source[at + 1] == "+"
      {
        text += "e"
        text.unicodeScalars.append(source[at + 1])
        isFloat = true
        at += 1
      } else {
        break
      }
      at += 1
    }
    if !isFloat, let value = Int(text) { return add(.int(value)) }
    guard isFloat, let value = Double(text) else {
      throw TemplateError.syntax(line: line, what: "\(text.prefix(40)) is no number that fits")
    }
    add(.float(value))
  }
}
