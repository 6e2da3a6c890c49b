import Foundation
import Synchronization
import Testing

@testable import ModelFiles

private func folder() throws -> URL {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("lyceum-files-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  return url
}

/// Stops after a number of operations, as a power cut would.
private final class Cut: Sendable {
  struct Off: Error {}
  private let left: Mutex<Int>
  init(after count: Int) { left = Mutex(count) }
  var operations: FileOperations {
    FileOperations { _, _ in
      try self.left.withLock {
        guard $0 > 0 else { throw Off() }
        $0 -= 1
      }
    }
  }
}

private func save(_ store: CheckpointStore, _ step: Int, _ text: String) throws {
  try store.save(
    step: step,
    files: [
      ("a.bin", { try Data(text.utf8).write(to: $0) }),
      ("b.bin", { try Data("b".utf8).write(to: $0) }),
    ])
}

private func text(_ checkpoint: Checkpoint?) throws -> String? {
  try checkpoint.map { String(decoding: try $0.data("a.bin"), as: UTF8.self) }
}

@Suite("Checkpoints")
struct CheckpointTests {
  @Test(
    "a cut after any operation leaves the old or the new checkpoint whole",
    arguments: [false, true])
  func cuts(sameStep: Bool) throws {
    var finished = false
    for count in 0..<60 where !finished {
      let url = try folder()
      try save(CheckpointStore(url), 5, "old")
      let next = sameStep ? 5 : 6
      do {
        try save(CheckpointStore(url, keep: 2, files: Cut(after: count).operations), next, "new")
        finished = true
      } catch is Cut.Off {
        // The machine comes back.
      }
      let store = CheckpointStore(url)
      let found = try text(store.latest())
      #expect(found == "old" || found == "new", "after \(count) operations: \(found ?? "nothing")")
      if finished { #expect(found == "new" && count > 5) }
      // And it goes on from there.
      try save(store, 7, "later")
      #expect(try text(CheckpointStore(url).latest()) == "later")
    }
    #expect(finished)
  }

  @Test("flipped bytes, missing files and torn manifests go back to the checkpoint before")
  func damage() throws {
    for harm in ["a.bin", "b.bin", "manifest.json", "missing"] {
      let url = try folder()
      try save(CheckpointStore(url), 1, "first")
      try save(CheckpointStore(url), 2, "second")
      let place = url.appendingPathComponent("step-2")
      if harm == "missing" {
        try FileManager.default.removeItem(at: place.appendingPathComponent("b.bin"))
      } else {
        let file = place.appendingPathComponent(harm)
        var data = try Data(contentsOf: file)
        data[0] ^= 1
        try data.write(to: file)
      }
      let store = CheckpointStore(url)
      #expect(try text(store.latest()) == "first", "\(harm)")
      #expect(store.warnings.contains { $0.contains("step-2") })
    }
  }

  @Test("a newer format, and a folder with nothing whole, are said in a sentence")
  func refusals() throws {
    let url = try folder()
    try save(CheckpointStore(url), 1, "x")
    let manifest = url.appendingPathComponent("step-1/manifest.json")
    let json = try String(contentsOf: manifest, encoding: .utf8)
    try json.replacingOccurrences(of: "\"format\" : 1", with: "\"format\" : 2")
      .write(to: manifest, atomically: true, encoding: .utf8)
    let newer = #expect(throws: ModelFileError.self) { try CheckpointStore(url).latest() }
    #expect(newer?.description.contains("newer version") == true)
    try Data("{".utf8).write(to: manifest)
    let torn = #expect(throws: ModelFileError.self) { try CheckpointStore(url).latest() }
    #expect(torn?.description.contains("none of the checkpoints") == true)
    #expect(try CheckpointStore(folder()).latest() == nil)
  }

  @Test("only the newest are kept")
  func keeps() throws {
    let url = try folder()
    let store = CheckpointStore(url, keep: 2)
    for step in 1...5 { try save(store, step, "\(step)") }
    let names = try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
    #expect(names == ["step-4", "step-5"])
  }
}

@Suite("Run folders")
struct RunFolderTests {
  @Test("a folder is held by one at a time, and let go")
  func lock() throws {
    let url = try folder()
    do {
      let held = try RunFolder(url, create: true)
      let error = #expect(throws: ModelFileError.self) { try RunFolder(url, create: true) }
      #expect(error?.description.contains("in use") == true)
      withExtendedLifetime(held) {}
    }
    _ = try RunFolder(url, create: true)
  }

  @Test("another recipe is refused by the names of what differs; the same is not")
  func recipes() throws {
    let url = try folder()
    do { try RunFolder(url, create: true).bindRecipe(["steps": 3, "rows": 2]) }
    do { try RunFolder(url, create: true).bindRecipe(["steps": 3, "rows": 2]) }
    let error = #expect(throws: ModelFileError.self) {
      try RunFolder(url, create: true).bindRecipe(["steps": 4, "rows": 2])
    }
    #expect(error?.description.contains("steps is 3 there and 4 now") == true)
    try Data("{\"reci".utf8).write(to: url.appendingPathComponent("recipe.json"))
    let torn = #expect(throws: ModelFileError.self) {
      try RunFolder(url, create: true).bindRecipe(["steps": 3])
    }
    #expect(torn?.description.contains("torn") == true)
  }

  @Test("a log is cut back to what a checkpoint knew")
  func logs() throws {
    let run = try RunFolder(folder(), create: true)
    let log = try run.log("log.jsonl")
    try log.append(["a": 1])
    try log.flush()
    let known = log.length
    try log.append(["a": 2])
    try log.flush()
    try log.rewind(to: known)
    try log.append(["a": 3])
    try log.flush()
    let text = try String(contentsOf: run.url.appendingPathComponent("log.jsonl"), encoding: .utf8)
    #expect(text == "{\"a\":1}\n{\"a\":3}\n")
  }

  @Test("a failed write is one sentence, and the old file stays")
  func atomic() throws {
    let url = try folder().appendingPathComponent("x.json")
    try FileOperations.system.writeAtomically(Data("old".utf8), to: url)
    for count in 0..<3 {
      #expect(throws: Cut.Off.self) {
        try Cut(after: count).operations.writeAtomically(Data("new".utf8), to: url)
      }
      let found = String(decoding: try Data(contentsOf: url), as: UTF8.self)
      #expect(found == (count < 2 ? "old" : "new"))
    }
    let error = #expect(throws: ModelFileError.self) {
      try FileOperations.system.write(Data("x".utf8), to: URL(fileURLWithPath: "/dev/full"))
    }
    #expect(error?.description.contains("disk is full") == true)
  }
}
