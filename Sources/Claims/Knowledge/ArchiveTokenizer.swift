import Environments
import Tokenization

extension Tokenizer {
  /// A tokenizer that has every one of `words` as one token, a space before it, and every one of
  /// `bare` without: merges are learned from the lists until nothing is left to merge.
  static func wholeWords(
    _ words: [String], bare: [String] = [], preTokenizer: PreTokenizer = .digits
  ) throws -> Tokenizer {
    // Twice, because a pair that occurs once is not merged.
    let documents = words.map { " \($0) \($0)" } + bare + bare
    func train(_ size: Int) throws -> Tokenizer {
      try Tokenizer.train(documents: documents, vocabularySize: size, preTokenizer: preTokenizer)
    }
    do {
      return try train(1 << 20)
    } catch TokenizerError.corpusTooSmall(_, _, let largest) {
      return try train(largest)
    }
  }
}
