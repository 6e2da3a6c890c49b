import Generation
import Hummingbird
import Tokenization

// POST /api/generate: what the pages draw. Every token comes with what the model thought of it.

/// A token and what the model thought of it.
private struct TokenInfo: Encodable, Sendable {
  struct Alternative: Encodable, Sendable {
    var id: Int32
    var text: String
    var logprob: Float
  }

  var id: Int32
  /// Lossy where the token is no text of its own.
  var text: String
  var bytes: [UInt8]
  var special: Bool
  @Nullable var logprob: Float?
  /// 0 is the likeliest.
  @Nullable var rank: Int?
  /// In nats.
  @Nullable var entropy: Float?
  /// How many tokens the sampler's cuts left.
  var kept: Int
  var top: [Alternative]

  init(_ score: TokenScore, _ tokenizer: Tokenizer) {
    id = score.token
    bytes = tokenizer.bytes(of: score.token)
    text = String(decoding: bytes, as: UTF8.self)
    special = tokenizer.isSpecial(score.token)
    let isScored = score.isScored
    _logprob = Nullable(wrappedValue: isScored ? finite(score.logProbability) : nil)
    _rank = Nullable(wrappedValue: isScored ? score.rank : nil)
    _entropy = Nullable(wrappedValue: isScored ? score.entropy : nil)
    kept = score.kept
    top = score.alternatives.map {
      Alternative(
        id: $0.token, text: tokenizer.decode([$0.token]), logprob: finite($0.logProbability))
    }
  }
}

private enum GenerateEvent: Encodable, Sendable {
  case prompt([TokenInfo])
  case token(Int, TokenInfo)
  case end(Int, reason: String, GenerateUsage, GenerateTimings)

  private enum CodingKeys: String, CodingKey {
    case type, tokens, token, index, reason, usage, timings
  }

  func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .prompt(let tokens):
      try box.encode("prompt", forKey: .type)
      try box.encode(tokens, forKey: .tokens)
    case .token(let index, let token):
      try box.encode("token", forKey: .type)
      try box.encode(index, forKey: .index)
      try box.encode(token, forKey: .token)
    case .end(let index, let reason, let usage, let timings):
      try box.encode("end", forKey: .type)
      try box.encode(index, forKey: .index)
      try box.encode(reason, forKey: .reason)
      try box.encode(usage, forKey: .usage)
      try box.encode(timings, forKey: .timings)
    }
  }
}

private struct GenerateUsage: Encodable, Sendable {
  var prompt_tokens: Int
  var completion_tokens: Int
}

private struct GenerateTimings: Encodable, Sendable {
  var prefill_ms: Double
  var decode_ms: Double
}

extension Endpoints {
  var native: [Route] {
    [
      Route(method: .get, path: "/api/models") { try await modelLines($0) },
      Route(method: .post, path: "/api/generate") { try await generate($0) },
      Route(method: .post, path: "/api/trace") { try await trace($0) },
    ]
  }

  private func generate(_ call: Call) async throws -> Response {
    let fields = try call.fields()
    let model = try await model(of: fields)
    var options = try GenerationOptions(fields, maxTokensNames: ["max_tokens"], fewest: 0)
    options.streams = true
    let top = try fields.int("top", in: 0...50) ?? 20
    let echo = try fields.bool("echo") ?? false
    let prompt = try Self.prompt(fields, model)
    if options.maxTokens == 0, !echo {
      throw fields.wrong("max_tokens", "must be at least 1 where nothing is echoed")
    }
    var jobs = try options.jobs(
      prompt, model, samples: options.maxTokens == 0 ? 1 : nil, alternatives: top,
      client: call.client)
    for i in jobs.indices { jobs[i].isMeasured = true }
    // All score it, so that it comes before the first token of each; it is sent once.
    if echo { for i in jobs.indices { jobs[i].scoresPrompt = true } }
    let writing = try Writing(
      jobs, model, surroundings(call), stops: options.stops, shown: .all)
    return events { [prompt = prompt.count] events in
      let begun = ContinuousClock.now
      var first: [Int: ContinuousClock.Instant] = [:]
      var isEchoed = false
      func seen(_ index: Int) { if first[index] == nil { first[index] = .now } }
      try await writing.run { index, event in
        switch event {
        case .prompt(let scores):
          guard !isEchoed else { break }
          isEchoed = true
          try await events.send(
            GenerateEvent.prompt(scores.map { TokenInfo($0, model.tokenizer) }))
        case .piece(let piece):
          seen(index)
          for score in piece.tokens {
            try await events.send(GenerateEvent.token(index, TokenInfo(score, model.tokenizer)))
          }
        case .stopToken(let score):
          seen(index)
          try await events.send(GenerateEvent.token(index, TokenInfo(score, model.tokenizer)))
        case .end(let end, let tokens):
          let start = first[index] ?? .now
          try await events.send(
            GenerateEvent.end(
              index, reason: end.rawValue,
              GenerateUsage(prompt_tokens: prompt, completion_tokens: tokens),
              GenerateTimings(
                prefill_ms: (start - begun) / .milliseconds(1),
                decode_ms: (ContinuousClock.now - start) / .milliseconds(1))))
        case .started: break
        case .waiting: try await events.ping()
        }
      }
    }
  }

  /// `prompt_tokens`, `prompt` or `messages`.
  private static func prompt(_ fields: Fields, _ model: ServedModel) throws -> [Int32] {
    if let ids = try fields.tokens("prompt_tokens") {
      guard !ids.isEmpty else { throw fields.wrong("prompt_tokens", "has no tokens") }
      return ids
    }
    if let text = try fields.string("prompt", limit: 1 << 21) {
      return Prompt(
        text, model.format, parsesSpecials: try fields.bool("parse_special") ?? false
      ).tokens
    }
    guard fields.has("messages") else {
      throw APIError.invalid(
        "prompt", "Give prompt_tokens, prompt or messages.", code: "missing_required_parameter")
    }
    let conversation = try ChatMessages(fields)
    let task = try ChatTask(
      conversation, fields, model, try GenerationOptions(fields, maxTokensNames: []),
      tools: try ChatTools(fields, model), constraint: nil)
    return task.prompt
  }
}
