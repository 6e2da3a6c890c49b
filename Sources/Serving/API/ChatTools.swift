import TemplateLanguage
import Tokenization

/// The tools of a request, and how the model at hand writes calls.
struct ChatTools: Sendable {
  struct Tool: Sendable {
    var name: String
    /// The tool as the request lists it.
    var json: JSONValue
    /// What its arguments must be.
    var parameters: JSONValue
  }

  /// Whether and what the model is to call.
  enum Choice: Sendable, Equatable {
    case never, auto, required
    case named(String)
  }

  /// The marks around a call in the text of an answer.
  enum Syntax: Sendable {
    /// `<|call|>` name, space, arguments, to the end of the turn: models that were made here.
    case own
    /// `<tool_call>` JSON `</tool_call>`.
    case tagged

    var open: String { self == .own ? "<|call|>" : "<tool_call>" }
    var close: String? { self == .own ? nil : "</tool_call>" }
  }

  var tools: [Tool]
  var choice: Choice
  /// Whether an answer may hold more than one call.
  var allowsSeveral: Bool
  let syntax: Syntax
  /// Whether the model's template writes the tools itself.
  private let isTemplated: Bool

  init(
    tools: [Tool], choice: Choice, allowsSeveral: Bool, syntax: Syntax, isTemplated: Bool
  ) {
    (self.tools, self.choice, self.allowsSeveral) = (tools, choice, allowsSeveral)
    (self.syntax, self.isTemplated) = (syntax, isTemplated)
  }

  /// - Parameter isFlat: the form of /v1/responses, where name and parameters stand in the tool itself.
  init(_ fields: Fields, _ model: ServedModel, isFlat: Bool = false) throws {
    tools = try fields.objects("tools", limit: 128)?.map { try Self.tool($0, isFlat: isFlat) } ?? []
    let names = tools.map(\.name)
    choice = try Self.choice(fields, names, isFlat: isFlat)
    allowsSeveral = try fields.bool("parallel_tool_calls") ?? true
    syntax = model.format.own?.toolTokens != nil ? .own : .tagged
    isTemplated = syntax == .own || model.format.source?.contains("tools") == true
  }

