import Foundation
import TestSupport
import Testing

@testable import ModelFiles

// The 34 kinds of files that llama.cpp makes by hand to test its own reader, by its names, with a hundred
// random files of each kind; then what was used against readers of this format. The one verdict that
// differs from llama.cpp's: a dimension of zero is refused here.

@Suite("GGUF verdicts")
struct GGUFVerdictTests {
  enum Kind: String, CaseIterable, Sendable {
    case headerBadMagic, headerBadVersion0, headerBadVersion1, headerBadVersionFuture
    case headerBadTensorCount, headerBadKeyCount, headerEmpty
    case keyBadSize, keyEmpty, keyBadType, keyDuplicate, keyBadAlignment, keyWrongTypeAlignment
    case keySuccess
    case tensorBadNameSize, tensorBadRank, tensorBadShape, tensorZeroDimension, tensorTooManyValues
    case tensorTooManyBytes, tensorPadWrap, tensorBadType, tensorBadOffset, tensorDuplicateName
    case tensorBadAlignment, tensorInconsistentAlignment, tensorSuccess, tensorCustomAlignment
    case dataNotEnough, dataBadAlignment, dataInconsistentAlignment, dataSizeOverflow, dataSuccess
    case dataCustomAlignment

    var isGood: Bool {
      [
        .headerEmpty, .keySuccess, .tensorSuccess, .tensorCustomAlignment, .dataSuccess,
        .dataCustomAlignment,
      ].contains(self)
    }

    /// Whether a file of this kind has keys, tensors.
    var hasKeys: Bool { !rawValue.hasPrefix("header") }
    var hasTensors: Bool { rawValue.hasPrefix("tensor") || rawValue.hasPrefix("data") }
  }

  private static let folder: URL = {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("lyceum-verdicts-\(UUID().uuidString)")
    try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }()

  /// Opens the bytes as a file and reads all that it says it holds.
  private static func open(_ data: Data, _ name: String) throws {
    let url = folder.appendingPathComponent(name + ".gguf")
    try data.write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    let file = try GGUFFile(url)
    for tensor in file.tensors { _ = try file.floats(tensor.name) }
    for key in file.keys {
      _ = try? file.integer(key)
      _ = try? file.strings(key)
      _ = try? file.integers(key)
      _ = try? file.floats(ofKey: key)
    }
  }

  private static func key(_ random: inout TestRandom) -> GGUFBuilder.Value {
    switch Int.random(in: 0..<9, using: &random) {
    case 0: .uint32(.random(in: 0...(.max), using: &random))
    case 1: .int32(.random(in: .min...(.max), using: &random))
    case 2: .float(.random(in: -9...9, using: &random))
    case 3: .bool(.random(in: 0...1, using: &random))
    case 4: .string(String(repeating: "ä", count: .random(in: 0...30, using: &random)))
    case 5: .strings((0..<Int.random(in: 0...16, using: &random)).map { "w\($0)" })
    case 6: .floats((0..<Int.random(in: 0...16, using: &random)).map { Float($0) })
    case 7: .raw(10, GGUFBuilder.bytes(UInt64.random(in: 0...(.max), using: &random)))
    default: .raw(12, GGUFBuilder.bytes(Double.random(in: -9...9, using: &random).bitPattern))
    }
  }

