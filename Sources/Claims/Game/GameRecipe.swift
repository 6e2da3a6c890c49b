import Environments
import LanguageModel
import TensorCore
import Training

/// E6, the ceiling of imitation: every value that the result depends on.
public struct GameRecipe: Codable, Sendable, Equatable {
  public var seed: UInt64
  public var shape: BoardShape
  public var expert: ConnectFourBot
  public var width: Int
  public var layers: Int
  public var heads: Int
  /// How many of the expert's games each imitator sees; all take the same steps.
  public var imitated: [Int]
  public var imitationRows: Int
  public var imitationSteps: Int
  public var imitationOptimizer: OptimizerSettings
  /// Openings in a step of practice, and games from each.
  public var groups: Int
  public var samples: Int
  public var snapshotEvery: Int
  public var entropyBonus: Double
  public var practiceSteps: Int
  public var practiceOptimizer: OptimizerSettings
  /// Openings of the exam at most.
  public var examOpenings: Int
  /// Games from each opening and colour in an exam, for the arms and for the points of the curves.
  public var examRepeats: Int
  public var curveRepeats: Int
  /// Openings of the round robin that Elo is fitted to; each is played with both colours.
  public var eloOpenings: Int
  /// Updates between the selves that curves and Elo show.
  public var curveEvery: Int
  /// Games of the expert from which positions to judge moves are taken.
  public var positionGames: Int

  /// About a minute on one quick core.
  public static func tour(seed: UInt64) -> GameRecipe {
    GameRecipe(
      seed: seed, shape: BoardShape(width: 5, height: 4), expert: .expert, width: 64, layers: 2,
      heads: 4, imitated: [1_000, 5_000, 20_000], imitationRows: 64, imitationSteps: 500,
      imitationOptimizer: OptimizerSettings(rate: 3e-3), groups: 24, samples: 8, snapshotEvery: 20,
      entropyBonus: 0.03, practiceSteps: 200,
      practiceOptimizer: OptimizerSettings(rate: 1e-3, decay: 0), examOpenings: 1_000,
      examRepeats: 4, curveRepeats: 1,
      eloOpenings: 40, curveEvery: 40, positionGames: 600)
  }

  /// A few seconds: whether every part runs. Its verdicts mean nothing.
  public static func quick(seed: UInt64) -> GameRecipe {
    var recipe = tour(seed: seed)
    recipe.width = 32
    recipe.imitated = [100, 200, 400]
    recipe.imitationSteps = 20
    recipe.groups = 8
    recipe.samples = 4
    recipe.snapshotEvery = 2
    recipe.practiceSteps = 6
    recipe.examOpenings = 20
    recipe.examRepeats = 1
    recipe.curveRepeats = 1
    recipe.curveEvery = 2
    recipe.eloOpenings = 4
    recipe.positionGames = 30
    return recipe
  }

  var model: DecoderConfig {
    .connectFour(shape, width: width, layers: layers, heads: heads)
  }

  /// The updates at which a self was kept that curves show, the first and the last among them.
  var curveSteps: [Int] {
    Array(stride(from: 0, through: practiceSteps, by: curveEvery))
      + (practiceSteps % curveEvery == 0 ? [] : [practiceSteps])
  }
}
