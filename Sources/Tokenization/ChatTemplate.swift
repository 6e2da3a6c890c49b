/// How documents and conversations become tokens: the one format of all stages.
///
/// A document is `<|bos|>` text `<|end|>`; a conversation is `<|bos|>`, then for every turn the token
/// of its role, its text and `<|end|>`. Text is never read as special tokens.
///
/// Within its turn an assistant may call a tool: `<|call|>` name, space, arguments `<|end|>`. What the
/// host answers stands between `<|result|>` and `<|end_result|>`, after which the turn goes on.
public struct ChatTemplate: Sendable {
  /// What a tokenizer needs for documents, conversations and tools.
  public static let specials = [
    "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|call|>", "<|result|>",
    "<|end_result|>",
  ]

  public let bos: Int32
  public let end: Int32
  /// Nil where the tokenizer has no tokens for tools.
  public let toolTokens: ToolTokens?
  public let tokenizer: Tokenizer
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
    toolTokens = ToolTokens(tokenizer)
    roles = [.system: system, .user: user, .assistant: assistant]
  }

  /// `isTrained` is true for what the assistant wrote, its calls and the end of its turns: what
  /// imitation learns. Results of tools are not among it.
  public func render(_ messages: [Message]) -> (tokens: [Int32], isTrained: [Bool]) {
    var tokens = [bos]
    var isTrained = [false]
    func add(_ more: [Int32], trained: Bool) {
      tokens += more
      isTrained += Array(repeating: trained, count: more.count)
    }
    var at = 0
    while at < messages.count {
      let message = messages[at]
      let isAssistant = message.role == .assistant
      // After a result the assistant's turn is still its own.
      if !isAssistant || at == 0 || messages[at - 1].role != .tool || toolTokens == nil {
        add([roles[message.role] ?? end], trained: false)
      }
      at += 1
      add(tokenizer.encode(message.content), trained: isAssistant)
      guard isAssistant, !message.toolCalls.isEmpty, let toolTokens else {
        add([end], trained: isAssistant)
        continue
      }
      for call in message.toolCalls {
        add([toolTokens.call] + tokenizer.encode(call.text) + [end], trained: true)
        guard at < messages.count, messages[at].role == .tool else { break }
        add(toolTokens.result(tokenizer.encode(messages[at].content)), trained: false)
        at += 1
      }
    }
    return (tokens, isTrained)
  }

  /// A conversation that it is the assistant's turn to continue.
  public func prompt(_ messages: [Message]) -> [Int32] {
    let goesOn = toolTokens != nil && messages.last?.role == .tool
    return render(messages).tokens + (goesOn ? [] : [roles[.assistant] ?? end])
  }

  /// What is wrong with messages for this tokenizer, in a sentence; nil where nothing is.
  public func problem(with messages: [Message]) -> String? {
    if let problem = messages.toolProblem { return problem }
    guard toolTokens == nil, messages.contains(where: { $0.role == .tool || !$0.toolCalls.isEmpty })
    else { return nil }
    return
      "the tokenizer lacks the special tokens \(Self.specials.suffix(3).joined(separator: ", "))"
      + " that tools need: train a model with this version"
  }

  /// Tokens that only the host writes: a model that could sample them might speak for others.
  public var hostTokens: [Int32] {
    [bos] + roles.values.sorted() + (toolTokens.map { [$0.result, $0.endResult] } ?? [])
  }

  public func document(_ text: String) -> [Int32] { [bos] + tokenizer.encode(text) + [end] }

  /// The same format for programs that read tokenizer_config.json.
  public var jinja: String {
    let turn = "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    guard toolTokens != nil else {
      return "{{ '<|bos|>' }}{% for message in messages %}\(turn){% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    }
    // One call a message: a second one would have to stand behind the first one's result.
    return "{{ '<|bos|>' }}{% set state = namespace(goes_on=false) %}"
      + "{% for message in messages %}{% if message['role'] == 'tool' %}"
      + "{{ '<|result|>' + message['content'] + '<|end_result|>' }}{% set state.goes_on = true %}"
      + "{% elif message['role'] == 'assistant' %}"
      + "{% if not state.goes_on %}{{ '<|assistant|>' }}{% endif %}{{ message['content'] or '' }}"
      + "{% if message['tool_calls'] %}{% set call = message['tool_calls'][0]['function'] %}"
      + "{{ '<|call|>' + call['name'] + ' ' + call['arguments'] }}{% endif %}{{ '<|end|>' }}"
      + "{% set state.goes_on = false %}{% else %}\(turn){% set state.goes_on = false %}{% endif %}"
      + "{% endfor %}{% if add_generation_prompt and not state.goes_on %}{{ '<|assistant|>' }}"
      + "{% endif %}"
  }
}

/// The special tokens of tools.
public struct ToolTokens: Sendable, Equatable {
  public let call: Int32
  public let result: Int32
  public let endResult: Int32

  /// Nil where the tokenizer lacks one.
  public init?(_ tokenizer: Tokenizer) {
    guard let call = tokenizer.id(ofSpecial: "<|call|>"),
      let result = tokenizer.id(ofSpecial: "<|result|>"),
      let endResult = tokenizer.id(ofSpecial: "<|end_result|>")
    else { return nil }
    (self.call, self.result, self.endResult) = (call, result, endResult)
  }

  /// The tokens of a result, as the host writes them behind a call.
  public func result(_ text: [Int32]) -> [Int32] { [result] + text + [endResult] }
}
