import Corpus
import Environments
import Foundation
import LanguageModel
import TensorCore

/// Who plays.
public enum GamePlayer {
  case bot(ConnectFourBot)
  /// Any move that keeps the value of the position.
  case optimal(ConnectFourSolver)
  /// Legal moves by the model's probabilities at a temperature; 0 takes the likeliest.
  case model(Transformer, temperature: Double)
}

/// A move as it was chosen by a model: log p among the legal moves and the entropy of that choice, in
/// nats at temperature 1.
public struct GameChoice: Sendable, Equatable {
  public var move: Int
  public var logProbability = 0.0
  public var entropy = 0.0
}

/// A game under way.
struct GameState {
  var board: ConnectFour
  var moves: [Int] = []
  /// Its own, for both players: a game is the same whatever is played beside it.
  var random: SplitMix64

  mutating func play(_ move: Int) {
    board.play(move)
    moves.append(move)
  }
}

/// A player's part in games that are played side by side.
final class GameSeats {
  private let player: GamePlayer
  private let cache: KeyValueCache?
  /// Tokens that this player has had to play, models only.
  private(set) var decoded = 0

  /// - Parameter games: their number; a game is known by its index.
  init(_ player: GamePlayer, games: Int, shape: BoardShape) {
    self.player = player
    if case .model(let model, _) = player {
      cache = KeyValueCache(model.config, slots: games, capacity: shape.cells)
    } else {
      cache = nil
    }
  }

  /// Chooses a move in each of `games`.
  func choose(_ games: [Int], _ states: inout [GameState]) -> [GameChoice] {
    switch player {
    case .bot(let bot):
      return games.map { GameChoice(move: bot.move(states[$0].board, &states[$0].random)) }
    case .optimal(let solver):
      return games.map { game in
        let best = solver.bestMoves(states[game].board)
        var weights = SIMD8<Double>.zero
        for column in 0..<8 where best >> UInt32(column) & 1 == 1 { weights[column] = 1 }
        return GameChoice(move: pickColumn(weights, states[game].random.uniform()))
      }
    case .model(let model, let temperature):
      guard let cache else { return [] }
      return choose(games, &states, model, temperature, cache)
    }
  }

  private func choose(
    _ games: [Int], _ states: inout [GameState], _ model: Transformer, _ temperature: Double,
    _ cache: KeyValueCache
  ) -> [GameChoice] {
    guard !games.isEmpty else { return [] }
    var tokens: [Int32] = []
    var slots: [Int32] = []
    var features: [Float] = []
    var lastRows: [Int] = []
    for game in games {
      let (board, moves) = (states[game].board, states[game].moves)
      // What this player has not seen yet: its own last move and the answer to it.
      let seen = cache.lengths[game]
      var past = ConnectFour(board.shape, moves: moves[..<seen])
      for place in seen...moves.count {
        tokens.append(place == 0 ? board.shape.startToken : Int32(moves[place - 1]))
        slots.append(Int32(game))
        past.appendPlanes(to: &features)
        if place < moves.count { past.play(moves[place]) }
      }
      lastRows.append(tokens.count - 1)
    }
    decoded += tokens.count
    return Tape.paused {
      let hidden = model.hidden(tokens, features: features, slots: slots, cache: cache)
      let logits = model.logits(hidden.selecting(lastRows))
      return withExtendedLifetime(logits) {
        games.enumerated().map { row, game in
          let policy = GamePolicy(
            scores: { logits.values[row * logits.columns + $0] }, legal: states[game].board.legal,
            width: states[game].board.shape.width)
          let move = policy.draw(temperature, &states[game].random)
          return GameChoice(
            move: move, logProbability: policy.logProbability(move), entropy: policy.entropy)
        }
      }
    }
  }
}

/// Probabilities of the legal moves.
public struct GamePolicy: Sendable {
  private let scores: SIMD8<Double>
  public let probabilities: SIMD8<Double>
  /// What the full columns would have without the mask; nil where none is full.
  public let illegal: Double?

  /// The softmax of the scores of the columns in `legal`.
  init(scores score: (Int) -> Float, legal: UInt32, width: Int) {
    var scores = SIMD8<Double>(repeating: -.infinity)
    for column in 0..<8 where legal >> UInt32(column) & 1 == 1 {
      scores[column] = Double(score(column))
    }
    let top = scores.max()
    scores -= top
    var weights = SIMD8<Double>.zero
    for column in 0..<8 where legal >> UInt32(column) & 1 == 1 {
      weights[column] = exp(scores[column])
    }
    (self.scores, probabilities) = (scores, weights / weights.sum())
    let full = (0..<width).filter { legal >> UInt32($0) & 1 == 0 }
    let excess = full.reduce(0) { $0 + exp(Double(score($1)) - top) }
    illegal = full.isEmpty ? nil : excess / (excess + weights.sum())
  }

  /// The first of the likeliest.
  public var likeliest: Int {
    var best = 0
    for column in 1..<8 where probabilities[column] > probabilities[best] { best = column }
    return best
  }

  public func logProbability(_ move: Int) -> Double { log(probabilities[move]) }

  public var entropy: Double {
    var sum = 0.0
    for column in 0..<8 where probabilities[column] > 0 {
      sum -= probabilities[column] * log(probabilities[column])
    }
    return sum
  }

  func draw(_ temperature: Double, _ random: inout SplitMix64) -> Int {
    if temperature == 0 { return likeliest }
    if temperature == 1 { return pickColumn(probabilities, random.uniform()) }
    var weights = SIMD8<Double>.zero
    for column in 0..<8 where probabilities[column] > 0 {
      weights[column] = exp(scores[column] / temperature)
    }
    return pickColumn(weights, random.uniform())
  }
}

extension Transformer {
  /// The probabilities of the legal moves before each move of `games`; by game and move.
  public func policies(of games: [[Int]], shape: BoardShape) -> [[GamePolicy]] {
    // One game a row, a few hundred at a time.
    stride(from: 0, to: games.count, by: 256).flatMap { start in
      let part = games[start..<min(games.count, start + 256)]
      let batch = TokenBatch(
        games: part.map {
          GameSequence(moves: $0, weights: Array(repeating: 1, count: $0.count))
        }, shape: shape, length: shape.cells, masked: true)
      var place = 0
      return Tape.paused {
        let layout = SequenceLayout(
          rows: batch.rows, length: batch.length, segments: batch.segments)
        let logits = self.logits(hidden(batch.tokens, features: batch.features, layout))
        return withExtendedLifetime(logits) {
          part.map { moves in
            // The packing keeps the order and begins a row only where a game does not fit.
            if place % batch.length + moves.count > batch.length {
              place += batch.length - place % batch.length
            }
            defer { place += moves.count }
            return moves.indices.map { i in
              let row = (place + i) * logits.columns
              return GamePolicy(
                scores: { logits.values[row + $0] }, legal: batch.allowed[place + i],
                width: shape.width)
            }
          }
        }
      }
    }
  }
}
