/// A regular expression that a text is matched with as a whole, in time that grows as the product of
/// the two lengths: all states of a nondeterministic automaton are followed at once (Thompson 1968),
/// so there is nothing to backtrack and no pattern that explodes.
///
/// Read: literals, `.`, classes `[a-z]` and `[^…]`, `\d \w \s \D \W \S`, `\t \n \r`, any sign escaped,
/// groups `(…)` and `(?:…)`, `|`, `* + ?` and `{m}`, `{m,}`, `{m,n}`. `^` and `$` are allowed at the ends
/// and mean nothing there; `(?i)` at the beginning ignores the case of letters. What needs memory of
/// the text, back references and look-around, is refused.
struct LinearPattern: Sendable {
  /// Steps of the automaton at most.
  static let stateLimit = 20_000

  /// One step of the automaton.
  enum Step: Sendable {
    case one(of: CharacterSet, next: Int)
    case split(Int, Int)
    case accept
  }

  /// Scalars in closed ranges.
  struct CharacterSet: Sendable, Equatable {
    var ranges: [ClosedRange<UInt32>]
    var isInverted = false

    func contains(_ scalar: Unicode.Scalar) -> Bool {
      ranges.contains { $0.contains(scalar.value) } != isInverted
    }
  }

  private let steps: [Step]
  private let start: Int
  private let ignoresCase: Bool

  /// Throws ``EnvironmentError`` that says where the pattern is wrong.
  init(_ pattern: String) throws {
    var parser = PatternParser(pattern)
    let tree = try parser.whole()
    ignoresCase = parser.ignoresCase
    var builder = AutomatonBuilder()
    start = try builder.add(tree, then: builder.append(.accept))
    steps = builder.steps
  }

  /// Whether all of `text` matches.
  func matches(_ text: String) -> Bool {
    var marks = [Int](repeating: -1, count: steps.count)
    var states: [Int] = []
    add(start, to: &states, &marks, at: 0)
    for (i, scalar) in text.unicodeScalars.enumerated() {
      guard !states.isEmpty else { return false }
      var following: [Int] = []
      for state in states {
        if case .one(let set, let next) = steps[state], holds(set, scalar) {
          add(next, to: &following, &marks, at: i + 1)
        }
      }
      states = following
    }
    return states.contains { if case .accept = steps[$0] { true } else { false } }
  }

  private func holds(_ set: CharacterSet, _ scalar: Unicode.Scalar) -> Bool {
    guard ignoresCase else { return set.contains(scalar) }
    let properties = scalar.properties
    let others = [properties.lowercaseMapping, properties.uppercaseMapping].compactMap {
      $0.unicodeScalars.count == 1 ? $0.unicodeScalars.first : nil
    }
    let isListed = { (s: Unicode.Scalar) in set.ranges.contains { $0.contains(s.value) } }
    return (isListed(scalar) || others.contains(where: isListed)) != set.isInverted
  }

  /// A state and all that it leads to without a character, each once.
  private func add(_ state: Int, to states: inout [Int], _ marks: inout [Int], at place: Int) {
    var waiting = [state]
    while let state = waiting.popLast() {
      guard marks[state] != place else { continue }
      marks[state] = place
      if case .split(let a, let b) = steps[state] {
        waiting += [a, b]
      } else {
        states.append(state)
      }
    }
  }
}

/// A pattern as it was read.
indirect enum PatternTree {
  case set(LinearPattern.CharacterSet)
  case sequence([PatternTree])
  case choice([PatternTree])
  /// `most` is nil for no limit.
  case repeated(PatternTree, least: Int, most: Int?)
}

private struct AutomatonBuilder {
  var steps: [LinearPattern.Step] = []

  mutating func append(_ step: LinearPattern.Step) throws -> Int {
    guard steps.count < LinearPattern.stateLimit else {
      throw EnvironmentError("it is too large: repeat less")
    }
    steps.append(step)
    return steps.count - 1
  }

  /// Adds what matches `tree` and goes on at `next`; gives where it begins.
  mutating func add(_ tree: PatternTree, then next: Int) throws -> Int {
    switch tree {
    case .set(let set): return try append(.one(of: set, next: next))
    case .sequence(let parts):
      return try parts.reversed().reduce(next) { try add($1, then: $0) }
    case .choice(let branches):
      let starts = try branches.map { try add($0, then: next) }
      return try starts.dropLast().reversed().reduce(starts.last ?? next) {
        try append(.split($1, $0))
      }
    case .repeated(let part, let least, let most):
      var start = next
      if let most {
        for _ in least..<max(least, most) {
          start = try append(.split(try add(part, then: start), next))
        }
      } else {
        let loop = try append(.split(next, next))
        steps[loop] = .split(try add(part, then: loop), next)
        start = loop
      }
      for _ in 0..<least { start = try add(part, then: start) }
      return start
    }
  }
}
