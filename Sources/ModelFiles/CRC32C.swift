/// CRC-32C (Castagnoli): what a checkpoint's manifest records of each file. Eight bytes at a time.
struct CRC32C {
  private static let tables: [[UInt32]] = {
    var tables = [[UInt32]](repeating: Array(repeating: 0, count: 256), count: 8)
    for i in 0..<256 {
      var value = UInt32(i)
      for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0x82F6_3B78 : 0) }
      tables[0][i] = value
    }
    for i in 0..<256 {
      for t in 1..<8 {
        let before = tables[t - 1][i]
        tables[t][i] = before >> 8 ^ tables[0][Int(before & 0xFF)]
      }
    }
    return tables
  }()

  private static let flat: [UInt32] = tables.flatMap { $0 }

  static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    flat.withUnsafeBufferPointer { table in
      var crc = ~UInt32(0)
      var i = 0
      while i + 8 <= bytes.count {
        let word =
          UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self))
          ^ UInt64(crc)
        crc = 0
        for lane in 0..<8 {
          crc ^= table[(7 - lane) * 256 + Int(truncatingIfNeeded: word >> UInt64(8 * lane) & 0xFF)]
        }
        i += 8
      }
      while i < bytes.count {
        crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes[i])) & 0xFF)]
        i += 1
      }
      return ~crc
    }
  }
}
