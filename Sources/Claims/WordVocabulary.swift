/// A vocabulary of whole words for the small worlds, where a tokenizer would be in the way.
struct WordVocabulary: Sendable {
  let words: [String]
  private let ids: [String: Int32]

  init(_ words: [String]) {
    self.words = words
    ids = Dictionary(words.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
    precondition(ids.count == words.count, "a word stands twice in a vocabulary")
  }

  var count: Int { words.count }

  subscript(_ word: String) -> Int32 {
    guard let id = ids[word] else { preconditionFailure("\"\(word)\" is not in the vocabulary") }
    return id
  }

  func encode(_ words: [String]) -> [Int32] { words.map { self[$0] } }

  func decode(_ tokens: [Int32]) -> [String] { tokens.map { words[Int($0)] } }
}
