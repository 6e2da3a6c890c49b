import Foundation

/// 1 where the answer that a response settles on is the number of the key, exactly.
///
/// The answer is what follows the last mark of one ("####", "answer", "so", "is", "=", ":"), or the
/// whole response without such a mark. All numbers in it must be equal to the key: "12 or 13" is
/// hedging, and two different answers are none. Numbers are compared as fractions, so 1/2 is 0.5 and
/// 1,000 is 1000, and 0.1 + 0.2 is 0.3.
public struct FinalNumber: Verifier {
  public init() {}

  public func reward(problem: Problem, response: String) -> Double {
    guard let key = Self.numbers(in: problem.answer).first ?? nil else { return 0 }
    let found = Self.numbers(in: Self.conclusion(response))
    return !found.isEmpty && found.allSatisfy { $0 == key } ? 1 : 0
  }

  public func problem(with problem: Problem) -> String? {
    let numbers = Self.numbers(in: problem.answer)
    return switch numbers.count {
    case 1 where numbers[0] == nil: "the answer \"\(problem.answer)\" has more than 18 digits"
    case 1: nil
    case 0: "the answer \"\(problem.answer)\" holds no number; use --verifier exact for words"
    default: "the answer \"\(problem.answer)\" holds several numbers; give one"
    }
  }

  /// What follows the last mark of an answer, if a number does.
  static func conclusion(_ response: String) -> Substring {
    let marks = ["####", "answer", "so ", " is ", "=", ":"]
    let starts = marks.flatMap { mark in
      response.ranges(of: mark).map(\.upperBound)
    }.sorted(by: >)
    let last = starts.first { !numbers(in: response[$0...]).isEmpty }
    return last.map { response[$0...] } ?? response[...]
  }

  /// A fraction in lowest terms.
  struct Number: Equatable {
    let numerator: Int128
    let denominator: Int128

    init?(_ numerator: Int128, _ denominator: Int128) {
      guard denominator != 0 else { return nil }
      let divisor = Self.divisor(numerator.magnitude, denominator.magnitude)
      let sign: Int128 = denominator < 0 ? -1 : 1
      self.numerator = sign * numerator / Int128(divisor)
      self.denominator = sign * denominator / Int128(divisor)
    }

    private static func divisor(_ a: UInt128, _ b: UInt128) -> UInt128 {
      var (a, b) = (a, b)
      while b != 0 { (a, b) = (b, a % b) }
      return max(1, a)
    }
  }

  /// Decimals and fractions, with sign and thousands' commas. One of more than 18 digits counts as a
  /// number that equals nothing but is there: it cannot be hidden behind.
  static func numbers(in text: some StringProtocol) -> [Number?] {
    let bytes = Array(text.utf8)
    var found: [Number?] = []
    var at = 0
    while at < bytes.count {
      guard
        isDigit(bytes[at]) || (bytes[at] == dot && at + 1 < bytes.count && isDigit(bytes[at + 1]))
      else {
        at += 1
        continue
      }
      let isNegative = hasSign(bytes, at)
      var value = decimal(bytes, &at)
      if at + 1 < bytes.count, bytes[at] == slash, isDigit(bytes[at + 1]) {
        at += 1
        let below = decimal(bytes, &at)
        value = value.flatMap { top in
          below.flatMap { Number(top.numerator * $0.denominator, top.denominator * $0.numerator) }
        }
      }
      found.append(
        value.flatMap { Number(isNegative ? -$0.numerator : $0.numerator, $0.denominator) })
    }
    return found
  }

  private static let (dot, comma, minus, slash) = (
    UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "/")
  )

  /// Whether a minus stands before a number: "-" or "−" (U+2212), unless it subtracts from a digit.
  private static func hasSign(_ bytes: [UInt8], _ at: Int) -> Bool {
    for sign in [[minus], Array("−".utf8)]
    where bytes[..<at].suffix(sign.count).elementsEqual(sign) {
      let before = at - sign.count
      return before == 0 || !isDigit(bytes[before - 1])
    }
    return false
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  /// Digits, a dot and digits; `at` ends behind them. At most 18 digits, so that products fit.
  private static func decimal(_ bytes: [UInt8], _ at: inout Int) -> Number? {
    var (numerator, denominator): (Int128, Int128) = (0, 1)
    var digits = 0
    var hasDot = false
    while at < bytes.count {
      let byte = bytes[at]
      if isDigit(byte) {
        digits += 1
        if digits <= 18 {
          numerator = 10 * numerator + Int128(byte - 0x30)
          if hasDot { denominator *= 10 }
        }
      } else if byte == dot, !hasDot, at + 1 < bytes.count, isDigit(bytes[at + 1]) {
        hasDot = true
      } else if byte == comma, !hasDot, isThousands(bytes, at) {
      } else {
        break
      }
      at += 1
    }
    return digits <= 18 ? Number(numerator, denominator) : nil
  }

  /// Whether exactly three digits follow a comma.
  private static func isThousands(_ bytes: [UInt8], _ comma: Int) -> Bool {
    comma + 3 < bytes.count && bytes[(comma + 1)...(comma + 3)].allSatisfy(isDigit)
      && (comma + 4 >= bytes.count || !isDigit(bytes[comma + 4]))
  }
}

/// 1 where the whole response, white space at the ends aside, matches the answer as a regular
/// expression.
public struct WholePattern: Verifier {
  public init() {}

  public func reward(problem: Problem, response: String) -> Double {
    let text = response.trimmingCharacters(in: .whitespacesAndNewlines)
    // A pattern that explodes explodes with the length.
    guard text.utf8.count <= 4_000, let pattern = Self.whole(problem.answer) else { return 0 }
    let range = NSRange(text.startIndex..., in: text)
    return pattern.firstMatch(in: text, range: range) == nil ? 0 : 1
  }

  public func problem(with problem: Problem) -> String? {
    guard Self.whole(problem.answer) != nil else {
      return "\"\(problem.answer)\" is not a regular expression"
    }
    return reward(problem: problem, response: "") > 0
      ? "the pattern \"\(problem.answer)\" accepts an empty answer" : nil
  }

  private static func whole(_ pattern: String) -> NSRegularExpression? {
    // By itself first: "a)|(b" must not close what is put around it.
    guard (try? NSRegularExpression(pattern: pattern)) != nil else { return nil }
    return try? NSRegularExpression(pattern: "\\A(?:\(pattern))\\z")
  }
}
