import Testing

@testable import Environments

@Suite("Graders")
struct GraderTests {
  private static let numberCases: [(key: String, response: String, reward: Double)] = [
    ("20", "20", 1), ("20", "C 4*2=8 0+8=8; so 20", 1), ("20", "the answer is 20.", 1),
    ("20", "#### 20", 1), ("20", "19", 0), ("20", "", 0), ("20", "no idea", 0),
    ("20", "20 or 21", 0), ("20", "19 20", 0), ("20", "the answer is 20 or maybe 21", 0),
    ("20", "answer: 21\nanswer: 20", 0), ("20", "answer: 20\nanswer: 21", 0),
    ("20", "19 18 17 20 16", 0), ("20", "20 20 20", 1), ("20", "-20", 0), ("-20", "-20", 1),
    ("20", "200", 0), ("20", "2 0", 0), ("20", "020", 1), ("20", "20.0", 1), ("20", "20.01", 0),
    ("0.5", "1/2", 1), ("1/3", "2/6", 1), ("1/3", "0.333", 0), ("0.3", ".3", 1),
    ("1000", "1,000", 1), ("1000", "1,00", 0), ("20", "20%", 0), ("20", "twenty", 0),
    ("20", "5-20", 0), ("1/2", "1/0", 0), ("20", "so 20, I am sure", 1),
    ("9999999999999999999999", "9999999999999999999998", 0),
    ("20", "20 99999999999999999999999999", 0),
    // A minus as typographers set it, and what subtracts.
    ("20", "−20", 0), ("-20", "−20", 1), ("20", "x = −20", 0), ("20", "40−20", 0),
    // Lists, ranges, powers and rests that happen to hold the key.
    ("72", "#### 7,2", 0), ("72", "7 2", 0), ("100", "10^2", 0), ("20", "20e3", 0),
    ("20", "0x20", 0),
    ("20", "20/40", 0), ("20", "20.5", 0), ("20", "#### 20 #### 21", 0), ("20", "0 to 100", 0),
    ("20", "####", 0), ("20", " \n", 0), ("20", "answer:", 0), ("20", "1 1/2", 0),
    ("2", "2 or two", 0),
  ]

  @Test("a number is paid once it is the one answer, exactly", arguments: numberCases.indices)
  func number(at: Int) {
    let (key, response, reward) = Self.numberCases[at]
    let found = FinalNumber().reward(problem: Problem(prompt: "", answer: key), response: response)
    #expect(found == reward, "\(key) <- \(response)")
  }

  @Test("the last whole number counts, and no number is never paid")
  func lastInteger() {
    let cases: [(String, String, Double)] = [
      ("20", "8+12=20", 1), ("20", "20 then 21", 0), ("-3", "x = -3", 1), ("3", "x = -3", 0),
      ("7", "007", 1), ("0", "-0", 1), ("20", "", 0), ("twenty", "no", 0),
    ]
    for (key, response, reward) in cases {
      let problem = Problem(prompt: "", answer: key)
      #expect(LastInteger().reward(problem: problem, response: response) == reward, "\(response)")
    }
  }

  @Test("exact text and patterns pay only the whole answer, and never an empty one")
  func texts() {
    func exact(_ key: String, _ response: String) -> Double {
      ExactText().reward(problem: Problem(prompt: "", answer: key), response: response)
    }
    #expect(exact("Paris", " Paris\n") == 1)
    #expect(exact("Paris", "Paris or Rome") == 0)
    #expect(exact("", "") == 0)
    func pattern(_ key: String, _ response: String) -> Double {
      WholePattern().reward(problem: Problem(prompt: "", answer: key), response: response)
    }
    #expect(pattern("yes|no", "yes") == 1)
    #expect(pattern("yes|no", "yes and no") == 0)
    #expect(pattern("[0-9]+", "12a") == 0)
    #expect(pattern("(", "(") == 0)
    #expect(pattern("a|b)|(.*", "anything") == 0)
    #expect(pattern("[ab]+", String(repeating: "a", count: 9_000)) == 1)
    #expect(pattern("[ab]+", String(repeating: "a", count: 9_000) + "c") == 0)
  }

  @Test("a key that no answer can meet, or that everything meets, is named before practice")
  func keys() {
    func complaint(_ verifier: any Verifier, _ key: String) -> String? {
      verifier.problem(with: Problem(prompt: "p", answer: key))
    }
    #expect(complaint(FinalNumber(), "12") == nil)
    #expect(complaint(FinalNumber(), "none") != nil)
    #expect(complaint(FinalNumber(), "12 or 13") != nil)
    #expect(complaint(FinalNumber(), "9999999999999999999999") == nil)
    #expect(complaint(ExactText(), " ") != nil)
    #expect(complaint(WholePattern(), "(") != nil)
    #expect(complaint(WholePattern(), ".*") != nil)
    #expect(complaint(WholePattern(), "a|b)|(.*") != nil)
    #expect(complaint(WholePattern(), "(?x)a # rest") != nil)
    #expect(complaint(WholePattern(), "a+") == nil)
  }

  @Test("a problem file names the line that is none")
  func files() {
    let good = "{\"prompt\": \"p\", \"answer\": \"1\"}\n"
    #expect(throws: EnvironmentError.self) {
      try ProblemFile.read(.init("".utf8), name: "x")
    }
    let error = #expect(throws: EnvironmentError.self) {
      try ProblemFile.read(.init((good + "\n" + "{\"prompt\": 1}\n").utf8), name: "x.jsonl")
    }
    #expect(error?.description.contains("x.jsonl, line 3") == true)
  }
}
