import Foundation

/// Text composed to Unicode's form C, as Qwen's tokenizers read it; nil where it is composed already
/// or is not UTF-8.
func composed(_ p: UnsafePointer<UInt8>, _ count: Int) -> [UInt8]? {
  let bytes = UnsafeBufferPointer(start: p, count: count)
  // Everything below U+0300 is composed.
  guard bytes.contains(where: { $0 >= 0xCC }),
    let text = String(validating: bytes, as: UTF8.self)
  else { return nil }
  return Array(text.precomposedStringWithCanonicalMapping.utf8)
}
