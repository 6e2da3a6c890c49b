import Foundation
import Tools

/// 1 where the answer that a response settles on is the number of the key, exactly.
///
/// A declared answer follows "####", "answer" or "\boxed"; all declared answers must be equal to the
/// key, and so must every number behind the last of them. Without one, the answer is what follows the
/// last "so", "is", "=", ":" or the like, or the whole response. Doubt ("20 or so", "not 20"), numbers in
/// words, powers, operators and a second number are no answer. Numbers are compared as fractions: 1/2
/// is 0.5 and 1,000 is 1000. A percent sign divides by 100, so 20% is not 20. Where the key names a unit
/// ("5 km"), an answer may name that one only; a currency sign before a number is passed over otherwise.
public struct FinalNumber: Verifier {
  public init() {}

  public func reward(problem: Problem, response: String) -> Double {
    guard response.utf8.count <= 200_000, let key = Self.key(problem.answer) else { return 0 }
    let text = NumberText(response)
    guard let conclusion = text.conclusion else { return 0 }
    let declared = text.declared
    guard (declared + [conclusion]).allSatisfy({ Self.meets(key, Array($0)) }) else { return 0 }
    return 1
  }

  public func problem(with problem: Problem) -> String? {
    if Self.key(problem.answer) != nil { return nil }
    let count = NumberText(problem.answer).pieces.count {
      if case .number = $0 { true } else { false }
    }
    return switch count {
    case 0: "the answer \"\(problem.answer)\" holds no number; use --verifier exact for words"
    case 1: "the answer \"\(problem.answer)\" is not a plain number, with or without a unit"
    default: "the answer \"\(problem.answer)\" holds several numbers; give one"
    }
  }

  private struct Key {
    var value: Rational
    var unit: String?
  }

  /// The one number of a key and the word behind it; nil where it has none or several.
  private static func key(_ answer: String) -> Key? {
    let pieces = NumberText(answer).pieces
    let values = pieces.indices.compactMap { i -> (Int, Rational?)? in
      if case .number(let value) = pieces[i] { (i, value) } else { nil }
    }
    guard values.count == 1, let value = values[0].1 else { return nil }
    guard pieces.count > values[0].0 + 1, case .word(let unit) = pieces[values[0].0 + 1] else {
      return Key(value: value, unit: nil)
    }
    return Key(value: value, unit: unit)
  }

  /// Whether there is a number, every number is the key, and nothing takes it back.
  private static func meets(_ key: Key, _ pieces: [NumberText.Piece]) -> Bool {
    var found = false
    for (i, piece) in pieces.enumerated() {
      switch piece {
      case .number(let value):
        guard value == key.value else { return false }
        found = true
        guard let unit = key.unit, i + 1 < pieces.count, case .word(let word) = pieces[i + 1] else {
          continue
        }
        guard word == unit || NumberText.connecting.contains(word) else { return false }
      case .word(let word):
        if NumberText.doubts.contains(word) || NumberText.amounts.contains(word) { return false }
      case .stop: continue
      }
    }
    return found
  }
}

/// A text as words and numbers.
struct NumberText {
  enum Piece: Equatable {
    /// Nil for what looks like a number and is not a plain one: 7,2 or 2^6 or 0x20.
    case number(Rational?)
    /// In lower case.
    case word(String)
    /// The end of a line.
    case stop
  }

  /// Words that make of an answer a guess, a range or its contrary.
  static let doubts: Set<String> = [
    "or", "not", "either", "neither", "nor", "maybe", "perhaps", "possibly", "probably", "about",
    "approximately", "around", "roughly", "nearly", "almost", "least", "most", "between", "unless",
    "isn't", "wasn't", "doesn't", "cannot", "can't", "never", "except", "minus", "negative",
    "unsure",
    "guess", "wrong", "incorrect", "false",
  ]
  /// Numbers and multiples in words: with one of them, digits alone do not say the number.
  static let amounts: Set<String> = [
    "zero", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred",
    "hundreds", "thousand", "thousands", "million", "millions", "billion", "billions", "trillion",
    "dozen", "dozens", "half", "halves", "quarter", "quarters", "k", "mn", "bn", "squared", "cubed",
    "factorial", "tens", "percent", "percentage", "permille", "pi",
  ]
  /// Words behind a number that are no unit.
  static let connecting: Set<String> = [
    "so", "is", "and", "as", "because", "since", "which", "i", "the", "that", "it", "this", "in",
    "are", "was", "therefore", "thus", "answer",
  ]
  private static let weakMarks: Set<String> = [
    "so", "is", "are", "equals", "therefore", "thus", "hence", "be", "makes", "get", "gives",
  ]

