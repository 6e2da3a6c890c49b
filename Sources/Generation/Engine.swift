import Foundation
import LanguageModel
import TensorKernels

/// Writes many sequences at a time for those who come and go: a server, a conversation.
///
/// Jobs share the steps of one model (continuous batching); a long prompt is computed in pieces
/// between the steps, so that it does not hold up the others; what a prompt has in common with an
/// earlier one is not computed again. None of that changes a result: see ``GenerationJob``.
///
/// An engine computes on a thread of its own and never blocks the threads of Swift's concurrency.
public final class Engine: Sendable {
  public let config: DecoderConfig
  private let queue: EngineQueue

  /// An engine for `model`, which nobody else may compute with or change while the engine lives,
  /// except through ``withModel(_:)``.
  ///
  /// - Parameters:
  ///   - slots: sequences at one time, at most.
  ///   - cacheBytes: memory for their keys and values, all together. A sequence takes what it
  ///     needs of it as it grows; where it runs out, the youngest sequences wait, and their tokens are
  ///     computed again.
  ///   - cacheFormat: halves hold twice the tokens, a little less exactly.
  ///   - prefillTokens: tokens of prompts to compute in one step; nil for as many as take 50 ms where
  ///     others wait for their next token.
  /// - Throws: ``GenerationError`` where the memory is too little for one sequence.
  public init(
    _ model: Transformer, slots: Int = 16, cacheBytes: Int = 1 << 30,
    cacheFormat: KeyValueCache.Format = .float, queueLimit: QueueLimit = QueueLimit(),
    prefillTokens: Int? = nil
  ) throws {
    config = model.config
    let slots = max(1, slots)
    let pageBytes = KeyValueCache.pageBytes(model.config, format: cacheFormat)
    let wanted = KeyValueCache.pages(tokens: model.config.context)
    let pages = min(cacheBytes / pageBytes, slots * wanted)
    guard pages >= min(2, wanted) else {
      throw GenerationError(
        "\(cacheBytes) bytes hold no sequence of this model: give the cache "
          + "\(min(2, wanted) * pageBytes) bytes or more")
    }
    let longest = min(model.config.context, pages * KeyValueCache.pageTokens)
    var status = EngineStatus()
    (status.slots, status.longest) = (slots, longest)
    status.cacheBytes = pages * pageBytes
    let queue = EngineQueue(queueLimit, status)
    self.queue = queue
    let start = Start(model: model)
    let thread = Thread {
      let cache = KeyValueCache(
        start.model.config, slots: slots, capacity: longest, pages: pages, format: cacheFormat)
      EngineLoop(queue, start.model, cache, prefillTokens: prefillTokens).run()
    }
    thread.name = "lyceum engine"
    thread.stackSize = 8 << 20
    thread.start()
  }

  deinit { queue.close(.closed) }

  /// The model on its way to the engine's thread.
  ///
  /// SAFETY: after that only this thread uses it, as the initialiser demands.
  private struct Start: @unchecked Sendable {
    let model: Transformer
  }

  /// Takes a job. Its events come as they happen; the stream ends after `end` or `failed`. Where the
  /// reader goes away, by dropping the stream or by the cancellation of its task, the job ends at its
  /// next token.
  ///
  /// - Throws: ``EngineBusy`` where too many wait already, ``GenerationError`` for a job that
  ///   cannot be done.
  public func submit(_ job: GenerationJob) throws -> AsyncStream<EngineEvent> {
    let (stream, continuation) = AsyncStream.makeStream(of: EngineEvent.self)
    let id = try submit(job) { event in
      let result = continuation.yield(event)
      switch event {
      case .end, .failed: continuation.finish()
      case .started, .prompt, .token: break
      }
      if case .terminated = result { return false }
      return true
    }
    continuation.onTermination = { [queue] reason in
      if case .cancelled = reason { queue.cancel(id) }
    }
    return stream
  }

  /// As ``submit(_:)-(GenerationJob)``, with a function that gets the events on the engine's thread:
  /// it must return at once. False ends the job, as does ``cancel(_:)``.
  ///
  /// - Returns: the number of the job.
  @discardableResult public func submit(
    _ job: GenerationJob, deliver: @escaping @Sendable (EngineEvent) -> Bool
  ) throws -> Int {
    if let problem = problem(with: job) { throw GenerationError(problem) }
    return try queue.append(
      job, tokens: job.most(context: config.context), deliver: deliver)
  }

  /// Why a job cannot be done, in a sentence; nil where it can.
  public func problem(with job: GenerationJob) -> String? {
    let longest = queue.status.longest
    return job.problem(
      vocabulary: config.vocabularySize, room: longest,
      reason: longest == config.context ? "a context of" : "a cache that holds")
  }

  /// Ends a job at its next token, or at once where it waits.
  public func cancel(_ id: Int) { queue.cancel(id) }

  public var status: EngineStatus { queue.status }

  /// Runs `body` on the engine's thread between two steps: for embeddings and for looking inside.
  /// Sequences under way wait for it. Throws ``GenerationError`` once the engine is closed.
  public func withModel<Result: Sendable>(
    _ body: @escaping @Sendable (Transformer) throws -> Result
  ) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      let isTaken = queue.append { model in
        continuation.resume(with: Swift.Result { try body(model) })
      }
      if !isTaken {
        continuation.resume(throwing: GenerationError("the engine is shutting down"))
      }
    }
  }

  /// Ends the engine: at once, which cancels all jobs, or, `draining`, when those that were taken are
  /// done. Returns when its thread is done.
  public func shutdown(draining: Bool = false) async {
    queue.close(draining ? .draining : .closed)
    await withCheckedContinuation { continuation in
      // Waiting for a thread must not hold up a thread of the pool.
      Thread { [queue] in
        queue.waitUntilOver()
        continuation.resume()
      }.start()
    }
  }
}
