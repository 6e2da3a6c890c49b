import Testing

@testable import Tools

@Suite("Calculator")
struct CalculatorTests {
  private static let cases: [(String, String)] = [
    ("1+2*3", "7"), ("(1+2)*3", "9"), ("0.1+0.2", "0.3"), ("9.11-9.9", "-0.79"), ("1/3", "1/3"),
    ("2/6", "1/3"), ("1/8", "0.125"), ("-1/8", "-0.125"), ("10/5", "2"), ("2^10", "1024"),
    ("2^3^2", "512"), ("-2^2", "-4"), ("(-2)^2", "4"), ("2^-2", "0.25"), ("0^0", "1"),
    ("--3", "3"), ("3 - -3", "6"), ("3−4", "-1"), ("6÷4", "1.5"), ("6 × 7", "42"), (".5*4", "2"),
    ("007", "7"), ("1/3*3", "1"), ("1-0.9-0.1", "0"), ("1^1000000", "1"), ("(-1)^999999", "-1"),
    ("123456789012345678901234567890*10", "1234567890123456789012345678900"),
    ("2^200", "1606938044258990275541962092341162602522202993782792835301376"),
    ("8 - 3 - 2", "3"), ("8/4/2", "1"), ("0.000001", "0.000001"), ("1/7+1/7", "2/7"),
  ]

  @Test("values are exact, and precedence is that of school", arguments: cases)
  func exact(expression: String, value: String) throws {
    #expect(try Calculator().call(expression) == value)
  }

  private static let mistakes = [
    "", " ", "+", "1+", "(1", "1)", "1 2", "2(3)", "1..2", "1.", ".", "1,000", "1e5", "0x10", "a",
    "1/0", "0^-1", "1/(2-2)", "2^0.5", "2^2^2^2^2^2", "9^999999", "2^10000000", "π", "１+１", "5%",
    "__import__('os')", "1;2", "1\n+2", "\0", "-(", "()", "1+*2", "3!", "(1/7)^3000",
    String(repeating: "(", count: 500) + "1" + String(repeating: ")", count: 400),
    String(repeating: "-", count: 900) + "1", String(repeating: "2^", count: 400) + "1.5",
    String(repeating: "1", count: 1_001), String(repeating: "(", count: 100_000),
  ]

  @Test("anything else is one sentence, never a crash", arguments: mistakes)
  func refused(expression: String) {
    let error = #expect(throws: ToolError.self) { try Calculator().call(expression) }
    #expect((error?.description.count ?? 0) > 10 && (error?.description.count ?? 0) < 150)
  }

  @Test("random texts of the grammar's characters never crash and end soon")
  func anyText() {
    var random = SystemRandomNumberGenerator()
    let characters = Array("0123456789.+-*/^() ")
    let start = ContinuousClock.now
    for _ in 0..<3_000 {
      let length = Int.random(in: 0...40, using: &random)
      let text = String((0..<length).map { _ in characters.randomElement(using: &random) ?? " " })
      _ = try? Calculator().call(text)
    }
    #expect(ContinuousClock.now - start < .seconds(30))
  }

  @Test("fractions compare and reduce exactly")
  func fractions() throws {
    let half = try #require(Rational(3, over: 6))
    #expect(half.description == "0.5")
    #expect(half == Rational(-1, over: -2))
    #expect(Rational(1, over: 0) == nil)
    #expect(try #require(Rational(1, over: 3)) < half)
    #expect(Rational(digits: "", fraction: "") == nil)
    #expect(
      Rational(digits: "9", fraction: "11") ?? Rational(0) < Rational(digits: "9", fraction: "9")
        ?? Rational(0))
  }
}
