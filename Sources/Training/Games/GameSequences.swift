import Corpus
import Environments
import LanguageModel

// A game of Connect-4 as a sequence: a token for the start and one for each move. What stands on the
// board after it comes with every token, as two planes of the side to move and of the other; so the
// model need not add up the moves itself, and stays small.

/// A game as moves, with what predicting each of them counts.
public struct GameSequence: Sendable, Equatable {
  public var moves: [Int]
  public var weights: [Float]

  public init(moves: [Int], weights: [Float]) {
    precondition(moves.count == weights.count, "\(moves.count) moves, \(weights.count) weights")
    (self.moves, self.weights) = (moves, weights)
  }
}

extension DecoderConfig {
  /// A small decoder over the moves of a game.
  public static func connectFour(
    _ shape: BoardShape, width: Int, layers: Int, heads: Int
  ) -> DecoderConfig {
    DecoderConfig(
      vocabularySize: shape.width + 1, width: width, layers: layers, heads: heads,
      hiddenWidth: (8 * width / 3 + 15) / 16 * 16, context: shape.cells,
      inputFeatures: ConnectFour.planeCount(shape))
  }
}

extension BoardShape {
  /// The token before the first move; move c is token c.
  public var startToken: Int32 { Int32(width) }
}

extension TokenBatch {
  /// Games packed into rows of `length` slots, in their order. A game's last move is only a target.
  ///
  /// - Parameter masked: whether a move is chosen among the legal ones, or among all tokens.
  public init(games: [GameSequence], shape: BoardShape, length: Int, masked: Bool) {
    precondition(length >= shape.cells, "a row of \(length) slots for games of \(shape.cells)")
    var batch = GameBatchBuilder(shape: shape, length: length)
    for game in games where !game.moves.isEmpty { batch.add(game) }
    batch.endRow()
    self.init(
      rows: batch.tokens.count / length, length: length, tokens: batch.tokens,
      targets: batch.targets, weights: batch.weights, segments: batch.segments,
      features: batch.features, allowed: masked ? batch.allowed : [])
  }
}

private struct GameBatchBuilder {
  let shape: BoardShape
  let length: Int
  var tokens: [Int32] = []
  var targets: [Int32] = []
  var weights: [Float] = []
  var segments: [Int32] = []
  var features: [Float] = []
  var allowed: [UInt32] = []
  private var segment: Int32 = 0

  init(shape: BoardShape, length: Int) { (self.shape, self.length) = (shape, length) }

  mutating func add(_ game: GameSequence) {
    if tokens.count % length + game.moves.count > length { endRow() }
    if tokens.count % length == 0 { segment = 0 }
    var board = ConnectFour(shape)
    var last = shape.startToken
    for (move, weight) in zip(game.moves, game.weights) {
      tokens.append(last)
      targets.append(Int32(move))
      weights.append(weight)
      segments.append(segment)
      allowed.append(board.legal)
      board.appendPlanes(to: &features)
      board.play(move)
      last = Int32(move)
    }
    segment += 1
  }

  /// Pads the row under way.
  mutating func endRow() {
    let missing = (length - tokens.count % length) % length
    tokens += Array(repeating: shape.startToken, count: missing)
    targets += Array(repeating: 0, count: missing)
    weights += Array(repeating: 0, count: missing)
    segments += Array(repeating: -1, count: missing)
    allowed += Array(repeating: 1, count: missing)
    features += Array(repeating: 0, count: missing * ConnectFour.planeCount(shape))
  }
}
