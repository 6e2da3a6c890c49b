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

  public init(start: Int, operations: [DialOperation]) {
    precondition((0...9).contains(start), "a dial at \(start)")
    precondition((1...Self.slots).contains(operations.count), "\(operations.count) operations")
    (self.start, self.operations) = (start, operations)
  }

  /// A problem with `count` operations.
  public init(operations count: Int, _ random: inout SplitMix64) {
    self.init(
      start: random.below(10),
      operations: (0..<count).map { _ in random.pick(DialOperation.all) })
  }

  /// The start, then the value after each operation.
  public var values: [Int] {
    operations.reduce(into: [start]) { values, operation in
      values.append(operation.apply(values[values.count - 1]))
    }
  }

  public var answer: Int { operations.reduce(start) { $1.apply($0) } }

  public var text: String { "\(start) " + operations.map(\.text).joined(separator: " ") }

  /// Where the problem may be used. Of those with three operations or more, one in twenty is for the
  /// test and one in twenty for validation. There are only 1,560 shorter ones: all sides see them.
  public var portion: Portion {
    guard operations.count >= 3 else { return .train }
    return switch stableHash("dial " + text) % 20 {
    case 0: .test
    case 1: .validation
    default: .train
    }
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

  /// `count` different problems with as many operations each, or all where there are fewer.
  public static func distinct(
    _ count: Int, _ portion: Portion, operations: Int, seed: UInt64, stream: String
  ) -> [DialProblem] {
    if operations == 1 {
      let all = (0..<10).flatMap { start in
        DialOperation.all.map { DialProblem(start: start, operations: [$0]) }
      }
      return Array(all.prefix(count))
    }
    var seen: Set<String> = []
    var problems: [DialProblem] = []
    var index = 0
    while problems.count < count {
      let problem = draw(
        portion, operations: operations...operations, seed: seed, stream: stream, index: index)
      if seen.insert(problem.text).inserted { problems.append(problem) }
      index += 1
    }
    return problems
  }
}
