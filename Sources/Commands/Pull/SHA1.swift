/// SHA-1 (FIPS 180-4), by which git names files: it finds errors, it withstands no one.
enum SHA1 {
  /// The id that git has for a file of these bytes.
  static func ofGitBlob(_ bytes: UnsafeRawBufferPointer) -> String {
    var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
    let head = Array("blob \(bytes.count)\0".utf8)
    let count = head.count + bytes.count
    var block: [UInt8] = []
    block.reserveCapacity(64)
    func add(_ byte: UInt8) {
      block.append(byte)
      guard block.count == 64 else { return }
      compress(block, &state)
      block.removeAll(keepingCapacity: true)
    }
    for byte in head { add(byte) }
    for byte in bytes { add(byte) }
    add(0x80)
    while block.count != 56 { add(0) }
    let bits = UInt64(count) * 8
    for shift in stride(from: 56, through: 0, by: -8) {
      add(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
    return state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  private static func compress(_ block: [UInt8], _ state: inout [UInt32]) {
    func turned(_ x: UInt32, _ by: UInt32) -> UInt32 { x &<< by | x &>> (32 - by) }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { w in
      for i in 0..<16 {
        w[i] = block[4 * i..<4 * i + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      }
      for i in 16..<80 { w[i] = turned(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1) }
      var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
      for i in 0..<80 {
        let (choice, constant): (UInt32, UInt32) =
          switch i / 20 {
          case 0: ((b & c) | (~b & d), 0x5A82_7999)
          case 1: (b ^ c ^ d, 0x6ED9_EBA1)
          case 2: ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC)
          default: (b ^ c ^ d, 0xCA62_C1D6)
          }
        let next = turned(a, 5) &+ choice &+ e &+ constant &+ w[i]
        (e, d, c, b, a) = (d, c, turned(b, 30), a, next)
      }
      for (i, value) in [a, b, c, d, e].enumerated() { state[i] &+= value }
    }
  }
}
