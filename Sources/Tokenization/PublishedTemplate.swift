import Foundation
import TemplateLanguage

/// The chat template of a published model with its tokenizer: conversations as the model's authors
/// made them into tokens.
///
/// Only what the template itself writes can become a special token. What came with the conversation
/// stays text, whatever it looks like.
public struct PublishedTemplate: Sendable {
  public let template: Template
  private let tokenizer: Tokenizer
  /// The time for templates that write the date.
  public var clock: TemplateClock?

  /// Throws ``TemplateError`` where the template is broken or uses what is not known here.
  public init(_ source: String, tokenizer: Tokenizer, clock: TemplateClock? = nil) throws {
    template = try Template(source)
    (self.tokenizer, self.clock) = (tokenizer, clock)
  }

  /// A conversation that it is the assistant's turn to continue.
  public func prompt(_ messages: [Message]) throws -> [Int32] {
    try encode(messages, asksForAnswer: true).tokens
  }

  /// `isTrained` is true for what the assistant wrote and the end of its turns.
  public func render(_ messages: [Message]) throws -> (tokens: [Int32], isTrained: [Bool]) {
    try encode(messages, asksForAnswer: false)
  }

  /// The same, with `tools` as OpenAI's API lists them and what else the template knows.
  public func prompt(_ messages: [Message], extra: [(key: String, value: JSONValue)]) throws
    -> [Int32]
  {
    tokens(
      of: try text(
        .object(
          extra + [
            ("messages", try JSONValue(JSONEncoder().encode(messages))),
            ("add_generation_prompt", .bool(true)),
          ]))
    ).tokens
  }

  private func encode(
    _ messages: [Message], asksForAnswer: Bool
  ) throws -> (tokens: [Int32], isTrained: [Bool]) {
    tokens(
      of: try text(
        .object([
          ("messages", try JSONValue(JSONEncoder().encode(messages))),
          ("add_generation_prompt", .bool(asksForAnswer)),
        ])))
  }

  /// The text of a request: an object with `messages` and, where wanted, `tools`,
  /// `add_generation_prompt` and what else the template knows.
  public func text(_ request: JSONValue) throws -> Text {
    var variables = Value.Fields()
    for (name, id) in [
      ("bos_token", tokenizer.markers.bos), ("eos_token", tokenizer.markers.eos),
      ("pad_token", tokenizer.markers.padding),
    ] {
      if let text = id.flatMap({ tokenizer.specialName($0) }) { variables[name] = .string(text) }
    }
    for name in ["tools", "documents"] { variables[name] = Value.none }
    for (name, value) in request.members ?? [] {
      variables[name] =
        name == "messages"
        ? .list((value.array ?? []).map(Self.message)) : Value(value, .input)
    }
    return try template.render(variables, clock: clock)
  }

  /// A message, with the origin of its parts: the role is the template's word, all else is input.
  private static func message(_ json: JSONValue) -> Value {
    let role = json["role"]?.string ?? ""
    let isWord = role.utf8.allSatisfy { $0 &- UInt8(ascii: "a") < 26 || $0 == UInt8(ascii: "_") }
    var fields = Value.Fields()
    for (name, value) in json.members ?? [] {
      let origin: Text.Origin = role == "assistant" ? [.input, .answer] : .input
      switch name {
      case "role" where isWord: fields[name] = .string(role)
      case "tool_calls": fields[name] = Value(withObjects(value), origin)
      default: fields[name] = Value(value, origin)
      }
    }
    return .map(fields)
  }

  /// Calls whose arguments are the text of a JSON object, as OpenAI's API has them, with the object
  /// that templates expect.
  private static func withObjects(_ json: JSONValue) -> JSONValue {
    switch json {
    case .array(let items): .array(items.map(withObjects))
    case .object(let members):
      .object(
        members.map { key, value in
          guard key == "arguments", let text = value.string else {
            return (key, key == "function" ? withObjects(value) : value)
          }
          let object = try? JSONValue(text.utf8)
          return (key, object?.members == nil ? value : object ?? value)
        })
    default: json
    }
  }

  /// The tokens of what a template wrote.
  public func tokens(of text: Text) -> (tokens: [Int32], isTrained: [Bool]) {
    var bytes: [UInt8] = []
    var origins: [Text.Origin] = []
    for unit in text.units {
      let origin = Text.Origin(
        rawValue: unit & (Text.Origin.input.rawValue | Text.Origin.answer.rawValue))
      let scalar = Unicode.Scalar(unit & 0x1F_FFFF) ?? "\u{FFFD}"
      for byte in String(scalar).utf8 {
        bytes.append(byte)
        origins.append(origin)
      }
    }
    var tokens: [Int32] = []
    var ranges: [Range<Int>] = []
    bytes.withUnsafeBufferPointer { buffer in
      tokenizer.encode(
        buffer, specialsWhere: { origins[$0].allSatisfy { !$0.contains(.input) } }, into: &tokens,
        ranges: &ranges)
    }
    return (tokens, trained(tokens, ranges, origins))
  }

  private func trained(
    _ tokens: [Int32], _ ranges: [Range<Int>], _ origins: [Text.Origin]
  ) -> [Bool] {
    var isAnswering = false
    return zip(tokens, ranges).map { token, range in
      if origins[range].contains(where: { $0.contains(.answer) }) {
        isAnswering = true
        return true
      }
      guard isAnswering, tokenizer.specialName(token) != nil else { return false }
      isAnswering = false
      return tokenizer.markers.ends.contains(token)
    }
  }
}