  private static func tool(_ fields: Fields, isFlat: Bool) throws -> Tool {
    guard try fields.string("type", limit: 64) == "function" else {
      throw fields.wrong("type", "must be 'function'")
    }
    guard let function = isFlat ? fields : try fields.object("function") else {
      throw fields.wrong("function", "is missing")
    }
    let name = try function.string("name", limit: 64) ?? ""
    let isName = name.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
        || byte == UInt8(ascii: "-")
    }
    guard !name.isEmpty, isName else {
      throw function.wrong("name", "must be made of letters, digits, _ and -, at most 64")
    }
    let parameters =
      try function.object("parameters")?.value ?? .object([("type", .string("object"))])
    let json: JSONValue =
      isFlat
      ? .object([
        ("type", .string("function")),
        ("function", .object((fields.value.members ?? []).filter { $0.key != "type" })),
      ]) : fields.value
    return Tool(name: name, json: json, parameters: parameters)
  }

  private static func choice(_ fields: Fields, _ names: [String], isFlat: Bool) throws -> Choice {
    guard let value = fields["tool_choice"] else { return names.isEmpty ? .never : .auto }
    func known(_ name: String?) throws -> Choice {
      guard let name, names.contains(name) else {
        throw fields.wrong("tool_choice", "names a function that is not among the tools")
      }
      return .named(name)
    }
    switch value.string {
    case "none": return .never
    case "auto": return names.isEmpty ? .never : .auto
    case "required":
      guard !names.isEmpty else {
        throw fields.wrong("tool_choice", "asks for a call without tools")
      }
      return .required
    case nil where value.members != nil:
      let name = isFlat ? value["name"]?.string : value["function"]?["name"]?.string
      return try known(name)
    default:
      throw fields.wrong("tool_choice", "must be 'none', 'auto', 'required' or name a function")
    }
  }

  /// Whether calls are looked for in the answer.
  var isOn: Bool { choice != .never }

  /// Whether the answer must be a call.
  var isForced: Bool { choice != .never && choice != .auto }

  /// The conversation as the model is shown it, with what its template is given beside.
  func shown(_ messages: [Message]) -> (
    messages: [Message], extra: [(key: String, value: JSONValue)]
  ) {
    guard isOn, syntax == .tagged else { return (messages, []) }
    if isTemplated { return (messages, [("tools", .array(tools.map(\.json)))]) }
    // A template that knows no tools: they are explained in words, and calls and results are text.
    let list = tools.map(\.json.text).joined(separator: "\n")
    let words = """
      You can call functions. Each line below describes one, as JSON:
      \(list)
      To call one, write <tool_call>{"name": NAME, "arguments": {ARGUMENTS}}</tool_call> and stop.
      """
    var out: [Message] = []
    for message in messages {
      switch message.role {
      case .tool: out.append(Message(role: .user, content: "Result: " + message.content))
      case .assistant where !message.toolCalls.isEmpty:
        let calls = message.toolCalls.map { call in
          "<tool_call>{\"name\": \(JSONValue.quoted(call.name)), \"arguments\": "
            + "\(call.arguments)}</tool_call>"
        }
        out.append(
          Message(role: .assistant, content: ([message.content] + calls).joined()))
      default: out.append(message)
      }
    }
    if out.first?.role == .system {
      out[0].content += "\n\n" + words
    } else {
      out.insert(Message(role: .system, content: words), at: 0)
    }
    return (out, [])
  }

  /// What the answer begins with where it must be a call, and what must follow.
  func forced(_ tokenizer: Tokenizer) -> (opening: [Int32], text: String, schema: JSONValue)? {
    func marked(_ text: String) -> [Int32] {
      tokenizer.encode(syntax.open, allowing: Set(tokenizer.specials)) + tokenizer.encode(text)
    }
    switch choice {
    case .never, .auto: return nil
    case .named(let name): return one(name, marked)
    case .required where tools.count == 1: return one(tools[0].name, marked)
    case .required:
      let schemas = tools.map { tool in
        JSONValue.object([
          ("type", .string("object")),
          (
            "properties",
            .object([
              ("name", .object([("const", .string(tool.name))])), ("arguments", tool.parameters),
            ])
          ),
          ("required", .array([.string("name"), .string("arguments")])),
          ("additionalProperties", .bool(false)),
        ])
      }
      return (marked(""), syntax.open, .object([("anyOf", .array(schemas))]))
    }
  }

  private func one(_ name: String, _ marked: (String) -> [Int32])
    -> (opening: [Int32], text: String, schema: JSONValue)?
  {
    guard let tool = tools.first(where: { $0.name == name }) else { return nil }
    let text = syntax == .own ? name + " " : "{\"name\": \(JSONValue.quoted(name)), \"arguments\": "
    return (marked(text), syntax.open + text, tool.parameters)
  }

  /// The call that was written between the marks; nil where it is none.
  func call(_ text: String) -> ToolCall? {
    let trimmed = text.trimmed
    if let value = try? JSONValue(trimmed.utf8), let call = Self.call(value) { return call }
    // A forced call of a named tool lacks its last brace: the constraint ends with the arguments.
    if let value = try? JSONValue((trimmed + "}").utf8), let call = Self.call(value) { return call }
    guard syntax == .own else { return nil }
    let call = ToolCall(text: trimmed)
    return call.name.isEmpty ? nil : call
  }

  private static func call(_ value: JSONValue) -> ToolCall? {
    guard let name = value["name"]?.string, !name.isEmpty else { return nil }
    let arguments = value["arguments"] ?? value["parameters"] ?? .object([])
    return ToolCall(name: name, arguments: arguments.string ?? arguments.text)
  }
}

extension String {
  /// Without white space around.
  var trimmed: String {
    var scalars = Substring(self).unicodeScalars
    while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
    while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return String(Substring(scalars))
  }
}
