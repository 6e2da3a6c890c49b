import Corpus
import Environments
import Foundation
import LanguageModel
import TensorCore

/// Everything that imitating games depends on.
public struct GameImitationRecipe: Codable, Sendable, Equatable {
  public var stage = "game-sft"
  public var shape: BoardShape
  public var expert: ConnectFourBot
  /// Different games that are seen, numbered from `firstGame`.
  public var games: Int
  public var firstGame: Int
  /// Games in a step.
  public var rows: Int
  public var steps: Int
  public var optimizer: OptimizerSettings
  public var schedule: Schedule
  public var seed: UInt64
  /// What the start is, so that a run is not continued from another.
  public var data: String

  public init(
    shape: BoardShape, expert: ConnectFourBot, games: Int, firstGame: Int = 0, rows: Int,
    steps: Int, optimizer: OptimizerSettings, schedule: Schedule, seed: UInt64, data: String
  ) {
    (self.shape, self.expert, self.games, self.firstGame) = (shape, expert, games, firstGame)
    (self.rows, self.steps, self.optimizer) = (rows, steps, optimizer)
    (self.schedule, self.seed, self.data) = (schedule, seed, data)
  }
}

/// The `index`-th game of a bot against itself: weight 1 on the moves that it chose.
public func botGame(
  _ bot: ConnectFourBot, _ openings: ConnectFourOpenings, seed: UInt64, stream: String, index: Int
) -> GameSequence {
  var random = SplitMix64(seed: seed, stream: stream, index: index)
  var moves = openings.draw(&random)
  var board = ConnectFour(openings.shape, moves: moves)
  let opening = moves.count
  while !board.isOver {
    let move = bot.move(board, &random)
    board.play(move)
    moves.append(move)
  }
  return GameSequence(moves: moves, weights: moves.indices.map { $0 < opening ? 0 : 1 })
}

/// Learns to predict an expert's moves. Nobody says which moves are legal: that is learned too.
public func imitateGames(
  _ recipe: GameImitationRecipe, start: () throws -> Transformer, in folder: URL,
  observer: StageObserver
) throws -> Transformer {
  let stage = try Stage(
    folder, recipe: recipe, steps: recipe.steps, optimizer: recipe.optimizer, observer: observer,
    begin: start)
  guard !stage.isFinished else { return stage.model }
  let openings = ConnectFourOpenings(recipe.shape)
  let games = (0..<recipe.games).map {
    botGame(
      recipe.expert, openings, seed: recipe.seed, stream: "expert", index: recipe.firstGame + $0)
  }
  let perEpoch = max(1, recipe.games / recipe.rows)
  var order: (epoch: Int, games: [Int]) = (-1, [])
  try stage.run(observer: observer) { step, factor in
    if order.epoch != step / perEpoch {
      var random = SplitMix64(seed: recipe.seed, stream: "epoch", index: step / perEpoch)
      var shuffled = Array(games.indices)
      random.shuffle(&shuffled)
      order = (step / perEpoch, shuffled)
    }
    let first = step % perEpoch * recipe.rows
    let chosen = (first..<first + recipe.rows).map { games[order.games[$0 % games.count]] }
    let batch = TokenBatch(games: chosen, shape: recipe.shape, length: gameRow, masked: false)
    let scale = recipe.schedule.scale(step: step, of: recipe.steps) * factor
    let report = trainStep(
      stage.model, stage.optimizer, batches: [batch], normaliser: max(1, batch.weightSum),
      scale: Float(scale))
    return Stage.StepResult(
      report: report, values: ["rate_scale": scale], note: String(format: "loss %.3f", report.loss))
  }
  return stage.model
}

/// Slots in a row of several games: the fewer games are cut off at its end, the less is padding.
let gameRow = 64
