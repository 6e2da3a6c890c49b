import Foundation
import LanguageModel

/// The life of an engine's thread: take jobs, take all sequences a step further, hand out events.
final class EngineLoop {
  private let queue: EngineQueue
  private let model: Transformer
  private let cache: KeyValueCache
  private var runs: [Int: Run] = [:]
  private let prefillTokens: Int?
  private var written = 0
  /// Tokens a second that go through the model in large steps, as a running mean.
  private var rate = 500.0

  private struct Run {
    var entry: EngineEntry
    var begun: ContinuousClock.Instant
  }

  init(
    _ queue: EngineQueue, _ model: Transformer, _ cache: KeyValueCache, prefillTokens: Int?
  ) {
    (self.queue, self.model, self.cache) = (queue, model, cache)
    self.prefillTokens = prefillTokens.map { max(1, $0) }
  }

  /// Returns when the engine is closed, or drained and told to.
  func run() {
    let core = DecodingCore(model, cache: cache) { [unowned self] in handle($0, $1) }
    while true {
      let orders = queue.orders(isIdle: core.sequences.isEmpty)
      for errand in orders.errands { errand(model) }
      for entry in queue.remove(orders.cancelled) { drop(entry) }
      for id in orders.cancelled { core.cancel(id) }
      if orders.mode == .closed {
        for sequence in core.sequences { core.cancel(sequence.id) }
        for entry in queue.remove([], all: true) { drop(entry) }
        break
      }
      while core.freeSlots > 0, let entry = queue.take(fits: core.hasRoom) {
        runs[entry.id] = Run(entry: entry, begun: .now)
        core.begin(entry.job, id: entry.id)
      }
      if core.sequences.isEmpty {
        if orders.mode == .draining, queue.status.waiting == 0 { break }
        continue
      }
      let start = ContinuousClock.now
      let tokens = core.step(prefill: prefill(core))
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      if tokens >= 32 { rate += (Double(tokens) / max(seconds, 1e-6) - rate) * 0.2 }
      queue.count(written: written, seconds: seconds)
      written = 0
    }
    queue.finish()
  }

  /// Tokens of prompts to compute in one step: what takes 50 ms where others wait for their next
  /// token, else a quarter of a second, after which a prompt can be cancelled.
  private func prefill(_ core: DecodingCore) -> Int {
    if let prefillTokens { return prefillTokens }
    let isAwaited = core.sequences.contains { $0.hasPrompt }
    let tokens = Int(min(1e6, rate * (isAwaited ? 0.05 : 0.25)))
    return min(4_096, max(isAwaited ? 48 : 192, tokens / 48 * 48))
  }

  private func drop(_ entry: EngineEntry) {
    _ = entry.deliver(.end(.cancelled))
    queue.ended(entry.id, seconds: 0, isCancelled: true)
  }

  private func handle(_ id: Int, _ event: DecodingEvent) -> Bool {
    guard let run = runs[id] else { return false }
    let deliver = run.entry.deliver
    switch event {
    case .began(let start):
      let prompt = run.entry.job.prompt.count
      queue.count(prompt: prompt, reused: start.reused)
      let report = PromptReport(
        tokens: prompt, reused: start.reused,
        secondsQueued: (run.begun - run.entry.submitted) / .seconds(1),
        secondsComputing: (ContinuousClock.now - run.begun) / .seconds(1))
      guard deliver(.started(report)) else { return false }
      return run.entry.job.scoresPrompt ? deliver(.prompt(start.scores)) : true
    case .token(let score):
      if score.isScored { written += 1 }
      return deliver(.token(score))
    case .ended(let continuation):
      finish(id, run, .end(continuation.end), isCancelled: continuation.end == .cancelled)
    case .failed(let error): finish(id, run, .failed(error), isCancelled: false)
    }
    return true
  }

  private func finish(_ id: Int, _ run: Run, _ event: EngineEvent, isCancelled: Bool) {
    runs[id] = nil
    queue.ended(
      id, seconds: (ContinuousClock.now - run.begun) / .seconds(1), isCancelled: isCancelled)
    _ = run.entry.deliver(event)
  }
}
