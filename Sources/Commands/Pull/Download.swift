import Foundation
import ModelFiles
import Synchronization

/// Brings a file of a hub to its place: aside as NAME.part, checked, renamed. What a cut connection or
/// an earlier run left is gone on from.
struct Download {
  let url: URL
  let file: Hub.File
  /// Where the file is to be.
  let target: URL
  let http: HTTPFetch
  /// Called with the bytes that are there.
  let onProgress: @Sendable (Int) -> Void

  private var part: URL { target.appendingPathExtension("part") }
  /// Which version of the file the part is of, as the server calls it.
  private var mark: URL { target.appendingPathExtension("part.etag") }

  /// Whether the file is in its place already, with the right bytes.
  func isThere() throws -> Bool {
    guard FileManager.default.fileExists(atPath: target.path), size(target) == file.bytes else {
      return false
    }
    return try problem(target) == nil
  }

  func run() throws {
    try http.attempting {
      let before = size(part) ?? 0
      do {
        try attempt(from: before)
      } catch let failure as HTTPFetch.Failure
        where failure.isPassing && (size(part) ?? 0) > before
      {
        throw HTTPFetch.Progress()
      }
    }
    if let problem = try problem(part) {
      discard()
      throw PullError(
        "\(file.name) came with other bytes than the hub says (\(problem)): fetch it again; if it "
          + "happens twice, the hub or something on the way changes it")
    }
    try moveIntoPlace(part, target)
    try? FileManager.default.removeItem(at: mark)
  }

  private func discard() {
    for url in [part, mark] { try? FileManager.default.removeItem(at: url) }
  }

  private func size(_ url: URL) -> Int? {
    (try? FileManager.default.attributesOfItem(atPath: url.path)[.size]) as? Int
  }

  /// One request for what is missing.
  private func attempt(from start: Int) throws {
    guard start < file.bytes || file.bytes == 0 else {
      if start > file.bytes { discard() }
      if start == file.bytes { return }
      throw HTTPFetch.Failure(description: "\(file.name) grew too long", isPassing: true)
    }
    var headers: [String: String] = [:]
    if start > 0 {
      headers["Range"] = "bytes=\(start)-"
      // A server that has another version by now sends the whole of it.
      if let etag = try? String(contentsOf: mark, encoding: .utf8) { headers["If-Range"] = etag }
    }
    let writer = PartWriter(part)
    defer { writer.close() }
    let (name, bytes, mark) = (file.name, file.bytes, self.mark)
    let place = Landing(start)
    try http.get(url, headers: headers) { head in
      switch head.status {
      case 206 where start > 0:
        guard let range = head.fields["content-range"], range.hasPrefix("bytes \(start)-") else {
          writer.discard()
          throw HTTPFetch.Failure(
            description: "\(name): the server sent another part than was asked for",
            isPassing: true)
        }
        try writer.open(at: start)
      case 200:
        place.value.withLock { $0 = 0 }
        try writer.open(at: 0)
        if let etag = head.fields["etag"], !etag.hasPrefix("W/") {
          try? Data(etag.utf8).write(to: mark)
        } else {
          try? FileManager.default.removeItem(at: mark)
        }
      case 416:
        // What is here does not fit what is there: begin again.
        writer.discard()
        throw HTTPFetch.Failure(
          description: "\(name): the server refuses to go on from byte \(start)", isPassing: true)
      default:
        throw HTTPFetch.Failure(
          description: Self.sentence(name, head.status),
          isPassing: head.status >= 500 || head.status == 429 || head.status == 408)
      }
    } onData: { [onProgress] data in
      let end = place.value.withLock {
        $0 += data.count
        return $0
      }
      guard end <= bytes else {
        writer.discard()
        throw HTTPFetch.Failure(
          description: "\(name) is longer than the \(bytes) bytes that the hub says",
          isPassing: false)
      }
      try writer.write(data)
      onProgress(end)
    }
    try writer.synchronise()
    let end = place.value.withLock { $0 }
    guard end == bytes else {
      throw HTTPFetch.Failure(
        description: "\(name): the connection ended after \(end) of \(bytes) bytes",
        isPassing: true)
    }
  }

  private static func sentence(_ name: String, _ status: Int) -> String {
    switch status {
    case 401, 403: "\(name): access refused (\(status)): put a token of yours in HF_TOKEN"
    case 404: "\(name) is listed but not there (404)"
    default: "\(name): the server answers \(status)"
    }
  }

  /// What is wrong with the bytes of a file; nil where nothing is known to be.
  private func problem(_ url: URL) throws -> String? {
    let mapped = try MappedFile(url)
    guard mapped.bytes.count == file.bytes else {
      return "\(mapped.bytes.count) bytes, not \(file.bytes)"
    }
    switch file.checksum {
    case nil: return nil
    case .sha256(let wanted):
      var hash = SHA256()
      hash.update(mapped.bytes)
      let found = hash.hexadecimal()
      return found == wanted ? nil : "SHA-256 \(found.prefix(12))…, not \(wanted.prefix(12))…"
    case .gitBlob(let wanted):
      let found = SHA1.ofGitBlob(mapped.bytes)
      return found == wanted ? nil : "SHA-1 \(found.prefix(12))…, not \(wanted.prefix(12))…"
    }
  }
}

/// Appends to a file from another thread.
private final class PartWriter: Sendable {
  private let url: URL
  private let file = Mutex<FileHandle?>(nil)

  init(_ url: URL) { self.url = url }

  func open(at offset: Int) throws {
    try file.withLock { file in
      if offset == 0 || !FileManager.default.fileExists(atPath: url.path) {
        guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
          throw PullError("cannot write \(url.path): the disk is full, or you may not write there")
        }
      }
      let handle = try FileHandle(forWritingTo: url)
      try handle.truncate(atOffset: UInt64(offset))
      file = handle
    }
  }

  func write(_ data: Data) throws {
    try file.withLock { file in
      do {
        try file?.write(contentsOf: data)
      } catch {
        throw PullError("cannot write \(url.path): \(error.localizedDescription); make room")
      }
    }
  }

  func synchronise() throws { try file.withLock { try $0?.synchronize() } }

  func close() {
    file.withLock { file in
      try? file?.close()
      file = nil
    }
  }

  func discard() {
    close()
    try? FileManager.default.removeItem(at: url)
  }
}
