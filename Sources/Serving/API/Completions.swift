import Generation
import Hummingbird
import Tokenization

/// What /v1/completions is asked.
private struct CompletionRequest: Sendable {
  let options: GenerationOptions
  let prompts: [Prompt]
  let echo: Bool
  /// Nil for none.
  let logprobs: Int?
  let bestOf: Int
  let constraint: (any TokenConstraint)?

  init(_ fields: Fields, _ model: ServedModel) throws {
    echo = try fields.bool("echo") ?? false
    options = try GenerationOptions(
      fields, maxTokensNames: ["max_tokens", "max_completion_tokens"], fewest: 0)
    logprobs = try fields.int("logprobs", in: 0...GenerationOptions.mostAlternatives)
    bestOf = try fields.int("best_of", in: 1...GenerationOptions.mostSamples) ?? options.samples
    guard bestOf >= options.samples else {
      throw fields.wrong("best_of", "must be at least n, which is \(options.samples)")
    }
    guard bestOf == options.samples || !options.streams else {
      throw fields.wrong("best_of", "cannot be streamed: leave out \"stream\", or best_of")
    }
    if let suffix = try fields.string("suffix"), !suffix.isEmpty {
      throw APIError.unsupported(
        "suffix", "This model writes forwards only: leave out the suffix.")
    }
    if fields.has("grammar") {
      throw APIError.unsupported(
        "grammar", "Grammars are not read here: give a response_format with a JSON schema.")
    }
    prompts = try Prompt.all(fields, model, most: Self.mostChoices / bestOf)
    constraint = try answerConstraint(fields, model)
  }

  /// Choices that are written for one request at most.
  static let mostChoices = 64
  /// Tokens where the request does not say.
  static let usual = 16
}

extension Endpoints {
  /// Continues texts.
  func completions(_ call: Call) async throws -> Response {
    let fields = try call.fields()
    let model = try await model(of: fields)
    let request = try CompletionRequest(fields, model)
    let writer = CompletionWriter(request, model)
    guard let jobs = try writer.jobs(client: call.client) else {
      return try reply(writer.echoAlone())
    }
    let writing = try Writing(
      jobs, model, surroundings(call), stops: request.options.stops)
    guard request.options.streams else {
      return try reply(try await writer.whole(writing))
    }
    return events { try await writer.stream(writing, $0) }
  }
}

/// Makes the replies to one request.
private struct CompletionWriter: Sendable {
  private let request: CompletionRequest
  private let model: ServedModel
  private let id = newID("cmpl-")
  private let created = now()

  init(_ request: CompletionRequest, _ model: ServedModel) {
    (self.request, self.model) = (request, model)
  }

  /// What the engine is to do; nil where it is nothing.
  func jobs(client: String) throws -> [GenerationJob]? {
    var options = request.options
    options.maxTokens = options.maxTokens ?? CompletionRequest.usual
    if options.maxTokens == 0, !request.echo {
      throw APIError.invalid(
        "max_tokens", "max_tokens must be at least 1 where nothing is echoed.",
        code: "invalid_value")
    }
    let scores = request.echo && request.logprobs != nil
    if options.maxTokens == 0, !scores { return nil }
    return try request.prompts.enumerated().flatMap { index, prompt in
      try options.jobs(
        prompt.tokens, model, stream: index, samples: options.maxTokens == 0 ? 1 : request.bestOf,
        alternatives: request.logprobs ?? 0, scoresPrompt: scores,
        constraint: request.constraint, client: client)
    }
  }

  private func envelope(_ choices: [CompletionReply.Choice], _ usage: Usage?) -> CompletionReply {
    CompletionReply(
      id: id, created: created, model: model.id, system_fingerprint: fingerprint(model),
      choices: choices, usage: usage)
  }

  /// The prompts given back, without a word more.
  func echoAlone() -> CompletionReply {
    let choices = request.prompts.enumerated().flatMap { index, prompt in
      (0..<request.options.samples).map { sample in
        CompletionReply.Choice(
          text: prompt.text, index: index * request.options.samples + sample, logprobs: nil,
          finish_reason: "length")
      }
    }
    return envelope(
      choices,
      Usage(prompt: request.prompts.reduce(0) { $0 + $1.tokens.count }, completion: 0))
  }

