import ServiceLifecycle
import Synchronization

/// Ends the server without tearing what it says: requests under way get some time, then streams are
/// cut with an event that says why.
final class Drain: Service {
  private let draining = Mutex(false)
  private let cut = Signal()
  private let seconds: Double
  private let metrics: Metrics

  init(seconds: Double, metrics: Metrics) { (self.seconds, self.metrics) = (seconds, metrics) }

  /// Whether nothing new is begun.
  var isDraining: Bool { draining.withLock { $0 } }

  /// Calls `body` where a stream has to end now. The number is for ``forget(_:)``.
  func whenCut(_ body: @escaping @Sendable () -> Void) -> Int { cut.listen(body) }

  func forget(_ number: Int) { cut.forget(number) }

  func run() async throws {
    try? await gracefulShutdown()
    draining.withLock { $0 = true }
    let deadline = ContinuousClock.now + .seconds(seconds)
    while metrics.snapshot.active > 0, ContinuousClock.now < deadline {
      // A cancelled sleep returns at once: then there is no time left.
      guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { break }
    }
    cut.happen()
  }
}
