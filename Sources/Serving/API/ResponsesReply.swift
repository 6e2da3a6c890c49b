import Foundation
import TemplateLanguage

// What /v1/responses answers.

struct ResponsesReply: Encodable, Sendable {
  struct InputDetails: Encodable, Sendable { var cached_tokens = 0 }
  struct OutputDetails: Encodable, Sendable { var reasoning_tokens = 0 }

  struct Usage: Encodable, Sendable {
    var input_tokens: Int
    var input_tokens_details = InputDetails()
    var output_tokens: Int
    var output_tokens_details = OutputDetails()
    var total_tokens: Int
  }

  struct Incomplete: Encodable, Sendable { var reason: String }

  var id: String
  var object = "response"
  var created_at: Int
  var status: String
  @Nullable var error: APIError.Body.Inner?
  @Nullable var incomplete_details: Incomplete?
  @Nullable var instructions: String?
  @Nullable var max_output_tokens: Int?
  var model: String
  var output: [ResponsesItem]
  var parallel_tool_calls: Bool
  @Nullable var previous_response_id: String?
  var store = false
  var temperature: Float
  var tool_choice: JSONValue
  var tools: JSONValue
  var top_p: Float
  var truncation = "disabled"
  @Nullable var usage: Usage?
  var metadata: [String: String] = [:]
}

/// An item of the output.
struct ResponsesItem: Encodable, Sendable {
  struct Part: Encodable, Sendable {
    var type = "output_text"
    var text: String
    var annotations: [String] = []
  }

  var id: String
  var type: String
  var status: String
  // A message.
  var role: String?
  var content: [Part]?
  // A call.
  var call_id: String?
  var name: String?
  var arguments: String?

  static func message(_ id: String, _ text: String?, status: String) -> ResponsesItem {
    ResponsesItem(
      id: id, type: "message", status: status, role: "assistant",
      content: text.map { [Part(text: $0)] } ?? [])
  }

  static func call(_ id: String, callID: String, name: String, arguments: String, status: String)
    -> ResponsesItem
  {
    ResponsesItem(
      id: id, type: "function_call", status: status, call_id: callID, name: name,
      arguments: arguments)
  }
}

/// An event of a stream.
struct ResponsesEvent: Encodable, Sendable {
  var type: String
  var sequence_number = 0
  var response: ResponsesReply?
  var output_index: Int?
  var content_index: Int?
  var item_id: String?
  var item: ResponsesItem?
  var part: ResponsesItem.Part?
  var delta: String?
  var text: String?
  var name: String?
  var arguments: String?
  var logprobs: [String]?
}
