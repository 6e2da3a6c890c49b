import Environments
import LanguageModel
import TensorCore
import Training

/// E7, learning what people like and gaming it. Every value that the result depends on.
public struct TasteRecipe: Codable, Sendable, Equatable {
  public var seed: UInt64
  public var width: Int
  public var layers: Int
  public var heads: Int
  public var context: Int
  /// The jokes that are imitated, and how.
  public var writers: JokeWriters
  public var jokes: Int
  public var imitationRows: Int
  public var imitationEpochs: Double
  public var imitationOptimizer: OptimizerSettings
  /// How people order jokes, five at a time, and how many such orders a reward model sees.
  public var raters: Raters
  public var rankings: Int
  public var ranked: Int
  public var heldOutRankings: Int
  public var rewardRankings: Int
  public var rewardOptimizer: OptimizerSettings
  public var rewardPooling: RewardPooling
  /// Reward models, each from people, answers and an order of its own.
  public var rewardModels: Int
  /// True accuracy that a reward model must have before it is used; else it is trained once more on
  /// twice as many orders.
  public var gate: Double
  /// Answers to each of the animals in a step.
  public var samples: Int
  public var maxTokens: Int
  public var practiceOptimizer: OptimizerSettings
  public var practiceSchedule: Schedule
  /// Steps against a reward model, and against the true taste.
  public var steps: Int
  public var trueSteps: Int
  /// What the penalised arms pay for a nat.
  public var penalties: [Double]
  /// Rounds in which nonsense is shown to people and the reward model is trained again.
  public var rounds: Int
  /// Rankings of a round that hold nonsense.
  public var nonsenseRankings: Int
  /// Steps of a point of the curves, and comparisons that people give at each.
  public var window: Int
  public var labels: Int
  /// Samples to each animal for best-of-n, up to this n.
  public var bestOfSamples: Int
  public var bestOf: [Int]
  /// Whether an arm is rewarded by the least of all reward models.
  public var ensemble: Bool

  /// About two and a half minutes on one quick core.
  public static func tour(seed: UInt64) -> TasteRecipe {
    TasteRecipe(
      seed: seed, width: 64, layers: 2, heads: 2, context: 64, writers: JokeWriters(),
      jokes: 16_000, imitationRows: 8, imitationEpochs: 1, imitationOptimizer: .imitation,
      raters: Raters(), rankings: 4_000, ranked: 5, heldOutRankings: 200, rewardRankings: 12,
      rewardOptimizer: .reward, rewardPooling: .sum, rewardModels: 3, gate: 0.7, samples: 8,
      maxTokens: 28,
      practiceOptimizer: OptimizerSettings.practice.with(rate: 1e-3),
      practiceSchedule: Schedule(warmup: 5, final: 1), steps: 100, trueSteps: 400,
      penalties: [0.1], rounds: 2, nonsenseRankings: 600, window: 5, labels: 30,
      bestOfSamples: 512, bestOf: [1, 2, 4, 8, 16, 32, 64, 128, 256], ensemble: false)
  }

  /// A few seconds: whether every part runs. Its verdicts mean nothing.
  public static func quick(seed: UInt64) -> TasteRecipe {
    var recipe = tour(seed: seed)
    recipe.width = 32
    recipe.layers = 1
    recipe.jokes = 1_500
    recipe.rankings = 120
    recipe.heldOutRankings = 40
    recipe.rewardModels = 2
    recipe.gate = 0
    recipe.samples = 2
    recipe.steps = 10
    recipe.trueSteps = 20
    recipe.rounds = 1
    recipe.nonsenseRankings = 40
    recipe.window = 2
    recipe.bestOfSamples = 16
    recipe.bestOf = [1, 4, 8]
    return recipe
  }

  /// Half an hour: more reward models, penalties and rounds, and an ensemble.
  public static func long(seed: UInt64) -> TasteRecipe {
    var recipe = tour(seed: seed)
    recipe.rewardModels = 5
    recipe.steps = 400
    recipe.trueSteps = 2_000
    recipe.penalties = [0.02, 0.05, 0.1, 0.2]
    recipe.rounds = 5
    recipe.bestOfSamples = 2_048
    recipe.ensemble = true
    return recipe
  }

  static func of(_ length: TourLength, seed: UInt64) -> TasteRecipe {
    switch length {
    case .quick: .quick(seed: seed)
    case .standard: .tour(seed: seed)
    case .long: .long(seed: seed)
    }
  }

  func model(vocabulary: Int) -> DecoderConfig {
    DecoderConfig(
      vocabularySize: vocabulary, width: width, layers: layers, heads: heads,
      hiddenWidth: (8 * width / 3 + 15) / 16 * 16, context: context)
  }
}
