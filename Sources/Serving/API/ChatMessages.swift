import TemplateLanguage
import Tokenization

/// The conversation of a request.
struct ChatMessages: Sendable {
  static let most = 2048

  /// Without what the answer is to begin with.
  var messages: [Message]
  /// What the last message, of the assistant, says already; nil where the answer begins anew.
  var prefill: String?

  init(_ fields: Fields) throws {
    guard let items = try fields.objects("messages", limit: Self.most) else {
      throw APIError.invalid(
        "messages", "Give messages: a list of objects with role and content.",
        code: "missing_required_parameter")
    }
    guard !items.isEmpty else { throw fields.wrong("messages", "is empty: give at least one") }
    messages = try items.map(Self.message)
    if let last = messages.last, last.role == .assistant, last.toolCalls.isEmpty {
      prefill = last.content
      messages.removeLast()
      guard !messages.isEmpty else {
        throw fields.wrong("messages", "must have a message before the assistant's")
      }
    }
  }

  private static func message(_ fields: Fields) throws -> Message {
    guard let name = try fields.string("role", limit: 64) else {
      throw fields.wrong("role", "is missing: system, developer, user, assistant or tool")
    }
    guard let role = name == "developer" ? .system : Message.Role(rawValue: name) else {
      throw fields.wrong(
        "role", "is '\(name)': it must be system, developer, user, assistant or tool")
    }
    let calls = try fields.objects("tool_calls", limit: 128)?.map(toolCall) ?? []
    guard let content = try content(fields, limit: 1 << 21) ?? (calls.isEmpty ? nil : "") else {
      throw fields.wrong("content", "is missing: a string, or a list of text parts")
    }
    return Message(
      role: role, content: content, toolCalls: calls,
      toolCallID: try fields.string("tool_call_id", limit: 256))
  }

  /// A string, or the text of parts one after another.
  private static func content(_ fields: Fields, limit: Int) throws -> String? {
    guard let value = fields["content"] else { return nil }
    if value.array == nil {
      guard value.string != nil else {
        throw fields.wrong("content", "must be a string, or a list of text parts")
      }
      return try fields.string("content", limit: limit)
    }
    return try fields.objects("content", limit: 256)?.map { part in
      let type = try part.string("type", limit: 64) ?? "text"
      guard ["text", "input_text", "output_text"].contains(type) else {
        throw part.wrong("type", "is '\(type)': this server takes text alone")
      }
      return try part.string("text", limit: limit) ?? ""
    }.joined()
  }

  private static func toolCall(_ fields: Fields) throws -> ToolCall {
    guard let function = try fields.object("function"),
      let name = try function.string("name", limit: 256), !name.isEmpty
    else { throw fields.wrong("function", "must name the function that was called") }
    return ToolCall(
      id: try fields.string("id", limit: 256) ?? "", name: name,
      arguments: try function.string("arguments", limit: 1 << 20) ?? "")
  }
}
