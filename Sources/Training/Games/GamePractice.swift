import Corpus
import Environments
import Foundation
import LanguageModel
import ModelFiles
import TensorCore

/// Everything that practising a game depends on, but the start.
public struct GamePracticeRecipe: Codable, Sendable, Equatable {
  public var stage = "game-rl"
  public var shape: BoardShape
  /// The opponent of half of the games; the other half are against earlier selves.
  public var expert: ConnectFourBot
  /// Openings in a step, and games from each.
  public var groups: Int
  public var samples: Int
  /// Steps between the selves that are kept as opponents.
  public var snapshotEvery: Int
  /// What a nat of entropy in the choice of a move is worth, in rewards.
  public var entropyBonus: Double
  public var steps: Int
  public var optimizer: OptimizerSettings
  public var schedule: Schedule
  public var seed: UInt64
  /// What the start is, so that a run is not continued from another.
  public var data: String

  public init(
    shape: BoardShape, expert: ConnectFourBot, groups: Int, samples: Int, snapshotEvery: Int,
    entropyBonus: Double, steps: Int, optimizer: OptimizerSettings, schedule: Schedule,
    seed: UInt64, data: String
  ) {
    (self.shape, self.expert, self.groups, self.samples) = (shape, expert, groups, samples)
    (self.snapshotEvery, self.entropyBonus, self.steps) = (snapshotEvery, entropyBonus, steps)
    (self.optimizer, self.schedule, self.seed, self.data) = (optimizer, schedule, seed, data)
  }
}

/// The selves of a practice run, kept as files beside its checkpoints.
///
/// A self is written again whenever its step is taken again, so those that a killed run wrote ahead of
/// its last checkpoint cannot differ from the ones that are met.
public final class GameSnapshots {
  private let folder: URL
  private let config: DecoderConfig
  private var loaded: [Int: Transformer] = [:]

  public init(in run: URL, _ config: DecoderConfig) {
    folder = run.appendingPathComponent("snapshots")
    self.config = config
  }

  public func model(_ step: Int) throws -> Transformer {
    if let model = loaded[step] { return model }
    let model = try Transformer(config, source: SafetensorsFile(place(step)).parameters())
    loaded[step] = model
    return model
  }

  func keep(_ model: Transformer, step: Int) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let aside = place(step).appendingPathExtension("tmp")
    try writeParameters(of: model, to: aside)
    try moveIntoPlace(aside, place(step))
    loaded[step] = nil
  }

  private func place(_ step: Int) -> URL {
    folder.appendingPathComponent("step-\(step).safetensors")
  }
}

/// Practises by playing: against the expert and against earlier selves, paid 1 for a win, 0 for a draw
/// and −1 for a loss, less the mean of the games that began alike.
public func practiseGame(
  _ recipe: GamePracticeRecipe, start: () throws -> Transformer, in folder: URL,
  observer: StageObserver
) throws -> (model: Transformer, snapshots: GameSnapshots) {
  let stage = try Stage(
    folder, recipe: recipe, steps: recipe.steps, optimizer: recipe.optimizer, observer: observer,
    begin: start)
  let snapshots = GameSnapshots(in: folder, stage.model.config)
  let openings = ConnectFourOpenings(recipe.shape)
  try stage.run(observer: observer) { step, factor in
    if step % recipe.snapshotEvery == 0 { try snapshots.keep(stage.model, step: step) }
    let match = try playMatch(
      recipe.starts(step, openings), shape: recipe.shape,
      agent: .model(stage.model, temperature: 1),
      opponents: [
        .bot(recipe.expert),
        .model(snapshots.model(recipe.snapshot(step)), temperature: 1),
      ], seed: recipe.seed, stream: "practice", index: step)
    let scale = recipe.schedule.scale(step: step, of: recipe.steps) * factor
    var values = statistics(match)
    values["rate_scale"] = scale
    let sequences = recipe.sequences(match.games, &values)
    var report: StepReport?
    if !sequences.isEmpty {
      let batch = TokenBatch(games: sequences, shape: recipe.shape, length: gameRow, masked: true)
      // Divided by a constant, about the agent's moves in all games: a long game counts as much as
      // its moves do.
      report = trainStep(
        stage.model, stage.optimizer, batches: [batch],
        normaliser: 0.4 * Float(recipe.groups * recipe.samples * recipe.shape.cells),
        scale: Float(scale), entropy: true)
    }
    return Stage.StepResult(
      report: report, values: values,
      note: String(format: "against the expert %.2f", values["score_expert"] ?? 0))
  }
  if stage.state.step % recipe.snapshotEvery == 0 {
    try snapshots.keep(stage.model, step: stage.state.step)
  }
  return (stage.model, snapshots)
}

extension GamePracticeRecipe {
  /// Groups of games that begin alike: one opening, colour and opponent each.
  func starts(_ step: Int, _ openings: ConnectFourOpenings) -> [GameStart] {
    (0..<groups).flatMap { group -> [GameStart] in
      var random = SplitMix64(seed: seed, stream: "opening", index: step * groups + group)
      let start = GameStart(
        opening: openings.draw(&random), agentBegins: group % 2 == 0, opponent: group / 2 % 2)
      return Array(repeating: start, count: samples)
    }
  }

  /// The earlier self that is met in a step: three times in ten the newest, else any.
  func snapshot(_ step: Int) -> Int {
    var random = SplitMix64(seed: seed, stream: "snapshot", index: step)
    let newest = step / snapshotEvery
    return (random.uniform() < 0.3 ? newest : random.below(newest + 1)) * snapshotEvery
  }

  /// Games with the advantage on the agent's moves. The bonus for entropy goes through the weights as
  /// well: −log p − H is the estimate of its gradient that needs nothing but the sample.
  func sequences(_ games: [PlayedGame], _ values: inout [String: Double]) -> [GameSequence] {
    var silent = 0
    let sequences = (0..<groups).flatMap { group -> [GameSequence] in
      let played = games[group * samples..<(group + 1) * samples]
      let advantages = groupAdvantages(played.map { Double($0.outcome) })
      if advantages == nil { silent += 1 }
      return played.enumerated().compactMap { i, game in
        let advantage = advantages?[i] ?? 0
        guard advantages != nil || entropyBonus > 0 else { return nil }
        var weights = [Float](repeating: 0, count: game.moves.count)
        for (place, choice) in zip(game.agentPlaces, game.choices) {
          let surprise = -choice.logProbability - choice.entropy
          weights[place] = Float(advantage + entropyBonus * surprise)
        }
        return GameSequence(moves: game.moves, weights: weights)
      }
    }
    values["no_variance"] = Double(silent) / Double(groups)
    return sequences
  }
}

private func statistics(_ match: PlayedMatch) -> [String: Double] {
  func score(_ opponent: Int) -> Double {
    let games = match.games.filter { $0.start.opponent == opponent }
    return games.reduce(0) { $0 + $1.score } / Double(max(1, games.count))
  }
  let choices = match.games.flatMap(\.choices)
  return [
    "score_expert": score(0), "score_self": score(1), "reward": 2 * score(0) - 1,
    "choice_entropy": choices.reduce(0) { $0 + $1.entropy } / Double(max(1, choices.count)),
    "decoded": Double(match.decodedTokens),
    "length": Double(match.games.reduce(0) { $0 + $1.moves.count })
      / Double(max(1, match.games.count)),
  ]
}
