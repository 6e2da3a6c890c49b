/// Where games begin: a few random moves, so that they differ and no side is favoured by one start.
///
/// Positions after four moves are dealt to training and examination by a hash that a mirror image
/// shares. Games of training may begin earlier, and games pass through each other's positions: on so
/// small a board that cannot be helped.
public struct ConnectFourOpenings: Sendable {
  public static let plies = 4
  public let shape: BoardShape
  /// Moves to every different position of either portion.
  public let training: [[Int]]
  public let examination: [[Int]]

  public init(_ shape: BoardShape) {
    self.shape = shape
    var seen: Set<UInt64> = []
    var portions: [Portion: [[Int]]] = [:]
    func extend(_ moves: [Int], _ board: ConnectFour) {
      if moves.count == Self.plies {
        if seen.insert(board.key).inserted {
          portions[Self.portion(board), default: []].append(moves)
        }
        return
      }
      for column in 0..<shape.width where board.isLegal(column) {
        extend(moves + [column], board.playing(column))
      }
    }
    extend([], ConnectFour(shape))
    training = portions[.train] ?? []
    examination = portions[.test] ?? []
  }

  static func portion(_ board: ConnectFour) -> Portion {
    let key = min(board.key, board.mirrored.key)
    return stableHash("connect four \(key)") % 2 == 0 ? .train : .test
  }

  /// Zero to four moves; four lead to a position of the training portion.
  public func draw(_ random: inout SplitMix64) -> [Int] {
    let plies = random.within(0...Self.plies)
    if plies == Self.plies { return random.pick(training) }
    var board = ConnectFour(shape)
    return (0..<plies).map { _ in
      let move = random.pick((0..<shape.width).filter(board.isLegal))
      board.play(move)
      return move
    }
  }
}