  let pieces: [Piece]
  /// Behind which piece a declared answer begins, and where a weaker sign of one stands.
  private var strong: [Int] = []
  private var weak: [Int] = []

  init(_ text: String) {
    let scalars = Self.plain(text)
    var pieces: [Piece] = []
    var at = 0
    while at < scalars.count {
      let scalar = scalars[at]
      if Self.isDigit(scalar)
        || scalar == "." && at + 1 < scalars.count && Self.isDigit(scalars[at + 1])
      {
        pieces.append(.number(Self.number(scalars, &at)))
      } else if scalar.properties.numericType != nil {
        // Digits of other scripts, superscripts, ½: there, but no plain number.
        pieces.append(.number(nil))
        at += 1
      } else if scalar.properties.isAlphabetic {
        let start = at
        while at < scalars.count,
          scalars[at].properties.isAlphabetic || scalars[at] == "'" || scalars[at] == "\u{2019}"
        {
          at += 1
        }
        let word = String(String.UnicodeScalarView(scalars[start..<at])).lowercased()
          .replacingOccurrences(of: "\u{2019}", with: "'")
        pieces.append(.word(word))
        if word == "answer" || word == "boxed" { strong.append(pieces.count) }
        if Self.weakMarks.contains(word) { weak.append(pieces.count) }
      } else {
        if scalar == "\n" { pieces.append(.stop) }
        if scalar == "=" || scalar == ":" || scalar == "\u{2192}" { weak.append(pieces.count) }
        let isMark = at + 4 <= scalars.count && scalars[at..<at + 4].allSatisfy { $0 == "#" }
        if isMark { strong.append(pieces.count) }
        at += isMark ? 4 : 1
      }
    }
    self.pieces = pieces
  }

  private var lastNumber: Int? {
    pieces.lastIndex { if case .number = $0 { true } else { false } }
  }

  /// What stands behind the last sign of an answer that a number follows; nil without a number.
  var conclusion: ArraySlice<Piece>? {
    guard let last = lastNumber else { return nil }
    let start = strong.last { $0 <= last } ?? weak.last { $0 <= last } ?? 0
    return pieces[start...]
  }

  /// The declared answers before the last one: to the next declaration or the end of the line.
  var declared: [ArraySlice<Piece>] {
    guard let last = lastNumber, strong.count > 1 else { return [] }
    return zip(strong, strong.dropFirst()).filter { $0.1 <= last }.map { start, next in
      pieces[start..<next].prefix { $0 != .stop }
    }.filter { $0.contains { if case .number = $0 { true } else { false } } }
  }

