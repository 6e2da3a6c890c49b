/// A grammar over bytes: states joined by bytes, by jumps, and by calls of other rules, to which they
/// return (a recursive transition network: Woods 1970).
struct ByteGrammar: Sendable {
  struct State: Sendable {
    var edges: [(bytes: ClosedRange<UInt8>, to: Int32)] = []
    /// States that it goes on as, without a byte.
    var jumps: [Int32] = []
    /// Rules that may follow, by their first state, and where to go on behind them.
    var calls: [(rule: Int32, to: Int32)] = []
    /// Whether the rule may end here.
    var isFinal = false
  }

  private(set) var states: [State] = []
  var start: Int32 = 0
  /// By state: how many calls deep the shortest way to the end of its rule goes.
  private(set) var needs: [Int32] = []

  /// What no way to the end needs.
  static let endless = Int32.max / 2

  mutating func state() -> Int32 {
    states.append(State())
    return Int32(states.count - 1)
  }

  mutating func end(_ state: Int32) { states[Int(state)].isFinal = true }

  mutating func jump(_ from: Int32, to: Int32) { states[Int(from)].jumps.append(to) }

  mutating func call(_ rule: Int32, from: Int32, to: Int32? = nil) -> Int32 {
    let to = to ?? state()
    states[Int(from)].calls.append((rule, to))
    return to
  }

  mutating func bytes(_ range: ClosedRange<UInt8>, from: Int32, to: Int32? = nil) -> Int32 {
    let to = to ?? state()
    states[Int(from)].edges.append((range, to))
    return to
  }

  mutating func bytes(_ ranges: [ClosedRange<UInt8>], from: Int32, to: Int32? = nil) -> Int32 {
    let to = to ?? state()
    for range in ranges { states[Int(from)].edges.append((range, to)) }
    return to
  }

  mutating func literal(_ text: some Sequence<UInt8>, from: Int32) -> Int32 {
    var at = from
    for byte in text { at = bytes(byte...byte, from: at) }
    return at
  }

  mutating func literal(_ text: String, from: Int32) -> Int32 { literal(text.utf8, from: from) }

  /// A rule of its own, for ``call(_:from:to:)``.
  mutating func rule(_ body: (inout ByteGrammar, Int32) throws -> Int32) rethrows -> Int32 {
    let start = state()
    end(try body(&self, start))
    return start
  }

  /// Finds ``needs``. Afterwards nothing is added.
  mutating func close() {
    needs = Array(repeating: Self.endless, count: states.count)
    var isChanging = true
    while isChanging {
      isChanging = false
      // Most states go on to later ones.
      for i in states.indices.reversed() {
        let state = states[i]
        var need = state.isFinal ? 0 : Self.endless
        for edge in state.edges { need = min(need, needs[Int(edge.to)]) }
        for jump in state.jumps { need = min(need, needs[Int(jump)]) }
        for call in state.calls {
          need = min(need, max(min(needs[Int(call.rule)] + 1, Self.endless), needs[Int(call.to)]))
        }
        if need < needs[i] {
          needs[i] = need
          isChanging = true
        }
      }
    }
  }
}
