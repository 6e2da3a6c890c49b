import Synchronization

/// Something that happens once, and those who want to know.
final class Signal: Sendable {
  private struct State {
    var hasHappened = false
    var next = 0
    var listeners: [Int: @Sendable () -> Void] = [:]
  }

  private let state = Mutex(State())

  /// Calls `body` when it happens, at once where it has. The number is for ``forget(_:)``.
  func listen(_ body: @escaping @Sendable () -> Void) -> Int {
    let number: Int? = state.withLock { state in
      guard !state.hasHappened else { return nil }
      state.next += 1
      state.listeners[state.next] = body
      return state.next
    }
    if number == nil { body() }
    return number ?? 0
  }

  func forget(_ number: Int) { state.withLock { $0.listeners[number] = nil } }

  func happen() {
    let listeners = state.withLock { state in
      defer { state.listeners = [:] }
      state.hasHappened = true
      return Array(state.listeners.values)
    }
    for listener in listeners { listener() }
  }
}
