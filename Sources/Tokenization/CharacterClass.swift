/// What the pre-tokenizers ask of a scalar. `\p{L}`, `\p{N}` and `\s` are disjoint.
enum CharacterClass {
  typealias Raw = UInt8
  /// Neither letter, number nor white space: punctuation, symbols, marks, bytes that are not UTF-8.
  static let other: Raw = 0
  static let letter: Raw = 1
  static let number: Raw = 2
  /// White space but for carriage return and line feed.
  static let space: Raw = 3
  static let newline: Raw = 4
  /// In the byte table only: the first byte of a longer scalar, or a byte that is not UTF-8.
  static let beyondASCII: Raw = 5

  /// The class of every scalar, one byte each; pages of unassigned scalars are never touched.
  static let ofScalar = Table()

  /// What o200k's words ask of a scalar, as two bits: may stand in the upper-case part, may stand in
  /// the lower-case part. Letters without case and marks may stand in both.
  enum Case {
    static let upper: Raw = 1
    static let lower: Raw = 2
    static let both: Raw = 3

    static let ofScalar = Table(cases: true)
  }

  /// SAFETY: written once in `init`, never again and never freed: safe to read from any thread.
  struct Table: @unchecked Sendable {
    let scalars: UnsafePointer<Raw>
    let bytes: UnsafePointer<Raw>

    fileprivate init() {
      let table = Self.table([
        (UnicodeRuns.letters, CharacterClass.letter), (UnicodeRuns.numbers, CharacterClass.number),
      ])
      let spaces =
        [0x09, 0x0B, 0x0C, 0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
        + Array(0x2000...0x200A)
      for scalar in spaces { table[scalar] = CharacterClass.space }
      table[0x0A] = CharacterClass.newline
      table[0x0D] = CharacterClass.newline

      let ascii = UnsafeMutablePointer<Raw>.allocate(capacity: 256)
      ascii.initialize(repeating: CharacterClass.beyondASCII, count: 256)
      ascii.update(from: table, count: 128)
      scalars = UnsafePointer(table)
      bytes = UnsafePointer(ascii)
    }

    fileprivate init(cases: Bool) {
      let table = Self.table([
        (UnicodeRuns.letters, Case.both), (UnicodeRuns.marks, Case.both),
        (UnicodeRuns.upper, Case.upper), (UnicodeRuns.lower, Case.lower),
      ])
      scalars = UnsafePointer(table)
      bytes = scalars
    }

    private static func table(_ classes: [(runs: [UInt32], value: Raw)])
      -> UnsafeMutablePointer<Raw>
    {
      let table = UnsafeMutablePointer<Raw>.allocate(capacity: 0x11_0000)
      table.initialize(repeating: CharacterClass.other, count: 0x11_0000)
      for (runs, value) in classes {
        var scalar = 0
        for pair in stride(from: 0, to: runs.count, by: 2) {
          scalar += Int(runs[pair])
          let length = Int(runs[pair + 1])
          (table + scalar).update(repeating: value, count: length)
          scalar += length
        }
      }
      return table
    }
  }

  /// The scalar that starts at `at`, or nil for a byte that starts none (a stray continuation, an
  /// overlong form, a surrogate, a scalar cut off): such a byte counts as one character of class
  /// `other`. `length` is set in both cases.
  @inline(__always)
  static func decode(
    _ text: UnsafePointer<UInt8>, at: Int, end: Int, length: inout Int
  ) -> UInt32? {
    length = 1
    let lead = UInt32(text[at])
    if lead < 0x80 { return lead }
    guard lead >= 0xC2, lead <= 0xF4, at + 1 < end else { return nil }
    let second = UInt32(text[at + 1])
    guard second & 0xC0 == 0x80 else { return nil }
    if lead < 0xE0 {
      length = 2
      return (lead & 0x1F) << 6 | (second & 0x3F)
    }
    guard at + 2 < end else { return nil }
    let third = UInt32(text[at + 2])
    guard third & 0xC0 == 0x80 else { return nil }
    if lead < 0xF0 {
      let scalar = (lead & 0x0F) << 12 | (second & 0x3F) << 6 | (third & 0x3F)
      guard scalar >= 0x800, scalar & 0xF800 != 0xD800 else { return nil }
      length = 3
      return scalar
    }
    guard at + 3 < end else { return nil }
    let fourth = UInt32(text[at + 3])
    guard fourth & 0xC0 == 0x80 else { return nil }
    let scalar =
      (lead & 0x07) << 18 | (second & 0x3F) << 12 | (third & 0x3F) << 6 | (fourth & 0x3F)
    guard scalar >= 0x1_0000, scalar <= 0x10_FFFF else { return nil }
    length = 4
    return scalar
  }
}
