import Foundation

// safetensors: eight bytes with the length of a JSON header, the header with the type, shape and place
// of every tensor, then the values. Files are hostile until proven otherwise.

/// A safetensors file, mapped into memory and checked as a whole before anything is read from it.
public struct SafetensorsFile: Sendable {
  public let metadata: [String: String]
  private let file: MappedFile
  private let entries: [ByteName: Entry]

  private struct Entry {
    let type: String
    let shape: [Int]
    let range: Range<Int>
  }

  private var url: URL { file.url }

  /// Bytes of a value, by type. Those that ``floats(_:)`` reads come first.
  private static let sizes = [
    "F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2,
    "U16": 2, "I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "C64": 8,
  ]

  public init(_ url: URL) throws {
    let file = try MappedFile(url)
    func broken(_ what: String) -> ModelFileError {
      ModelFileError("\(url.path) is not a whole safetensors file: \(what)")
    }
    var cursor = ByteCursor(file.bytes)
    guard let length: UInt64 = try? cursor.integer() else {
      throw broken("it has only \(file.bytes.count) bytes")
    }
    guard length >= 2, length <= 100_000_000, let place = try? cursor.skip(length) else {
      throw broken("its header would be \(length) bytes long")
    }
    let members: [(key: ByteName, value: StrictJSON)]
    do {
      guard let found = try StrictJSON(UnsafeRawBufferPointer(rebasing: file.bytes[place])).members
      else { throw broken("its header is not an object") }
      members = found
    } catch let problem as StrictJSONProblem {
      throw broken("its header is not JSON: \(problem)")
    }
    guard members.count <= 1_000_000 else { throw broken("it claims \(members.count) tensors") }
    var entries: [ByteName: Entry] = [:]
    var metadata: [String: String] = [:]
    for (name, value) in members {
      if name == ByteName("__metadata__") {
        metadata = try Self.texts(value, broken)
      } else {
        entries[name] = try Self.entry(
          name, value, start: place.upperBound, end: file.bytes.count, broken)
      }
    }
    var end = place.upperBound
    for range in entries.values.map(\.range).sorted(by: {
      ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound)
    }) {
      guard range.lowerBound == end else { throw broken("its tensors overlap or leave gaps") }
      end = range.upperBound
    }
    guard end == file.bytes.count else {
      throw broken("\(file.bytes.count - end) bytes follow its tensors")
    }
    (self.metadata, self.file, self.entries) = (metadata, file, entries)
  }

  private static func texts(
    _ value: StrictJSON, _ broken: (String) -> ModelFileError
  ) throws -> [String: String] {
    if value.isNull { return [:] }
    guard let members = value.members else { throw broken("its metadata are no texts by name") }
    var out: [String: String] = [:]
    for (key, value) in members {
      guard let text = value.text else { throw broken("its metadata are no texts by name") }
      out[String(decoding: key.bytes, as: UTF8.self)] = text
    }
    return out
  }

  private static func entry(
    _ name: ByteName, _ value: StrictJSON, start: Int, end: Int,
    _ broken: (String) -> ModelFileError
  ) throws -> Entry {
    let shown = name.shown
    guard (1...1024).contains(name.bytes.count), !name.bytes.contains(where: { $0 < 0x20 }) else {
      throw broken("a tensor is called \"\(shown)\"")
    }
    var (type, shape, offsets): (String?, [Int]?, [Int]?)
    for (key, field) in value.members ?? [] {
      switch String(decoding: key.bytes, as: UTF8.self) {
      case "dtype": type = field.text
      case "shape": shape = field.integers
      case "data_offsets": offsets = field.integers
      default: break
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2 else {
      throw broken("\"\(shown)\" lacks a type, shape or place")
    }
    guard let size = sizes[type] else {
      throw broken("\"\(shown)\" has the type \(shownName(type)), which is not known here")
    }
    guard shape.count <= 8 else { throw broken("\"\(shown)\" has \(shape.count) dimensions") }
    var bytes = size
    for dimension in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else { throw broken("\"\(shown)\" has the shape \(shape)") }
      bytes = product
    }
    guard offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= end - start,
      offsets[1] - offsets[0] == bytes
    else { throw broken("\"\(shown)\" does not fit its place \(offsets)") }
    return Entry(type: type, shape: shape, range: start + offsets[0]..<start + offsets[1])
  }

  public var byteCount: Int { file.bytes.count }

  public var names: [String] {
    entries.keys.map { String(decoding: $0.bytes, as: UTF8.self) }.sorted()
  }

  public func shape(_ name: String) -> [Int]? { entries[ByteName(name)]?.shape }

  /// The values of a tensor of type F32, F16 or BF16.
  public func floats(_ name: String) throws -> [Float] {
    let entry = try entry(name)
    let kinds: [String: WeightType] = ["F32": .f32, "F16": .f16, "BF16": .bf16]
    guard let type = kinds[entry.type] else {
      throw ModelFileError(
        "\(url.path): \"\(name)\" holds \(entry.type) values; F32, F16 and BF16 are read")
    }
    let count = entry.range.count / type.blockBytes
    return [Float](unsafeUninitializedCapacity: count) { buffer, written in
      withExtendedLifetime(file) {
        dequantise(
          type, UnsafeRawBufferPointer(rebasing: file.bytes[entry.range]),
          into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      }
      written = count
    }
  }

  /// Fills `values` with a tensor of type F32 and of exactly that size.
  public func read(_ name: String, into values: UnsafeMutableBufferPointer<Float>) throws {
    let entry = try entry(name)
    guard entry.type == "F32", entry.range.count == 4 * values.count else {
      throw ModelFileError(
        "\(url.path): \"\(name)\" is not \(values.count) values of type F32")
    }
    withExtendedLifetime(file) {
      UnsafeMutableRawBufferPointer(values).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: file.bytes[entry.range]))
    }
  }

  private func entry(_ name: String) throws -> Entry {
    guard let entry = entries[ByteName(name)] else {
      throw ModelFileError("\(url.path) has no tensor called \"\(name)\"")
    }
    return entry
  }
}

/// IEEE 754 binary16.
func halfToFloat(_ half: UInt16) -> Float {
  let sign = UInt32(half & 0x8000) << 16
  let exponent = UInt32(half >> 10) & 0x1F
  let fraction = UInt32(half & 0x3FF)
  switch exponent {
  case 0:
    let size = Float(fraction) * 0x1p-24
    return sign == 0 ? size : -size
  case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}

/// Writes tensors of type F32, and has the file on the disk before returning. It is not written aside:
/// give a name that nobody reads yet.
public func writeSafetensors(
  _ tensors: [(name: String, shape: [Int], values: UnsafeBufferPointer<Float>)],
  metadata: [String: String], to url: URL
) throws {
  var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
  var offset = 0
  for tensor in tensors {
    precondition(
      tensor.shape.reduce(1, *) == tensor.values.count, "\(tensor.name): \(tensor.shape)")
    let end = offset + 4 * tensor.values.count
    header[tensor.name] = ["dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, end]]
    offset = end
  }
  var json = try JSONSerialization.data(
    withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
  while json.count % 8 != 0 { json.append(0x20) }
  var length = UInt64(json.count).littleEndian
  let file = open(url.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
  guard file >= 0 else { throw failure("write", url) }
  defer { close(file) }
  try FileOperations.writeAll(Data(bytes: &length, count: 8), file, url)
  try FileOperations.writeAll(json, file, url)
  for tensor in tensors {
    try FileOperations.writeAll(UnsafeRawBufferPointer(tensor.values), file, url)
  }
  guard fsync(file) == 0 else { throw failure("write", url) }
}
