import Generation
import Tokenization

/// What happens to one of a request's choices.
enum WritingEvent: Sendable {
  case started(PromptReport)
  case prompt([TokenScore])
  case piece(Passage.Piece)
  /// A token that ends the text and is no part of it.
  case stopToken(TokenScore)
  /// No more comes; how many tokens were written, the stop token included.
  case end(Continuation.End, tokens: Int)
  /// Nothing came for a while.
  case waiting
}

/// The choices of a request, which the engine writes side by side.
struct Writing: Sendable {
  /// What the choices need from the server.
  struct Surroundings: Sendable {
    let metrics: Metrics
    let drain: Drain
    let connection: Connection
  }

  private let jobs: [GenerationJob]
  private let model: ServedModel
  private let streams: [AsyncStream<EngineEvent>]
  private let stops: [String]
  private let shown: Passage.Specials
  private let around: Surroundings

  /// Puts the jobs into the engine's queue.
  ///
  /// - Throws: ``APIError`` where it is full, or where a job cannot be done.
  init(
    _ jobs: [GenerationJob], _ model: ServedModel, _ around: Surroundings, stops: [String] = [],
    shown: Passage.Specials = .none
  ) throws {
    (self.jobs, self.model, self.around) = (jobs, model, around)
    (self.stops, self.shown) = (stops, shown)
    do {
      streams = try jobs.map { try model.engine.submit($0) }
    } catch let error as EngineBusy {
      around.metrics.refused()
      throw APIError.busy(retryAfter: max(1, Int(error.retryAfter.rounded(.up))))
    } catch let error as GenerationError {
      throw APIError(error)
    }
    around.metrics.prompted(jobs.first?.prompt.count ?? 0)
  }

  private enum Incoming: Sendable {
    case event(Int, EngineEvent)
    case tick, gone, cut
  }

  /// Calls `body` with what comes, of each choice in its order, until all have ended.
  ///
  /// - Returns: how long it took.
  /// - Throws: `CancellationError` where the client has gone, ``APIError`` where the engine or the
  ///   server gives up.
  @discardableResult
  func run(_ body: (Int, WritingEvent) async throws -> Void) async throws -> WritingTimes {
    try await model.used {
      let (incoming, feed) = AsyncStream.makeStream(of: Incoming.self)
      let readers = streams.enumerated().map { index, stream in
        Task {
          for await event in stream { feed.yield(.event(index, event)) }
          feed.yield(.event(index, .end(.cancelled)))
        }
      }
      let ticks = Task {
        while (try? await Task.sleep(for: .seconds(10))) != nil { feed.yield(.tick) }
      }
      let gone = around.connection.whenGone { feed.yield(.gone) }
      let cut = around.drain.whenCut { feed.yield(.cut) }
      defer {
        ticks.cancel()
        for reader in readers { reader.cancel() }
        around.connection.forget(gone)
        around.drain.forget(cut)
        feed.finish()
      }
      return try await follow(incoming, readers, body)
    }
  }

  private func follow(
    _ incoming: AsyncStream<Incoming>, _ readers: [Task<Void, Never>],
    _ body: (Int, WritingEvent) async throws -> Void
  ) async throws -> WritingTimes {
    let begun = ContinuousClock.now
    var times = WritingTimes()
    var choices = jobs.map { _ in
      Choice(passage: Passage(model.tokenizer, stops: stops, shown: shown))
    }
    var open = choices.count
    func end(_ index: Int, _ reason: Continuation.End) async throws {
      guard choices[index].isOpen else { return }
      (choices[index].isOpen, open) = (false, open - 1)
      readers[index].cancel()
      let rest = choices[index].passage.finish()
      if !rest.isEmpty { try await body(index, .piece(rest)) }
      around.metrics.written(choices[index].tokens)
      try await body(index, .end(reason, tokens: choices[index].tokens))
    }
    for await event in incoming {
      switch event {
      case .tick: try await body(0, .waiting)
      case .gone:
        around.metrics.disconnected()
        throw CancellationError()
      case .cut: throw APIError.shuttingDown
      case .event(let index, _) where !choices[index].isOpen: continue
      case .event(let index, .started(let report)):
        // The samples of a prompt share the work on it.
        if index == 0 { times.prompt = report }
        try await body(index, .started(report))
      case .event(let index, .prompt(let scores)): try await body(index, .prompt(scores))
      case .event(let index, .token(let score)):
        if times.toFirst == 0 { times.toFirst = (ContinuousClock.now - begun) / .seconds(1) }
        choices[index].tokens += 1
        if jobs[index].stops.contains(score.token) {
          try await body(index, .stopToken(score))
          continue
        }
        let piece = choices[index].passage.accept(score)
        if !piece.isEmpty { try await body(index, .piece(piece)) }
        if choices[index].passage.isStopped { try await end(index, .stop) }
      case .event(let index, .end(let reason)): try await end(index, reason)
      case .event(_, .failed(let error)): throw APIError(error)
      }
      if open == 0 { break }
    }
    guard open == 0 else { throw CancellationError() }
    times.afterwards = (ContinuousClock.now - begun) / .seconds(1) - times.toFirst
    return times
  }

  private struct Choice {
    var passage: Passage
    var tokens = 0
    var isOpen = true
  }
}

/// How long a request's choices took, in seconds.
struct WritingTimes: Sendable {
  /// Until the first token, waiting in the queue included.
  var toFirst = 0.0
  var afterwards = 0.0
  /// How the first choice's prompt was worked on.
  var prompt: PromptReport?
}

extension Continuation.End {
  /// As the API calls it.
  var finishReason: String {
    switch self {
    case .stop: "stop"
    case .length: "length"
    case .cancelled: "cancelled"
    }
  }
}
