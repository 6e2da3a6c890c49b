import LanguageModel
import TensorCore
import TensorKernels

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

/// What the model wrote after a prompt.
public struct Continuation: Sendable, Equatable {
  public enum End: String, Codable, Sendable {
    /// A stop token, which is the last of `tokens`.
    case stop
    /// The limit of tokens or of the context.
    case length
    /// The caller asked.
    case cancelled
  }

  public var tokens: [Int32]
  /// log p of each token under the model at temperature 1, in nats; 0 for what a tool answered.
  public var logProbabilities: [Float]
  public var end: End
  /// Where in `tokens` the host wrote what a tool answered: nothing there was sampled.
  public var injected: [Range<Int>] = []

  /// How many tokens the model wrote itself.
  public var sampledCount: Int { tokens.count - injected.reduce(0) { $0 + $1.count } }

  /// `value` for every token that was sampled, 0 for the others: weights that teach only what the
  /// model wrote itself.
  public func weights(_ value: Float) -> [Float] {
    var weights = Array(repeating: value, count: tokens.count)
    for range in injected { for i in range { weights[i] = 0 } }
    return weights
  }
}

/// Samples from a model, many sequences at a time over a cache.
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
    for request in requests { try check(request.prompt) }
    let longest = requests.map(\.prompt.count).max() ?? 0
    let wanted = requests.reduce(0) { $0 + $1.samples }
    guard wanted > 0 else { return requests.map { _ in [] } }
    let cache = KeyValueCache(
      model.config, slots: min(slots, wanted),
      capacity: min(
        model.config.context, longest + settings.maxTokens + (host?.injectedLimit ?? 0)))
    var batch = Batch(requests: requests, slots: cache.slots)
    while true {
      admit(&batch, cache, onToken)
      if batch.active.isEmpty { break }
      step(&batch, cache, onToken)
    }
    return batch.results
  }

  private func check(_ prompt: [Int32]) throws {
    guard !prompt.isEmpty else { throw GenerationError("an empty prompt cannot be continued") }
    guard prompt.count < model.config.context else {
      throw GenerationError(
        "a prompt of \(prompt.count) tokens leaves no room in a context of "
          + "\(model.config.context): shorten it")
    }
    let size = model.config.vocabularySize
    if let odd = prompt.first(where: { $0 < 0 || $0 >= size }) {
      throw GenerationError("token \(odd) is not one of the \(size) of this model")
    }
  }

  /// A sequence under way.
  private struct Sequence {
    let request: Int
    let sample: Int
    let slot: Int
    /// Tokens that the context has left behind the prompt.
    let room: Int
    var random: SequenceRandom
    /// What the cache does not hold yet: the last token, and what a tool answered.
    var pending: [Int32] = []
    var turn: ToolTurn?
  }

  private struct Batch {
    let requests: [GenerationRequest]
    var active: [Sequence] = []
    var free: [Int]
    var results: [[Continuation]]
    /// The next sample to begin.
    var request = 0
    var sample = 0

    init(requests: [GenerationRequest], slots: Int) {
      self.requests = requests
      free = Array((0..<slots).reversed())
      results = requests.map {
        Array(
          repeating: Continuation(tokens: [], logProbabilities: [], end: .length),
          count: $0.samples)
      }
    }
  }

  /// Fills free slots with the next sequences: computes their prompts, one for the samples of a
  /// request that begin together, and draws their first tokens.
  private func admit(
    _ batch: inout Batch, _ cache: KeyValueCache, _ onToken: ((Int, Int, Int32) -> Bool)?
  ) {
    while !batch.free.isEmpty, batch.request < batch.requests.count {
      var tokens: [Int32] = []
      var tokenSlots: [Int32] = []
      var lastRows: [Int] = []
      var groups: [[Sequence]] = []
      while let prompt = nextPrompt(batch), !batch.free.isEmpty,
        tokens.isEmpty || tokens.count + prompt.count <= prefillTokens
      {
        let group = takeGroup(&batch, cache)
        tokens += prompt
        tokenSlots += Array(repeating: Int32(group[0].slot), count: prompt.count)
        lastRows.append(tokens.count - 1)
        groups.append(group)
      }
      let hidden = model.hidden(tokens, slots: tokenSlots, cache: cache)
      var rows: [Int] = []
      var begun: [Sequence] = []
      for (group, row) in zip(groups, lastRows) {
        for sequence in group {
          if sequence.slot != group[0].slot { cache.copy(from: group[0].slot, to: sequence.slot) }
          begun.append(sequence)
          rows.append(row)
        }
      }
      // One row of scores a prompt would do; one a sequence keeps the code in one piece.
      let logits = Tape.paused { model.logits(hidden.selecting(rows)) }
      advance(&batch, begun, logits, cache, onToken)
    }
  }

  private func nextPrompt(_ batch: Batch) -> [Int32]? {
    batch.request < batch.requests.count ? batch.requests[batch.request].prompt : nil
  }

  /// The next samples of one request, as many as there are slots.
  private func takeGroup(_ batch: inout Batch, _ cache: KeyValueCache) -> [Sequence] {
    let request = batch.requests[batch.request]
    var group: [Sequence] = []
    while batch.sample < request.samples, let slot = batch.free.popLast() {
      cache.truncate(slot)
      group.append(
        Sequence(
          request: batch.request, sample: batch.sample, slot: slot,
          room: model.config.context - request.prompt.count,
          random: SequenceRandom(seed: seed, stream: request.stream, sample: batch.sample),
          turn: host.map { ToolTurn($0.template) }))
      batch.sample += 1
    }
    if batch.sample == request.samples {
      batch.request += 1
      batch.sample = 0
      while batch.request < batch.requests.count, batch.requests[batch.request].samples == 0 {
        batch.request += 1
      }
    }
    return group
  }

  /// One more token for every sequence under way.
  private func step(
    _ batch: inout Batch, _ cache: KeyValueCache, _ onToken: ((Int, Int, Int32) -> Bool)?
  ) {
    var rest = batch.active[...]
    batch.active = []
    while !rest.isEmpty {
      // After calls there may be whole passages to read; no more of them in one go than of prompts.
      var count = 0
      let part = rest.prefix { sequence in
        defer { count += sequence.pending.count }
        return count == 0 || count + sequence.pending.count <= prefillTokens
      }
      rest = rest.dropFirst(part.count)
      advance(&batch, Array(part), logits(Array(part), cache), cache, onToken)
    }
  }

  /// The scores that follow the last pending token of each sequence.
  private func logits(_ sequences: [Sequence], _ cache: KeyValueCache) -> Tensor {
    let tokens = sequences.flatMap(\.pending)
    let slots = sequences.flatMap { sequence in
      Array(repeating: Int32(sequence.slot), count: sequence.pending.count)
    }
    return Tape.paused {
      let hidden = model.hidden(tokens, slots: slots, cache: cache)
      guard tokens.count > sequences.count else { return model.logits(hidden) }
      var end = 0
      return model.logits(
        hidden.selecting(
          sequences.map { sequence in
            end += sequence.pending.count
            return end - 1
          }))
    }
  }

  /// Draws a token for each of `sequences` from its row of `logits`; those that go on join the batch.
  private func advance(
    _ batch: inout Batch, _ sequences: [Sequence], _ logits: Tensor, _ cache: KeyValueCache,
    _ onToken: ((Int, Int, Int32) -> Bool)?
  ) {
    var sequences = sequences
    let draws = drawAll(&sequences, logits)
    for (i, draw) in draws.enumerated() {
      var sequence = sequences[i]
      let (request, sample) = (sequence.request, sequence.sample)
      var written = batch.results[request][sample]
      written.tokens.append(draw.token)
      written.logProbabilities.append(draw.logProbability)
      sequence.pending = [draw.token]
      var goesOn = onToken?(request, sample, draw.token) ?? true
      let event = sequence.turn?.accept(draw.token)
      var isStop = stops.contains(draw.token)
      var isFull = written.sampledCount >= settings.maxTokens
      if case .calls(let call) = event, let host, goesOn, !isFull {
        isStop = false
        let result = host.result(of: call)
        // There must be room for the result and for a token more.
        isFull = written.tokens.count + result.count >= sequence.room
        if !isFull { goesOn = inject(result, &sequence, &written, onToken) }
      }
      isFull = isFull || written.tokens.count >= sequence.room
      if isStop || !goesOn || isFull {
        written.end = isStop ? .stop : goesOn ? .length : .cancelled
        batch.free.append(sequence.slot)
      } else {
        batch.active.append(sequence)
      }
      batch.results[request][sample] = written
    }
  }

  /// Puts what a tool answered behind a call. False where the caller ends the sequence.
  private func inject(
    _ result: [Int32], _ sequence: inout Sequence, _ written: inout Continuation,
    _ onToken: ((Int, Int, Int32) -> Bool)?
  ) -> Bool {
    let start = written.tokens.count
    written.tokens += result
    written.logProbabilities += Array(repeating: 0, count: result.count)
    written.injected.append(start..<start + result.count)
    sequence.pending += result
    for token in result {
      _ = sequence.turn?.accept(token)
      if onToken?(sequence.request, sequence.sample, token) == false { return false }
    }
    return true
  }

  private func drawAll(_ sequences: inout [Sequence], _ logits: Tensor) -> [Draw] {
    let (count, width) = (sequences.count, logits.columns)
    let probabilities = Buffer(logits.count)
    softmaxRows(probabilities.values, x: logits.values, width: width)
    let scores = masked(logits, probabilities, sequences)
    let settings = settings
    var draws = [Draw](repeating: Draw(token: 0, logProbability: 0), count: count)
    sequences.withUnsafeMutableBufferPointer { sequences in
      draws.withUnsafeMutableBufferPointer { draws in
        parallelRanges(count, grain: 16) { range in
          for i in range {
            draws[i] = draw(
              logits: Floats(rebasing: scores.reading[i * width..<(i + 1) * width]),
              probabilities: Floats(rebasing: probabilities.reading[i * width..<(i + 1) * width]),
              settings, &sequences[i].random)
          }
        }
      }
    }
    return draws
  }

  /// The scores with what may not be sampled at −∞, and its probability at 0. The other probabilities
  /// stay those of the model itself.
  private func masked(_ logits: Tensor, _ probabilities: Buffer, _ sequences: [Sequence]) -> Buffer
  {
    guard host != nil || !forbidden.isEmpty else { return logits.buffer }
    let scores = Buffer(logits.values)
    for (i, sequence) in sequences.enumerated() {
      var tokens = forbidden
      if let host, let turn = sequence.turn { tokens += host.forbidden(turn) }
      for token in tokens {
        scores.values[i * logits.columns + Int(token)] = -.infinity
        probabilities.values[i * logits.columns + Int(token)] = 0
      }
    }
    return scores
  }
}

/// Why a prompt cannot be continued.
public struct GenerationError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
