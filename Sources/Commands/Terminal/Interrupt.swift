import Foundation
import Synchronization

/// Ctrl-C and SIGTERM: the first asks the work to save and stop, the second stops at once.
public enum Interrupt {
  private static let count = Atomic<Int>(0)

  /// Takes over both signals from here on.
  public static func install() {
    // Touches the counter first: initialising it inside the handler would not be signal-safe.
    count.store(0, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] { signal(number) { _ in Interrupt.receive() } }
  }

  /// Someone asked to stop. Loops look here once a step.
  public static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

  /// Throws ``Interrupted`` once someone asked to stop.
  public static func check() throws {
    if isRequested { throw Interrupted() }
  }

  /// Only calls that are safe inside a signal handler: an atomic, write and _exit.
  private static func receive() {
    let before = count.wrappingAdd(1, ordering: .relaxed).oldValue
    let message: StaticString =
      before == 0
      ? "\nStopping after this step and saving; Ctrl-C again stops at once.\n" : "\n"
    message.withUTF8Buffer { text in
      if let start = text.baseAddress { _ = Foundation.write(STDERR_FILENO, start, text.count) }
    }
    if before > 0 { _exit(ExitStatus.interrupted.rawValue) }
  }
}

/// The work stopped because someone asked; what was done is saved.
public struct Interrupted: Error, Equatable, CustomStringConvertible {
  public init() {}

  public var description: String { "Stopped; the same command goes on from here." }
}
