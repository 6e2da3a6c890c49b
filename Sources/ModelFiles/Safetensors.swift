import Foundation

// safetensors: eight bytes with the length of a JSON header, the header with the type, shape and place
// of every tensor, then the values. Files are hostile until proven otherwise.

/// A safetensors file, mapped into memory and checked as a whole before anything is read from it.
public struct SafetensorsFile {
  public let metadata: [String: String]
  private let url: URL
  private let data: Data
  private let entries: [String: Entry]

  private struct Entry {
    let type: String
    let shape: [Int]
    let range: Range<Int>
  }

  /// Bytes of a value, by type. Those that ``floats(_:)`` reads come first.
  private static let sizes = [
    "F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1,
    "BOOL": 1,
  ]

  public init(_ url: URL) throws {
    let data: Data
    do {
      data = try Data(contentsOf: url, options: .alwaysMapped)
    } catch {
      throw ModelFileError("cannot read \(url.path): \(error.localizedDescription)")
    }
    func broken(_ what: String) -> ModelFileError {
      ModelFileError("\(url.path) is not a whole safetensors file: \(what)")
    }
    guard data.count >= 8 else { throw broken("it has only \(data.count) bytes") }
    let length = data.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }.littleEndian
    guard length >= 2, length <= 100_000_000, length <= UInt64(data.count - 8) else {
      throw broken("its header would be \(length) bytes long")
    }
    let start = 8 + Int(length)
    let object = try? JSONSerialization.jsonObject(with: data.subdata(in: 8..<start))
    guard let header = object as? [String: Any] else { throw broken("its header is not JSON") }
    var entries: [String: Entry] = [:]
    for (name, value) in header where name != "__metadata__" {
      guard let fields = value as? [String: Any], let type = fields["dtype"] as? String,
        let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int],
        offsets.count == 2
      else { throw broken("\"\(name)\" lacks a type, shape or place") }
      guard let size = Self.sizes[type] else {
        throw broken("\"\(name)\" has the type \(type), which is not known here")
      }
      var bytes = size
      for dimension in shape {
        let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
        guard dimension >= 0, !overflow else { throw broken("\"\(name)\" has the shape \(shape)") }
        bytes = product
      }
      guard offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= data.count - start,
        offsets[1] - offsets[0] == bytes
      else { throw broken("\"\(name)\" does not fit its place \(offsets)") }
      entries[name] = Entry(
        type: type, shape: shape, range: start + offsets[0]..<start + offsets[1])
    }
    var end = start
    for range in entries.values.map(\.range).sorted(by: {
      ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound)
    }) {
      guard range.lowerBound == end else { throw broken("its tensors overlap or leave gaps") }
      end = range.upperBound
    }
    guard end == data.count else { throw broken("\(data.count - end) bytes follow its tensors") }
    metadata = header["__metadata__"] as? [String: String] ?? [:]
    (self.url, self.data, self.entries) = (url, data, entries)
  }

  public var names: [String] { entries.keys.sorted() }

  public func shape(_ name: String) -> [Int]? { entries[name]?.shape }

  /// The values of a tensor of type F32, F16 or BF16.
  public func floats(_ name: String) throws -> [Float] {
    let entry = try entry(name)
    let count = entry.range.count / (Self.sizes[entry.type] ?? 1)
    return try data.withUnsafeBytes { bytes -> [Float] in
      let bytes = UnsafeRawBufferPointer(rebasing: bytes[entry.range])
      switch entry.type {
      case "F32":
        return (0..<count).map {
          Float(
            bitPattern: UInt32(
              littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
        }
      case "BF16":
        return (0..<count).map {
          Float(
            bitPattern: UInt32(
              UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)))
              << 16)
        }
      case "F16":
        return (0..<count).map {
          halfToFloat(
            UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)))
        }
      default:
        throw ModelFileError(
          "\(url.path): \"\(name)\" holds \(entry.type) values; F32, F16 and BF16 are read")
      }
    }
  }

  /// Fills `values` with a tensor of type F32 and of exactly that size.
  public func read(_ name: String, into values: UnsafeMutableBufferPointer<Float>) throws {
    let entry = try entry(name)
    guard entry.type == "F32", entry.range.count == 4 * values.count else {
      throw ModelFileError(
        "\(url.path): \"\(name)\" is not \(values.count) values of type F32")
    }
    data.withUnsafeBytes { bytes in
      UnsafeMutableRawBufferPointer(values).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[entry.range]))
    }
  }

  private func entry(_ name: String) throws -> Entry {
    guard let entry = entries[name] else {
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
