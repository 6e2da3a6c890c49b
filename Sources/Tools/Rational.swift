import BigInt

/// A fraction in lowest terms, exact at any size.
public struct Rational: Sendable, Hashable, Comparable {
  public let numerator: BigInt
  /// Above 0.
  public let denominator: BigInt

  /// Nil for a denominator of 0.
  public init?(_ numerator: BigInt, over denominator: BigInt) {
    guard denominator != 0 else { return nil }
    let divisor = numerator.greatestCommonDivisor(with: denominator)
    let sign: BigInt = denominator < 0 ? -1 : 1
    self.numerator = sign * numerator / divisor
    self.denominator = sign * denominator / divisor
  }

  public init(_ integer: BigInt) { (numerator, denominator) = (integer, 1) }

  /// `digits` before the point and after it, all of them "0" to "9".
  public init?(digits: String, fraction: String) {
    let all = digits + fraction
    guard !all.isEmpty, let numerator = BigInt(all, radix: 10) else { return nil }
    self.init(numerator, over: BigInt(10).power(fraction.utf8.count))
  }

  public static func + (a: Rational, b: Rational) -> Rational {
    reduced(
      a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator)
  }

  public static func - (a: Rational, b: Rational) -> Rational { a + -b }

  public static func * (a: Rational, b: Rational) -> Rational {
    reduced(a.numerator * b.numerator, a.denominator * b.denominator)
  }

  /// Nil for a divisor of 0.
  public func divided(by other: Rational) -> Rational? {
    Rational(numerator * other.denominator, over: denominator * other.numerator)
  }

  public static prefix func - (a: Rational) -> Rational { reduced(-a.numerator, a.denominator) }

  public static func < (a: Rational, b: Rational) -> Bool {
    a.numerator * b.denominator < b.numerator * a.denominator
  }

  /// Nil for 0 to a negative power. 0⁰ is 1.
  public func power(_ exponent: Int) -> Rational? {
    let size = Int(exponent.magnitude)
    let (top, bottom) = (numerator.power(size), denominator.power(size))
    return exponent < 0 ? Rational(bottom, over: top) : Rational(top, over: bottom)
  }

  /// Bits of the larger of the two parts.
  public var bitWidth: Int { max(numerator.magnitude.bitWidth, denominator.magnitude.bitWidth) }

  private static func reduced(_ numerator: BigInt, _ denominator: BigInt) -> Rational {
    Rational(numerator, over: denominator) ?? Rational(0)
  }
}

extension Rational: CustomStringConvertible {
  /// An integer, a decimal where one of at most 40 places is exact, else a fraction: "-12", "0.05",
  /// "1/3". Nothing is ever rounded.
  public var description: String {
    if denominator == 1 { return String(numerator) }
    guard let places = decimalPlaces, places <= 40 else { return "\(numerator)/\(denominator)" }
    let scaled = numerator.magnitude * BigUInt(10).power(places) / denominator.magnitude
    let digits = String(scaled)
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    return (numerator < 0 ? "-" : "") + padded.dropLast(places) + "." + padded.suffix(places)
  }

  /// How many decimals the value has; nil where they never end.
  private var decimalPlaces: Int? {
    var rest = denominator.magnitude
    let twos = rest.trailingZeroBitCount
    rest >>= twos
    var fives = 0
    while rest > 1 {
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 5)
      guard remainder == 0 else { return nil }
      rest = quotient
      fives += 1
    }
    return max(twos, fives)
  }
}
