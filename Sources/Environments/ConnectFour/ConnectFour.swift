/// The size of a board: 4 to 8 columns wide, and of at most 56 bits with a spare one on every column.
public struct BoardShape: Codable, Sendable, Hashable {
  public let width: Int
  public let height: Int

  public init(width: Int, height: Int) {
    precondition(
      (4...8).contains(width) && height >= 4 && width * (height + 1) <= 56,
      "a board of \(width) x \(height)")
    (self.width, self.height) = (width, height)
  }

  public var cells: Int { width * height }
  /// The columns from the middle outwards.
  public var fromCentre: [Int] {
    (0..<width).sorted { (abs(2 * $0 - width + 1), $0) < (abs(2 * $1 - width + 1), $1) }
  }
}

/// The lines that a player looks at.
public enum Sight: String, Codable, Sendable {
  case all
  /// Rows and columns only: blind on the diagonals.
  case straight
}

/// Connect-4: stones fall into columns, four in a row win, a full board is a draw.
///
/// A column is height + 1 bits with the lowest cell first; the spare bit on top keeps lines from
/// running over into the next column (Fhourstones, John Tromp).
public struct ConnectFour: Sendable, Hashable {
  public let shape: BoardShape
  /// The stones of the side to move.
  public private(set) var mine: UInt64 = 0
  /// The stones of both.
  public private(set) var taken: UInt64 = 0
  /// Stones on the board.
  public private(set) var plies = 0

  public init(_ shape: BoardShape) { self.shape = shape }

  /// The position after `moves` from an empty board.
  public init(_ shape: BoardShape, moves: some Sequence<Int>) {
    self.init(shape)
    for move in moves { play(move) }
  }

  /// The stones of the side that does not move.
  public var theirs: UInt64 { mine ^ taken }
  public var isFull: Bool { plies == shape.cells }
  /// Whether the stone that was placed last made four.
  public var lastMoverWon: Bool { hasLine(theirs, .all) }
  public var isOver: Bool { isFull || lastMoverWon }

  /// Identifies the position among all of its shape.
  public var key: UInt64 { mine + taken }

  /// The position seen in a mirror.
  public var mirrored: ConnectFour {
    var other = self
    (other.mine, other.taken) = (mirror(mine), mirror(taken))
    return other
  }

  public func bit(column: Int, row: Int) -> UInt64 { 1 << UInt64(column * step + row) }

  public func isLegal(_ column: Int) -> Bool {
    taken & bit(column: column, row: shape.height - 1) == 0
  }

  /// The columns with room, as bits.
  public var legal: UInt32 {
    var columns: UInt32 = 0
    for column in 0..<shape.width where isLegal(column) { columns |= 1 << UInt32(column) }
    return columns
  }

  /// Places a stone of the side to move.
  public mutating func play(_ column: Int) {
    precondition(isLegal(column), "column \(column) is full")
    let theirs = self.theirs
    taken |= landing(column)
    mine = theirs
    plies += 1
  }

  public func playing(_ column: Int) -> ConnectFour {
    var next = self
    next.play(column)
    return next
  }

  /// Whether a stone of the side to move in `column`, which has room, makes four.
  public func wins(_ column: Int, _ sight: Sight = .all) -> Bool {
    hasLine(mine | landing(column), sight)
  }

  /// Whether the other side would make four in `column`, which has room.
  public func loses(_ column: Int, _ sight: Sight = .all) -> Bool {
    hasLine(theirs | landing(column), sight)
  }

  /// Whether `stones` hold four in a row.
  public func hasLine(_ stones: UInt64, _ sight: Sight) -> Bool {
    if run(stones, 1) || run(stones, step) { return true }
    return sight == .all && hasDiagonal(stones)
  }

  /// Whether `stones` hold four on a diagonal.
  public func hasDiagonal(_ stones: UInt64) -> Bool {
    run(stones, step - 1) || run(stones, step + 1)
  }

  /// Bits from a cell to its neighbour in the next column.
  private var step: Int { shape.height + 1 }

  private func run(_ stones: UInt64, _ step: Int) -> Bool {
    let pairs = stones & (stones >> UInt64(step))
    return pairs & (pairs >> UInt64(2 * step)) != 0
  }

  /// Where a stone in `column`, which has room, comes to lie.
  private func landing(_ column: Int) -> UInt64 {
    (taken + bit(column: column, row: 0)) & (columnMask << UInt64(column * step))
  }

  private var columnMask: UInt64 { (1 << UInt64(shape.height)) - 1 }

  private func mirror(_ stones: UInt64) -> UInt64 {
    (0..<shape.width).reduce(0) { mirrored, column in
      let part = (stones >> UInt64(column * step)) & columnMask
      return mirrored | part << UInt64((shape.width - 1 - column) * step)
    }
  }
}

extension ConnectFour {
  /// Values of ``appendPlanes(to:)``: two for each cell.
  public static func planeCount(_ shape: BoardShape) -> Int { 2 * shape.cells }

  /// The stones of the side to move, then those of the other, cell by cell: 1 or 0.
  public func appendPlanes(to planes: inout [Float]) {
    for stones in [mine, theirs] {
      for column in 0..<shape.width {
        for row in 0..<shape.height {
          planes.append(stones & bit(column: column, row: row) == 0 ? 0 : 1)
        }
      }
    }
  }

  /// Rows from the top: `X` for the side that moved first, `O` for the other, `.` where it is empty.
  public var text: String {
    let first = plies % 2 == 0 ? mine : theirs
    return (0..<shape.height).reversed().map { row in
      (0..<shape.width).map { column in
        let cell = bit(column: column, row: row)
        return taken & cell == 0 ? "." : first & cell == 0 ? "O" : "X"
      }.joined(separator: " ")
    }.joined(separator: "\n")
  }
}
