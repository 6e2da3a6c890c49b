// The practice problems of the ladder: how many valence electrons has C2H6O? Answers are checked by
// one number; solutions can be short or worked, right or with a slip.

extension Problem {
  /// "Valence electrons in C2H6O?"
  public static func valence(_ formula: Formula) -> Problem {
    Problem(
      prompt: "Valence electrons in \(formula.text)?", answer: String(formula.valenceElectrons))
  }
}

/// How a person answered.
public enum SolutionStyle: String, Codable, Sendable {
  /// Only the number.
  case terse
  /// Step by step.
  case worked
}

/// A problem with the answer that a person wrote.
public struct Demonstration: Codable, Sendable, Equatable {
  public var problem: Problem
  public var solution: String
  public var style: SolutionStyle
  /// Whether the person slipped: the answer may be wrong.
  public var hasSlip: Bool
}

/// What the people who wrote the demonstrations are like.
public struct Demonstrators: Codable, Sendable, Equatable {
  /// The share that shows its work.
  public var workedShare: Double
  /// The share of solutions with one wrong step.
  public var slipShare: Double

  public init(workedShare: Double, slipShare: Double) {
    (self.workedShare, self.slipShare) = (workedShare, slipShare)
  }

  /// `count` demonstrations on formulas of the training portion.
  public func demonstrations(_ count: Int, space: FormulaSpace, seed: UInt64) -> [Demonstration] {
    space.distinct(count, .train, seed: seed, stream: "demonstrations").enumerated().map {
      i, formula in
      var random = SplitMix64(seed: seed, stream: "demonstrator", index: i)
      let style: SolutionStyle = random.uniform() < workedShare ? .worked : .terse
      let slips = random.uniform() < slipShare
      let solution = Solution(formula, slip: slips ? Slip(formula, &random) : nil)
      return Demonstration(
        problem: .valence(formula), solution: style == .worked ? solution.worked : solution.terse,
        style: style, hasSlip: slips)
    }
  }
}

/// One wrong number in a solution; what follows it is right for the wrong number.
struct Slip: Equatable {
  let step: Int
  /// In the product, else in the running sum.
  let isInProduct: Bool
  let error: Int

  init(_ formula: Formula, _ random: inout SplitMix64) {
    step = random.below(formula.parts.count)
    isInProduct = random.below(2) == 0
    // Off by one, or a carry that was forgotten or invented.
    error = random.pick([-10, -2, -1, 1, 2, 10])
  }
}

/// The steps from a formula to its number.
public struct Solution: Sendable, Equatable {
  public let terse: String
  public let worked: String

  public init(_ formula: Formula) { self.init(formula, slip: nil) }

  /// Every step looks alike: symbol, product, running sum. "C 4*2=8 0+8=8; H 1*6=6 8+6=14; … so 20"
  init(_ formula: Formula, slip: Slip?) {
    var sum = 0
    let steps = formula.parts.enumerated().map { i, part -> String in
      var product = part.element.valence * part.count
      if let slip, slip.step == i, slip.isInProduct { product = max(0, product + slip.error) }
      var next = sum + product
      if let slip, slip.step == i, !slip.isInProduct { next = max(0, next + slip.error) }
      defer { sum = next }
      return "\(part.element.symbol) \(part.element.valence)*\(part.count)=\(product) "
        + "\(sum)+\(product)=\(next)"
    }
    worked = steps.joined(separator: "; ") + "; so \(sum)"
    terse = String(sum)
  }
}
