import Foundation

#if os(Linux)
#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// A process with an empty environment whose output is read up to a limit and which ends, with
/// everything in its process group, by a deadline.
struct Subprogram {
  private let process: pid_t
  /// Standard output and standard error.
  private let pipes: [Int32]
  private let outputBytes: Int

  init(_ arguments: [String], input: String, outputBytes: Int) throws {
    self.outputBytes = outputBytes
    let source = try Self.file(holding: input)
    defer { close(source) }
    let (output, errors) = (try Self.pipe(), try Self.pipe())
    pipes = [output.read, errors.read]
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (from, to) in [(source, 0), (output.write, 1), (errors.write, 2)] {
      posix_spawn_file_actions_adddup2(&actions, from, Int32(to))
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own, so that all of it can be ended at once.
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)
    var process = pid_t()
    var list: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    let status = posix_spawn(&process, arguments[0], &actions, &attributes, &list, &environment)
    list.forEach { free($0) }
    close(output.write)
    close(errors.write)
    guard status == 0 else {
      pipes.forEach { close($0) }
      throw ToolError("\(arguments[0]) cannot be started: \(String(cString: strerror(status)))")
    }
    self.process = process
  }

  /// Reads until the process ends, writes too much or the time is over; then nothing of it is left.
  func outcome(within time: Duration) -> Sandbox.Outcome {
    let deadline = ContinuousClock.now + time
    var streams: [[UInt8]] = [[], []]
    var (status, exitStatus): (Int32?, Int32) = (nil, 0)
    var end: Sandbox.Outcome.End?
    while end == nil {
      wait(for: min(deadline - .now, .milliseconds(50)))
      // Asked before the last read, so that what was written before the end is read.
      if waitpid(process, &exitStatus, WNOHANG) == process { status = exitStatus }
      for i in 0..<2 { read(pipes[i], into: &streams[i]) }
      if streams.contains(where: { $0.count > outputBytes }) {
        end = .wroteTooMuch
      } else if let status {
        // Ended by a signal: as shells count.
        end = .exited(status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F)
      } else if .now >= deadline {
        end = .timedOut
      }
    }
    kill(-process, SIGKILL)
    if status == nil { waitpid(process, nil, 0) }
    pipes.forEach { close($0) }
    let texts = streams.map { String(decoding: $0.prefix(outputBytes), as: UTF8.self) }
    return Sandbox.Outcome(output: texts[0], errors: texts[1], end: end ?? .timedOut)
  }

  /// Until there is something to read.
  private func wait(for time: Duration) {
    var polled = pipes.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let milliseconds = max(0, Int32(time / .milliseconds(1)))
    poll(&polled, nfds_t(polled.count), milliseconds)
    // A stream that was closed is always ready: the process may still be at work.
    if polled.allSatisfy({ $0.revents & Int16(POLLIN) == 0 && $0.revents != 0 }) { usleep(2_000) }
  }

  /// Reads what is there, up to a little more than the limit.
  private func read(_ pipe: Int32, into bytes: inout [UInt8]) {
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while bytes.count <= outputBytes {
      let count = Glibc.read(pipe, &chunk, chunk.count)
      guard count > 0 else { return }
      bytes += chunk[..<count]
    }
  }

  /// A file without a name that holds `text`, at its beginning.
  private static func file(holding text: String) throws -> Int32 {
    var name = Array((NSTemporaryDirectory() + "/lyceum-XXXXXX").utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else { throw ToolError("no temporary file can be made") }
    unlink(&name)
    let bytes = Array(text.utf8)
    guard write(descriptor, bytes, bytes.count) == bytes.count else {
      close(descriptor)
      throw ToolError("no temporary file can be written")
    }
    lseek(descriptor, 0, SEEK_SET)
    return descriptor
  }

  /// A pipe whose reading end does not wait and that no other process inherits.
  private static func pipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    guard Glibc.pipe(&ends) == 0 else { throw ToolError("no pipe can be made") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    return (ends[0], ends[1])
  }
}
#else

/// Elsewhere than on Linux there is no sandbox.
struct Subprogram {
  init(_ arguments: [String], input: String, outputBytes: Int) throws {
    throw ToolError("there are no namespaces on this system")
  }

  func outcome(within time: Duration) -> Sandbox.Outcome {
    Sandbox.Outcome(output: "", errors: "", end: .timedOut)
  }
}
#endif
