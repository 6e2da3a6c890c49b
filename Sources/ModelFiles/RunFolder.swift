import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder of one run, held by one process at a time.
public final class RunFolder {
  public let url: URL
  private let lock: Int32
  private let files: FileOperations

  /// Opens the folder and locks it until this object goes.
  ///
  /// - Throws: where it does not exist and is not to be made, cannot be written, or is in use; the
  ///   error then names the process.
  public convenience init(_ url: URL, create: Bool) throws {
    try self.init(url, create: create, files: .system)
  }

  init(_ url: URL, create: Bool, files: FileOperations) throws {
    (self.url, self.files) = (url, files)
    if create { try files.makeFolder(url) }
    let place = url.appendingPathComponent("lock")
    lock = open(place.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0 else { throw failure("write", place) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      let holder = (try? String(contentsOf: place, encoding: .utf8)) ?? ""
      close(lock)
      throw ModelFileError(
        "\(url.path) is in use by another process"
          + (holder.isEmpty ? "" : " (\(holder.trimmingCharacters(in: .whitespacesAndNewlines)))")
          + ": wait for it, or choose another folder with --out")
    }
    ftruncate(lock, 0)
    try FileOperations.writeAll(Data("process \(getpid())\n".utf8), lock, place)
  }

  deinit { close(lock) }

  private struct Envelope<Recipe: Encodable>: Encodable {
    var format = 1
    var recipe: Recipe
  }

  /// Records the recipe of a new run, or checks that an old run has the same.
  public func bindRecipe(_ recipe: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let data = try encoder.encode(Envelope(recipe: recipe))
    let place = url.appendingPathComponent("recipe.json")
    guard let old = try? Data(contentsOf: place) else {
      try files.writeAtomically(data, to: place)
      return
    }
    guard let before = Self.values(old), let now = Self.values(data) else {
      throw ModelFileError(
        "\(place.path) is not a recipe: it may be torn; remove the folder to begin again")
    }
    if let format = before["format"], format != now["format"] {
      throw ModelFileError(
        "\(url.path) was written by another version (format \(format)): begin a new run with --out")
    }
    let differences = Set(before.keys).union(now.keys).filter { before[$0] != now[$0] }.sorted()
    guard differences.isEmpty else {
      let list = differences.prefix(5).map {
        "\($0) is \(before[$0] ?? "absent") there and \(now[$0] ?? "absent") now"
      }
      throw ModelFileError(
        "\(url.path) holds a run with another recipe: \(list.joined(separator: "; ")). Give the same "
          + "options to go on with it, or another folder with --out")
    }
  }

  /// Leaves of a JSON object by their path.
  private static func values(_ data: Data) -> [String: String]? {
    guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      return nil
    }
    var out: [String: String] = [:]
    func walk(_ value: Any, _ path: String) {
      if let object = value as? [String: Any] {
        for (key, value) in object {
          // "recipe" is the whole: its name would only be in the way.
          walk(value, path.isEmpty || path == "recipe" ? key : path + "." + key)
        }
      } else if let list = value as? [Any] {
        for (i, value) in list.enumerated() { walk(value, path + "[\(i)]") }
      } else {
        out[path] = "\(value)"
      }
    }
    walk(object, "")
    return out
  }

  /// One of the run's logs, made if it is new.
  public func log(_ name: String) throws -> AppendLog {
    try AppendLog(url.appendingPathComponent(name))
  }
}

/// A file of JSON objects, one a line, that only grows; a resumed run first cuts it back to what its
/// checkpoint knew of.
public final class AppendLog {
  public private(set) var length: Int
  private let url: URL
  private let file: Int32

  init(_ url: URL) throws {
    self.url = url
    file = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure("write", url) }
    let size = Int(lseek(file, 0, SEEK_END))
    length = size
    // A line without its end was being written when the process died.
    let tail = (try? Data(contentsOf: url, options: .alwaysMapped)) ?? Data()
    let whole = tail.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    if whole != size { try cut(to: whole) }
  }

  deinit { close(file) }

  public func append(_ object: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var line = try encoder.encode(object)
    line.append(0x0A)
    try FileOperations.writeAll(line, file, url)
    length += line.count
  }

  /// Drops what was appended after `length`.
  public func rewind(to length: Int) throws {
    guard length <= self.length else {
      throw ModelFileError(
        "\(url.path) is shorter than its checkpoint says (\(self.length) bytes, not \(length)): "
          + "it was changed; remove the folder to begin again")
    }
    if length < self.length { try cut(to: length) }
  }

  private func cut(to length: Int) throws {
    guard ftruncate(file, off_t(length)) == 0, lseek(file, off_t(length), SEEK_SET) >= 0 else {
      throw failure("write", url)
    }
    self.length = length
  }

  /// Has all lines on the disk.
  public func flush() throws {
    guard fsync(file) == 0 else { throw failure("write", url) }
  }
}
