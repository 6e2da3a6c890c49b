import Corpus
import Environments

/// How a question about two numbers is asked and answered.
enum PointMode: String, Codable, Sendable { case direct, digits }

/// Questions about numbers with a point, as words: what stands after the point is one token, as in the
/// tokenizers of large models.
enum PointScript {
  static let vocabulary = WordVocabulary(
    (0...99).map(String.init) + PointReading.allCases.map { "<\($0.rawValue)>" }
      + [".", "?", "|", "<direct>", "<digits>", "<", "=", ">", "first", "second", "#"])

  static let longest = 40

  /// "9 . 8 | 9 . 9 | 9 . 10 | <decimal> 9 . 11 ? 9 . 9 <direct>": sections in their order, then what
  /// is asked. `hasSections` puts the first part before it.
  static func prompt(
    _ pair: PointPair, _ reading: PointReading, _ mode: PointMode, hasSections: Bool
  )
    -> [String]
  {
    let start = max(1, min(96, pair.first.part - 2))
    let sections =
      hasSections
      ? (start..<start + 3).flatMap { [String(pair.first.whole), ".", String($0), "|"] } : []
    return sections + ["<\(reading.rawValue)>"] + words(pair.first) + ["?"] + words(pair.second)
      + ["<\(mode.rawValue)>"]
  }

  /// "first #", or digit by digit until two differ: "9 9 = 1 9 < second #".
  static func label(_ pair: PointPair, _ reading: PointReading, _ mode: PointMode) -> [String] {
    let verdict = [pair.isFirstLarger(reading) ? "first" : "second", "#"]
    guard mode == .digits else { return verdict }
    var work: [String] = []
    for (a, b) in zip(pair.first.digits, pair.second.digits) {
      work += [String(a), String(b), a == b ? "=" : a < b ? "<" : ">"]
      if a != b { break }
    }
    return work + verdict
  }

  static func example(_ prompt: [String], _ label: [String]) -> TokenSequence {
    TokenSequence(
      tokens: vocabulary.encode(prompt + label),
      weights: prompt.map { _ in 0 } + label.map { _ in 1 })
  }

  private static func words(_ number: PointNumber) -> [String] {
    [String(number.whole), ".", String(number.part)]
  }
}
