import Foundation
import TestSupport
import Testing

@testable import ModelFiles

@Suite("GGUF")
struct GGUFTests {
  private static func write(_ data: Data) throws -> URL {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("lyceum-\(UUID().uuidString).gguf")
    try data.write(to: url)
    return url
  }

  static func good() -> GGUFBuilder {
    var file = GGUFBuilder()
    file.keys = [
      ("general.architecture", .string("llama")), ("a.count", .uint32(7)), ("a.less", .int32(-3)),
      ("a.rate", .float(0.5)), ("a.flag", .bool(1)), ("a.words", .strings(["ab", "", "ç"])),
      ("a.scores", .floats([1, -2.5])),
    ]
    file.add("first", [2, 3], [1, 2, 3, 4, 5, 6])
    file.add("second", [5], [1, -1, .infinity, 1e-30, 0])
    file.tensors.append(("third", [32], 8, [0, 0x3C] + (0..<32).map { UInt8($0) }))
    return file
  }

  private func refused(_ change: (inout GGUFBuilder) -> Void) throws -> String {
    var file = Self.good()
    change(&file)
    let url = try Self.write(file.build())
    defer { try? FileManager.default.removeItem(at: url) }
    let error = #expect(throws: ModelFileError.self) { try GGUFFile(url) }
    let text = error?.description ?? ""
    #expect(text.contains(url.path) && text.count < 600)
    return text
  }

  @Test("keys and tensors are read as written, in versions 2 and 3")
  func reads() throws {
    for version: UInt32 in [2, 3] {
      var builder = Self.good()
      builder.version = version
      let file = try GGUFFile(Self.write(builder.build()))
      #expect(file.version == Int(version) && file.keys.count == 7)
      #expect(try file.integer("a.count") == 7 && file.integer("a.less") == -3)
      #expect(try file.number("a.rate") == 0.5 && file.bool("a.flag") == true)
      #expect(try file.strings("a.words") == ["ab", "", "ç"])
      #expect(try file.floats(ofKey: "a.scores") == [1, -2.5])
      #expect(try file.integer("absent") == nil)
      #expect(throws: ModelFileError.self) { try file.integer("a.flag") }
      #expect(throws: ModelFileError.self) { try file.string("a.count") }
      #expect(throws: ModelFileError.self) { try file.integers("a.words") }
      #expect(file.tensor("first")?.shape == [2, 3] && file.tensor("second")?.shape == [5])
      #expect(try file.floats("first") == [1, 2, 3, 4, 5, 6])
      #expect(try file.floats("third") == (0..<32).map { Float($0) })
      #expect(GGUFFile.isOne(file.url))
    }
  }

  @Test("what a header, key, tensor or its data must not be is refused by name")
  func refuses() throws {
    #expect(try refused { $0.magic = Array("GGML".utf8) }.contains("GGUF"))
    for version: UInt32 in [0, 1, 4] {
      #expect(try refused { $0.version = version }.contains("version \(version)"))
    }
    #expect(try refused { $0.version = UInt32(3).byteSwapped }.contains("big-endian"))
    for count: UInt64 in [1 << 40, .max] {
      #expect(try refused { $0.keyCount = count }.contains("\(count) keys"))
      #expect(try refused { $0.tensorCount = count }.contains("\(count) tensors"))
    }
    #expect(try refused { $0.keys.append(("a.count", .uint32(1))) }.contains("a.count"))
    #expect(try refused { $0.keys.append(("", .uint32(1))) }.contains("no name"))
    #expect(try refused { $0.keys.append(("odd", .raw(13, []))) }.contains("\"odd\""))
    #expect(try refused { $0.keys.append(("odd", .bool(2))) }.contains("\"odd\""))
    let nested = GGUFBuilder.bytes(UInt32(9)) + GGUFBuilder.bytes(UInt64(1))
    #expect(try refused { $0.keys.append(("deep", .raw(9, nested))) }.contains("\"deep\""))
    for kind: UInt32 in [4, 8, 11] {
      let lie = GGUFBuilder.bytes(kind) + GGUFBuilder.bytes(UInt64.max / 4)
      _ = try refused { $0.keys.append(("long", .raw(9, lie))) }
    }
    _ = try refused { $0.keys.append(("long", .raw(8, GGUFBuilder.bytes(UInt64.max)))) }
    _ = try refused {
      $0.keys.append(("text", .raw(8, GGUFBuilder.bytes(UInt64(1)) + [0xFF])))
    }
    for alignment: GGUFBuilder.Value in [
      .uint32(0), .uint32(24), .uint32(1 << 31), .int32(32), .string("32"),
    ] {
      #expect(
        try refused { $0.keys.append(("general.alignment", alignment)) }.contains("alignment"))
    }
    #expect(try refused { $0.tensors[1].name = "first" }.contains("\"first\""))
    #expect(try refused { $0.tensors[1].name = "" }.contains("tensor 1"))
    #expect(
      try refused { $0.tensors[1].name = String(repeating: "x", count: 300) }.contains("300"))
    for dimensions: [UInt64] in [
      [], [1, 1, 1, 1, 1], [0], [.max], [1 << 32, 1 << 32], [1 << 63, 2], [9],
    ] {
      #expect(try refused { $0.tensors[1].dimensions = dimensions } != "")
    }
    #expect(try refused { $0.tensors[0].type = 99 }.contains("number 99"))
    #expect(try refused { $0.tensors[0].type = 16 }.contains("IQ2_XXS"))
    #expect(try refused { $0.tensors[0].type = 8 }.contains("rows of 3"))
    #expect(try refused { $0.offsets[1] = 0 }.contains("\"second\""))
    #expect(try refused { $0.offsets[1] = .max }.contains("\"second\""))
    #expect(try refused { $0.offsets[0] = 32 }.contains("\"first\""))
    #expect(try refused { $0.tensors[2].data.removeLast() }.contains("\"third\""))
  }

  @Test("every prefix is refused with a sentence, but for lost padding")
  func prefixes() throws {
    let whole = Self.good().build()
    for length in 0..<whole.count {
      let url = try Self.write(whole.prefix(length))
      #expect(throws: ModelFileError.self, "\(length)") { try GGUFFile(url) }
      try FileManager.default.removeItem(at: url)
    }
  }

  @Test("changed bytes give an error or a file whose every tensor can be read")
  func mutations() throws {
    let whole = [UInt8](Self.good().build())
    var random = TestRandom(seed: 11)
    let url = try Self.write(Data())
    var accepted = 0
    for _ in 0..<4_000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        bytes[at] =
          [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)]
          .randomElement(using: &random) ?? 0
      }
      try Data(bytes).write(to: url)
      do {
        let file = try GGUFFile(url)
        accepted += 1
        for tensor in file.tensors { _ = try file.floats(tensor.name) }
        for key in file.keys {
          _ = try? file.integer(key)
          _ = try? file.strings(key)
          _ = try? file.integers(key)
          _ = try? file.floats(ofKey: key)
        }
      } catch is ModelFileError {
      }
    }
    #expect(accepted > 100 && accepted < 4_000)
  }

  @Test("2^17 distinct keys are read quickly")
  func manyKeys() throws {
    var file = GGUFBuilder()
    file.keys = (0..<1 << 17).map { ("k\($0)", .bool(1)) }
    let url = try Self.write(file.build())
    let start = ContinuousClock.now
    #expect(try GGUFFile(url).keys.count == 1 << 17)
    #expect(ContinuousClock.now - start < .seconds(2))
  }
}
