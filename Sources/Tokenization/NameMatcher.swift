/// Finds names in bytes: the leftmost one, and of those that begin there the longest.
struct NameMatcher: Sendable {
  private let names: [(bytes: [UInt8], id: Int32)]
  /// By first byte, the names that begin with it, longest first.
  private let buckets: [Range<Int>]
  private let isEmpty: Bool

  init(_ names: [(String, Int32)]) {
    let sorted = names.map { (bytes: Array($0.0.utf8), id: $0.1) }.filter { !$0.bytes.isEmpty }
      .sorted { ($0.bytes[0], -$0.bytes.count, $0.id) < ($1.bytes[0], -$1.bytes.count, $1.id) }
    self.names = sorted
    isEmpty = sorted.isEmpty
    var buckets = Array(repeating: 0..<0, count: 256)
    var start = 0
    while start < sorted.count {
      var stop = start
      while stop < sorted.count, sorted[stop].bytes[0] == sorted[start].bytes[0] { stop += 1 }
      buckets[Int(sorted[start].bytes[0])] = start..<stop
      start = stop
    }
    self.buckets = buckets
  }

  func next(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> (range: Range<Int>, id: Int32)?
  {
    guard !isEmpty else { return nil }
    return buckets.withUnsafeBufferPointer { buckets in
      for at in start..<text.count {
        for index in buckets[Int(text[at])] where Self.matches(names[index].bytes, text, at) {
          return (at..<at + names[index].bytes.count, names[index].id)
        }
      }
      return nil
    }
  }

  private static func matches(
    _ name: [UInt8], _ text: UnsafeBufferPointer<UInt8>, _ at: Int
  ) -> Bool {
    guard text.count - at >= name.count else { return false }
    for i in name.indices where text[at + i] != name[i] { return false }
    return true
  }
}
