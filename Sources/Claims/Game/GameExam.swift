import Environments
import Foundation
import LanguageModel
import Training

/// How a model did against one opponent: its mean score from each opening, with both colours.
public struct MatchScores: Codable, Sendable, Equatable {
  public var byOpening: [Double]
  public var games: Int
  /// Of the games won, the share whose last line was a diagonal alone.
  public var diagonalWins: Double

  /// With a bootstrap interval over openings.
  func estimate(_ seed: UInt64) -> Estimate { bootstrapMean(byOpening, seed: seed) }
}

/// The opponents of an exam.
enum GameOpponent: String, CaseIterable, Codable, Sendable {
  case expert
  /// Looks two moves ahead on all lines. Nothing was trained against it.
  case twoPly = "2-ply"
  case optimal
}

/// How moves are taken from a model.
enum GameDecoding: String, CaseIterable, Codable, Sendable {
  case sampled = "T = 1"
  case greedy

  var temperature: Double { self == .sampled ? 1 : 0 }
}

/// Moves of a model on positions of the expert's games where moves differ in value.
public struct PositionScores: Codable, Sendable, Equatable {
  /// By game: positions, and in how many of them the likeliest move keeps the value; then the sum of
  /// the probabilities of moves that keep it.
  public var counts: [Double]
  public var greedy: [Double]
  public var sampled: [Double]
}

/// What positions show of a model.
public struct PositionExam: Codable, Sendable, Equatable {
  /// Where moves differ in value.
  public var telling: PositionScores
  /// The part of them where all right moves together are ones that the expert plays less than one time
  /// in ten.
  public var blindSpots: PositionScores
  /// The probability of a full column where there is one, without a mask.
  public var illegal: Double
}

/// Plays the matches and judges the moves.
struct GameExaminer {
  let recipe: GameRecipe
  let openings: ConnectFourOpenings
  let solver: ConnectFourSolver

  init(_ recipe: GameRecipe) {
    self.recipe = recipe
    openings = ConnectFourOpenings(recipe.shape)
    solver = ConnectFourSolver(recipe.shape)
  }

  /// Throws ``TrainingError`` where games of training may begin in a position, or its mirror image, in
  /// which games of the exam begin.
  func checkSplit() throws {
    func keys(_ openings: [[Int]]) -> Set<UInt64> {
      Set(
        openings.map { moves in
          let board = ConnectFour(recipe.shape, moves: moves)
          return min(board.key, board.mirrored.key)
        })
    }
    guard keys(openings.training).isDisjoint(with: keys(openings.examination)) else {
      throw TrainingError(
        "e6: games of training would begin where those of the exam do. Nothing that it finds would "
          + "count: mend the split")
    }
  }

  func player(_ opponent: GameOpponent) -> GamePlayer {
    switch opponent {
    case .expert: .bot(recipe.expert)
    case .twoPly: .bot(.twoPly)
    case .optimal: .optimal(solver)
    }
  }

  /// Every opening of the examination, with both colours, `repeats` times.
  func play(
    _ agent: GamePlayer, _ opponent: GamePlayer, repeats: Int, openings limit: Int? = nil,
    stream: String
  ) -> [PlayedGame] {
    let openings = openings.examination.prefix(min(limit ?? .max, recipe.examOpenings))
    let starts = openings.flatMap { opening in
      (0..<2 * repeats).map { GameStart(opening: opening, agentBegins: $0 % 2 == 0) }
    }
    // A few hundred games at a time fill the products and stay in the cache.
    let size = 512
    return stride(from: 0, to: starts.count, by: size).flatMap { first in
      playMatch(
        Array(starts[first..<min(starts.count, first + size)]), shape: recipe.shape, agent: agent,
        opponents: [opponent], seed: recipe.seed, stream: "exam " + stream, index: first / size
      ).games
    }
  }

  func match(
    _ agent: GamePlayer, _ opponent: GameOpponent, repeats: Int, stream: String
  ) -> MatchScores {
    let games = play(agent, player(opponent), repeats: repeats, stream: stream)
    let won = games.filter { $0.outcome == 1 }
    let diagonal = won.count { game in
      let board = ConnectFour(recipe.shape, moves: game.moves)
      return !board.hasLine(board.theirs, .straight)
    }
    return MatchScores(
      byOpening: scoresByOpening(games, each: 2 * repeats), games: games.count,
      diagonalWins: Double(diagonal) / Double(max(1, won.count)))
  }

