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

  /// Whether a response is the answer: for a number that number, else the same text but for case,
  /// spaces, punctuation around it, and an article or "It is" before it. A text that only holds the
  /// answer ("Paris or Rome", "not Paris") is not it, and an empty one is nothing.
  public func isMet(by response: String) -> Bool {
    ([answer] + (accept ?? [])).contains { Self.says($0, response) }
  }

  private static func says(_ answer: String, _ response: String) -> Bool {
    let number = Problem(prompt: "", answer: answer)
    if FinalNumber().problem(with: number) == nil {
      return FinalNumber().reward(problem: number, response: response) > 0
    }
    let wanted = plain(answer)
    return !wanted.isEmpty && plain(response) == wanted
  }

  private static let openings = [["it", "is"], ["it's"], ["it\u{2019}s"], ["it", "was"]]
  private static let articles: Set<String> = ["a", "an", "the"]

  /// In lower case, without what says nothing.
  private static func plain(_ text: String) -> [String] {
    let quotes: Set<Character> = ["\"", "*", "`", "\u{201C}", "\u{201D}"]
    let ends = CharacterSet(charactersIn: ".!?,;:'\u{2018}\u{2019}").union(.whitespacesAndNewlines)
    var words = text.lowercased().filter { !quotes.contains($0) }.trimmingCharacters(in: ends)
      .split(whereSeparator: \.isWhitespace).map(String.init)
    if let opening = openings.first(where: { words.starts(with: $0) }), words.count > opening.count
    {
      words.removeFirst(opening.count)
    }
    if words.count > 1, articles.contains(words[0]) { words.removeFirst() }
    return words
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
