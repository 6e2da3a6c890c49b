import Foundation

/// A worker as the tour sees it.
final class WorkerProcess {
  let job: TourJob
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private let errors = Pipe()
  private var reader = TourMessageReader()
  private var open: Set<Int32> = []
  private var words = Data()
  private var failure: String?
  private var threads: Int

  /// Starts `program` on `job`.
  init(_ job: TourJob, program: URL, arguments: [String], threads: Int) throws {
    self.job = job
    self.threads = threads
    process.executableURL = program
    process.arguments = arguments
    process.standardInput = input
    process.standardOutput = output
    process.standardError = errors
    // The end that keeps a worker alive must not live on in the workers beside it.
    for handle in [
      input.fileHandleForWriting, output.fileHandleForReading, errors.fileHandleForReading,
    ] {
      _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
    }
    try process.run()
    for handle in [output.fileHandleForReading, errors.fileHandleForReading] {
      _ = fcntl(handle.fileDescriptor, F_SETFL, O_NONBLOCK)
      open.insert(handle.fileDescriptor)
    }
    // The ends that the worker has: while this process has them too, no end of file comes.
    for handle in [
      input.fileHandleForReading, output.fileHandleForWriting, errors.fileHandleForWriting,
    ] {
      try? handle.close()
    }
  }

  var identifier: Int32 { process.processIdentifier }

  /// What to wait on for news.
  var descriptors: [Int32] { open.sorted() }

  /// Whether it has closed both its outputs, as its death does.
  var hasEnded: Bool { open.isEmpty }

  /// What it said since the last call. Never waits.
  func news() -> [TourMessage] {
    drain(errors) { words.append($0) }
    words = Data(words.suffix(4_096))
    var messages: [TourMessage] = []
    drain(output) { messages += reader.read($0) }
    for message in messages where message.event == .failed { failure = message.text }
    return messages
  }

  func use(threads: Int) {
    guard threads != self.threads else { return }
    self.threads = threads
    tell("threads \(threads)")
  }

  func stop() { tell("stop") }

  /// How it ended, once it has: nil when its work is done or was stopped on request.
  func complaint() -> String? {
    process.waitUntilExit()
    let status = process.terminationStatus
    if process.terminationReason == .uncaughtSignal {
      let memory = status == SIGKILL ? ": perhaps memory ran out" : ""
      return Self.sentence("its process was ended by signal \(status)\(memory)", lastWords)
    }
    switch ExitStatus(rawValue: status) {
    case .success, .interrupted: return nil
    default: return failure ?? Self.sentence("its process ended with status \(status)", lastWords)
    }
  }

  /// Whether it stopped before its work was done because it was asked to.
  var wasInterrupted: Bool {
    process.terminationReason == .exit
      && process.terminationStatus == ExitStatus.interrupted.rawValue
  }

  private var lastWords: String? {
    String(decoding: words, as: UTF8.self).split(separator: "\n").last.map(String.init)
  }

  private static func sentence(_ text: String, _ words: String?) -> String {
    text + (words.map { " (\($0))" } ?? "")
  }

  private func tell(_ line: String) {
    // A worker that has just died needs no more words.
    try? input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
  }

  private func drain(_ pipe: Pipe, _ take: (Data) -> Void) {
    let descriptor = pipe.fileHandleForReading.fileDescriptor
    guard open.contains(descriptor) else { return }
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count > 0 {
        take(Data(buffer[..<count]))
      } else if count < 0, errno == EINTR {
        continue
      } else {
        if count == 0 { open.remove(descriptor) }
        return
      }
    }
  }
}
