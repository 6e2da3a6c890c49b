import Synchronization

/// Reads bytes by a grammar, all readings at once, and remembers what it found: sets of places that a
/// text may stand at become the states of an automaton as they are met. Shared between sequences.
final class GrammarAutomaton: Sendable {
  /// A place in the grammar, and where to return to from its rule.
  struct Place: Hashable, Comparable {
    var state: Int32
    /// The number of a stack of returns; −1 at the outermost rule.
    var stack: Int32

    static func < (a: Place, b: Place) -> Bool {
      a.state != b.state ? a.state < b.state : a.stack < b.stack
    }
  }

  /// Where a text may stand: all its readings. It holds whatever the tables forget.
  struct Position: Hashable {
    fileprivate var places: [Place]
    /// Whether the text may end.
    var isComplete: Bool
    /// Whether nothing but the end can follow.
    var isOver: Bool { places.isEmpty }
  }

  private struct Return: Hashable {
    var to: Int32
    var parent: Int32
  }

  /// What was found so far.
  private struct Tables {
    var stacks: [(value: Return, depth: Int32)] = []
    var stackNumbers: [Return: Int32] = [:]
    var positions: [Position] = []
    var numbers: [Position: Int32] = [:]
    /// 256 a position: the next position, −1 for none, −2 where it was not met yet.
    var next: [Int32] = []
    var masks: [Int32: TokenMask] = [:]
  }

  private let grammar: ByteGrammar
  /// Rules may be called this deep.
  private let depthLimit: Int32
  private let tables = Mutex(Tables())
  let start: Position

  /// Positions are forgotten beyond this many: each takes a kilobyte and a mask.
  private static let mostPositions = 8_192

  init(_ grammar: ByteGrammar, depthLimit: Int32) {
    (self.grammar, self.depthLimit) = (grammar, depthLimit)
    var scratch = Tables()
    start = Self.close(
      [Place(state: grammar.start, stack: -1)], grammar, depthLimit, &scratch)
    // The places of the start may hold stacks, which keep their numbers.
    let found = scratch
    tables.withLock { $0 = found }
  }

  /// Where a text stands behind `bytes`; nil where they cannot follow.
  func advance(_ position: Position, by bytes: [UInt8]) -> Position? {
    tables.withLock { tables in
      var at = number(position, &tables)
      for byte in bytes {
        at = step(at, byte, &tables)
        if at < 0 { return nil }
      }
      return tables.positions[Int(at)]
    }
  }

  /// The tokens that may follow.
  func mask(_ position: Position, _ trie: TokenTrie) -> TokenMask {
    tables.withLock { tables in
      let at = number(position, &tables)
      if let known = tables.masks[at] { return known }
      let mask = trie.matches(from: at) { step($0, $1, &tables) }
      tables.masks[at] = mask
      return mask
    }
  }

  private func number(_ position: Position, _ tables: inout Tables) -> Int32 {
    if let known = tables.numbers[position] { return known }
    if tables.positions.count >= Self.mostPositions {
      tables.positions = []
      tables.numbers = [:]
      tables.next = []
      tables.masks = [:]
    }
    return add(position, &tables)
  }

  private func add(_ position: Position, _ tables: inout Tables) -> Int32 {
    if let known = tables.numbers[position] { return known }
    let number = Int32(tables.positions.count)
    tables.positions.append(position)
    tables.numbers[position] = number
    tables.next += repeatElement(-2, count: 256)
    return number
  }

  private func step(_ from: Int32, _ byte: UInt8, _ tables: inout Tables) -> Int32 {
    let index = Int(from) * 256 + Int(byte)
    let known = tables.next[index]
    if known != -2 { return known }
    var reached: [Place] = []
    for place in tables.positions[Int(from)].places {
      let depth = Self.depth(place.stack, tables)
      for edge in grammar.states[Int(place.state)].edges
      where edge.bytes.contains(byte) && depth + grammar.needs[Int(edge.to)] <= depthLimit {
        reached.append(Place(state: edge.to, stack: place.stack))
      }
    }
    let next =
      reached.isEmpty ? -1 : add(Self.close(reached, grammar, depthLimit, &tables), &tables)
    tables.next[index] = next
    return next
  }

  private static func depth(_ stack: Int32, _ tables: Tables) -> Int32 {
    stack < 0 ? 0 : tables.stacks[Int(stack)].depth
  }

  /// All places that are reached without a byte; those from which a byte goes on are kept.
  private static func close(
    _ places: [Place], _ grammar: ByteGrammar, _ depthLimit: Int32, _ tables: inout Tables
  ) -> Position {
    var seen = Set(places)
    var pending = places
    var kept: [Place] = []
    var isComplete = false
    while let place = pending.popLast() {
      let state = grammar.states[Int(place.state)]
      let depth = depth(place.stack, tables)
      func reach(_ next: Place, depth: Int32) {
        guard depth + grammar.needs[Int(next.state)] <= depthLimit else { return }
        if seen.insert(next).inserted { pending.append(next) }
      }
      if !state.edges.isEmpty { kept.append(place) }
      for jump in state.jumps { reach(Place(state: jump, stack: place.stack), depth: depth) }
      for call in state.calls where depth + grammar.needs[Int(call.to)] <= depthLimit {
        let value = Return(to: call.to, parent: place.stack)
        var stack = tables.stackNumbers[value]
        if stack == nil {
          stack = Int32(tables.stacks.count)
          tables.stacks.append((value, depth + 1))
          tables.stackNumbers[value] = stack
        }
        reach(Place(state: call.rule, stack: stack ?? -1), depth: depth + 1)
      }
      if state.isFinal {
        if place.stack < 0 {
          isComplete = true
        } else {
          let value = tables.stacks[Int(place.stack)].value
          reach(Place(state: value.to, stack: value.parent), depth: depth - 1)
        }
      }
    }
    return Position(places: kept.sorted(), isComplete: isComplete)
  }
}
