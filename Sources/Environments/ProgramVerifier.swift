import Foundation
import Tools

/// 1 where the program in a response writes what is expected, for every test of its problem.
///
/// The program runs in a sandbox and is given only the input; what it should write is known, and
/// compared, on this side alone. So nothing that it prints about itself, no status and no trick with
/// the interpreter can pass a test: only the output can.
public struct ProgramOutput: Verifier {
  private let sandbox: Sandbox

  /// Throws ``ToolError`` where this machine has no sandbox.
  public init() throws { sandbox = try Sandbox.ready() }

  public func reward(problem: Problem, response: String) throws -> Double {
    let program = Self.program(in: response)
    guard !program.allSatisfy(\.isWhitespace), program.utf8.count <= Sandbox.Limits().programBytes,
      !program.utf8.contains(0)
    else { return 0 }
    for test in problem.programTests {
      let outcome = try sandbox.run(program, input: test.input)
      guard case .exited = outcome.end, Self.lines(outcome.output) == Self.lines(test.output) else {
        return 0
      }
    }
    return 1
  }

  public func problem(with problem: Problem) -> String? {
    problem.programTests.contains { Self.lines($0.output).isEmpty }
      ? "an expected output is empty: a program that does nothing would pass" : nil
  }

  /// The last block between fences, or all of a response without fences.
  static func program(in response: String) -> String {
    let parts = response.components(separatedBy: "```")
    guard parts.count >= 3 else { return response }
    let block = parts[(parts.count - 1) / 2 * 2 - 1]
    // The first line of a block names the language.
    guard let end = block.firstIndex(of: "\n") else { return block }
    return String(block[end...])
  }

  /// Lines without the white space at their ends, and without empty ones at the end.
  private static func lines(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      String(line.reversed().drop(while: \.isWhitespace).reversed())
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }
}
