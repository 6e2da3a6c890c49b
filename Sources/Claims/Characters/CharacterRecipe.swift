import Environments
import LanguageModel
import TensorCore
import Training

/// A part of a training run: for so many steps, modes in these shares.
struct CharacterPhase: Codable, Sendable, Equatable {
  var steps: Int
  /// By the mode's raw value; they sum to 1.
  var shares: [String: Double]
  /// The share of the direct questions that are about one syllable.
  var shortShare: Double

  /// The mode at a place of 0..<1 on the shares laid end to end.
  func mode(at place: Double) -> CharacterMode {
    var end = 0.0
    for mode in CharacterMode.allCases {
      end += shares[mode.rawValue] ?? 0
      if place < end { return mode }
    }
    return .direct
  }
}

/// E5, tokens, not characters: every value that the result depends on.
public struct CharacterRecipe: Codable, Sendable, Equatable {
  public var seed: UInt64
  public var width: Int
  public var layers: Int
  public var heads: Int
  public var hiddenWidth: Int
  /// Slots in a row; several examples share a row.
  public var length: Int
  public var optimizer: OptimizerSettings
  /// What a direct answer's words count in the loss; every other word counts 1.
  public var directWeight: Float
  /// Examples in a step, and what they are.
  public var syllableExamples: Int
  var syllablePhases: [CharacterPhase]
  public var letterExamples: Int
  var letterPhases: [CharacterPhase]
  /// Syllables of a word at most for the model that reads letters: it is asked about no longer ones.
  var letterLongest: Int
  /// Questions in the exam for each length, letter and count.
  public var itemsEach: Int
  /// Syllables of the words that show whether letters can be learned, and of those that show whether
  /// spelling helps.
  var shortWord: Int
  var longWord: Int
  var points: PointRecipe

  public static func of(_ length: TourLength, seed: UInt64) -> CharacterRecipe {
    length == .quick ? quick(seed: seed) : tour(seed: seed)
  }

  /// About a minute and a half on one quick core.
  public static func tour(seed: UInt64) -> CharacterRecipe {
    CharacterRecipe(
      seed: seed, width: 64, layers: 3, heads: 4, hiddenWidth: 256, length: 64,
      optimizer: .pretraining, directWeight: 4, syllableExamples: 96,
      syllablePhases: [
        CharacterPhase(
          steps: 300,
          shares: ["direct": 0.55, "spell": 0.29, "copy": 0.06, "call": 0.05, "tool": 0.05],
          shortShare: 0.7),
        CharacterPhase(
          steps: 750,
          shares: [
            "direct": 0.55, "tally": 0.27, "spell": 0.06, "tool": 0.05, "call": 0.03, "copy": 0.04,
          ], shortShare: 0.4),
      ], letterExamples: 64,
      letterPhases: [
        CharacterPhase(
          steps: 200, shares: ["direct": 0.3, "spell": 0.5, "copy": 0.2], shortShare: 0.4),
        CharacterPhase(
          steps: 700, shares: ["direct": 0.45, "tally": 0.45, "spell": 0.05, "copy": 0.05],
          shortShare: 0.4),
      ], letterLongest: 3, itemsEach: 6, shortWord: 2, longWord: 4, points: .tour)
  }

  /// Seconds: whether every part runs. Its verdicts mean nothing.
  public static func quick(seed: UInt64) -> CharacterRecipe {
    var recipe = tour(seed: seed)
    (recipe.width, recipe.hiddenWidth, recipe.itemsEach) = (32, 64, 1)
    (recipe.syllableExamples, recipe.letterExamples) = (16, 16)
    for i in recipe.syllablePhases.indices { recipe.syllablePhases[i].steps = 8 }
    for i in recipe.letterPhases.indices { recipe.letterPhases[i].steps = 8 }
    (recipe.points.steps, recipe.points.examples) = (10, 16)
    recipe.points.items = 20
    return recipe
  }

  func model(vocabulary: Int) -> DecoderConfig {
    DecoderConfig(
      vocabularySize: vocabulary, width: width, layers: layers, heads: heads,
      hiddenWidth: hiddenWidth, context: length, feedForward: .reluSquared)
  }
}