  func scoresByOpening(_ games: [PlayedGame], each: Int) -> [Double] {
    stride(from: 0, to: games.count, by: each).map { first in
      games[first..<first + each].reduce(0) { $0 + $1.score } / Double(each)
    }
  }

  /// A position to judge a move in.
  struct Position {
    var game: Int
    var place: Int
    /// The moves that keep the value, as bits.
    var best: UInt32
    var isBlindSpot: Bool
  }

  /// Games of the expert that nothing was trained on.
  func positionGames() -> [[Int]] {
    (0..<recipe.positionGames).map {
      botGame(recipe.expert, openings, seed: recipe.seed, stream: "positions", index: $0).moves
    }
  }

  func positions(_ games: [[Int]]) -> [Position] {
    games.enumerated().flatMap { game, moves -> [Position] in
      var board = ConnectFour(recipe.shape)
      return moves.enumerated().compactMap { place, move in
        defer { board.play(move) }
        let best = solver.bestMoves(board)
        guard best != board.legal else { return nil }
        return Position(
          game: game, place: place, best: best,
          isBlindSpot: mass(recipe.expert.distribution(board), best) < blindSpotLimit)
      }
    }
  }

  /// The probability of a set of columns.
  func mass(_ probabilities: SIMD8<Double>, _ columns: UInt32) -> Double {
    (0..<8).reduce(0) { columns >> UInt32($1) & 1 == 1 ? $0 + probabilities[$1] : $0 }
  }

  func judge(_ model: Transformer, _ games: [[Int]], _ positions: [Position]) -> PositionExam {
    let policies = model.policies(of: games, shape: recipe.shape)
    return judge(games.count, positions, illegal: illegal(policies)) {
      policies[$0.game][$0.place].probabilities
    }
  }

  /// The expert judged by its own moves: what chance and habit give.
  func judgeExpert(_ games: [[Int]], _ positions: [Position]) -> PositionExam {
    judge(games.count, positions, illegal: 0) { position in
      recipe.expert.distribution(
        ConnectFour(recipe.shape, moves: games[position.game].prefix(position.place)))
    }
  }

  private func judge(
    _ games: Int, _ positions: [Position], illegal: Double,
    _ policy: (Position) -> SIMD8<Double>
  ) -> PositionExam {
    let zeros = [Double](repeating: 0, count: games)
    var telling = PositionScores(counts: zeros, greedy: zeros, sampled: zeros)
    var blind = telling
    for position in positions {
      let probabilities = policy(position)
      let right = position.best >> UInt32(likeliest(probabilities)) & 1 == 1
      let share = mass(probabilities, position.best)
      telling.add(position.game, right, share)
      if position.isBlindSpot { blind.add(position.game, right, share) }
    }
    return PositionExam(telling: telling, blindSpots: blind, illegal: illegal)
  }

  private func illegal(_ policies: [[GamePolicy]]) -> Double {
    let values = policies.flatMap { $0.compactMap(\.illegal) }
    return values.reduce(0, +) / Double(max(1, values.count))
  }
}

/// What the expert plays less often than this it "almost never plays".
let blindSpotLimit = 0.1

/// The first of the likeliest columns.
func likeliest(_ probabilities: SIMD8<Double>) -> Int {
  (1..<8).reduce(0) { probabilities[$1] > probabilities[$0] ? $1 : $0 }
}

extension PositionScores {
  mutating func add(_ game: Int, _ isRight: Bool, _ share: Double) {
    counts[game] += 1
    greedy[game] += isRight ? 1 : 0
    sampled[game] += share
  }

  func values(_ decoding: GameDecoding) -> [Double] { decoding == .greedy ? greedy : sampled }

  /// The share of right moves, with a bootstrap interval over games.
  func estimate(_ decoding: GameDecoding, seed: UInt64) -> Estimate {
    bootstrapRatio(values(decoding), counts, seed: seed)
  }

  var total: Int { Int(counts.reduce(0, +)) }
}