  /// A choice as far as it is written.
  private struct Draft {
    var text = ""
    var scores: [TokenScore] = []
    var prompt: [TokenScore] = []
    var reason = "length"
    var tokens = 0

    var mean: Double {
      scores.reduce(0) { $0 + Double($1.logProbability) } / Double(max(1, scores.count))
    }
  }

  func whole(_ writing: Writing) async throws -> CompletionReply {
    let each = request.options.maxTokens == 0 ? 1 : request.bestOf
    var drafts = Array(repeating: Draft(), count: request.prompts.count * each)
    try await writing.run { index, event in
      switch event {
      case .prompt(let scores): drafts[index].prompt = scores
      case .piece(let piece):
        drafts[index].text += piece.text
        drafts[index].scores += piece.tokens
      case .end(let end, let tokens):
        (drafts[index].reason, drafts[index].tokens) = (end.finishReason, tokens)
      case .started, .stopToken, .waiting: break
      }
    }
    var choices: [CompletionReply.Choice] = []
    for (p, prompt) in request.prompts.enumerated() {
      var group = Array(drafts[p * each..<(p + 1) * each])
      let prompted = group[0].prompt
      if request.bestOf > request.options.samples {
        group = Array(group.sorted { $0.mean > $1.mean }.prefix(request.options.samples))
      }
      for sample in 0..<request.options.samples {
        var draft = group[min(sample, group.count - 1)]
        draft.prompt = prompted
        choices.append(choice(draft, prompt, index: choices.count))
      }
    }
    return envelope(
      choices,
      Usage(
        prompt: request.prompts.reduce(0) { $0 + $1.tokens.count },
        completion: drafts.reduce(0) { $0 + $1.tokens }))
  }

  private func choice(_ draft: Draft, _ prompt: Prompt, index: Int) -> CompletionReply.Choice {
    var logprobs: CompletionLogprobs?
    if let count = request.logprobs {
      var all = CompletionLogprobs()
      if request.echo { all.add(draft.prompt, count: count, model.tokenizer) }
      all.add(draft.scores, count: count, model.tokenizer)
      logprobs = all
    }
    return CompletionReply.Choice(
      text: (request.echo ? prompt.text : "") + draft.text, index: index, logprobs: logprobs,
      finish_reason: draft.reason)
  }

  func stream(_ writing: Writing, _ events: EventStream) async throws {
    let samples = request.options.samples
    var offsets = Array(repeating: 0, count: request.prompts.count * samples)
    var written = 0
    var prompted = Array(repeating: [TokenScore](), count: offsets.count)
    func send(_ index: Int, _ text: String, _ scores: [TokenScore], _ reason: String? = nil)
      async throws
    {
      var logprobs: CompletionLogprobs?
      if let count = request.logprobs, !scores.isEmpty {
        var some = CompletionLogprobs(offset: offsets[index])
        some.add(scores, count: count, model.tokenizer)
        (offsets[index], logprobs) = (some.end, some)
      }
      try await events.send(
        envelope(
          [
            CompletionReply.Choice(
              text: text, index: index, logprobs: logprobs, finish_reason: reason)
          ], nil))
    }
    if request.echo, request.logprobs == nil {
      for index in offsets.indices {
        try await send(index, request.prompts[index / samples].text, [])
      }
    }
    // With their scores, prompts are echoed when these are known.
    var echoed = Set<Int>()
    func echo(_ index: Int) async throws {
      guard request.echo, request.logprobs != nil, echoed.insert(index).inserted else { return }
      try await send(index, request.prompts[index / samples].text, prompted[index])
    }
    try await writing.run { index, event in
      switch event {
      case .prompt(let scores):
        prompted[index] = scores
        try await echo(index)
      case .piece(let piece):
        try await echo(index)
        try await send(index, piece.text, piece.tokens)
      case .end(let end, let tokens):
        written += tokens
        try await echo(index)
        try await send(index, "", [], end.finishReason)
      case .waiting: try await events.ping()
      case .started, .stopToken: break
      }
    }
    if request.options.includesUsage {
      let prompt = request.prompts.reduce(0) { $0 + $1.tokens.count }
      try await events.send(envelope([], Usage(prompt: prompt, completion: written)))
    }
  }
}

/// What tells two states of a model apart, as OpenAI's field does.
func fingerprint(_ model: ServedModel) -> String {
  "lyceum-\(String(UInt32(truncatingIfNeeded: model.entry.created), radix: 16))"
}
