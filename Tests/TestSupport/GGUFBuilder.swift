import Foundation

/// Writes GGUF files by hand, right and wrong ones.
public struct GGUFBuilder {
  public enum Value {
    case uint32(UInt32)
    case int32(Int32)
    case float(Float)
    case bool(UInt8)
    case string(String)
    case strings([String])
    case floats([Float])
    /// A type code and the bytes behind it.
    case raw(UInt32, [UInt8])
  }

  public var magic = Array("GGUF".utf8)
  public var version: UInt32 = 3
  public var keys: [(String, Value)] = []
  /// Dimensions fastest first, as in the file; the offset is computed unless given.
  public var tensors: [(name: String, dimensions: [UInt64], type: UInt32, data: [UInt8])] = []
  public var offsets: [Int: UInt64] = [:]
  public var keyCount: UInt64?
  public var tensorCount: UInt64?
  public var alignment: UInt64 = 32

  public init() {}

  public mutating func add(_ name: String, _ shape: [Int], _ values: [Float]) {
    tensors.append(
      (
        name, shape.reversed().map { UInt64($0) }, 0,
        values.flatMap { Self.bytes($0.bitPattern) }
      ))
  }

  public static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  public static func text(_ text: String) -> [UInt8] {
    bytes(UInt64(text.utf8.count)) + Array(text.utf8)
  }

  public func build() -> Data {
    var out = magic + Self.bytes(version) + Self.bytes(tensorCount ?? UInt64(tensors.count))
    out += Self.bytes(keyCount ?? UInt64(keys.count))
    for (name, value) in keys { out += Self.text(name) + Self.encoded(value) }
    var offset: UInt64 = 0
    for (i, tensor) in tensors.enumerated() {
      out += Self.text(tensor.name) + Self.bytes(UInt32(tensor.dimensions.count))
      for dimension in tensor.dimensions { out += Self.bytes(dimension) }
      out += Self.bytes(tensor.type) + Self.bytes(offsets[i] ?? offset)
      offset += (UInt64(tensor.data.count) + alignment - 1) / alignment * alignment
    }
    for tensor in tensors {
      out += Array(
        repeating: 0, count: (Int(alignment) - out.count % Int(alignment)) % Int(alignment))
      out += tensor.data
    }
    return Data(out)
  }

  private static func encoded(_ value: Value) -> [UInt8] {
    switch value {
    case .uint32(let value): bytes(UInt32(4)) + bytes(value)
    case .int32(let value): bytes(UInt32(5)) + bytes(value)
    case .float(let value): bytes(UInt32(6)) + bytes(value.bitPattern)
    case .bool(let value): bytes(UInt32(7)) + [value]
    case .string(let value): bytes(UInt32(8)) + text(value)
    case .strings(let values):
      bytes(UInt32(9)) + bytes(UInt32(8)) + bytes(UInt64(values.count)) + values.flatMap(text)
    case .floats(let values):
      bytes(UInt32(9)) + bytes(UInt32(6)) + bytes(UInt64(values.count))
        + values.flatMap { bytes($0.bitPattern) }
    case .raw(let type, let data): bytes(type) + data
    }
  }
}
