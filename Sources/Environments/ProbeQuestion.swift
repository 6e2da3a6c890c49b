import Foundation

/// A question whose right answer is known.
public struct ProbeQuestion: Codable, Sendable, Equatable {
  public var question: String
  public var answer: String
  /// Other texts that are as right.
  public var accept: [String]?

  public init(question: String, answer: String, accept: [String]? = nil) {
    (self.question, self.answer, self.accept) = (question, answer, accept)
  }

  /// Whether a response says the answer: its words in their order, upper and lower case alike, for a
  /// number exactly that number. An empty response says nothing.
  public func isMet(by response: String) -> Bool {
    ([answer] + (accept ?? [])).contains { Self.says($0, response) }
  }

  private static func says(_ answer: String, _ response: String) -> Bool {
    let number = Problem(prompt: "", answer: answer)
    if FinalNumber().problem(with: number) == nil {
      return FinalNumber().reward(problem: number, response: response) > 0
    }
    let (wanted, found) = (words(answer), words(response))
    guard !wanted.isEmpty, found.count >= wanted.count else { return false }
    return (0...found.count - wanted.count).contains {
      found[$0..<$0 + wanted.count].elementsEqual(wanted)
    }
  }

  private static func words(_ text: String) -> [String] {
    text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
  }

  /// Questions from a file: one JSON object a line. Throws ``EnvironmentError`` that names the line.
  public static func read(_ data: Data, name: String) throws -> [ProbeQuestion] {
    struct Line: Decodable {
      var question: String?
      var answer: String?
      var accept: [String]?
    }
    var questions: [ProbeQuestion] = []
    for (number, line) in data.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    where line.contains(where: { $0 > 0x20 }) {
      let place = "\(name), line \(number + 1)"
      guard let item = try? JSONDecoder().decode(Line.self, from: Data(line)),
        let question = item.question, question.contains(where: { !$0.isWhitespace })
      else {
        throw EnvironmentError(
          "\(place): not a question; each line must be a JSON object with the texts \"question\" and "
            + "\"answer\", and \"accept\", a list of texts, where other answers are right")
      }
      guard let answer = item.answer, answer.contains(where: \.isLetterOrNumber) else {
        throw EnvironmentError(
          "\(place): the question has no \"answer\": without the right answer nothing can be judged"
        )
      }
      questions.append(ProbeQuestion(question: question, answer: answer, accept: item.accept))
    }
    guard !questions.isEmpty else { throw EnvironmentError("\(name) holds no question") }
    return questions
  }
}

extension Character {
  fileprivate var isLetterOrNumber: Bool { isLetter || isNumber }
}
