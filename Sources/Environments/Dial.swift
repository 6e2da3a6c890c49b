// A serial computation that a small model can do one step at a time and cannot do at once: a dial of
// ten digits is turned by up to eight operations. Every operation is a bijection, so all answers are
// equally likely, whatever the operations: chance is 10 %.

/// One turn of the dial.
public struct DialOperation: Sendable, Equatable {
  /// +1 … +9, then ×3, ×7, ×9.
  public let index: Int

  public static let all = (0..<12).map { DialOperation(index: $0) }

  public func apply(_ value: Int) -> Int {
    index < 9 ? (value + index + 1) % 10 : value * [3, 7, 9][index - 9] % 10
  }

  public var text: String { index < 9 ? "+\(index + 1)" : "×\([3, 7, 9][index - 9])" }
}

/// A start and operations.
public struct DialProblem: Sendable, Equatable {
  /// Operations at most.
  public static let slots = 8
  public let start: Int
  public let operations: [DialOperation]

  /// A problem with `count` operations.
  public init(operations count: Int, _ random: inout SplitMix64) {
    precondition((1...Self.slots).contains(count), "\(count) operations")
    start = random.below(10)
    operations = (0..<count).map { _ in random.pick(DialOperation.all) }
  }

  /// The value in each of the ``slots``: operations stand to the right, an empty slot keeps the start.
  public var values: [Int] {
    var value = start
    return (0..<Self.slots).map { slot in
      if let operation = operation(slot) { value = operation.apply(value) }
      return value
    }
  }

  public func operation(_ slot: Int) -> DialOperation? {
    let first = Self.slots - operations.count
    return slot >= first ? operations[slot - first] : nil
  }

  public var answer: Int { values.last ?? start }

  public var text: String { "\(start) " + operations.map(\.text).joined(separator: " ") }

  /// Where the problem may be used: one in twenty of those with three operations or more is for the
  /// test. There are only 1,560 shorter ones, and both sides see them.
  public var portion: Portion {
    operations.count < 3 || stableHash("dial " + text) % 20 != 0 ? .train : .test
  }

  /// The `index`-th problem of a stream, from one portion where it has any.
  public static func draw(
    _ portion: Portion, operations: ClosedRange<Int>, seed: UInt64, stream: String, index: Int
  ) -> DialProblem {
    var random = SplitMix64(seed: seed, stream: stream, index: index)
    while true {
      let problem = DialProblem(operations: random.within(operations), &random)
      if problem.portion == portion || problem.operations.count < 3 { return problem }
    }
  }
}
