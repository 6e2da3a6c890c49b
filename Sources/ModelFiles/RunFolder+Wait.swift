import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension RunFolder {
  /// Waits until no process holds `folder`, for `seconds` at most: the process that held it may be
  /// saving its last step.
  public static func waitUntilFree(_ folder: URL, seconds: Double, shouldStop: () -> Bool) {
    let lock = open(folder.appendingPathComponent("lock").path, O_RDWR | O_CLOEXEC)
    guard lock >= 0 else { return }
    defer { close(lock) }
    let start = ContinuousClock.now
    while flock(lock, LOCK_EX | LOCK_NB) != 0, !shouldStop(),
      (ContinuousClock.now - start) / .seconds(1) < seconds
    {
      usleep(50_000)
    }
  }
}
