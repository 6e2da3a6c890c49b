import Environments
import Tokenization

extension Tokenizer {
  /// A tokenizer that has every one of `words` as one token, a space before it: merges are learned
  /// from the list of words until nothing is left to merge.
  static func wholeWords(_ words: [String]) throws -> Tokenizer {
    // Twice, because a pair that occurs once is not merged.
    let documents = words.map { " \($0) \($0)" }
    func train(_ size: Int) throws -> Tokenizer {
      try Tokenizer.train(documents: documents, vocabularySize: size, preTokenizer: .digits)
    }
    do {
      return try train(1 << 20)
    } catch TokenizerError.corpusTooSmall(_, _, let largest) {
      return try train(largest)
    }
  }
}
