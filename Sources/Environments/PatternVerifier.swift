import Foundation

/// 1 where the whole response, white space at the ends aside, matches the answer as a regular
/// expression: see ``LinearPattern`` for what may stand in one.
public struct WholePattern: Verifier {
  public init() {}

  public func reward(problem: Problem, response: String) -> Double {
    let text = response.trimmingCharacters(in: .whitespacesAndNewlines)
    guard text.utf8.count <= 100_000, let pattern = try? LinearPattern(problem.answer) else {
      return 0
    }
    return pattern.matches(text) ? 1 : 0
  }

  public func problem(with problem: Problem) -> String? {
    do {
      return try LinearPattern(problem.answer).matches("")
        ? "the pattern \"\(problem.answer)\" accepts an empty answer" : nil
    } catch {
      return "the pattern \"\(problem.answer)\" cannot be used: \(error)"
    }
  }
}
