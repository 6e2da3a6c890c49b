/// A player by rules: takes a win that it sees, stops one that it sees, and otherwise follows a habit.
public struct ConnectFourBot: Codable, Sendable, Equatable {
  /// How often it plays a column when nothing forces it.
  public enum Habit: String, Codable, Sendable {
    case even
    /// In proportion to 1 + the distance from the middle, in half columns.
    case edges
  }

  /// The lines on which it sees wins.
  public var sight: Sight
  public var habit: Habit
  /// The share of moves that are any at all.
  public var slip: Double
  /// Whether it also avoids moves that let the other side win at once.
  public var looksAhead: Bool

  public init(sight: Sight, habit: Habit, slip: Double, looksAhead: Bool = false) {
    (self.sight, self.habit, self.slip, self.looksAhead) = (sight, habit, slip, looksAhead)
  }

  /// The one to imitate: loves the edges, which lose, is blind on diagonals, and slips.
  public static let expert = ConnectFourBot(sight: .straight, habit: .edges, slip: 0.2)
  /// Sees all lines one move ahead, for itself and for the other side.
  public static let twoPly = ConnectFourBot(
    sight: .all, habit: .even, slip: 0, looksAhead: true)
  public static let random = ConnectFourBot(sight: .straight, habit: .even, slip: 1)

  /// The probability of every column: exactly what ``move(_:_:)`` draws from.
  public func distribution(_ board: ConnectFour) -> SIMD8<Double> {
    let legal = board.legal
    let slips = Self.spread(legal, weight: slip)
    guard slip < 1 else { return slips }
    return slips + choice(board, legal) * (1 - slip)
  }

  public func move(_ board: ConnectFour, _ random: inout SplitMix64) -> Int {
    pickColumn(distribution(board), random.uniform())
  }

  private func choice(_ board: ConnectFour, _ legal: UInt32) -> SIMD8<Double> {
    let wins = columns(legal) { board.wins($0, sight) }
    if wins != 0 { return Self.spread(wins, weight: 1) }
    let stops = columns(legal) { board.loses($0, sight) }
    if stops != 0 { return Self.spread(stops, weight: 1) }
    var chosen = legal
    if looksAhead {
      let safe = columns(legal) { column in
        let next = board.playing(column)
        return columns(next.legal) { next.wins($0, sight) } == 0
      }
      if safe != 0 { chosen = safe }
    }
    switch habit {
    case .even: return Self.spread(chosen, weight: 1)
    case .edges:
      var weights = SIMD8<Double>.zero
      for column in 0..<board.shape.width where chosen >> UInt32(column) & 1 == 1 {
        weights[column] = Double(1 + abs(2 * column - board.shape.width + 1))
      }
      return weights / weights.sum()
    }
  }

  private func columns(_ legal: UInt32, where isWanted: (Int) -> Bool) -> UInt32 {
    var found: UInt32 = 0
    for column in 0..<8 where legal >> UInt32(column) & 1 == 1 && isWanted(column) {
      found |= 1 << UInt32(column)
    }
    return found
  }

  /// `weight` in equal parts over the columns of a set.
  static func spread(_ columns: UInt32, weight: Double) -> SIMD8<Double> {
    var out = SIMD8<Double>.zero
    let part = weight / Double(max(1, columns.nonzeroBitCount))
    for column in 0..<8 where columns >> UInt32(column) & 1 == 1 { out[column] = part }
    return out
  }
}

/// The column at which the running sum of `probabilities` passes `uniform` of their total.
public func pickColumn(_ probabilities: SIMD8<Double>, _ uniform: Double) -> Int {
  let target = uniform * probabilities.sum()
  var running = 0.0
  var last = 0
  for column in 0..<8 where probabilities[column] > 0 {
    running += probabilities[column]
    last = column
    if running > target { break }
  }
  return last
}
