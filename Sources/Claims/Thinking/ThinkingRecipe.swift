import LanguageModel
import TensorCore
import Training

/// E4, models need tokens to think: every value that the result depends on.
public struct ThinkingRecipe: Codable, Sendable, Equatable {
  public var seed: UInt64
  var arms: [ThinkingArm]
  public var width: Int
  public var heads: Int
  public var hiddenWidth: Int
  /// Problems in a step, slots in a row.
  public var problems: Int
  public var length: Int
  /// Steps of every arm alike.
  public var steps: Int
  public var optimizer: OptimizerSettings
  /// Items for each number of operations in the exam, and in the exam with few tokens.
  public var items: Int
  public var budgetItems: Int

  public static func of(_ length: TourLength, seed: UInt64) -> ThinkingRecipe {
    switch length {
    case .quick: .quick(seed: seed)
    case .standard: .tour(seed: seed)
    case .long: .long(seed: seed)
    }
  }

  /// About a minute on one quick core.
  public static func tour(seed: UInt64) -> ThinkingRecipe {
    ThinkingRecipe(
      seed: seed, arms: ThinkingArm.standard, width: 64, heads: 4, hiddenWidth: 256, problems: 64,
      length: 66, steps: 900, optimizer: .pretraining, items: 300, budgetItems: 100
    )
  }

  /// Seconds: whether every part runs. Its verdicts mean nothing.
  public static func quick(seed: UInt64) -> ThinkingRecipe {
    var recipe = tour(seed: seed)
    (recipe.width, recipe.hiddenWidth, recipe.problems, recipe.steps) = (32, 64, 16, 20)
    (recipe.items, recipe.budgetItems) = (20, 10)
    return recipe
  }

  /// With the sweeps: partial results, and answer first in models of other depths.
  public static func long(seed: UInt64) -> ThinkingRecipe {
    var recipe = tour(seed: seed)
    recipe.arms += ThinkingArm.sweeps
    return recipe
  }

  func model(_ arm: ThinkingArm) -> DecoderConfig {
    DecoderConfig(
      vocabularySize: DialScript.vocabulary.count, width: width, layers: arm.layers, heads: heads,
      hiddenWidth: hiddenWidth, context: DialScript.longest, feedForward: .reluSquared)
  }
}

/// One way to write the labels, and the model that learns from them.
struct ThinkingArm: Codable, Sendable, Equatable {
  var id: String
  var title: String
  var label: DialLabel
  /// What the answer's digit counts in the loss; every other word of a label counts 1.
  var answerWeight: Float = 1
  var layers = 2

  static let workFirst = ThinkingArm(id: "work-first", title: "work first", label: .workFirst)
  static let answerFirst = ThinkingArm(
    id: "answer-first", title: "answer first", label: .answerFirst)
  static let heavyAnswer = ThinkingArm(
    id: "answer-first-x4", title: "answer first, ×4", label: .answerFirst, answerWeight: 4)
  static let dots = ThinkingArm(id: "dots", title: "dots first", label: .dots)

  static let standard = [workFirst, answerFirst, heavyAnswer, dots]

  static let sweeps =
    [2, 4].map { every in
      ThinkingArm(id: "every-\(every)", title: "every \(every)th value", label: .partial(every))
    }
    + [1, 3, 6].map { layers in
      ThinkingArm(
        id: "answer-first-\(layers)-layers", title: "answer first, \(layers) layers",
        label: .answerFirst, layers: layers)
    }
}
