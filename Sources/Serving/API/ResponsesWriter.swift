import Foundation
import Generation
import TemplateLanguage
import Tokenization

/// Makes the replies to one request of /v1/responses.
struct ResponsesWriter: Sendable {
  private let request: ResponsesRequest
  private let model: ServedModel
  private let id = newID("resp_")
  private let messageID = newID("msg_")
  private let created = now()

  init(_ request: ResponsesRequest, _ model: ServedModel) {
    (self.request, self.model) = (request, model)
  }

  /// What was said and called so far.
  private struct Draft {
    var text = ""
    var calls: [(item: String, call: ToolCall)] = []
    var tokens = 0
    var cached = 0
    var end = Continuation.End.stop
  }

  private func reply(_ draft: Draft?) -> ResponsesReply {
    let fields = request.fields
    let isCut = draft?.end == .length
    var reply = ResponsesReply(
      id: id, created_at: created, status: draft == nil ? "in_progress" : "completed", error: nil,
      incomplete_details: nil, instructions: fields["instructions"]?.string,
      max_output_tokens: request.task.options.maxTokens, model: model.id, output: [],
      parallel_tool_calls: request.task.tools.allowsSeveral, previous_response_id: nil,
      temperature: request.task.options.settings.temperature,
      tool_choice: fields["tool_choice"] ?? .string("auto"),
      tools: fields["tools"] ?? .array([]), top_p: request.task.options.settings.topP, usage: nil)
    guard let draft else { return reply }
    if isCut {
      reply.status = "incomplete"
      reply.incomplete_details = ResponsesReply.Incomplete(reason: "max_output_tokens")
    }
    if !draft.text.isEmpty || draft.calls.isEmpty {
      reply.output.append(.message(messageID, draft.text, status: reply.status))
    }
    reply.output += draft.calls.map { item, call in
      .call(
        item, callID: call.id, name: call.name, arguments: call.arguments, status: "completed")
    }
    let prompt = request.task.prompt.count
    reply.usage = ResponsesReply.Usage(
      input_tokens: prompt,
      input_tokens_details: ResponsesReply.InputDetails(cached_tokens: draft.cached),
      output_tokens: draft.tokens, total_tokens: prompt + draft.tokens)
    return reply
  }

  func whole(_ writing: Writing) async throws -> ResponsesReply {
    try await follow(writing) { _, _ in }
  }

  /// Collects the answer, telling `body` of each part as it comes.
  private func follow(
    _ writing: Writing, _ body: (AnswerReader.Part?, ToolCallItem?) async throws -> Void
  ) async throws -> ResponsesReply {
    var reader = request.task.reader()
    var draft = Draft()
    func add(_ parts: [AnswerReader.Part]) async throws {
      for part in parts {
        switch part {
        case .thought: break
        case .said(let text):
          draft.text += text
          try await body(part, nil)
        case .called(let call):
          guard request.task.tools.allowsSeveral || draft.calls.isEmpty else { continue }
          let item = newID("fc_")
          draft.calls.append((item, call))
          try await body(nil, ToolCallItem(id: item, call: call))
        }
      }
    }
    try await writing.run { _, event in
      switch event {
      case .started(let report): draft.cached = report.reused
      case .piece(let piece): try await add(reader.accept(piece.text))
      case .end(let end, let tokens):
        try await add(reader.finish())
        (draft.end, draft.tokens) = (end, tokens)
      case .waiting: try await body(nil, nil)
      case .prompt, .stopToken: break
      }
    }
    return reply(draft)
  }

  private struct ToolCallItem {
    var id: String
    var call: ToolCall
  }

  func stream(_ writing: Writing, _ events: EventStream) async throws {
    var number = 0
    func send(_ event: ResponsesEvent) async throws {
      var event = event
      event.sequence_number = number
      number += 1
      try await events.send(event.type, event)
    }
    try await send(ResponsesEvent(type: "response.created", response: reply(nil)))
    try await send(ResponsesEvent(type: "response.in_progress", response: reply(nil)))
    var text: String?
    var index = 0
    func closeMessage(_ status: String) async throws {
      guard let said = text else { return }
      try await finishMessage(said, index, status, send)
      (text, index) = (nil, index + 1)
    }
    do {
      let final = try await follow(writing) { part, call in
        if case .said(let piece) = part {
          if text == nil { try await openMessage(index, send) }
          text = (text ?? "") + piece
          try await send(
            ResponsesEvent(
              type: "response.output_text.delta", output_index: index, content_index: 0,
              item_id: messageID, delta: piece, logprobs: []))
        } else if let call {
          try await closeMessage("completed")
          try await announce(call, index, send)
          index += 1
        } else {
          try await events.ping()
        }
      }
      if text == nil, index == 0 {
        try await openMessage(0, send)
        text = ""
      }
      try await closeMessage(final.status)
      try await send(ResponsesEvent(type: "response.\(final.status)", response: final))
    } catch let error as APIError {
      var failed = reply(nil)
      (failed.status, failed.error) = ("failed", error.body.error)
      try await send(ResponsesEvent(type: "response.failed", response: failed))
    }
  }

  private typealias Send = (ResponsesEvent) async throws -> Void

  private func openMessage(_ index: Int, _ send: Send) async throws {
    try await send(
      ResponsesEvent(
        type: "response.output_item.added", output_index: index,
        item: .message(messageID, nil, status: "in_progress")))
    try await send(
      ResponsesEvent(
        type: "response.content_part.added", output_index: index, content_index: 0,
        item_id: messageID, part: ResponsesItem.Part(text: "")))
  }

  private func finishMessage(_ text: String, _ index: Int, _ status: String, _ send: Send)
    async throws
  {
    try await send(
      ResponsesEvent(
        type: "response.output_text.done", output_index: index, content_index: 0,
        item_id: messageID, text: text, logprobs: []))
    try await send(
      ResponsesEvent(
        type: "response.content_part.done", output_index: index, content_index: 0,
        item_id: messageID, part: ResponsesItem.Part(text: text)))
    try await send(
      ResponsesEvent(
        type: "response.output_item.done", output_index: index,
        item: .message(messageID, text, status: status)))
  }

  private func announce(_ item: ToolCallItem, _ index: Int, _ send: Send) async throws {
    let call = item.call
    func whole(_ arguments: String, _ status: String) -> ResponsesItem {
      .call(item.id, callID: call.id, name: call.name, arguments: arguments, status: status)
    }
    try await send(
      ResponsesEvent(
        type: "response.output_item.added", output_index: index, item: whole("", "in_progress")))
    try await send(
      ResponsesEvent(
        type: "response.function_call_arguments.delta", output_index: index, item_id: item.id,
        delta: call.arguments))
    try await send(
      ResponsesEvent(
        type: "response.function_call_arguments.done", output_index: index, item_id: item.id,
        name: call.name, arguments: call.arguments))
    try await send(
      ResponsesEvent(
        type: "response.output_item.done", output_index: index,
        item: whole(call.arguments, "completed")))
  }
}
