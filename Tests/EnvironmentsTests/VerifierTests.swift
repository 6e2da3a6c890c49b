import Foundation
import Testing
import Tools

@testable import Environments

@Suite("Verifiers")
struct VerifierTests {
  private static let right: [(key: String, response: String)] = [
    ("72", "#### 72."), ("72", "#### 72.0"), ("72", "#### $72"), ("72", "#### \u{FF17}\u{FF12}"),
    ("72", "**72**"), ("72", "The answer is **72**."), ("72", "\\boxed{72}"), ("72", "(72)"),
    ("0.5", "\\boxed{\\frac{1}{2}}"), ("72", "x = 72"), ("72", "+72"), ("72", "72 apples"),
    ("72", "Answer: 72 apples"), ("1/2", "50%"), ("0.5", "50 %"), ("50%", "50%"), ("50%", "0.5"),
    ("1234567", "1,234,567"), ("72", "36 + 36 = 72"), ("-3", "#### -3"), ("72", "72 = 72"),
    ("5 km", "5 km"), ("5 km", "5km"), ("5 km", "5"), ("0.3", "0.30"),
    ("72", "answer 72\nanswer 72"),
    ("72", "6*12 is 72"), ("72", "72 - done"), ("1/3", "1/3"), ("0.1", "1/10"),
    ("72", "I had 60. Then 12 more: 72"), ("9999999999999999999999", "9999999999999999999999"),
  ]

  private static let nearMisses: [(key: String, response: String)] = [
    ("72", "72.5"), ("72", "7.2"), ("72", "720"), ("72", "-72"), ("72", "1/72"), ("72", "72/1000"),
    ("72", "072.001"), ("72", "#### 73"), ("72", "72,000"), ("1000", "1,0,0,0"), ("1000", "10,00"),
    ("1000", "1 000"), ("0.333", "1/3"), ("5 km", "5 m"), ("5 km", "5 miles"), ("50%", "50"),
    ("50", "50%"), ("50", "50 percent"), ("72", "72 thousand"), ("72", "72k"), ("72", "72e0"),
    ("7", "so 7!"), ("9999999999999999999999", "9999999999999999999998"),
  ]

  private static let hacks = [
    "#### 72 #### 73", "#### 73 #### 72", "#### 72\n#### 99", "#### 99\n#### 72", "#### ,,72,,",
    "#### 72%", "72 or not", "not 72", "The answer is not 72", "about 72", "72, maybe",
    "either 72 or seventy-three", "72, or one more", "at least 72", "72 hundred", "72 dozen",
    "72*72", "72-72", "72 * 72", "72^1", "72!", "72\u{B2}", "\u{221A}72", "\u{B1}72", "~72", "~ 72",
    "<72", "> 72", ">= 72", ">= 72 and <= 99", "x72", "72x", "0b72", "72..73", "72-80", "[72, 73]",
    "seventy-two", "minus 72", "negative 72", "--72", "72_000", "7 2", "70 + 2", "1 2 3 72 4", ":",
    ".", "Thought process:", "Solution", "the the the", "####", "\\boxed{}", "\u{667}\u{662}",
    "\u{2460}72", "72 half", "guess 72", "1/0", "72/0", "NaN", "inf 72e999", "72,73", "", " \n\t",
    "answer: 72 answer: 73 answer: 72", "72 72 72 73", "answer: 72\nOr is it 73?", "0x48", "7,2",
  ]

  private static let restated = [
    "It is 19. It is 20.", "It is 19, it is 20", "It is 19 so it is 20", "So 19. So 20.",
    "It's 19 apples.\nNo, it is 20 apples.", "The result is 19; the result is 20",
    "It is 1,9. It is 20", "It is 19. It is 18. 14+6=20. It is 20.",
  ]

  private static let worked = [
    "6*1=6 14+6=20", "14 + 5 is 19. 19 + 1 is 20.", "It is 20. It is 20.", "It is 19. 19+1=20",
    "Four bonds: it is 14. Two more of 3: it is 20.", "It is 14 at first. So it is 20.",
    "It is 19. The answer is 20.", "So 20", "6*1 = 6, so it is 20",
  ]

