/// Random numbers that are the same on every machine (Steele, Lea and Flood 2014).
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  /// One of many independent streams of a seed, by name and number.
  public init(seed: UInt64, stream: String, index: Int = 0) {
    state = stableHash(stream) ^ seed &* 0xD134_2543_DE82_EF95
    state = next() ^ UInt64(bitPattern: Int64(index))
    state = next()
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// In [0, 1).
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// In 0..<count.
  public mutating func below(_ count: Int) -> Int {
    precondition(count > 0, "below(\(count))")
    return Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }

  /// In the range.
  public mutating func within(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.count)
  }

  /// One of the elements.
  public mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[below(elements.count)]
  }

  /// Fisher and Yates.
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    for i in stride(from: elements.count - 1, to: 0, by: -1) { elements.swapAt(i, below(i + 1)) }
  }
}

/// FNV-1a of the UTF-8 bytes, mixed: the same on every machine and in every process.
public func stableHash(_ text: String) -> UInt64 {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
  hash ^= hash >> 33
  hash &*= 0xFF51_AFD7_ED55_8CCD
  return hash ^ (hash >> 33)
}
