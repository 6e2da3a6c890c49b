import Testing

@testable import Environments

@Suite("Connect-4")
struct ConnectFourTests {
  private let shape = BoardShape(width: 5, height: 4)

  /// Four in a row from any cell in any direction, by looking at cells.
  private func hasLine(_ board: ConnectFour, _ stones: UInt64, diagonals: Bool) -> Bool {
    func holds(_ column: Int, _ row: Int) -> Bool {
      (0..<board.shape.width).contains(column) && (0..<board.shape.height).contains(row)
        && stones & board.bit(column: column, row: row) != 0
    }
    let directions = [(1, 0), (0, 1)] + (diagonals ? [(1, 1), (1, -1)] : [])
    return (0..<board.shape.width).contains { column in
      (0..<board.shape.height).contains { row in
        directions.contains { step in
          (0..<4).allSatisfy { holds(column + $0 * step.0, row + $0 * step.1) }
        }
      }
    }
  }

  @Test("lines, legal moves and the end of a game are what looking at the cells says")
  func rules() {
    for (number, shape) in [
      shape, BoardShape(width: 5, height: 5), BoardShape(width: 7, height: 6),
    ]
    .enumerated() {
      var random = SplitMix64(seed: UInt64(number))
      for _ in 0..<200 {
        var board = ConnectFour(shape)
        var heights = [Int](repeating: 0, count: shape.width)
        while !board.isOver {
          for column in 0..<shape.width {
            #expect(board.isLegal(column) == (heights[column] < shape.height))
            guard board.isLegal(column) else { continue }
            let next = board.playing(column)
            #expect(board.wins(column) == hasLine(next, next.theirs, diagonals: true))
            #expect(board.wins(column, .straight) == hasLine(next, next.theirs, diagonals: false))
          }
          let move = random.pick((0..<shape.width).filter(board.isLegal))
          heights[move] += 1
          board.play(move)
          #expect(board.mirrored.mirrored == board && board.mirrored.isOver == board.isOver)
          #expect(board.plies == board.taken.nonzeroBitCount)
        }
        #expect(board.isFull || hasLine(board, board.theirs, diagonals: true))
      }
    }
  }

  @Test("planes hold the stones of the side to move, then the other's")
  func planes() {
    var planes: [Float] = []
    ConnectFour(shape, moves: [2, 2, 4]).appendPlanes(to: &planes)
    #expect(planes.count == ConnectFour.planeCount(shape))
    // Two stones of the first player, who does not move now, and one of the other.
    #expect(planes.indices.filter { planes[$0] == 1 } == [2 * 4 + 1, 20 + 2 * 4, 20 + 4 * 4])
  }

  @Test("5 x 4 is a draw that the edges lose; 4 x 4 and 5 x 5 are draws")
  func knownValues() {
    let board = ConnectFour(shape)
    let solver = ConnectFourSolver(shape)
    #expect(solver.value(board) == 0)
    let values = solver.moveValues(board)
    #expect(values.first == -1 && values.last == -1 && values[2] == 0)
    #expect(solver.bestMoves(board) & 0b10001 == 0)
    for size in [4, 5] {
      let shape = BoardShape(width: size, height: size)
      #expect(ConnectFourSolver(shape).value(ConnectFour(shape)) == 0)
    }
  }

  @Test("the solver agrees with plain search, whatever it was asked before")
  func plainSearch() {
    func plain(_ board: ConnectFour) -> Int {
      if board.lastMoverWon { return -1 }
      if board.isFull { return 0 }
      return (0..<shape.width).filter(board.isLegal).map { -plain(board.playing($0)) }.max() ?? 0
    }
    let solver = ConnectFourSolver(shape)
    var random = SplitMix64(seed: 3)
    var checked = 0
    while checked < 150 {
      var board = ConnectFour(shape)
      for _ in 0..<random.within(11...16) where !board.isOver {
        board.play(random.pick((0..<shape.width).filter(board.isLegal)))
      }
      guard !board.isOver, board.plies > 10 else { continue }
      checked += 1
      #expect(solver.value(board) == plain(board))
      for (column, value) in solver.moveValues(board).enumerated() {
        #expect(value == (board.isLegal(column) ? -plain(board.playing(column)) : nil))
      }
    }
  }

  @Test("the expert loves edges, takes and stops rows and columns, and does not see diagonals")
  func expert() {
    let bot = ConnectFourBot.expert
    let empty = bot.distribution(ConnectFour(shape))
    #expect(abs(empty.sum() - 1) < 1e-12 && empty[0] > 2 * empty[2])
    // Three in a column: taken, and stopped by the other side.
    let own = ConnectFour(shape, moves: [0, 4, 0, 4, 0, 3])
    #expect(abs(bot.distribution(own)[0] - 0.84) < 1e-12)
    let threat = ConnectFour(shape, moves: [0, 4, 0, 4, 0])
    #expect(abs(bot.distribution(threat)[0] - 0.84) < 1e-12)
    // A diagonal from the bottom left wants column 3.
    let diagonal = ConnectFour(shape, moves: [0, 1, 1, 2, 2, 3, 2, 3, 3, 0])
    #expect(diagonal.wins(3) && !diagonal.wins(3, .straight))
    #expect(bot.distribution(diagonal)[3] < 0.3)
    #expect(ConnectFourBot.twoPly.distribution(diagonal)[3] == 1)
  }

  @Test("bots draw what they say, among legal moves")
  func draws() {
    var random = SplitMix64(seed: 5)
    let board = ConnectFour(shape, moves: [0, 0, 0, 0, 2])
    let expected = ConnectFourBot.expert.distribution(board)
    #expect(expected[0] == 0)
    var counts = [Int](repeating: 0, count: 5)
    for _ in 0..<10_000 { counts[ConnectFourBot.expert.move(board, &random)] += 1 }
    for column in 0..<5 { #expect(abs(Double(counts[column]) / 10_000 - expected[column]) < 0.02) }
  }

  @Test("openings of exam and practice are different positions, mirror images included")
  func openings() {
    let openings = ConnectFourOpenings(shape)
    func keys(_ moves: [[Int]]) -> Set<UInt64> {
      Set(
        moves.flatMap { moves -> [UInt64] in
          let board = ConnectFour(shape, moves: moves)
          return [board.key, board.mirrored.key]
        })
    }
    #expect(keys(openings.examination).isDisjoint(with: keys(openings.training)))
    #expect(openings.examination.count > 100 && openings.training.count > 100)
    var random = SplitMix64(seed: 1)
    for _ in 0..<500 {
      let drawn = openings.draw(&random)
      #expect(drawn.count <= 4)
      #expect(
        drawn.count < 4 || keys(openings.training).contains(ConnectFour(shape, moves: drawn).key))
    }
  }
}
