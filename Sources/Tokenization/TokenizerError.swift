/// What was wrong with a file, a request or a corpus handed to this module, in one sentence.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
  /// The file is not JSON: what was met, and at which byte.
  case notJSON(what: String, byte: Int)
  /// A key that a tokenizer file needs is missing or holds something else.
  case badField(path: String, expected: String)
  /// The file asks for something that changes ids and that this module does not do.
  case unsupported(what: String)
  /// A pre-tokenizer that this module has no scanner for: its name in a GGUF file, or its pattern.
  case unknownPreTokenizer(String)
  /// Two tokens carry one id, or one token is listed twice.
  case duplicate(what: String)
  /// An id is negative, or too large for the number of tokens in the file.
  case idOutOfRange(id: Int, token: String, limit: Int)
  /// A merge names a token that the vocabulary does not have.
  case unknownMerge(index: Int, token: String)
  /// A merge line is not two tokens, or is listed twice.
  case badMerge(index: Int, what: String)
  /// One of the 256 single bytes has no token, so some text would have no encoding.
  case missingByte(UInt8)
  /// A line of a tiktoken rank file is not `base64 rank`.
  case badRankLine(line: Int, what: String)
  /// The vocabulary has no room for 256 bytes and the special tokens.
  case vocabularyTooSmall(requested: Int, smallest: Int)
  /// The corpus has too few repeated pairs for a vocabulary of this size.
  case corpusTooSmall(requested: Int, merges: Int, largest: Int)
  /// A special token is empty, or given twice.
  case badSpecial(String)
  /// The tokenizer lacks special tokens that the chat template needs.
  case missingSpecials([String])

  public var description: String {
    switch self {
    case .notJSON(let what, let byte):
      "the tokenizer file is not valid JSON: \(what) at byte \(byte); it may be torn, fetch or save"
        + " it again"
    case .badField(let path, let expected):
      "the tokenizer file's \(path) should be \(expected)"
    case .unsupported(let what):
      "the tokenizer file has \(what), which would give other ids than its authors' library;"
        + " byte-level and SentencePiece-style BPE are read"
    case .unknownPreTokenizer(let name):
      "the tokenizer cuts text by a rule that is not known here, \(name.prefix(200)); rules from files"
        + " are never run, so this model needs a newer version of this program"
    case .duplicate(let what):
      "the tokenizer file lists \(what) twice"
    case .idOutOfRange(let id, let token, let limit):
      "the tokenizer file gives token \(token) the id \(id), outside 0..<\(limit)"
    case .unknownMerge(let index, let token):
      "merge \(index) of the tokenizer file needs the token \(token), which is not in its vocabulary"
    case .badMerge(let index, let what):
      "merge \(index) of the tokenizer file \(what)"
    case .missingByte(let byte):
      "the tokenizer file has no token for the byte \(byte); a byte-level vocabulary has all 256"
    case .badRankLine(let line, let what):
      "line \(line) of the rank file \(what); each line is a base64 token, a space and its rank"
    case .vocabularyTooSmall(let requested, let smallest):
      "a vocabulary of \(requested) is too small: 256 bytes and the special tokens need at least"
        + " \(smallest)"
    case .corpusTooSmall(let requested, let merges, let largest):
      "the corpus gives \(merges) merges, too few for a vocabulary of \(requested); ask for at most"
        + " \(largest) or add text"
    case .badSpecial(let name):
      name.isEmpty
        ? "a special token is empty; give it a name" : "the special token \(name) is given twice"
    case .missingSpecials(let names):
      "the tokenizer lacks the special tokens \(names.joined(separator: ", ")) that conversations"
        + " need; train it with ChatTemplate.specials"
    }
  }
}
