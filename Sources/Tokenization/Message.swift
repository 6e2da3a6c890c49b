/// One turn of a conversation, in the shape that OpenAI's API gives it.
public struct Message: Codable, Sendable, Equatable {
  public enum Role: String, Codable, Sendable { case system, user, assistant, tool }

  public var role: Role
  /// Empty where an assistant only calls.
  public var content: String
  /// What an assistant asks the host to do after its text; a `tool` message follows for each.
  public var toolCalls: [ToolCall]
  /// Which call a `tool` message answers.
  public var toolCallID: String?

  public init(
    role: Role, content: String, toolCalls: [ToolCall] = [], toolCallID: String? = nil
  ) {
    (self.role, self.content) = (role, content)
    (self.toolCalls, self.toolCallID) = (toolCalls, toolCallID)
  }

  private enum CodingKeys: String, CodingKey {
    case role, content
    case toolCalls = "tool_calls"
    case toolCallID = "tool_call_id"
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    role = try fields.decode(Role.self, forKey: .role)
    toolCalls = try fields.decodeIfPresent([ToolCall].self, forKey: .toolCalls) ?? []
    toolCallID = try fields.decodeIfPresent(String.self, forKey: .toolCallID)
    content =
      toolCalls.isEmpty
      ? try fields.decode(String.self, forKey: .content)
      : try fields.decodeIfPresent(String.self, forKey: .content) ?? ""
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(role, forKey: .role)
    try fields.encode(content, forKey: .content)
    if !toolCalls.isEmpty { try fields.encode(toolCalls, forKey: .toolCalls) }
    try fields.encodeIfPresent(toolCallID, forKey: .toolCallID)
  }
}

/// An assistant's request to run a tool.
public struct ToolCall: Codable, Sendable, Equatable {
  /// Ties a result to its call; empty where the order does.
  public var id: String
  /// One word.
  public var name: String
  /// Plain text, or OpenAI's JSON object as text: the model reads and writes it as it stands.
  public var arguments: String

  public init(id: String = "", name: String, arguments: String) {
    (self.id, self.name, self.arguments) = (id, name, arguments)
  }

  private enum CodingKeys: String, CodingKey { case id, type, function }
  private enum FunctionKeys: String, CodingKey { case name, arguments }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    id = try fields.decodeIfPresent(String.self, forKey: .id) ?? ""
    let function = try fields.nestedContainer(keyedBy: FunctionKeys.self, forKey: .function)
    name = try function.decode(String.self, forKey: .name)
    arguments = try function.decode(String.self, forKey: .arguments)
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(id, forKey: .id)
    try fields.encode("function", forKey: .type)
    var function = fields.nestedContainer(keyedBy: FunctionKeys.self, forKey: .function)
    try function.encode(name, forKey: .name)
    try function.encode(arguments, forKey: .arguments)
  }

  /// What stands between the call token and the end token.
  public var text: String { name + " " + arguments }

  /// The call that a model wrote: a name, a space and the arguments.
  public init(text: String) {
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    self.init(
      name: parts.first.map(String.init) ?? "",
      arguments: parts.count > 1 ? String(parts[1]) : "")
  }
}

extension [Message] {
  /// What is wrong with the order of calls and results, in a sentence; nil where nothing is. After
  /// every assistant message with calls comes one `tool` message a call; no other place has any.
  public var toolProblem: String? {
    var waiting: [ToolCall] = []
    for (i, message) in enumerated() {
      if message.role == .tool {
        guard let call = waiting.first else {
          return "message \(i + 1) is a tool result that no call asked for"
        }
        if let id = message.toolCallID, !call.id.isEmpty, id != call.id {
          return "message \(i + 1) answers the call \"\(id)\", but the next one is \"\(call.id)\""
        }
        waiting.removeFirst()
      } else if let call = waiting.first {
        return "message \(i + 1) comes before the result of the call to \(call.name)"
      }
      guard message.role == .assistant || message.toolCalls.isEmpty else {
        return "message \(i + 1) calls a tool, which only the assistant may"
      }
      if let call = message.toolCalls.first(where: { !Self.isWord($0.name) }) {
        return "message \(i + 1) calls \"\(call.name)\": the name of a tool is one word"
      }
      waiting += message.toolCalls
    }
    return nil
  }

  private static func isWord(_ name: String) -> Bool {
    !name.isEmpty && !name.contains(where: \.isWhitespace)
  }
}
