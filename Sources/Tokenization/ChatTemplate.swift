/// One turn of a conversation.
public struct Message: Codable, Sendable, Equatable {
  public enum Role: String, Codable, Sendable { case system, user, assistant }
  public var role: Role
  public var content: String

  public init(role: Role, content: String) { (self.role, self.content) = (role, content) }
}

/// How documents and conversations become tokens: the one format of all stages.
///
/// A document is `<|bos|>` text `<|end|>`; a conversation is `<|bos|>`, then for every turn the token
/// of its role, its text and `<|end|>`. Text is never read as special tokens.
public struct ChatTemplate: Sendable {
  /// What a tokenizer needs for documents, conversations and tools.
  public static let specials = [
    "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|search|>", "<|calc|>",
    "<|result|>",
  ]

  public let bos: Int32
  public let end: Int32
  private let tokenizer: Tokenizer
  private let roles: [Message.Role: Int32]

  /// Throws ``TokenizerError`` where the tokenizer lacks the special tokens of a conversation.
  public init(tokenizer: Tokenizer) throws {
    let needed = Self.specials.prefix(5)
    let ids = needed.map { tokenizer.id(ofSpecial: $0) }
    let missing = zip(needed, ids).filter { $0.1 == nil }.map(\.0)
    guard let bos = ids[0], let end = ids[1], let system = ids[2], let user = ids[3],
      let assistant = ids[4]
    else { throw TokenizerError.missingSpecials(missing) }
    self.tokenizer = tokenizer
    (self.bos, self.end) = (bos, end)
    roles = [.system: system, .user: user, .assistant: assistant]
  }

  /// `isTrained` is true for what the assistant wrote and the end of its turns: what imitation learns.
  public func render(_ messages: [Message]) -> (tokens: [Int32], isTrained: [Bool]) {
    var tokens = [bos]
    var isTrained = [false]
    for message in messages {
      let text = tokenizer.encode(message.content) + [end]
      tokens.append(roles[message.role] ?? end)
      tokens += text
      isTrained.append(false)
      isTrained += Array(repeating: message.role == .assistant, count: text.count)
    }
    return (tokens, isTrained)
  }

  /// A conversation that it is the assistant's turn to continue.
  public func prompt(_ messages: [Message]) -> [Int32] {
    render(messages).tokens + [roles[.assistant] ?? end]
  }

  public func document(_ text: String) -> [Int32] { [bos] + tokenizer.encode(text) + [end] }

  /// The same format for tools that read tokenizer_config.json.
  public var jinja: String {
    "{{ '<|bos|>' }}{% for message in messages %}{{ '<|' + message['role'] + '|>' "
      + "+ message['content'] + '<|end|>' }}{% endfor %}"
      + "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
  }
}
