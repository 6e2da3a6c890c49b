import Foundation
import Testing

@testable import ModelFiles

// What the reference reader of safetensors refuses is refused here, and the few things that it lets
// pass against its own specification: names given twice, names with control characters, rank 9 and
// more.

@Suite("safetensors verdicts")
struct SafetensorsVerdictTests {
  private static func file(_ header: [UInt8], data: Int, length: UInt64? = nil) -> Data {
    var out = withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian) { Data($0) }
    out.append(contentsOf: header)
    out.append(Data(repeating: 1, count: data))
    return out
  }

  private static func open(_ data: Data) throws -> SafetensorsFile {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("lyceum-\(UUID().uuidString).safetensors")
    try data.write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try SafetensorsFile(url)
  }

  private static func tensor(_ shape: String, _ offsets: String, type: String = "F32") -> String {
    "{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }
  private static let a = tensor("[1]", "[0,4]")
  private static let b = tensor("[1]", "[4,8]")

  /// Name, header, bytes of data.
  static let accepted: [(String, String, Int)] = [
    ("one tensor", "{\"a\":\(a)}", 4), ("none", "{}", 0), ("spaces behind", "{\"a\":\(a)}   ", 4),
    ("spaces before", "  {\"a\":\(a)}", 4), ("names out of order", "{\"b\":\(b),\"a\":\(a)}", 8),
    ("scalar", "{\"a\":\(tensor("[]", "[0,4]"))}", 4),
    ("no values", "{\"a\":\(tensor("[0]", "[0,0]"))}", 0),
    ("composed and decomposed", "{\"\u{E9}\":\(a),\"e\u{301}\":\(b)}", 8),
    ("a path as a name", "{\"../../x\":\(a)}", 4),
    (
      "an unknown field",
      "{\"a\":{\"x\":1,\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4
    ),
    ("metadata null", "{\"__metadata__\":null,\"a\":\(a)}", 4),
    ("metadata", "{\"__metadata__\":{\"a\":\"b\"},\"a\":\(a)}", 4),
    ("rank 8", "{\"a\":\(tensor("[1,1,1,1,1,1,1,1]", "[0,4]"))}", 4),
    ("escapes", "{\"\\u0061\\ud83d\\ude00\":\(a)}", 4),
  ]

  static let refused: [(String, String, Int)] = [
    ("an open brace", "{", 0), ("a list", "[]", 0), ("a NUL behind", "{}\u{0}", 0),
    ("garbage behind", "{}x", 0), ("BOM", "\u{FEFF}{}", 0),
    ("half a surrogate", "{\"\\ud800\":\(a)}", 4), ("more data", "{\"a\":\(a)}", 5),
    ("less data", "{\"a\":\(a)}", 3),
    ("a hole", "{\"a\":\(a),\"b\":\(tensor("[1]", "[8,12]"))}", 12),
    ("a hole in front", "{\"a\":\(b)}", 8),
    ("overlap", "{\"a\":\(tensor("[2]", "[0,8]")),\"b\":\(b)}", 8),
    ("one place twice", "{\"a\":\(a),\"b\":\(a)}", 4),
    ("reversed", "{\"a\":\(tensor("[1]", "[4,0]"))}", 4),
    ("negative", "{\"a\":\(tensor("[1]", "[-4,0]"))}", 4),
    ("another size", "{\"a\":\(tensor("[2]", "[0,4]"))}", 4),
    ("wrapping", "{\"a\":\(tensor("[2,18446744073709551614]", "[0,4]"))}", 4),
    ("zero of too many", "{\"a\":\(tensor("[18446744073709551615,2,0]", "[0,0]"))}", 0),
    ("too many bytes", "{\"a\":\(tensor("[2305843009213693952]", "[0,4]", type: "F64"))}", 4),
    ("2^64", "{\"a\":\(tensor("[18446744073709551616]", "[0,4]"))}", 4),
    ("1.0", "{\"a\":\(tensor("[1.0]", "[0,4]"))}", 4),
    ("1e0", "{\"a\":\(tensor("[1e0]", "[0,4]"))}", 4),
    ("-0", "{\"a\":\(tensor("[1]", "[-0,4]"))}", 4),
    ("01", "{\"a\":\(tensor("[01]", "[0,4]"))}", 4),
    ("a text", "{\"a\":\(tensor("[\"1\"]", "[0,4]"))}", 4),
    ("an unknown type", "{\"a\":\(tensor("[1]", "[0,4]", type: "Q4"))}", 4),
    ("a small type", "{\"a\":\(tensor("[1]", "[0,4]", type: "f32"))}", 4),
    ("F4", "{\"a\":\(tensor("[3]", "[0,1]", type: "F4"))}", 1),
    ("no type", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4),
    ("one offset", "{\"a\":\(tensor("[1]", "[4]"))}", 4),
    ("three offsets", "{\"a\":\(tensor("[1]", "[0,4,8]"))}", 4),
    (
      "a field twice",
      "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4
    ),
    ("metadata twice", "{\"__metadata__\":{},\"__metadata__\":{},\"a\":\(a)}", 4),
    ("metadata of numbers", "{\"__metadata__\":{\"a\":1},\"a\":\(a)}", 4),
    ("metadata of objects", "{\"__metadata__\":{\"a\":{}},\"a\":\(a)}", 4),
    ("a name twice", "{\"a\":\(a),\"a\":\(a)}", 4),
    ("a name twice, two places", "{\"a\":\(a),\"a\":\(b)}", 8),
    ("a key of metadata twice", "{\"__metadata__\":{\"a\":\"b\",\"a\":\"b\"},\"a\":\(a)}", 4),
    ("zero of 2^64", "{\"a\":\(tensor("[0,18446744073709551615]", "[0,0]"))}", 0),
    (
      "rank 1000", "{\"a\":\(tensor("[" + String(repeating: "1,", count: 999) + "1]", "[0,4]"))}", 4
    ),
    ("NUL in a name", "{\"a\\u0000\":\(a)}", 4), ("no name", "{\"\":\(a)}", 4),
    ("a comma too many", "{\"a\":\(a),}", 4),
    ("a comma in a list", "{\"a\":\(tensor("[1,]", "[0,4]"))}", 4),
    ("deep", String(repeating: "[", count: 100_000), 0), ("a bare word", "{\"a\":nul}", 0),
  ]

  @Test(arguments: accepted.indices)
  func `the format's freedoms are kept`(at: Int) throws {
    let (name, header, data) = Self.accepted[at]
    let file = try Self.open(Self.file(Array(header.utf8), data: data))
    if name == "composed and decomposed" { #expect(file.names.count == 2) }
  }

  @Test(arguments: refused.indices)
  func `what it forbids is refused`(at: Int) {
    let (name, header, data) = Self.refused[at]
    #expect(throws: ModelFileError.self, "\(name)") {
      try Self.open(Self.file(Array(header.utf8), data: data))
    }
  }

  @Test func `bytes that are no UTF-8, and lengths that lie, are refused`() {
    let header = Array("{\"\u{E9}\":\(Self.a)}".utf8)
    #expect(throws: ModelFileError.self) {
      try Self.open(Self.file(header.filter { $0 != 0xC3 }, data: 4))
    }
    for length: UInt64 in [0, 1, 3, 100_000_001, 1 << 40, .max, .max - 7] {
      #expect(throws: ModelFileError.self) {
        try Self.open(Self.file(Array("{}".utf8), data: 0, length: length))
      }
    }
    for count in 0..<8 {
      #expect(throws: ModelFileError.self) { try Self.open(Data(repeating: 0, count: count)) }
    }
  }
}
