import Foundation

/// Rules by which the answers of a talk are counted: plain enough to be read, and the same for every
/// model.
enum TalkGrading {
  /// Whether an answer says that it does not know, or that there may be no such person.
  static func admits(_ answer: String) -> Bool {
    let text = answer.lowercased().replacingOccurrences(of: "\u{2019}", with: "'")
    guard text.contains(where: \.isLetter) else { return true }
    return [
      "don't know", "do not know", "not know", "not sure", "not aware", "unaware", "no information",
      "any information", "not familiar", "unfamiliar", "couldn't find", "could not find",
      "can't find", "cannot find", "no record", "not have information", "don't have information",
      "don't have any", "do not have any", "not a known", "not a well-known", "fictional",
      "not recognize", "cannot provide", "can't provide", "unable to", "could you provide",
      "can you provide", "more context", "no one by", "does not exist", "doesn't exist",
    ].contains { text.contains($0) }
  }

  /// The number that an answer settles on: the first behind the last "answer", else the last one.
  static func number(_ answer: String) -> Int? {
    let text = answer.lowercased().replacingOccurrences(of: ",", with: "")
    if let place = text.range(of: "answer", options: .backwards),
      let found = numbers(String(text[place.upperBound...])).first
    {
      return found
    }
    return numbers(text).last
  }

  private static let words = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
  ]

  private static func numbers(_ text: String) -> [Int] {
    text.split { !($0.isLetter || $0.isNumber) }.compactMap { word in
      Int(word) ?? words.firstIndex(of: String(word))
    }
  }

  /// Whether an answer holds a word, not as a part of another.
  static func says(_ word: String, _ answer: String) -> Bool {
    answer.lowercased().split { !($0.isLetter || $0.isNumber) }.contains(word.lowercased()[...])
  }
}
