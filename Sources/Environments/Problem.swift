import Foundation

/// A question with an answer that can be checked.
public struct Problem: Codable, Sendable, Equatable {
  /// What a program is given and what it must write.
  public struct Test: Codable, Sendable, Equatable {
    public var input: String
    public var output: String

    public init(input: String, output: String) { (self.input, self.output) = (input, output) }
  }

  public var prompt: String
  public var answer: String
  /// For a program; nil where it has no input and must write the answer.
  public var tests: [Test]?

  public init(prompt: String, answer: String, tests: [Test]? = nil) {
    (self.prompt, self.answer, self.tests) = (prompt, answer, tests)
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    prompt = try fields.decode(String.self, forKey: .prompt)
    tests = try fields.decodeIfPresent([Test].self, forKey: .tests)
    answer =
      tests?.isEmpty == false
      ? try fields.decodeIfPresent(String.self, forKey: .answer) ?? ""
      : try fields.decode(String.self, forKey: .answer)
  }

  var programTests: [Test] {
    guard let tests, !tests.isEmpty else { return [Test(input: "", output: answer)] }
    return tests
  }

  /// All that a run depends on.
  public var fingerprintText: String {
    prompt + "\n" + answer + (tests ?? []).map { "\n" + $0.input + "\n" + $0.output }.joined()
  }
}

/// Decides what a response is worth. Practice needs nothing else.
public protocol Verifier: Sendable {
  /// From 0, wrong, to 1, right. Throws only where the check itself cannot be made.
  func reward(problem: Problem, response: String) throws -> Double
  /// What is wrong with a problem as this check sees it, in a sentence; nil where nothing is.
  func problem(with problem: Problem) -> String?
}

extension Verifier {
  public func problem(with problem: Problem) -> String? { nil }
}

/// 1 where the last whole number of the response is the answer. How it was found does not matter.
public struct LastInteger: Verifier {
  public init() {}

  public func reward(problem: Problem, response: String) -> Double {
    // No number on either side is not an answer.
    guard let found = Self.lastInteger(response) else { return 0 }
    return found == Self.lastInteger(problem.answer) ? 1 : 0
  }

  /// The last run of digits with its sign, without leading zeros; nil without digits.
  static func lastInteger(_ text: String) -> String? {
    let bytes = Array(text.utf8)
    let isDigit = { (byte: UInt8) in byte >= 0x30 && byte <= 0x39 }
    guard let end = bytes.lastIndex(where: isDigit) else { return nil }
    var start = end
    while start > 0, isDigit(bytes[start - 1]) { start -= 1 }
    let digits = bytes[start...end].drop { $0 == 0x30 }
    let isNegative = start > 0 && bytes[start - 1] == 0x2D && !digits.isEmpty
    return (isNegative ? "-" : "")
      + (digits.isEmpty ? "0" : String(decoding: digits, as: UTF8.self))
  }
}

/// 1 where the response is the answer, white space at the ends aside.
public struct ExactText: Verifier {
  public init() {}

  public func reward(problem: Problem, response: String) -> Double {
    let answer = response.trimmingCharacters(in: .whitespacesAndNewlines)
    return !answer.isEmpty
      && answer == problem.answer.trimmingCharacters(in: .whitespacesAndNewlines) ? 1 : 0
  }

  public func problem(with problem: Problem) -> String? {
    problem.answer.allSatisfy(\.isWhitespace) ? "the answer is empty" : nil
  }
}

/// Problems from a file: one JSON object a line, {"prompt": …, "answer": …}.
public struct ProblemFile {
  /// Throws ``EnvironmentError`` that names the line.
  public static func read(_ data: Data, name: String) throws -> [Problem] {
    var problems: [Problem] = []
    for (number, line) in data.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
      do {
        problems.append(try JSONDecoder().decode(Problem.self, from: Data(line)))
      } catch {
        throw EnvironmentError(
          "\(name), line \(number + 1): not a problem; each line must be a JSON object with the "
            + "texts \"prompt\" and \"answer\"")
      }
    }
    guard !problems.isEmpty else { throw EnvironmentError("\(name) holds no problem") }
    return problems
  }
}

/// What is wrong with problems, in a sentence.
public struct EnvironmentError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
