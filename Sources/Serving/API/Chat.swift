import Generation
import Hummingbird
import TemplateLanguage
import Tokenization

/// A conversation to answer, ready for the engine: what /v1/chat/completions and /v1/responses share.
struct ChatTask: Sendable {
  let model: ServedModel
  var options: GenerationOptions
  let tools: ChatTools
  let prompt: [Int32]
  /// What the answer began with already, as a call that is asked for does.
  let opening: String
  let splitsThoughts: Bool
  let constraint: (any TokenConstraint)?

  init(
    _ conversation: ChatMessages, _ fields: Fields, _ model: ServedModel,
    _ options: GenerationOptions, tools: ChatTools, constraint: (any TokenConstraint)?
  ) throws {
    try model.checkChats()
    (self.model, self.options, self.tools) = (model, options, tools)
    if let problem = model.format.problem(with: conversation.messages) {
      throw APIError.invalid("messages", problem.prefix(1).uppercased() + problem.dropFirst() + ".")
    }
    let shown = tools.shown(conversation.messages)
    let extra = shown.extra + (fields["chat_template_kwargs"]?.members ?? [])
    var prompt: [Int32]
    do {
      prompt = try model.format.prompt(shown.messages, extra: extra)
    } catch {
      throw APIError.invalid("messages", "The model's chat template refuses this: \(error)")
    }
    if let prefill = conversation.prefill { prompt += model.tokenizer.encode(prefill) }
    if tools.isForced, let forced = tools.forced(model.tokenizer) {
      prompt += forced.opening
      opening = forced.text
      self.constraint = argumentConstraint(forced.schema, model)
    } else {
      opening = ""
      self.constraint = constraint
    }
    self.prompt = prompt
    splitsThoughts =
      try fields.string("reasoning_format", limit: 64) != "none"
      && model.format.source?.contains("<think>") == true && conversation.prefill == nil
  }

  func writing(_ around: Writing.Surroundings, alternatives: Int = 0, client: String) throws
    -> Writing
  {
    let call = model.format.own?.toolTokens?.call
    var jobs = try options.jobs(
      prompt, model, alternatives: alternatives, constraint: constraint, client: client)
    // A model that knows tools by heart must not call where the client has none.
    if let call, !tools.isOn { for i in jobs.indices { jobs[i].forbidden.append(call) } }
    // Only the mark of a call is a special token that the answer shows.
    return try Writing(
      jobs, model, around, stops: options.stops,
      shown: tools.isOn ? call.map { .only($0) } ?? .none : .none)
  }

  func reader() -> AnswerReader {
    AnswerReader(tools.isOn ? tools : nil, splitsThoughts: splitsThoughts, opening: opening)
  }
}

/// What /v1/chat/completions is asked.
private struct ChatRequest: Sendable {
  let task: ChatTask
  /// Nil for none.
  let logprobs: Int?

  init(_ fields: Fields, _ model: ServedModel) throws {
    try model.checkChats()
    let conversation = try ChatMessages(fields)
    let options = try GenerationOptions(
      fields, maxTokensNames: ["max_completion_tokens", "max_tokens"])
    let top = try fields.int("top_logprobs", in: 0...GenerationOptions.mostAlternatives)
    let wanted = try fields.bool("logprobs") ?? false
    guard wanted || (top ?? 0) == 0 else {
      throw fields.wrong("top_logprobs", "needs \"logprobs\": true")
    }
    logprobs = wanted ? top ?? 0 : nil
    task = try ChatTask(
      conversation, fields, model, options, tools: try ChatTools(fields, model),
      constraint: try answerConstraint(fields, model))
  }
}

extension Endpoints {
  /// Answers conversations.
  func chat(_ call: Call) async throws -> Response {
    let fields = try call.fields()
    let model = try await model(of: fields)
    let request = try ChatRequest(fields, model)
    let writer = ChatWriter(request: request, model: model)
    let writing = try request.task.writing(
      surroundings(call), alternatives: request.logprobs ?? 0, client: call.client)
    guard request.task.options.streams else {
      return try reply(try await writer.whole(writing))
    }
    return events { try await writer.stream(writing, $0) }
  }
}

/// Makes the replies to one request.
private struct ChatWriter: Sendable {
  let request: ChatRequest
  let model: ServedModel
  private let id = newID("chatcmpl-")
  private let created = now()

  init(request: ChatRequest, model: ServedModel) { (self.request, self.model) = (request, model) }

  private func logprobs(_ scores: [TokenScore]) -> ChatLogprobs? {
    request.logprobs.map { ChatLogprobs(scores, count: $0, model.tokenizer) }
  }

  /// A choice as far as it is written.
  private struct Draft {
    var reader: AnswerReader
    var said = ""
    var thought = ""
    var calls: [ToolCall] = []
    var scores: [TokenScore] = []
    var reason = "length"