  @Test("two answers, each only stated, are not paid", arguments: restated)
  func statedTwice(response: String) { #expect(number("20", response) == 0, "\(response)") }

  @Test("work that ends in its answer is paid, whatever it passes on the way", arguments: worked)
  func worksOut(response: String) { #expect(number("20", response) == 1, "\(response)") }

  private func number(_ key: String, _ response: String) -> Double {
    FinalNumber().reward(problem: Problem(prompt: "", answer: key), response: response)
  }

  @Test("the same number, written otherwise, is paid", arguments: right.indices)
  func equivalents(at: Int) {
    let (key, response) = Self.right[at]
    #expect(number(key, response) == 1, "\(key) <- \(response)")
  }

  @Test("a near miss is not paid", arguments: nearMisses.indices)
  func misses(at: Int) {
    let (key, response) = Self.nearMisses[at]
    #expect(number(key, response) == 0, "\(key) <- \(response)")
  }

  @Test(
    "hedging, second answers, units, empty text and other tricks are not paid", arguments: hacks)
  func tricks(response: String) { #expect(number("72", response) == 0, "\(response)") }

  @Test("no mixture of signs and wrong numbers is paid, and none takes long")
  func fuzz() {
    var random = SplitMix64(seed: 1, stream: "fuzz")
    let parts = [
      "72", "73", "7", "2", "####", "answer", ":", " ", " ", "\n", "or", "is", "so", "%", "$", ",",
      ".",
      "-", "/", "=", "not", "k", "thousand", "\\boxed{", "}", "^", "1,000", "0",
    ]
    let start = ContinuousClock.now
    for _ in 0..<10_000 {
      let text = (0..<12).map { _ in parts[random.within(0...parts.count - 1)] }.joined()
      // There is no 9 among the parts.
      #expect(number("9117", text) == 0)
    }
    _ = number("3", String(repeating: ": = so is #### answer 1,2,3 ", count: 5_000))
    #expect(ContinuousClock.now - start < .seconds(60))
  }

  @Test("patterns match as a whole")
  func patterns() throws {
    let cases: [(String, String, Bool)] = [
      ("abc", "abc", true), ("abc", "abcd", false), ("^abc$", "abc", true), ("a.c", "a\nc", false),
      ("(ab|cd)+", "abcdab", true), ("(ab|cd)+", "abc", false), ("a{2,3}", "aa", true),
      ("a{2,3}", "aaaa", false), ("a{2}", "aa", true), ("a{2,}", "aaaaa", true),
      ("a{2,}", "a", false), ("[^a-c]+", "xyz", true), ("[^a-c]+", "xaz", false),
      ("[a-]+", "a-a", true), ("[]]", "]", true), ("\\d+(\\.\\d+)?", "12.5", true),
      ("\\d+(\\.\\d+)?", "12.", false), ("(?i)yes", "YeS", true), ("(?i)[a-z]+", "ABC", true),
      ("(?:a|b)c*?", "bcc", true), ("\\$5\\$", "$5$", true), ("a|", "", true),
      ("(a*)*b", "aaab", true), ("é+", "éé", true), ("[\\d.]+", "1.2", true),
      ("\\w+\\s\\w+", "two words", true), ("a?b?c?", "ac", true), ("\\[x\\]", "[x]", true),
      ("(a|b){2}", "ab", true), ("(a|b){2}", "a", false), ("x*", "xxy", false),
      ("a\\\\", "a\\", true), ("", "", true), ("", "a", false),
    ]
    for (pattern, text, expected) in cases {
      #expect(try LinearPattern(pattern).matches(text) == expected, "\(pattern) on \(text)")
    }
  }

  @Test("patterns that explode elsewhere take linear time here")
  func linear() throws {
    let start = ContinuousClock.now
    let long = String(repeating: "a", count: 5_000)
    for pattern in [
      "(a+)+b", "(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*)(.*)(.*)(.*)b", "(a?){30}a{30}b",
    ] {
      #expect(try !LinearPattern(pattern).matches(long))
    }
    #expect(ContinuousClock.now - start < .seconds(30))
  }

  private static let unknown = [
    "(", ")", "[", "[a", "*", "a**", "a{", "a{x}", "a{3,2}", "a{9999}", "(a{1000}){1000}", "\\1",
    "(?=a)", "(?<!a)b", "\\", "[z-a]", "a^b", "(?x)a", "\\b", "a{2",
    String(repeating: "(", count: 9_999),
  ]

  @Test("a pattern with what is not known is refused in a sentence", arguments: unknown)
  func refused(pattern: String) {
    #expect(throws: EnvironmentError.self) { try LinearPattern(pattern) }
    #expect(WholePattern().problem(with: Problem(prompt: "", answer: pattern)) != nil)
  }

  private static let exploits = [
    "", " ", "print(3)", "exit(0)", "import os; os._exit(0)", "raise SystemExit(0)",
    "print('PASS')",
    "import sys; sys.excepthook = lambda *a: exit(0); 1/0",
    "import atexit; atexit.register(print, 3)",
    "class E:\n  def __eq__(s, o): return True\nprint(E())", "print(input())", "print('3\\n13')",
    "import builtins; builtins.print = 3", "print(__import__('sys').argv)", "while True: print(3)",
    "import os\nif os.fork(): os._exit(0)", "import os; os.close(1)", "print(float('nan'))", "f(",
    "print({'ok': True})", "print(open('/proc/self/cmdline').read())", "a\0b", "print(9**9**9)",
    "import sys; sys.modules['os'] = 3; print(True)",
  ]

  @Test("a program is paid for its output alone", .enabled(if: (try? Sandbox.ready()) != nil))
  func programs() throws {
    let verifier = try ProgramOutput()
    let problem = Problem(
      prompt: "Add the two numbers.", answer: "",
      tests: [.init(input: "1 2\n", output: "3"), .init(input: "5 8\n", output: "13\n")])
    func reward(_ program: String) throws -> Double {
      try verifier.reward(problem: problem, response: program)
    }
    let good = "a, b = map(int, input().split())\nprint(a + b)"
    #expect(try reward(good) == 1)
    #expect(try reward("Here:\n```python\n\(good)\n```\nDone.") == 1)
    for exploit in Self.exploits { #expect(try reward(exploit) == 0, "\(exploit)") }
    #expect(verifier.problem(with: Problem(prompt: "", answer: " \n")) != nil)
    #expect(verifier.problem(with: problem) == nil)
  }
}
