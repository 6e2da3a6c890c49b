import Foundation
import Generation
import Hummingbird
import TemplateLanguage
import Tokenization

/// What /v1/responses is asked: a conversation in another form. Nothing is kept between requests.
struct ResponsesRequest: Sendable {
  let task: ChatTask
  let fields: Fields

  init(_ fields: Fields, _ model: ServedModel) throws {
    for name in ["previous_response_id", "conversation"] where fields.has(name) {
      throw APIError.unsupported(
        name, "This server is stateless: send the whole conversation as input.")
    }
    if try fields.bool("background") == true {
      throw APIError.unsupported(
        "background", "This server is stateless: it answers while the client waits.")
    }
    self.fields = fields
    var options = try GenerationOptions(fields, maxTokensNames: ["max_output_tokens"])
    options.samples = 1
    let format = try fields.object("text")?.object("format")
    task = try ChatTask(
      try Self.conversation(fields), fields, model, options,
      tools: try ChatTools(fields, model, isFlat: true),
      constraint: try format.flatMap { try formatConstraint($0, model, param: "text.format") })
  }

  /// The items of the input as messages.
  private static func conversation(_ fields: Fields) throws -> ChatMessages {
    var messages: [JSONValue] = []
    func message(_ role: String, _ content: JSONValue) -> JSONValue {
      .object([("role", .string(role)), ("content", content)])
    }
    if let text = try fields.string("instructions", limit: 1 << 20) {
      messages.append(message("system", .string(text)))
    }
    guard let input = fields["input"] else {
      throw APIError.invalid(
        "input", "Give an input: a string or a list of items.",
        code: "missing_required_parameter")
    }
    if input.string != nil {
      messages.append(message("user", input))
    } else {
      guard let items = try fields.objects("input", limit: ChatMessages.most), !items.isEmpty else {
        throw fields.wrong("input", "is empty: give at least one item")
      }
      for item in items { try append(item, to: &messages) }
    }
    return try ChatMessages(Fields(.object([("messages", .array(messages))]), path: ""))
  }

  private static func append(_ item: Fields, to messages: inout [JSONValue]) throws {
    switch try item.string("type", limit: 64) ?? "message" {
    case "message":
      messages.append(
        .object([
          ("role", item["role"] ?? .string("user")), ("content", item["content"] ?? .string("")),
        ]))
    case "function_call":
      let call = JSONValue.object([
        ("id", item["call_id"] ?? .string("")),
        (
          "function",
          .object([
            ("name", item["name"] ?? .string("")), ("arguments", item["arguments"] ?? .string("")),
          ])
        ),
      ])
      // Calls that follow one another belong to one turn.
      if let last = messages.last, let calls = last["tool_calls"]?.array {
        messages[messages.count - 1] = Self.calling(calls + [call])
      } else {
        messages.append(Self.calling([call]))
      }
    case "function_call_output":
      messages.append(
        .object([
          ("role", .string("tool")), ("tool_call_id", item["call_id"] ?? .string("")),
          ("content", item["output"] ?? .string("")),
        ]))
    case "reasoning": break
    default:
      throw item.wrong("type", "must be message, function_call or function_call_output")
    }
  }

  private static func calling(_ calls: [JSONValue]) -> JSONValue {
    .object([("role", .string("assistant")), ("tool_calls", .array(calls))])
  }
}

extension Endpoints {
  func responses(_ call: Call) async throws -> Response {
    let fields = try call.fields()
    let model = try await model(of: fields)
    let request = try ResponsesRequest(fields, model)
    let writer = ResponsesWriter(request, model)
    let writing = try request.task.writing(surroundings(call), client: call.client)
    guard request.task.options.streams else { return try reply(try await writer.whole(writing)) }
    return events(endsWithDone: false) { try await writer.stream(writing, $0) }
  }
}