    mutating func add(_ parts: [AnswerReader.Part], allowsSeveral: Bool) {
      for part in parts {
        switch part {
        case .said(let text): said += text
        case .thought(let text): thought += text
        case .called(let call): if allowsSeveral || calls.isEmpty { calls.append(call) }
        }
      }
    }
  }

  func whole(_ writing: Writing) async throws -> ChatReply {
    let task = request.task
    var drafts = (0..<task.options.samples).map { _ in Draft(reader: task.reader()) }
    var written = 0
    let times = try await writing.run { index, event in
      switch event {
      case .piece(let piece):
        drafts[index].scores += piece.tokens
        let parts = drafts[index].reader.accept(piece.text)
        drafts[index].add(parts, allowsSeveral: task.tools.allowsSeveral)
      case .end(let end, let tokens):
        written += tokens
        let parts = drafts[index].reader.finish()
        drafts[index].add(parts, allowsSeveral: task.tools.allowsSeveral)
        drafts[index].reason = drafts[index].calls.isEmpty ? end.finishReason : "tool_calls"
      case .started, .prompt, .stopToken, .waiting: break
      }
    }
    let choices = drafts.enumerated().map { index, draft in
      let said = draft.calls.isEmpty ? draft.said : draft.said.trimmed
      return ChatReply.Choice(
        index: index,
        message: AnswerMessage(
          content: said.isEmpty && !draft.calls.isEmpty ? nil : said, refusal: nil,
          reasoning_content: draft.thought.isEmpty ? nil : draft.thought,
          tool_calls: draft.calls.isEmpty
            ? nil
            : draft.calls.map {
              AnswerCall(
                id: $0.id, type: "function",
                function: AnswerCall.Function(name: $0.name, arguments: $0.arguments))
            }), logprobs: logprobs(draft.scores), finish_reason: draft.reason)
    }
    return ChatReply(
      id: id, created: created, model: model.id, system_fingerprint: fingerprint(model),
      choices: choices, usage: Usage(prompt: task.prompt.count, completion: written),
      timings: Timings(prompt: task.prompt.count, written: written, times))
  }

  private func chunk(_ choices: [ChatChunk.Choice], usage: Usage? = nil) -> ChatChunk {
    ChatChunk(
      id: id, created: created, model: model.id, system_fingerprint: fingerprint(model),
      choices: choices,
      usage: request.task.options.includesUsage ? Nullable(wrappedValue: usage) : nil)
  }

  func stream(_ writing: Writing, _ events: EventStream) async throws {
    let task = request.task
    var readers = (0..<task.options.samples).map { _ in task.reader() }
    // Tokens whose text is still held back.
    var scores = readers.map { _ in [TokenScore]() }
    var calls = readers.map { _ in 0 }
    var written = 0
    func send(
      _ index: Int, _ delta: ChatChunk.Delta, logprobs: ChatLogprobs? = nil, reason: String? = nil
    ) async throws {
      try await events.send(
        chunk([
          ChatChunk.Choice(index: index, delta: delta, logprobs: logprobs, finish_reason: reason)
        ]))
    }
    func send(_ index: Int, _ parts: [AnswerReader.Part]) async throws {
      for part in parts {
        switch part {
        case .said(let text):
          let logprobs = self.logprobs(scores[index])
          scores[index] = []
          try await send(index, ChatChunk.Delta(content: text), logprobs: logprobs)
        case .thought(let text): try await send(index, ChatChunk.Delta(reasoning_content: text))
        case .called(let call):
          guard task.tools.allowsSeveral || calls[index] == 0 else { continue }
          for piece in Self.pieces(of: call, index: calls[index]) {
            try await send(index, ChatChunk.Delta(tool_calls: [piece]))
          }
          calls[index] += 1
        }
      }
    }
    for index in readers.indices {
      try await send(index, ChatChunk.Delta(role: "assistant", content: ""))
    }
    try await writing.run { index, event in
      switch event {
      case .piece(let piece):
        scores[index] += piece.tokens
        try await send(index, readers[index].accept(piece.text))
      case .end(let end, let tokens):
        written += tokens
        try await send(index, readers[index].finish())
        let reason = calls[index] > 0 ? "tool_calls" : end.finishReason
        try await send(
          index, ChatChunk.Delta(), logprobs: scores[index].isEmpty ? nil : logprobs(scores[index]),
          reason: reason)
      case .waiting: try await events.ping()
      case .started, .prompt, .stopToken: break
      }
    }
    if task.options.includesUsage {
      try await events.send(
        chunk([], usage: Usage(prompt: task.prompt.count, completion: written)))
    }
  }

  /// A call as a stream gives it: who is called, then the arguments.
  private static func pieces(of call: ToolCall, index: Int) -> [AnswerCall] {
    [
      AnswerCall(
        index: index, id: call.id, type: "function",
        function: AnswerCall.Function(name: call.name, arguments: "")),
      AnswerCall(index: index, function: AnswerCall.Function(arguments: call.arguments)),
    ]
  }
}