  /// Full-width signs as ASCII, the typographers' minus as "-", other spaces as " ", \frac{a}{b} as a/b.
  private static func plain(_ text: String) -> [Unicode.Scalar] {
    var text = text
    if text.contains("frac{") {
      text = text.replacingOccurrences(
        of: #"\\[dt]?frac\{(\d+)\}\{(\d+)\}"#, with: "$1/$2", options: .regularExpression)
    }
    return text.unicodeScalars.map { scalar in
      switch scalar.value {
      case 0xFF01...0xFF5E: Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar
      case 0x2212, 0x2010, 0x2011: "-"
      case 0xA0, 0x2009, 0x202F, 0x3000: " "
      default: scalar
      }
    }
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value >= 0x30 && scalar.value <= 0x39
  }

  /// Reads a number with its sign before `at` and a percent sign behind it; `at` ends behind it. Nil
  /// where what stands around it makes it something else.
  private static func number(_ text: [Unicode.Scalar], _ at: inout Int) -> Rational? {
    let start = at
    let isClean = startsClean(text, start)
    var value = decimal(text, &at)
    if at + 1 < text.count, text[at] == "/", isDigit(text[at + 1]) {
      at += 1
      let below = decimal(text, &at)
      value = value.flatMap { top in below.flatMap { top.divided(by: $0) } }
    }
    let isEnd = endsClean(text, &at)
    if start > 0, text[start - 1] == "-" { value = value.map { -$0 } }
    var behind = at
    while behind < text.count, text[behind] == " " { behind += 1 }
    if behind < text.count, text[behind] == "%" {
      at = behind + 1
      value = value?.divided(by: Rational(100))
    }
    return isClean && isEnd ? value : nil
  }

  /// Whether a number may begin here: not behind a letter, a point, a comma or an operator.
  private static func startsClean(_ text: [Unicode.Scalar], _ start: Int) -> Bool {
    var before = start - 1
    if before >= 0, text[before] == "-" || text[before] == "+" {
      before -= 1
      // "5-20" subtracts, "--20" is odd.
      if before >= 0, isDigit(text[before]) || "-+)".unicodeScalars.contains(text[before]) {
        return false
      }
    }
    guard before >= 0 else { return true }
    let previous = text[before]
    return !isBound(text, before) && !previous.properties.isAlphabetic
      && !".,^/_@&|".unicodeScalars.contains(previous)
  }

  /// Whether what stands up to `at`, spaces aside, makes of a number a bound or a guess: >, >=, ~. An
  /// arrow, => or ->, does not.
  private static func isBound(_ text: [Unicode.Scalar], _ at: Int) -> Bool {
    var at = at
    while at >= 0, text[at] == " " { at -= 1 }
    if at > 0, text[at] == ">", text[at - 1] == "=" || text[at - 1] == "-" { return false }
    if at > 0, text[at] == "=" { at -= 1 }
    return at >= 0 && "<>~±≈≤≥≠√!".unicodeScalars.contains(text[at])
  }

  /// Whether a number may end here: not before a letter (but a unit of the key's), a power, or an
  /// operator with a number behind it. A unit that stands close is read on its own.
  private static func endsClean(_ text: [Unicode.Scalar], _ at: inout Int) -> Bool {
    guard at < text.count else { return true }
    let next = text[at]
    if "^!_²³°".unicodeScalars.contains(next) { return false }
    if next.properties.isAlphabetic {
      // 20e3, 0x20 and 20k are numbers of another kind; "5km" is 5 and km.
      let end = text[at...].firstIndex { !$0.properties.isAlphabetic } ?? text.count
      return end - at >= 2 && !(end < text.count && isDigit(text[end]))
    }
    if next == "," || next == "." {
      return at + 1 >= text.count || !(isDigit(text[at + 1]) || text[at + 1] == next)
    }
    var behind = at
    while behind < text.count, text[behind] == " " { behind += 1 }
    guard behind < text.count, "+-*/×÷·^".unicodeScalars.contains(text[behind]) else { return true }
    // "**" is bold type, " - " a dash: only a number or parenthesis behind makes it an operator.
    behind += 1
    while behind < text.count, " *".unicodeScalars.contains(text[behind]) { behind += 1 }
    guard behind < text.count else { return true }
    let isPoint = text[behind] == "." && behind + 1 < text.count && isDigit(text[behind + 1])
    return !(isDigit(text[behind]) || text[behind] == "(" || isPoint)
  }

  /// Digits in thousands or without, a point and digits; `at` ends behind them. At most 400 digits.
  private static func decimal(_ text: [Unicode.Scalar], _ at: inout Int) -> Rational? {
    func run(_ from: Int) -> Int { text[from...].firstIndex { !isDigit($0) } ?? text.count }
    let start = at
    at = run(at)
    var digits = Array(text[start..<at])
    var isGood = true
    if (1...3).contains(digits.count) {
      while at < text.count, text[at] == ",", run(at + 1) == at + 4 {
        digits += text[at + 1..<at + 4]
        at += 4
      }
    }
    // What is not in groups of three is no number, and is passed as a whole.
    while at + 1 < text.count, text[at] == ",", isDigit(text[at + 1]) {
      at = run(at + 1)
      isGood = false
    }
    var fraction: ArraySlice<Unicode.Scalar> = []
    if at + 1 < text.count, text[at] == ".", isDigit(text[at + 1]) {
      let end = run(at + 1)
      fraction = text[at + 1..<end]
      at = end
    }
    guard isGood, digits.count + fraction.count <= 400 else { return nil }
    return Rational(
      digits: String(String.UnicodeScalarView(digits)),
      fraction: String(String.UnicodeScalarView(fraction)))
  }
}
