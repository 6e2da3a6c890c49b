import Generation
import Synchronization

/// Recognises the texts of a grammar byte by byte.
///
/// A state is the set of places where the grammar could be, each a stack of what comes after. States
/// and the steps between them are made as they are met and kept: most texts meet few.
final class GrammarMachine: Sendable {
  /// No text goes on from here.
  static let dead: Int32 = -1
  let start: Int32 = 0

  private struct Stack: Hashable {
    /// The symbol that is next; always one of bytes.
    var symbol: Int32
    /// The stack to go on with afterwards; −1 for the end of the text.
    var below: Int32
  }

  private struct Tables {
    var stacks: [Stack] = []
    var stackNumbers: [Stack: Int32] = [:]
    /// By state: its stacks in order, −1 first where the text may end.
    var states: [[Int32]] = []
    var stateNumbers: [[Int32]: Int32] = [:]
    /// By state and byte; −2 where nobody looked yet.
    var steps: [Int32] = []
    var masks: [Int32: TokenMask] = [:]
  }

  private let grammar: Grammar
  private let tables: Mutex<Tables>

  init(_ grammar: Grammar, root: Grammar.Symbol) {
    self.grammar = grammar
    var tables = Tables()
    var places: Set<Int32> = []
    if case .rule(let rule) = root {
      for place in grammar.rules[rule] {
        Self.expand(place, below: -1, grammar, &tables, &places)
      }
    }
    _ = Self.state(places, &tables)
    self.tables = Mutex(tables)
  }

  /// The state after a byte.
  func step(_ state: Int32, _ byte: UInt8) -> Int32 {
    guard state >= 0 else { return Self.dead }
    return tables.withLock { Self.step(state, byte, grammar, &$0) }
  }

  /// Whether the text may end in a state.
  func isEnd(_ state: Int32) -> Bool {
    state >= 0 && tables.withLock { $0.states[Int(state)].first == -1 }
  }

  /// Whether nothing can follow in a state.
  func isLast(_ state: Int32) -> Bool {
    state < 0 || tables.withLock { $0.states[Int(state)].allSatisfy { $0 == -1 } }
  }

  /// The tokens of a vocabulary that may follow in a state.
  func mask(_ state: Int32, _ vocabulary: SortedVocabulary) -> TokenMask {
    tables.withLock { tables in
      if let known = tables.masks[state] { return known }
      var mask = TokenMask(vocabulary: vocabulary.size)
      // The state after each byte of the token before: the next one shares its beginning.
      var path = [state]
      for token in vocabulary.tokens {
        let bytes = token.bytes
        path.removeLast(max(0, path.count - 1 - token.shared))
        while path.count <= bytes.count, let last = path.last, last >= 0 {
          path.append(Self.step(last, bytes[path.count - 1], grammar, &tables))
        }
        // A dead beginning is dead for all tokens that share it.
        if path.count == bytes.count + 1, path[bytes.count] >= 0 { mask.insert(token.id) }
      }
      tables.masks[state] = mask
      return mask
    }
  }

  private static func step(
    _ state: Int32, _ byte: UInt8, _ grammar: Grammar, _ tables: inout Tables
  ) -> Int32 {
    let at = Int(state) << 8 | Int(byte)
    if tables.steps[at] != -2 { return tables.steps[at] }
    var places: Set<Int32> = []
    for number in tables.states[Int(state)] where number >= 0 {
      let stack = tables.stacks[Int(number)]
      guard case .bytes(let bytes) = grammar.symbols[Int(stack.symbol)], bytes.contains(byte)
      else { continue }
      expand(Int(stack.symbol) + 1, below: stack.below, grammar, &tables, &places)
    }
    let next = places.isEmpty ? dead : self.state(places, &tables)
    tables.steps[at] = next
    return next
  }

  /// Adds the places that `symbol`, with `below` to follow, can be before a byte.
  private static func expand(
    _ symbol: Int, below: Int32, _ grammar: Grammar, _ tables: inout Tables,
    _ places: inout Set<Int32>
  ) {
    switch grammar.symbols[symbol] {
    case .bytes: places.insert(stack(Stack(symbol: Int32(symbol), below: below), &tables))
    case .end:
      guard below >= 0 else {
        places.insert(-1)
        return
      }
      let next = tables.stacks[Int(below)]
      expand(Int(next.symbol), below: next.below, grammar, &tables, &places)
    case .rule(let rule):
      // What follows the rule waits below; nothing needs to wait at the end of an alternative.
      var after = below
      if case .end = grammar.symbols[symbol + 1] {
      } else {
        after = stack(Stack(symbol: Int32(symbol + 1), below: below), &tables)
      }
      for place in grammar.rules[rule] { expand(place, below: after, grammar, &tables, &places) }
    }
  }

  private static func stack(_ stack: Stack, _ tables: inout Tables) -> Int32 {
    if let known = tables.stackNumbers[stack] { return known }
    let number = Int32(tables.stacks.count)
    tables.stacks.append(stack)
    tables.stackNumbers[stack] = number
    return number
  }

  private static func state(_ places: Set<Int32>, _ tables: inout Tables) -> Int32 {
    let key = places.sorted()
    if let known = tables.stateNumbers[key] { return known }
    let number = Int32(tables.states.count)
    tables.states.append(key)
    tables.stateNumbers[key] = number
    tables.steps += Array(repeating: -2, count: 256)
    return number
  }
}
