import Corpus
import Environments
import LanguageModel
import TensorCore
import Training

/// E1, the talk's ladder: read, imitate, practise. Every value that the result depends on.
public struct LadderRecipe: Codable, Sendable, Equatable {
  public var seed: UInt64
  public var textbook: TextbookContents
  public var vocabulary: Int
  public var width: Int
  public var layers: Int
  public var heads: Int
  public var context: Int
  /// Slots in a row of text, rows in a batch, and passes over the textbook.
  public var readingLength: Int
  public var readingRows: Int
  public var readingEpochs: Double
  public var readingOptimizer: OptimizerSettings
  /// What people demonstrate, how many times, and what they are like.
  public var demonstrated: FormulaSpace
  public var demonstrations: Int
  public var demonstrators: Demonstrators
  public var imitationRows: Int
  public var imitationEpochs: Double
  public var imitationOptimizer: OptimizerSettings
  /// What is practised; only the answers are known.
  public var practised: FormulaSpace
  public var practiceProblems: Int
  public var practiceSamples: Int
  public var practiceSteps: Int
  public var practiceMaxTokens: Int
  public var practiceOptimizer: OptimizerSettings
  /// What is asked in the end, and how often.
  public var examined: FormulaSpace
  public var examinationItems: Int
  public var validationItems: Int
  /// Problems and samples of each for pass@k.
  public var samplingItems: Int
  public var samplesPerItem: Int

  /// About three minutes on two quick cores.
  public static func tour(seed: UInt64) -> LadderRecipe {
    LadderRecipe(
      seed: seed, textbook: .ladder, vocabulary: 512, width: 64, layers: 4, heads: 4, context: 512,
      readingLength: 128, readingRows: 8, readingEpochs: 1,
      readingOptimizer: .pretraining, demonstrated: FormulaSpace(elements: 2...3, counts: 1...4),
      demonstrations: 1_000, demonstrators: Demonstrators(workedShare: 0.3, slipShare: 0.2),
      imitationRows: 4, imitationEpochs: 10, imitationOptimizer: .imitation,
      practised: FormulaSpace(elements: 2...4, counts: 1...4), practiceProblems: 24,
      practiceSamples: 8, practiceSteps: 200, practiceMaxTokens: 112,
      practiceOptimizer: .practice, examined: FormulaSpace(elements: 2...4, counts: 1...4),
      examinationItems: 1_000, validationItems: 200, samplingItems: 250, samplesPerItem: 16)
  }

  /// A minute at most: whether every part runs. Its verdicts mean nothing.
  public static func quick(seed: UInt64) -> LadderRecipe {
    var recipe = tour(seed: seed)
    recipe.textbook = TextbookContents(
      arithmetic: 600, formulas: 600, elements: 100, peoplePerBucket: 2, exposures: [1, 2],
      passages: 50, prose: 50)
    recipe.vocabulary = 400
    recipe.layers = 2
    recipe.demonstrations = 200
    recipe.imitationEpochs = 3
    recipe.practiceSteps = 6
    recipe.practiceProblems = 8
    recipe.practiceMaxTokens = 64
    recipe.examinationItems = 100
    recipe.validationItems = 50
    recipe.samplingItems = 20
    recipe.samplesPerItem = 8
    return recipe
  }

  var model: DecoderConfig {
    DecoderConfig(
      vocabularySize: vocabulary, width: width, layers: layers, heads: heads,
      hiddenWidth: (8 * width / 3 + 15) / 16 * 16, context: context)
  }
}
