import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// Every change to the disk goes through these few operations, so that tests can stop after any of
// them, as a power cut would, or have any of them fail, as a full disk does.

/// What the module does to files.
struct FileOperations: Sendable {
  /// Runs before each operation, with its name and path; a thrown error takes the operation's place.
  var intercept: @Sendable (_ operation: String, _ path: String) throws -> Void = { _, _ in }

  static let system = FileOperations()

  func makeFolder(_ url: URL) throws {
    try intercept("mkdir", url.path)
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      let why = fileOnTheWay(to: url).map { "\($0) is a file, not a folder" } ?? reason(error)
      throw ModelFileError("cannot make the folder \(url.path): \(why)")
    }
  }

  /// Creates or replaces a file, and has it on the disk before returning.
  func write(_ data: Data, to url: URL) throws {
    try intercept("write", url.path)
    let file = open(url.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure("write", url) }
    defer { close(file) }
    try Self.writeAll(data, file, url)
    guard fsync(file) == 0 else { throw failure("write", url) }
  }

  static func writeAll(_ data: some ContiguousBytes, _ file: Int32, _ url: URL) throws {
    try data.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = write_(file, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw failure("write", url) }
        done += count
      }
    }
  }

  func synchronise(_ url: URL) throws {
    try intercept("fsync", url.path)
    let file = open(url.path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure("open", url) }
    defer { close(file) }
    guard fsync(file) == 0 else { throw failure("write", url) }
  }

  func move(_ from: URL, _ to: URL) throws {
    try intercept("rename", to.path)
    guard rename(from.path, to.path) == 0 else { throw failure("write", to) }
  }

  func remove(_ url: URL) throws {
    try intercept("remove", url.path)
    do {
      try FileManager.default.removeItem(at: url)
    } catch {
      throw ModelFileError("cannot remove \(url.path): \(reason(error))")
    }
  }

  /// All or nothing: aside, synchronised, renamed.
  func writeAtomically(_ data: Data, to url: URL) throws {
    let aside = url.appendingPathExtension("tmp")
    try write(data, to: aside)
    try move(aside, url)
    try synchronise(url.deletingLastPathComponent())
  }
}

private func write_(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(file, bytes, count)
}

/// The sentence for the system's last error.
func failure(_ verb: String, _ url: URL) -> ModelFileError {
  let code = errno
  let hint =
    switch code {
    case ENOSPC: "the disk is full; make room and run the same command again"
    case EACCES, EPERM, EROFS: "no permission; choose a folder that you may write to"
    default: String(cString: strerror(code))
    }
  return ModelFileError("cannot \(verb) \(url.path): \(hint)")
}

/// The part of a folder's path that is a file; nil where none is.
private func fileOnTheWay(to folder: URL) -> String? {
  var place = folder.standardizedFileURL
  while place.pathComponents.count > 1 {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) {
      return isFolder.boolValue ? nil : place.path
    }
    place.deleteLastPathComponent()
  }
  return nil
}

private func reason(_ error: any Error) -> String {
  let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
  return (underlying ?? error as NSError).localizedDescription
}

/// Writes a file aside and renames it: a reader sees the old one or the new one, never a part.
public func writeAtomically(_ data: Data, to url: URL) throws {
  try FileOperations.system.writeAtomically(data, to: url)
}

/// Renames a finished file to its place, after having it on the disk.
public func moveIntoPlace(_ from: URL, _ to: URL) throws {
  let files = FileOperations.system
  try files.synchronise(from)
  try files.move(from, to)
  try files.synchronise(to.deletingLastPathComponent())
}
