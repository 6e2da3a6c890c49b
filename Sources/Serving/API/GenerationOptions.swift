import Generation
import TemplateLanguage
import Tokenization

/// The fields that all endpoints share which write text.
struct GenerationOptions: Sendable {
  /// Samples of one prompt at most.
  static let mostSamples = 16
  /// Stop strings, and bytes in one.
  static let (mostStops, stopBytes) = (16, 256)
  /// Alternatives to a token that are reported at most.
  static let mostAlternatives = 20

  var settings = SamplingSettings()
  /// Nil for as many as the context has room for.
  var maxTokens: Int?
  var seed: UInt64
  var samples = 1
  var stops: [String] = []
  var streams = false
  var includesUsage = false
  /// Whether a stop token ends nothing.
  var ignoresEnd = false

  /// - Parameter maxTokensNames: the fields that say how long an answer may be, the first one there
  ///   counts.
  init(_ fields: Fields, maxTokensNames: [String], fewest: Int = 1) throws {
    settings.temperature = try fields.float("temperature", in: 0...2) ?? 1
    settings.topP = try fields.float("top_p", in: 0...1) ?? 1
    if settings.topP == 0 { (settings.topP, settings.topK) = (1, 1) }
    if let topK = try fields.int("top_k", in: -1...Int.max) { settings.topK = max(0, topK) }
    settings.minP = try fields.float("min_p", in: 0...1) ?? 0
    settings.repetitionPenalty = try fields.float("repetition_penalty", in: 0.01...10) ?? 1
    settings.presencePenalty = try fields.float("presence_penalty", in: -2...2) ?? 0
    settings.frequencyPenalty = try fields.float("frequency_penalty", in: -2...2) ?? 0
    settings.bias = try Self.bias(fields)
    for name in maxTokensNames where maxTokens == nil {
      maxTokens = try fields.int(name, in: fewest...Int(Int32.max))
    }
    seed = try Self.seed(fields)
    samples = try fields.int("n", in: 1...Self.mostSamples) ?? 1
    stops = try Self.stops(fields)
    streams = try fields.bool("stream") ?? false
    if let options = try fields.object("stream_options") {
      guard streams else {
        throw fields.wrong("stream_options", "is only for requests with \"stream\": true")
      }
      includesUsage = try options.bool("include_usage") ?? false
    }
    ignoresEnd = try fields.bool("ignore_eos") ?? false
  }

  /// Any whole number; without one, another for each request.
  private static func seed(_ fields: Fields) throws -> UInt64 {
    guard let seed = try fields.int("seed", in: Int.min...Int.max) else {
      return UInt64.random(in: 0..<1 << 53)
    }
    return UInt64(bitPattern: Int64(seed))
  }

  private static func stops(_ fields: Fields) throws -> [String] {
    guard let value = fields["stop"] else { return [] }
    let items = value.array ?? [value]
    guard items.count <= mostStops else {
      throw fields.wrong("stop", "has more than \(mostStops) strings")
    }
    return try items.compactMap { item in
      guard let text = item.string else {
        throw fields.wrong("stop", "must be a string or a list of strings")
      }
      guard text.utf8.count <= stopBytes else {
        throw fields.wrong("stop", "has a string of more than \(stopBytes) bytes")
      }
      return text.isEmpty ? nil : text
    }
  }

  private static func bias(_ fields: Fields) throws -> [Int32: Float] {
    guard let value = fields["logit_bias"] else { return [:] }
    guard let members = value.members else {
      throw fields.wrong("logit_bias", "must be an object from token ids to numbers")
    }
    let inner = try Fields(value, path: fields.path + "logit_bias.")
    var bias: [Int32: Float] = [:]
    for (key, _) in members.prefix(1024) {
      guard let id = Int32(key), id >= 0 else {
        throw inner.wrong(String(key.prefix(64)), "is no token id")
      }
      bias[id] = try inner.float(key, in: -100...100) ?? 0
    }
    return bias
  }

  /// The jobs for one prompt: a sample each.
  ///
  /// - Parameter stream: which of the request's prompts it is.
  func jobs(
    _ prompt: [Int32], _ model: ServedModel, stream: Int = 0, samples: Int? = nil,
    alternatives: Int = 0, scoresPrompt: Bool = false,
    constraint: (any TokenConstraint)? = nil, client: String? = nil
  ) throws -> [GenerationJob] {
    let context = model.longest
    let room = context - prompt.count
    guard !prompt.isEmpty else {
      throw APIError.invalid("prompt", "An empty prompt cannot be continued.")
    }
    let isScoring = scoresPrompt && maxTokens == 0
    guard room > 0 || (room == 0 && isScoring), (maxTokens ?? 0) <= max(0, room) else {
      throw APIError.tooLong(prompt: prompt.count, asked: maxTokens ?? 0, context: context)
    }
    let size = Int32(model.config.vocabularySize)
    if let odd = (prompt + settings.bias.keys).first(where: { $0 < 0 || $0 >= size }) {
      throw APIError.invalid(
        nil, "Token \(odd) is not one of the \(size) of the model '\(model.id)'.",
        code: "invalid_token")
    }
    var job = GenerationJob(prompt: prompt)
    job.settings = settings
    job.settings.maxTokens = maxTokens ?? room
    job.stops = ignoresEnd ? [] : model.format.ends
    job.forbidden = model.forbidden + (ignoresEnd ? Array(model.format.ends) : [])
    (job.seed, job.stream) = (seed, UInt64(stream))
    job.alternatives = alternatives
    job.scoresPrompt = scoresPrompt
    job.constraint = constraint
    job.client = client
    return (0..<(samples ?? self.samples)).map { sample in
      job.sample = sample
      // One sample scores the prompt for all, but in a stream each begins with it.
      job.scoresPrompt = scoresPrompt && (sample == 0 || streams)
      return job
    }
  }
}
