/// Reads little-endian values one after the other. Every read checks what is left: it throws, and
/// never traps, at the end of the bytes.
struct ByteCursor {
  /// What a read that found too few bytes wanted.
  struct Exhausted: Error {
    let wanted: UInt64
    let at: Int
  }

  let bytes: UnsafeRawBufferPointer
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

  mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws -> Value {
    let size = MemoryLayout<Value>.size
    guard size <= remaining else { throw Exhausted(wanted: UInt64(size), at: position) }
    let value = bytes.loadUnaligned(fromByteOffset: position, as: Value.self)
    position += size
    return Value(littleEndian: value)
  }

  /// The place of the next `count` bytes.
  mutating func skip(_ count: UInt64) throws -> Range<Int> {
    guard let size = Int(exactly: count), size <= remaining else {
      throw Exhausted(wanted: count, at: position)
    }
    let start = position
    position += size
    return start..<position
  }

  /// The place of `count` values of `size` bytes each.
  mutating func skip(_ count: UInt64, of size: Int) throws -> Range<Int> {
    let (product, overflow) = count.multipliedReportingOverflow(by: UInt64(size))
    guard !overflow else { throw Exhausted(wanted: .max, at: position) }
    return try skip(product)
  }
}

/// Bytes as a dictionary key. `String` would take texts that only look alike for one.
struct ByteName: Hashable, Sendable {
  let bytes: [UInt8]

  init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
  init(_ text: String) { bytes = Array(text.utf8) }

  /// For messages: short, and without control characters.
  var shown: String { shownName(String(decoding: bytes, as: UTF8.self)) }
}

/// A text of a file for a message: at most 60 characters, control characters escaped.
func shownName(_ text: String) -> String {
  var out = ""
  for scalar in text.unicodeScalars.prefix(60) {
    out +=
      scalar.properties.generalCategory == .control
      ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
  }
  return text.unicodeScalars.count > 60 ? out + "…" : out
}
