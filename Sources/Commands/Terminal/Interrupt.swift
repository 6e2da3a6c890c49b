import Foundation
import Synchronization

/// Ctrl-C and SIGTERM: the first asks the work to save and stop, the second stops at once.
public enum Interrupt {
  private static let count = Atomic<Int>(0)
  private static let wasAsked = Atomic<Bool>(false)
  private static let isQuiet = Atomic<Bool>(false)

  /// Takes over both signals from here on. The first is answered on standard error unless it is not
  /// to be `announced`.
  public static func install(announced: Bool = true) {
    // Touches the values first: initialising them inside the handler would not be signal-safe.
    count.store(0, ordering: .relaxed)
    wasAsked.store(false, ordering: .relaxed)
    isQuiet.store(!announced, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] { signal(number) { _ in Interrupt.receive() } }
    // Whoever started this program may have handed down a mask.
    var both = sigset_t()
    sigemptyset(&both)
    sigaddset(&both, SIGINT)
    sigaddset(&both, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &both, nil)
  }

  /// Someone asked to stop. Loops look here once a step.
  public static var isRequested: Bool {
    count.load(ordering: .relaxed) > 0 || wasAsked.load(ordering: .relaxed)
  }

  /// Asks the work to save and stop, as the first Ctrl-C does; a signal after that is still the
  /// first one.
  static func request() { wasAsked.store(true, ordering: .relaxed) }

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
    if !isQuiet.load(ordering: .relaxed) {
      message.withUTF8Buffer { text in
        if let start = text.baseAddress { _ = Foundation.write(STDERR_FILENO, start, text.count) }
      }
    }
    if before > 0 { _exit(ExitStatus.interrupted.rawValue) }
  }
}

/// The work stopped because someone asked; what was done is saved.
public struct Interrupted: Error, Equatable, CustomStringConvertible {
  public init() {}

  public var description: String { "Stopped; the same command goes on from here." }
}
