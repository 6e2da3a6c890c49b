/// Plays Connect-4 perfectly: alpha-beta over win, draw and loss with a table of positions.
///
/// The empty board of 5 x 4 takes a tenth of a second; what was solved is remembered. Values are
/// exact, so they do not depend on what was asked before.
public final class ConnectFourSolver {
  public let shape: BoardShape
  private let order: [Int]
  /// A position's key above four bits: the bounds of its value, two each.
  private var table: [UInt64]
  /// Games meet the same positions again and again.
  private var best: [UInt64: UInt32] = [:]

  public init(_ shape: BoardShape) {
    self.shape = shape
    order = shape.fromCentre
    table = Array(repeating: .max, count: 1 << 21)
  }

  /// What the side to move gets with best play: 1 win, 0 draw, −1 loss. The game must not be over.
  public func value(_ board: ConnectFour) -> Int {
    precondition(board.shape == shape && !board.isOver, "the value of a game that is over")
    return search(board, -1, 1)
  }

  /// The value of every column to the side that moves; nil where it is full.
  public func moveValues(_ board: ConnectFour) -> [Int?] {
    (0..<shape.width).map { column in
      guard board.isLegal(column) else { return nil }
      if board.wins(column) { return 1 }
      let next = board.playing(column)
      return next.isFull ? 0 : -search(next, -1, 1)
    }
  }

  /// The columns that keep the position's value, as bits.
  public func bestMoves(_ board: ConnectFour) -> UInt32 {
    if let known = best[board.key] { return known }
    let values = moveValues(board)
    let highest = values.compactMap { $0 }.max()
    let found = values.enumerated().reduce(UInt32(0)) {
      $1.element == highest ? $0 | 1 << UInt32($1.offset) : $0
    }
    best[board.key] = found
    return found
  }

  private func search(_ board: ConnectFour, _ alpha: Int, _ beta: Int) -> Int {
    var forced: Int?
    for column in order where board.isLegal(column) {
      if board.wins(column) { return 1 }
      if board.loses(column) {
        // Two threats cannot both be met.
        if forced != nil { forced = -1 } else { forced = column }
      }
    }
    if forced == -1 { return -1 }
    if board.plies + 1 == shape.cells { return 0 }
    let slot = Int((board.key &* 0x9E37_79B9_7F4A_7C15) >> 43)
    var (low, high) = bounds(slot, board.key)
    if low >= beta || low == high { return low }
    if high <= alpha { return high }
    let ceiling = min(beta, high)
    var best = low == 0 ? 0 : -1
    var floor = max(alpha, low)
    for column in order where board.isLegal(column) && (forced == nil || forced == column) {
      let value = -search(board.playing(column), -ceiling, -floor)
      best = max(best, value)
      floor = max(floor, value)
      if best >= ceiling { break }
    }
    if best <= alpha {
      high = min(high, best)
    } else if best >= beta {
      low = max(low, best)
    } else {
      (low, high) = (best, best)
    }
    table[slot] = board.key << 4 | UInt64(low + 1) | UInt64(high + 1) << 2
    return best
  }

  private func bounds(_ slot: Int, _ key: UInt64) -> (low: Int, high: Int) {
    let entry = table[slot]
    guard entry >> 4 == key else { return (-1, 1) }
    return (Int(entry & 3) - 1, Int(entry >> 2 & 3) - 1)
  }
}
