import ServiceLifecycle
import Synchronization

/// Ends the server without tearing what it says: requests under way get some time, then streams are
/// cut with an event that says why.
final class Drain: Service {
  private struct State {
    var isDraining = false
    var isCut = false
    var next = 0
    var listeners: [Int: @Sendable () -> Void] = [:]
  }

  private let state = Mutex(State())
  private let seconds: Double
  private let metrics: Metrics

  init(seconds: Double, metrics: Metrics) { (self.seconds, self.metrics) = (seconds, metrics) }

  /// Whether nothing new is begun.
  var isDraining: Bool { state.withLock { $0.isDraining } }

  /// Calls `body` where a stream has to end now. The number is for ``forget(_:)``.
  func whenCut(_ body: @escaping @Sendable () -> Void) -> Int {
    let number: Int? = state.withLock { state in
      guard !state.isCut else { return nil }
      state.next += 1
      state.listeners[state.next] = body
      return state.next
    }
    if number == nil { body() }
    return number ?? 0
  }

  func forget(_ number: Int) { state.withLock { $0.listeners[number] = nil } }

  func run() async throws {
    try? await gracefulShutdown()
    state.withLock { $0.isDraining = true }
    let deadline = ContinuousClock.now + .seconds(seconds)
    while metrics.snapshot.active > 0, ContinuousClock.now < deadline {
      // A cancelled sleep returns at once: then there is no time left.
      guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { break }
    }
    let listeners = state.withLock { state in
      defer { state.listeners = [:] }
      state.isCut = true
      return Array(state.listeners.values)
    }
    for listener in listeners { listener() }
  }
}
