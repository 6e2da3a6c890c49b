import Environments
import Tokenization
import Training

/// The problems of a file of the command line, each one such that an answer can be checked.
func readProblems(_ path: String, _ verifier: any Verifier) throws -> [Problem] {
  let items = try ProblemFile.read(try readFile(path), name: path)
  for (i, item) in items.enumerated() {
    if let problem = verifier.problem(with: item) {
      throw EnvironmentError("\(path), problem \(i + 1): \(problem)")
    }
  }
  return items
}

/// Throws where a problem leaves the model no room for an answer.
func checkRoom(_ items: [Problem], _ loaded: LoadedModel, _ path: String) throws {
  let context = loaded.model.config.context
  for (i, item) in items.enumerated() {
    let tokens = try loaded.format.prompt([Message(role: .user, content: item.prompt)]).count
    guard tokens < context else {
      throw EnvironmentError(
        "\(path), problem \(i + 1): its \(tokens) tokens leave no room for an answer in the model's "
          + "context of \(context)")
    }
  }
}
