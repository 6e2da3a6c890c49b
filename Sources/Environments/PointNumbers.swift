// Numbers with a point mean two things. As sections of a book 9.11 comes after 9.9; as decimals 9.9
// is larger than 9.11.

/// A whole number, a point, and one or two digits: the last is no zero.
public struct PointNumber: Sendable, Equatable {
  public let whole: Int
  /// What stands after the point, read as a whole number: 11 in 9.11, 9 in 9.9.
  public let part: Int

  public init(whole: Int, part: Int) {
    precondition((1...9).contains(whole) && (1...99).contains(part) && part % 10 != 0)
    (self.whole, self.part) = (whole, part)
  }

  public var text: String { "\(whole).\(part)" }

  /// Its digits as a decimal: whole, tenths, hundredths.
  public var digits: [Int] { [whole] + (part < 10 ? [part, 0] : [part / 10, part % 10]) }
}

/// What numbers with a point mean.
public enum PointReading: String, Codable, Sendable, CaseIterable { case section, decimal }

/// Two of them, which are different in both readings.
public struct PointPair: Sendable, Equatable {
  public let first: PointNumber
  public let second: PointNumber

  public init(_ first: PointNumber, _ second: PointNumber) {
    precondition(first != second, "\(first.text) twice")
    (self.first, self.second) = (first, second)
  }

  /// Whether the first comes later or is larger.
  public func isFirstLarger(_ reading: PointReading) -> Bool {
    switch reading {
    case .section: (first.whole, first.part) > (second.whole, second.part)
    case .decimal: second.digits.lexicographicallyPrecedes(first.digits)
    }
  }

  /// Whether the two readings disagree, as for 9.11 and 9.9.
  public var isTrap: Bool { isFirstLarger(.section) != isFirstLarger(.decimal) }

  public var text: String { "\(first.text) \(second.text)" }

  /// Where the pair may be used, in either order: one in five is for the test.
  public var portion: Portion {
    let names = [first.text, second.text].sorted().joined(separator: " ")
    return stableHash("points " + names) % 5 == 0 ? .test : .train
  }

  /// A pair of a portion. Half of the pairs differ only after the point.
  public static func draw(_ portion: Portion, _ random: inout SplitMix64) -> PointPair {
    while true {
      let whole = random.within(1...9)
      let other = random.below(2) == 0 ? whole : random.within(1...9)
      let (a, b) = (part(&random), part(&random))
      guard whole != other || a != b else { continue }
      let pair = PointPair(PointNumber(whole: whole, part: a), PointNumber(whole: other, part: b))
      if pair.portion == portion { return pair }
    }
  }

  /// One digit in three of ten.
  private static func part(_ random: inout SplitMix64) -> Int {
    random.below(10) < 3 ? random.within(1...9) : 10 * random.within(1...9) + random.within(1...9)
  }
}
