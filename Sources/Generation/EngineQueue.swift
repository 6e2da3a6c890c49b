import Foundation
import LanguageModel

/// A job with its number and where its events go.
struct EngineEntry: Sendable {
  var id: Int
  var job: GenerationJob
  /// Tokens that it may need.
  var tokens: Int
  var submitted: ContinuousClock.Instant
  /// False where nobody listens any more.
  var deliver: @Sendable (EngineEvent) -> Bool
}

/// What the threads that submit jobs share with the one that runs them.
///
/// SAFETY: everything that changes is read and written under `condition` alone.
final class EngineQueue: @unchecked Sendable {
  enum Mode { case open, draining, closed }

  let limit: QueueLimit
  private let condition = NSCondition()
  private var waiting: [EngineEntry] = []
  private var waitingTokens = 0
  private var cancelled: Set<Int> = []
  private var errands: [(Transformer) -> Void] = []
  private var mode = Mode.open
  private var isOver = false
  private var next = 0
  private var counts = EngineStatus()
  /// Clients of the jobs that have a slot.
  private var running: [Int: String?] = [:]
  /// Seconds that a job holds a slot, as a running mean.
  private var meanSeconds = 1.0

  init(_ limit: QueueLimit, _ status: EngineStatus) { (self.limit, counts) = (limit, status) }

  private func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
    condition.lock()
    defer { condition.unlock() }
    return try body()
  }

  // What those who submit call.

  /// Throws ``EngineBusy`` where too many wait, and ``GenerationError`` once the engine is closing.
  func append(
    _ job: GenerationJob, tokens: Int, deliver: @escaping @Sendable (EngineEvent) -> Bool
  ) throws -> Int {
    try locked {
      guard mode == .open else { throw GenerationError("the engine is shutting down") }
      let isFull =
        waiting.count >= limit.jobs
        || (!waiting.isEmpty && waitingTokens + tokens > limit.tokens)
      // A free slot means that the job does not wait.
      if isFull, running.count + waiting.count >= counts.slots {
        counts.jobsRefused += 1
        let rounds = Double(waiting.count / max(1, counts.slots) + 1)
        let seconds = min(120, max(1, (meanSeconds * rounds).rounded(.up)))
        throw EngineBusy(
          retryAfter: seconds,
          description:
            "\(waiting.count) jobs of \(waitingTokens) tokens wait already: try again in "
            + "\(Int(seconds)) s")
      }
      next += 1
      waiting.append(
        EngineEntry(id: next, job: job, tokens: tokens, submitted: .now, deliver: deliver))
      waitingTokens += tokens
      condition.broadcast()
      return next
    }
  }

  func cancel(_ id: Int) {
    locked {
      guard running[id] != nil || waiting.contains(where: { $0.id == id }) else { return }
      cancelled.insert(id)
      condition.broadcast()
    }
  }

  /// False once the engine is closed: then `errand` is never run.
  func append(errand: @escaping (Transformer) -> Void) -> Bool {
    locked {
      guard mode != .closed, !isOver else { return false }
      errands.append(errand)
      condition.broadcast()
      return true
    }
  }

  func close(_ mode: Mode) {
    locked {
      if self.mode != .closed { self.mode = mode }
      condition.broadcast()
    }
  }

  func waitUntilOver() { locked { while !isOver { condition.wait() } } }

  var status: EngineStatus {
    locked {
      var status = counts
      (status.running, status.waiting) = (running.count, waiting.count)
      status.waitingTokens = waitingTokens
      return status
    }
  }

  // What the engine's thread calls.

  /// What to do before the next step.
  struct Orders {
    var cancelled: Set<Int>
    var errands: [(Transformer) -> Void]
    var mode: Mode
  }

  /// Waits until there is something to do; never where sequences are under way.
  func orders(isIdle: Bool) -> Orders {
    locked {
      while isIdle, waiting.isEmpty, cancelled.isEmpty, errands.isEmpty, mode == .open {
        condition.wait()
      }
      defer {
        cancelled = []
        errands = []
      }
      return Orders(cancelled: cancelled, errands: errands, mode: mode)
    }
  }

  /// The jobs that wait, and that were cancelled; with `all`, all that wait.
  func remove(_ ids: Set<Int>, all: Bool = false) -> [EngineEntry] {
    locked {
      let removed = waiting.filter { all || ids.contains($0.id) }
      waiting.removeAll { all || ids.contains($0.id) }
      waitingTokens -= removed.reduce(0) { $0 + $1.tokens }
      return removed
    }
  }

  /// The job whose turn it is, if `fits` says that there is room for it: the first one of the client
  /// that has the fewest under way. One that does not fit lets none pass, so that it is not starved.
  func take(fits: (GenerationJob) -> Bool) -> EngineEntry? {
    locked {
      var load: [String?: Int] = [:]
      for client in running.values { load[client, default: 0] += 1 }
      let turn = waiting.indices.min { a, b in
        let (first, second) = (load[waiting[a].job.client] ?? 0, load[waiting[b].job.client] ?? 0)
        return first != second ? first < second : a < b
      }
      guard let turn, fits(waiting[turn].job) else { return nil }
      let entry = waiting.remove(at: turn)
      waitingTokens -= entry.tokens
      running[entry.id] = .some(entry.job.client)
      return entry
    }
  }

  func ended(_ id: Int, seconds: Double, isCancelled: Bool) {
    locked {
      running[id] = nil
      if isCancelled { counts.jobsCancelled += 1 } else { counts.jobsDone += 1 }
      meanSeconds += (seconds - meanSeconds) * 0.1
    }
  }

  func count(prompt: Int, reused: Int) {
    locked {
      counts.promptTokens += prompt
      counts.reusedTokens += reused
    }
  }

  func count(written: Int, seconds: Double) {
    locked {
      counts.writtenTokens += written
      counts.busySeconds += seconds
    }
  }

  func finish() {
    locked {
      isOver = true
      condition.broadcast()
    }
  }
}
