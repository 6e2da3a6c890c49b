import Foundation

extension Engine {
  /// Submits jobs and waits on the calling thread until all are over: for programs without
  /// concurrency. Never to be called from asynchronous code, whose thread it would hold up.
  ///
  /// - Parameters:
  ///   - isCancelled: looked at after each event and 20 times a second; true ends the jobs at their
  ///     next token.
  ///   - body: called on the calling thread with the place of a job in `jobs` and what came of it.
  /// - Throws: as ``submit(_:)-(GenerationJob)``; then none of the jobs goes on.
  public func run(
    _ jobs: [GenerationJob], isCancelled: () -> Bool = { false },
    _ body: (Int, EngineEvent) -> Void
  ) throws {
    let mailbox = Mailbox()
    var numbers: [Int] = []
    do {
      for (i, job) in jobs.enumerated() {
        numbers.append(
          try submit(job) { event in
            mailbox.put(i, event)
            return true
          })
      }
    } catch {
      numbers.forEach(cancel)
      throw error
    }
    var open = jobs.count
    var isStopping = false
    while open > 0 {
      for (i, event) in mailbox.take() {
        body(i, event)
        switch event {
        case .end, .failed: open -= 1
        case .started, .prompt, .token: break
        }
      }
      if !isStopping, isCancelled() {
        isStopping = true
        numbers.forEach(cancel)
      }
    }
  }

  /// Events on their way from the engine's thread to another one.
  ///
  /// SAFETY: `events` is touched under `condition` alone.
  private final class Mailbox: @unchecked Sendable {
    private let condition = NSCondition()
    private var events: [(Int, EngineEvent)] = []

    func put(_ place: Int, _ event: EngineEvent) {
      condition.lock()
      defer { condition.unlock() }
      events.append((place, event))
      condition.signal()
    }

    /// What came, after a 20th of a second at the latest; often nothing.
    func take() -> [(Int, EngineEvent)] {
      condition.lock()
      defer { condition.unlock() }
      if events.isEmpty { _ = condition.wait(until: Date(timeIntervalSinceNow: 0.05)) }
      defer { events = [] }
      return events
    }
  }
}
