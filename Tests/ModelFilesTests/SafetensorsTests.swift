import Foundation
import Testing

@testable import ModelFiles

@Suite("safetensors")
struct SafetensorsTests {
  private func file(_ header: String, data: Int = 0, length: UInt64? = nil) throws -> URL {
    var bytes = Data()
    var size = (length ?? UInt64(header.utf8.count)).littleEndian
    bytes.append(Data(bytes: &size, count: 8))
    bytes.append(Data(header.utf8))
    bytes.append(Data(repeating: 1, count: data))
    return try write(bytes)
  }

  private func write(_ data: Data) throws -> URL {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("lyceum-\(UUID().uuidString).bin")
    try data.write(to: url)
    return url
  }

  private static func tensor(_ shape: String, _ offsets: String, type: String = "F32") -> String {
    "{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  static let good: [(String, Int)] = [
    ("{}", 0), ("{\"a\":\(tensor("[2]", "[0,8]"))}   ", 8), ("{\"a\":\(tensor("[]", "[0,4]"))}", 4),
    ("{\"a\":\(tensor("[0]", "[0,0]"))}", 0),
    ("{\"b\":\(tensor("[1]", "[4,8]")),\"a\":\(tensor("[1]", "[0,4]"))}", 8),
    ("{\"__metadata__\":{\"format\":\"pt\"},\"../../x\":\(tensor("[1]", "[0,4]"))}", 4),
  ]

  static let bad: [(String, Int)] = [
    ("{", 0), ("[]", 0), ("{}x", 0), ("{\"a\":3}", 0), ("{\"a\":{}}", 0),
    ("{\"a\":\(tensor("[2]", "[0,8]"))}", 7), ("{\"a\":\(tensor("[2]", "[0,8]"))}", 9),
    ("{\"a\":\(tensor("[1]", "[4,8]"))}", 8),
    ("{\"a\":\(tensor("[1]", "[0,4]")),\"b\":\(tensor("[1]", "[8,12]"))}", 12),
    ("{\"a\":\(tensor("[2]", "[0,8]")),\"b\":\(tensor("[2]", "[4,12]"))}", 12),
    ("{\"a\":\(tensor("[1]", "[0,4]")),\"b\":\(tensor("[1]", "[0,4]"))}", 4),
    ("{\"a\":\(tensor("[1]", "[4,0]"))}", 4), ("{\"a\":\(tensor("[1]", "[-4,0]"))}", 4),
    ("{\"a\":\(tensor("[3]", "[0,8]"))}", 8),
    ("{\"a\":\(tensor("[2,9223372036854775807]", "[0,8]"))}", 8),
    ("{\"a\":\(tensor("[2305843009213693952]", "[0,8]", type: "F64"))}", 8),
    ("{\"a\":\(tensor("[18446744073709551616]", "[0,8]"))}", 8),
    ("{\"a\":\(tensor("[-1]", "[0,4]"))}", 4), ("{\"a\":\(tensor("[1.5]", "[0,4]"))}", 4),
    ("{\"a\":\(tensor("[\"1\"]", "[0,4]"))}", 4),
    ("{\"a\":\(tensor("[1]", "[0,4]", type: "f32"))}", 4),
    ("{\"a\":\(tensor("[1]", "[0,4]", type: "Q9"))}", 4), ("{\"a\":\(tensor("[1]", "[0]"))}", 4),
    ("{\"a\":\(tensor("[1]", "[0,4,8]"))}", 8), ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4),
  ]

  @Test("what the format allows is read", arguments: good.indices)
  func accepts(at: Int) throws {
    let (header, data) = Self.good[at]
    _ = try SafetensorsFile(file(header, data: data))
  }

  @Test("what it forbids is refused in a sentence", arguments: bad.indices)
  func refuses(at: Int) throws {
    let (header, data) = Self.bad[at]
    let url = try file(header, data: data)
    let error = #expect(throws: ModelFileError.self) { try SafetensorsFile(url) }
    #expect(error?.description.contains(url.path) == true)
  }

  @Test("a header length that lies asks for no memory")
  func lengths() throws {
    for length: UInt64 in [0, 1, 3, 100_000_001, 1 << 40, .max, .max - 7] {
      let url = try file("{}", length: length)
      #expect(throws: ModelFileError.self) { try SafetensorsFile(url) }
    }
    for count in 0..<8 {
      let url = try write(Data(repeating: 0, count: count))
      #expect(throws: ModelFileError.self) { try SafetensorsFile(url) }
    }
  }

  @Test("every prefix of a good file is refused, and what was written is read back")
  func prefixes() throws {
    let values: [Float] = [1, -2.5, .infinity, 1e-30, 0, 7]
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("lyceum-\(UUID().uuidString).bin")
    try values.withUnsafeBufferPointer {
      try writeSafetensors(
        [("b", [2, 3], $0), ("a", [6], $0)], metadata: ["format": "pt"], to: url)
    }
    let file = try SafetensorsFile(url)
    #expect(file.names == ["a", "b"] && file.shape("b") == [2, 3])
    #expect(try file.floats("b") == values && file.floats("a") == values)
    #expect(file.metadata == ["format": "pt"])
    #expect(throws: ModelFileError.self) { try file.floats("c") }
    let whole = try Data(contentsOf: url)
    for length in 0..<whole.count {
      let part = try write(whole.prefix(length))
      #expect(throws: ModelFileError.self) { try SafetensorsFile(part) }
    }
  }

  @Test("halves are exact")
  func halves() {
    #expect(halfToFloat(0x3C00) == 1 && halfToFloat(0xC000) == -2 && halfToFloat(0x7BFF) == 65504)
    #expect(halfToFloat(0x0001) == 0x1p-24 && halfToFloat(0x7C00) == .infinity)
    #expect(halfToFloat(0x7E00).isNaN && halfToFloat(0x8000).sign == .minus)
  }
}