  private static func random(_ kind: Kind, _ random: inout TestRandom) -> GGUFBuilder {
    var file = GGUFBuilder()
    if kind.hasKeys {
      for i in 0..<Int.random(in: 2...20, using: &random) {
        file.keys.append(("my_key_\(i)", key(&random)))
      }
    }
    guard kind.hasTensors else { return file }
    for i in 0..<Int.random(in: 2...12, using: &random) {
      let type = WeightType.allCases.randomElement(using: &random) ?? .f32
      var dimensions = [UInt64.random(in: 1...4, using: &random) * UInt64(type.blockCount)]
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        dimensions.append(.random(in: 1...5, using: &random))
      }
      let blocks = dimensions.reduce(1, *) / UInt64(type.blockCount)
      file.tensors.append(
        (
          "my_tensor_\(i)", dimensions, type.rawValue,
          (0..<Int(blocks) * type.blockBytes).map { UInt8(truncatingIfNeeded: $0) }
        ))
    }
    return file
  }

  /// A random file with the fault of its kind.
  static func file(_ kind: Kind, _ random: inout TestRandom) -> Data {
    var file = Self.random(kind, &random)
    let last = file.tensors.count - 1
    // What a wrong alignment would shift: a first tensor whose bytes are no multiple of 32.
    func makeOdd() { file.tensors[0] = ("odd", [3], 0, Array(repeating: 1, count: 12)) }
    switch kind {
    case .headerBadMagic: file.magic = Array("FUGG".utf8)
    case .headerBadVersion0: file.version = 0
    case .headerBadVersion1: file.version = 1
    case .headerBadVersionFuture: file.version = 4
    case .headerBadTensorCount: file.tensorCount = .max
    case .headerBadKeyCount: file.keyCount = .max
    case .headerEmpty, .keySuccess, .tensorSuccess, .dataSuccess: break
    case .keyBadSize: return Self.spoiled(file, "my_key_0", GGUFBuilder.bytes(UInt64.max))
    case .keyEmpty: file.keys[1].0 = ""
    case .keyBadType: file.keys[1].1 = .raw(13, [0])
    case .keyDuplicate: file.keys[1].0 = file.keys[0].0
    case .keyBadAlignment, .tensorBadAlignment, .dataBadAlignment:
      file.keys.append(("general.alignment", .uint32(13)))
    case .keyWrongTypeAlignment: file.keys.append(("general.alignment", .int32(32)))
    case .tensorBadNameSize:
      return Self.spoiled(file, "my_tensor_0", GGUFBuilder.bytes(UInt64(1) << 40))
    case .tensorBadRank: file.tensors[last].dimensions = [1, 1, 1, 1, 1]
    case .tensorBadShape: file.tensors[last].dimensions[0] = .max
    case .tensorZeroDimension: file.tensors[last].dimensions[0] = 0
    case .tensorTooManyValues: file.tensors[last].dimensions = [1 << 32, 1 << 32]
    case .tensorTooManyBytes: file.tensors[last].dimensions = [1 << 62]
    case .tensorPadWrap:
      file.tensors[last] = ("wrap", [4, 1_073_741_823, 1_073_741_825], 0, [])
    case .tensorBadType: file.tensors[last].type = .random(in: 40...(.max), using: &random)
    case .tensorBadOffset: file.offsets[last] = .random(in: 1...(.max), using: &random) | 1
    case .tensorDuplicateName: file.tensors[last].name = file.tensors[0].name
    case .tensorInconsistentAlignment, .dataInconsistentAlignment:
      makeOdd()
      file.alignment = 1
    case .tensorCustomAlignment, .dataCustomAlignment:
      makeOdd()
      file.alignment = 1
      file.keys.append(("general.alignment", .uint32(1)))
    case .dataNotEnough: return file.build().dropLast(Int.random(in: 1...2, using: &random))
    case .dataSizeOverflow:
      for i in 0...1 { file.tensors[i] = ("huge\(i)", [0x7FFF_FFFF_FFFF_FFC0], 0, []) }
      file.offsets[1] = 0xFFFF_FFFF_FFFF_FF00
    }
    return file.build()
  }

  /// The file with the eight bytes before the first `name`, its length, replaced.
  private static func spoiled(_ file: GGUFBuilder, _ name: String, _ length: [UInt8]) -> Data {
    var data = file.build()
    guard let range = data.range(of: Data(name.utf8)) else { return Data() }
    data.replaceSubrange(range.lowerBound - 8..<range.lowerBound, with: length)
    return data
  }

  @Test(arguments: Kind.allCases)
  func `a hundred random files of each kind get the verdict of the kind`(kind: Kind) throws {
    var random = TestRandom(seed: UInt64(Kind.allCases.firstIndex(of: kind) ?? 0) + 1)
    for index in 0..<100 {
      let data = Self.file(kind, &random)
      if kind.isGood {
        #expect(throws: Never.self, "\(kind) \(index)") { try Self.open(data, "\(kind)") }
      } else {
        let error = #expect(throws: ModelFileError.self, "\(kind) \(index)") {
          try Self.open(data, "\(kind)")
        }
        #expect((error?.description.count ?? 0) < 700)
      }
    }
  }

  /// What was used against readers of this format, or could have been.
  static let attacks: [(name: String, change: @Sendable (inout GGUFBuilder) -> Void)] = [
    // CVE-2024-21825, -23496, -23605: counts that overflow an allocation.
    ("2^40 keys", { $0.keyCount = 1 << 40 }), ("2^40 tensors", { $0.tensorCount = 1 << 40 }),
    ("2^61 keys", { $0.keyCount = 1 << 61 }),
    // CVE-2024-21836: a length whose sum with one is zero.
    ("a text of 2^64 - 1", { $0.keys.append(("t", .raw(8, GGUFBuilder.bytes(UInt64.max)))) }),
    (
      "a list of 2^61 numbers",
      {
        $0.keys.append(
          ("l", .raw(9, GGUFBuilder.bytes(UInt32(10)) + GGUFBuilder.bytes(UInt64(1) << 61))))
      }
    ),
    (
      "a list of 2^60 texts",
      {
        $0.keys.append(
          ("l", .raw(9, GGUFBuilder.bytes(UInt32(8)) + GGUFBuilder.bytes(UInt64(1) << 60))))
      }
    ),
    // CVE-2024-21802: a name that is longer than its place.
    ("a name of 256 bytes", { $0.tensors[0].name = String(repeating: "n", count: 256) }),
    // CVE-2025-53630, -2026-27940: sums of sizes that wrap.
    (
      "a sum that wraps",
      {
        for i in 0...1 { $0.tensors[i].dimensions = [1 << 47, 2] }
        $0.offsets[1] = 1 << 50
      }
    ),
    ("an offset near the end of numbers", { $0.offsets[1] = .max - 31 }),
    ("an alignment of 2^31", { $0.keys.append(("general.alignment", .uint32(1 << 31))) }),
    ("an alignment of 0", { $0.keys.append(("general.alignment", .uint32(0))) }),
    // gguf-py: lists in lists, deeper than a stack.
    (
      "lists 100,000 deep",
      {
        let level = GGUFBuilder.bytes(UInt32(9)) + GGUFBuilder.bytes(UInt64(1))
        $0.keys.append(("d", .raw(9, Array((0..<100_000).map { _ in level }.joined()))))
      }
    ),
    // CVE-2026-7482: a tensor that is declared larger than the file.
    ("a tensor beyond the end", { $0.tensors[1].dimensions = [1 << 20] }),
    ("a rank of 2^32 - 1", { $0.tensors[0].dimensions = Array(repeating: 1, count: 9) }),
  ]

  @Test(arguments: attacks.indices)
  func `what was used against readers is refused`(at: Int) throws {
    var file = GGUFBuilder()
    file.keys = [("a", .uint32(1))]
    file.add("first", [2, 3], [1, 2, 3, 4, 5, 6])
    file.add("second", [4], [1, 2, 3, 4])
    Self.attacks[at].change(&file)
    let error = #expect(throws: ModelFileError.self, "\(Self.attacks[at].name)") {
      try Self.open(file.build(), "attack\(at)")
    }
    #expect((error?.description.count ?? 0) < 900)
  }
}
