import Foundation

/// Checkpoints of a run: folders `step-N`, each whole or absent.
///
/// A checkpoint is written as `step-N.tmp`, synchronised, given a manifest with the size and CRC-32C
/// of every file, and renamed. The newest that its manifest confirms counts.
public final class CheckpointStore {
  public let folder: URL
  /// What was found wrong, in sentences.
  public private(set) var warnings: [String] = []
  private let keep: Int
  private let files: FileOperations

  /// - Parameter keep: how many of the newest to keep.
  public convenience init(_ folder: URL, keep: Int = 2) {
    self.init(folder, keep: keep, files: .system)
  }

  init(_ folder: URL, keep: Int, files: FileOperations) {
    (self.folder, self.keep, self.files) = (folder, max(1, keep), files)
  }

  struct Manifest: Codable {
    struct File: Codable {
      var bytes: Int
      var crc32c: UInt32
    }
    var format = 1
    var step: Int
    var files: [String: File]
  }

  /// Writes a checkpoint from files that `write` makes at the place they are given.
  public func save(step: Int, files contents: [(name: String, write: (URL) throws -> Void)]) throws
  {
    try files.makeFolder(folder)
    let aside = folder.appendingPathComponent("step-\(step).tmp")
    let place = folder.appendingPathComponent("step-\(step)")
    if exists(aside) { try files.remove(aside) }
    try files.makeFolder(aside)
    var manifest = Manifest(step: step, files: [:])
    for (name, write) in contents {
      let url = aside.appendingPathComponent(name)
      try files.intercept("write", url.path)
      do {
        try write(url)
      } catch let error as CocoaError {
        throw ModelFileError("cannot write \(url.path): \(error.localizedDescription)")
      }
      try files.synchronise(url)
      manifest.files[name] = try Self.measure(url)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try files.write(
      try encoder.encode(manifest), to: aside.appendingPathComponent("manifest.json"))
    try files.synchronise(aside)
    let replaced = folder.appendingPathComponent("step-\(step).old")
    // The same step again, after a run that went back: until the new one has its name, the old one
    // can be restored.
    if exists(place) { try files.move(place, replaced) }
    try files.move(aside, place)
    if exists(replaced) { try files.remove(replaced) }
    try files.synchronise(folder)
    for old in steps().dropLast(keep) {
      try files.remove(folder.appendingPathComponent("step-\(old)"))
    }
  }

  /// The newest checkpoint that is whole; nil where there is none at all.
  ///
  /// - Throws: where there are checkpoints and none is whole, or one is of a newer format.
  public func latest() throws -> Checkpoint? {
    try restoreReplaced()
    let steps = steps()
    for step in steps.reversed() {
      let url = folder.appendingPathComponent("step-\(step)")
      do {
        return try Self.verify(url, step: step)
      } catch let error as NewerFormat {
        throw ModelFileError(error.sentence)
      } catch {
        warnings.append("\(url.path) is damaged (\(error)); going back to the one before")
      }
    }
    guard steps.isEmpty else {
      throw ModelFileError(
        "none of the checkpoints in \(folder.path) is whole; remove the folder to begin again")
    }
    return nil
  }

  /// Finishes a replacement that was cut short between its two renames.
  private func restoreReplaced() throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasPrefix("step-") && name.hasSuffix(".old") {
      let old = folder.appendingPathComponent(name)
      let place = folder.appendingPathComponent(String(name.dropLast(4)))
      if exists(place) { try files.remove(old) } else { try files.move(old, place) }
    }
  }

  private struct NewerFormat: Error {
    let sentence: String
  }

  private static func verify(_ url: URL, step: Int) throws -> Checkpoint {
    let data = try Data(contentsOf: url.appendingPathComponent("manifest.json"))
    let manifest = try JSONDecoder().decode(Manifest.self, from: data)
    guard manifest.format == 1 else {
      throw NewerFormat(
        sentence: "\(url.path) was written by a newer version (format \(manifest.format)): "
          + "use that version, or begin a new run")
    }
    guard manifest.step == step else {
      throw ModelFileError("its manifest is of step \(manifest.step)")
    }
    for (name, expected) in manifest.files {
      let found = try measure(url.appendingPathComponent(name))
      guard found.bytes == expected.bytes, found.crc32c == expected.crc32c else {
        throw ModelFileError("\(name) is not as it was written")
      }
    }
    return Checkpoint(step: step, url: url, names: Set(manifest.files.keys))
  }

  private static func measure(_ url: URL) throws -> Manifest.File {
    let data = try Data(contentsOf: url, options: .alwaysMapped)
    return Manifest.File(bytes: data.count, crc32c: data.withUnsafeBytes { CRC32C.of($0) })
  }

  /// Steps that have a folder, ascending.
  private func steps() -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.compactMap { $0.hasPrefix("step-") ? Int($0.dropFirst(5)) : nil }.sorted()
  }

  /// The step of the newest checkpoint, whole or not; 0 without one.
  public var newestStep: Int { steps().last ?? 0 }

  private func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }
}

/// A checkpoint that was verified.
public struct Checkpoint: Sendable {
  public let step: Int
  public let url: URL
  let names: Set<String>

  public func file(_ name: String) throws -> URL {
    guard names.contains(name) else {
      throw ModelFileError("the checkpoint \(url.path) has no \(name)")
    }
    return url.appendingPathComponent(name)
  }

  public func data(_ name: String) throws -> Data { try Data(contentsOf: file(name)) }
}
