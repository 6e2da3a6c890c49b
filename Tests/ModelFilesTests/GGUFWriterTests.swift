import Foundation
import TestSupport
import Testing

@testable import ModelFiles

@Suite struct GGUFWriterTests {
  private static var place: URL {
    FileManager.default.temporaryDirectory
      .appendingPathComponent("lyceum-\(UUID().uuidString).gguf")
  }

  @Test("what is written is read, keys and tensors of every size")
  func roundTrip() throws {
    let url = Self.place
    defer { try? FileManager.default.removeItem(at: url) }
    try writeGGUF(
      metadata: [
        ("general.architecture", .string("llama")), ("general.alignment", .uint32(64)),
        ("a.rate", .float32(0.5)), ("a.flag", .bool(true)), ("a.words", .strings(["ab", "", "ç"])),
        ("a.ids", .int32s([-3, 7])), ("a.scores", .float32s([1, -2.5])),
      ],
      tensors: [
        GGUFOutput(name: "first", shape: [2, 3], values: [1, 2, 3, 4, 5, 6]),
        GGUFOutput(name: "second", shape: [1, 32], type: .q8_0) { bytes in
          bytes.copyBytes(from: [0, 0x3C] + (0..<32).map { UInt8($0) })
        },
        GGUFOutput(name: "third", shape: [1], values: [7]),
      ], to: url)
    let file = try GGUFFile(url)
    #expect(file.version == 3 && file.keys.count == 6)
    #expect(try file.string("general.architecture") == "llama")
    #expect(try file.number("a.rate") == 0.5 && file.bool("a.flag") == true)
    #expect(try file.strings("a.words") == ["ab", "", "ç"])
    #expect(try file.integers("a.ids") == [-3, 7])
    #expect(try file.floats(ofKey: "a.scores") == [1, -2.5])
    #expect(file.tensor("first")?.shape == [2, 3])
    #expect(try file.floats("first") == [1, 2, 3, 4, 5, 6] && file.floats("third") == [7])
    #expect(try file.floats("second") == (0..<32).map { Float($0) })
    #expect(file.entry("a.words") == .strings(["ab", "", "ç"]))
    #expect(file.entry("general.architecture") == .string("llama") && file.entry("none") == nil)
  }

  @Test("a tensor that does not fit its type is refused, and a failure leaves no file")
  func refuses() throws {
    let url = Self.place
    #expect(throws: ModelFileError.self) {
      try writeGGUF(
        metadata: [], tensors: [GGUFOutput(name: "t", shape: [2, 33], type: .q4_0) { _ in }],
        to: url)
    }
    #expect(throws: ModelFileError.self) {
      try writeGGUF(
        metadata: [],
        tensors: [
          GGUFOutput(name: "t", shape: [1], type: .f32) { _ in throw ModelFileError("no") }
        ], to: url)
    }
    #expect(!FileManager.default.fileExists(atPath: url.path))
    #expect(!FileManager.default.fileExists(atPath: url.path + ".tmp"))
  }
}
