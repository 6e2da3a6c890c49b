/// A string whose every character knows where it came from: written in the template, or handed in
/// with the conversation. What looks like a control token counts as one only in the former.
///
/// Characters are Unicode scalars, as in the reference implementation's language.
public struct Text: Sendable {
  /// The scalar in the low bits, its ``Origin`` in the high ones.
  public internal(set) var units: [UInt32]

  public struct Origin: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Handed in, not written by the template's author.
    public static let input = Origin(rawValue: 1 << 31)
    /// What the assistant said.
    public static let answer = Origin(rawValue: 1 << 30)
  }

  static let scalarBits: UInt32 = 0x1F_FFFF

  public init(_ string: String, _ origin: Origin = []) {
    units = string.unicodeScalars.map { $0.value | origin.rawValue }
  }

  init(units: some Sequence<UInt32>) { self.units = Array(units) }

  public var count: Int { units.count }

  public var string: String { Self.string(units) }

  static func string(_ units: some Sequence<UInt32>) -> String {
    var view = String.UnicodeScalarView()
    for unit in units { view.append(Unicode.Scalar(unit & scalarBits) ?? "\u{FFFD}") }
    return String(view)
  }

  static func + (a: Text, b: Text) -> Text { Text(units: a.units + b.units) }

  /// The scalar at a place.
  func scalar(_ i: Int) -> UInt32 { units[i] & Self.scalarBits }

  /// Each character replaced by what `change` makes of it, with its origin.
  func mapped(_ change: (Unicode.Scalar) -> String) -> Text {
    Text(
      units: units.flatMap { unit -> [UInt32] in
        guard let scalar = Unicode.Scalar(unit & Self.scalarBits) else { return [unit] }
        return change(scalar).unicodeScalars.map { $0.value | unit & ~Self.scalarBits }
      })
  }

  /// Another spelling of this text, which counts as input where any of it was.
  func respelled(_ string: String) -> Text {
    var origin: UInt32 = 0
    for unit in units { origin |= unit & ~Self.scalarBits }
    return Text(units: string.unicodeScalars.map { $0.value | origin })
  }
}

extension Text: Hashable {
  public static func == (a: Text, b: Text) -> Bool {
    a.units.count == b.units.count
      && zip(a.units, b.units).allSatisfy { ($0 ^ $1) & scalarBits == 0 }
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(units.count)
    for unit in units { hasher.combine(unit & Self.scalarBits) }
  }
}

extension Text: Comparable {
  public static func < (a: Text, b: Text) -> Bool {
    a.units.lazy.map { $0 & scalarBits }.lexicographicallyPrecedes(
      b.units.lazy.map { $0 & scalarBits })
  }
}

// Searching and cutting, as the methods of the reference's strings do.
extension Text {
  static func isBlank(_ unit: UInt32) -> Bool {
    switch unit & scalarBits {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
      0x205F, 0x3000:
      true
    default: false
    }
  }

  func stripped(_ set: Text? = nil, left: Bool = true, right: Bool = true) -> Text {
    let wanted = set.map { Set($0.units.map { $0 & Self.scalarBits }) }
    func goes(_ unit: UInt32) -> Bool {
      wanted.map { $0.contains(unit & Self.scalarBits) } ?? Self.isBlank(unit)
    }
    var range = units[...]
    while left, let first = range.first, goes(first) { range.removeFirst() }
    while right, let last = range.last, goes(last) { range.removeLast() }
    return Text(units: range)
  }

  func hasPrefix(_ other: Text, at: Int = 0) -> Bool {
    guard at >= 0, count - at >= other.count else { return false }
    for i in 0..<other.count where (units[at + i] ^ other.units[i]) & Self.scalarBits != 0 {
      return false
    }
    return true
  }

  func hasSuffix(_ other: Text) -> Bool { hasPrefix(other, at: count - other.count) }

  func firstIndex(of other: Text, from start: Int = 0) -> Int? {
    guard other.count <= count - start else { return nil }
    return (start...count - other.count).first { hasPrefix(other, at: $0) }
  }

  func lastIndex(of other: Text, before end: Int? = nil) -> Int? {
    let end = end ?? count
    guard other.count <= end else { return nil }
    return (0...end - other.count).last { hasPrefix(other, at: $0) }
  }

  /// Where `other` occurs, without overlaps.
  func occurrences(of other: Text, limit: Int = .max) -> [Int] {
    var found: [Int] = []
    var at = 0
    while found.count < limit, let next = firstIndex(of: other, from: at) {
      found.append(next)
      at = next + max(1, other.count)
      if at > count { break }
    }
    return found
  }

  func split(_ separator: Text, limit: Int = .max) -> [Text] {
    var parts: [Text] = []
    var start = 0
    for at in occurrences(of: separator, limit: limit) {
      parts.append(Text(units: units[start..<at]))
      start = at + separator.count
    }
    return parts + [Text(units: units[start...])]
  }

  func splitFromEnd(_ separator: Text, limit: Int) -> [Text] {
    var parts: [Text] = []
    var end = count
    while parts.count < limit, let at = lastIndex(of: separator, before: end) {
      parts.append(Text(units: units[(at + separator.count)..<end]))
      end = at
    }
    return [Text(units: units[..<end])] + parts.reversed()
  }

  /// Words between white space; after `limit` cuts the rest is one.
  func words(limit: Int = .max) -> [Text] {
    var parts: [Text] = []
    var at = 0
    while true {
      while at < count, Self.isBlank(units[at]) { at += 1 }
      guard at < count else { return parts }
      if parts.count == limit {
        return parts + [Text(units: units[at...]).stripped(left: false)]
      }
      let start = at
      while at < count, !Self.isBlank(units[at]) { at += 1 }
      parts.append(Text(units: units[start..<at]))
    }
  }

  func replacing(_ old: Text, _ new: Text, limit: Int = .max) -> Text {
    if old.count == 0 {
      var out: [UInt32] = []
      for (i, unit) in units.enumerated() {
        if i < limit { out += new.units }
        out.append(unit)
      }
      return Text(units: out + (units.count < limit ? new.units : []))
    }
    var out: [UInt32] = []
    var start = 0
    for at in occurrences(of: old, limit: limit) {
      out += units[start..<at]
      out += new.units
      start = at + old.count
    }
    return Text(units: out + units[start...])
  }

  /// Lines without their ends.
  var lines: [Text] {
    var parts: [Text] = []
    var start = 0
    var at = 0
    while at < count {
      let scalar = scalar(at)
      guard
        (0x0A...0x0D).contains(scalar) || (0x1C...0x1E).contains(scalar) || scalar == 0x85
          || scalar == 0x2028 || scalar == 0x2029
      else {
        at += 1
        continue
      }
      parts.append(Text(units: units[start..<at]))
      at += scalar == 0x0D && at + 1 < count && self.scalar(at + 1) == 0x0A ? 2 : 1
      start = at
    }
    return start < count ? parts + [Text(units: units[start...])] : parts
  }
}
