import LanguageModel

/// A prompt to continue.
public struct GenerationRequest: Sendable {
  public var prompt: [Int32]
  /// Continuations wanted. They share the work on the prompt.
  public var samples: Int
  /// With the generator's seed, decides the draws.
  public var stream: UInt64

  public init(prompt: [Int32], samples: Int = 1, stream: UInt64) {
    (self.prompt, self.samples, self.stream) = (prompt, samples, stream)
  }
}

/// Samples from a model, many sequences at a time over a cache, and returns when all are written: what
/// ``Engine`` does for those who come and go, for a batch that is known from the start.
///
/// A sequence has its own slot and its own random numbers, so it is the same, bit for bit, whatever
/// else is in the batch.
public final class Generator {
  public let model: Transformer
  public let settings: SamplingSettings
  /// Tokens that end a sequence.
  public let stops: Set<Int32>
  /// Tokens that are never sampled.
  public let forbidden: [Int32]
  /// Runs the tools that the model calls; nil where a call is nothing but tokens.
  public let host: ToolHost?
  public let seed: UInt64
  /// Sequences at one time, at most.
  public let slots: Int

  /// Tokens of prompts to work on in one go.
  private let prefillTokens = 4_096

  public init(
    _ model: Transformer, settings: SamplingSettings, stops: Set<Int32>,
    forbidden: [Int32] = [], host: ToolHost? = nil, seed: UInt64, slots: Int = 256
  ) {
    precondition(settings.problem == nil, settings.problem ?? "")
    (self.model, self.settings, self.stops) = (model, settings, stops)
    (self.forbidden, self.host) = (forbidden, host)
    (self.seed, self.slots) = (seed, max(1, slots))
  }

  /// `samples` continuations for every request, in the order asked for.
  ///
  /// - Parameter onToken: called with request, sample and token as they come, those that a tool
  ///   answered included; false ends that sequence.
  /// - Throws: ``GenerationError`` for a prompt that is empty or leaves no room in the context.
  public func run(
    _ requests: [GenerationRequest], onToken: ((Int, Int, Int32) -> Bool)? = nil
  ) throws -> [[Continuation]] {
    for request in requests {
      let job = job(request, sample: 0)
      if let problem = job.problem(
        vocabulary: model.config.vocabularySize, room: model.config.context)
      {
        throw GenerationError(problem)
      }
    }
    let longest = requests.map(\.prompt.count).max() ?? 0
    let wanted = requests.reduce(0) { $0 + $1.samples }
    guard wanted > 0 else { return requests.map { _ in [] } }
    let cache = KeyValueCache(
      model.config, slots: min(slots, wanted),
      capacity: min(
        model.config.context, longest + settings.maxTokens + (host?.injectedLimit ?? 0)))
    var results = requests.map {
      Array(
        repeating: Continuation(tokens: [], logProbabilities: [], end: .length), count: $0.samples)
    }
    var failure: GenerationError?
    var waiting = requests.indices.flatMap { request in
      (0..<requests[request].samples).map { (request: request, sample: $0) }
    }[...]
    let owners = waiting
    let core = DecodingCore(model, cache: cache) { id, event in
      let owner = owners[id]
      switch event {
      case .began: return true
      case .token(let score): return onToken?(owner.request, owner.sample, score.token) ?? true
      case .ended(let written): results[owner.request][owner.sample] = written
      case .failed(let error): failure = error
      }
      return true
    }
    while failure == nil {
      while core.freeSlots > 0, let next = waiting.first {
        core.begin(job(requests[next.request], sample: next.sample), id: waiting.startIndex)
        waiting.removeFirst()
      }
      if core.sequences.isEmpty { break }
      core.step(prefill: prefillTokens)
    }
    if let failure { throw failure }
    return results
  }

  private func job(_ request: GenerationRequest, sample: Int) -> GenerationJob {
    GenerationJob(
      prompt: request.prompt, settings: settings, stops: stops, forbidden: forbidden, seed: seed,
      stream: request.stream, sample: sample, host: host)
  }
}
