import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A value of a key as a GGUF file holds it: the number of its type, then its bytes.
public struct GGUFEntry: Sendable, Equatable {
  let bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  private init(_ kind: GGUFValue.Kind, _ bytes: [UInt8]) {
    self.bytes = littleEndian(kind.rawValue) + bytes
  }

  private init(list kind: GGUFValue.Kind, _ count: Int, _ bytes: [UInt8]) {
    self.init(.array, littleEndian(kind.rawValue) + littleEndian(UInt64(count)) + bytes)
  }

  public static func uint32(_ value: UInt32) -> GGUFEntry {
    GGUFEntry(.uint32, littleEndian(value))
  }
  public static func float32(_ value: Float) -> GGUFEntry {
    GGUFEntry(.float32, littleEndian(value.bitPattern))
  }
  public static func bool(_ value: Bool) -> GGUFEntry { GGUFEntry(.bool, [value ? 1 : 0]) }
  public static func string(_ value: String) -> GGUFEntry { GGUFEntry(.string, encoded(value)) }
  public static func strings(_ values: [String]) -> GGUFEntry {
    GGUFEntry(list: .string, values.count, values.flatMap(encoded))
  }
  /// Texts that need not be UTF-8, such as the bytes of tokens.
  public static func strings(_ values: [[UInt8]]) -> GGUFEntry {
    GGUFEntry(
      list: .string, values.count, values.flatMap { littleEndian(UInt64($0.count)) + $0 })
  }
  public static func int32s(_ values: [Int32]) -> GGUFEntry {
    GGUFEntry(list: .int32, values.count, values.flatMap(littleEndian))
  }
  public static func float32s(_ values: [Float]) -> GGUFEntry {
    GGUFEntry(list: .float32, values.count, values.flatMap { littleEndian($0.bitPattern) })
  }
}

/// A tensor to write.
public struct GGUFOutput {
  public let name: String
  /// Rows first: a matrix is [rows, columns].
  public let shape: [Int]
  public let type: WeightType
  /// Fills the bytes of the tensor: whole blocks of `type`, row by row.
  public let fill: (UnsafeMutableRawBufferPointer) throws -> Void

  public init(
    name: String, shape: [Int], type: WeightType,
    fill: @escaping (UnsafeMutableRawBufferPointer) throws -> Void
  ) {
    (self.name, self.shape, self.type, self.fill) = (name, shape, type, fill)
  }

  /// A tensor of type F32.
  public init(name: String, shape: [Int], values: [Float]) {
    self.init(name: name, shape: shape, type: .f32) { bytes in
      values.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }

  var count: Int { shape.reduce(1, *) }
  var byteCount: Int { count / type.blockCount * type.blockBytes }
}

private let alignment = 32

/// Writes a GGUF file of version 3: aside, synchronised, renamed. One tensor at a time is in memory.
///
/// - Parameter metadata: keys in the order of the file, `general.architecture` among them;
///   `general.alignment` is left out, since tensors stand at multiples of 32.
public func writeGGUF(
  metadata: [(key: String, value: GGUFEntry)], tensors: [GGUFOutput], to url: URL
) throws {
  for tensor in tensors {
    guard (1...4).contains(tensor.shape.count), tensor.count > 0,
      (tensor.shape.last ?? 0) % tensor.type.blockCount == 0
    else {
      throw ModelFileError(
        "\"\(shownName(tensor.name))\" of shape \(tensor.shape) cannot be written as "
          + "\(tensor.type.name), whose blocks hold \(tensor.type.blockCount) values of a row")
    }
  }
  let aside = url.appendingPathExtension("tmp")
  do {
    try writeFile(
      header(metadata.filter { $0.key != "general.alignment" }, tensors), tensors, aside)
    try moveIntoPlace(aside, url)
  } catch {
    unlink(aside.path)
    throw error
  }
}

private func header(_ metadata: [(key: String, value: GGUFEntry)], _ tensors: [GGUFOutput])
  -> [UInt8]
{
  var out = Array("GGUF".utf8) + littleEndian(UInt32(3))
  out += littleEndian(UInt64(tensors.count)) + littleEndian(UInt64(metadata.count))
  for (key, value) in metadata { out += encoded(key) + value.bytes }
  var offset = 0
  for tensor in tensors {
    out += encoded(tensor.name) + littleEndian(UInt32(tensor.shape.count))
    for dimension in tensor.shape.reversed() { out += littleEndian(UInt64(dimension)) }
    out += littleEndian(tensor.type.rawValue) + littleEndian(UInt64(offset))
    offset += padded(tensor.byteCount)
  }
  return out + Array(repeating: 0, count: padded(out.count) - out.count)
}

private func writeFile(_ header: [UInt8], _ tensors: [GGUFOutput], _ url: URL) throws {
  let file = open(url.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
  guard file >= 0 else { throw failure("write", url) }
  defer { close(file) }
  try FileOperations.writeAll(header, file, url)
  for tensor in tensors {
    var bytes = [UInt8](repeating: 0, count: padded(tensor.byteCount))
    try bytes.withUnsafeMutableBytes {
      try tensor.fill(UnsafeMutableRawBufferPointer(rebasing: $0[..<tensor.byteCount]))
    }
    try FileOperations.writeAll(bytes, file, url)
  }
}

private func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

private func encoded(_ text: String) -> [UInt8] {
  littleEndian(UInt64(text.utf8.count)) + Array(text.utf8)
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

extension GGUFFile {
  /// The value of a key as the file holds it, to be written into another; nil where it is absent.
  public func entry(_ key: String) -> GGUFEntry? {
    guard let range = valueRanges[ByteName(key)] else { return nil }
    return withExtendedLifetime(file) { GGUFEntry(bytes: Array(file.bytes[range])) }
  }
}
