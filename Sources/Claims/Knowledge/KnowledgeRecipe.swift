import Corpus
import Environments
import LanguageModel
import TensorCore
import Training

/// A question in a turn of its own, or a sentence to be ended.
public enum MemoryManner: String, Codable, Sendable { case question, sentence }

/// E2 and E3: what a model remembers, what it knows of its own memory, and what it reads. Every value
/// that the findings depend on.
public struct KnowledgeRecipe: Codable, Sendable, Equatable {
  public var seed: UInt64
  public var contents: ArchiveContents
  public var width: Int
  public var layers: Int
  public var heads: Int
  public var headWidth: Int
  public var context: Int
  /// Slots in a row of text, and rows in a batch.
  public var length: Int
  public var rows: Int
  /// Steps of exercises before the archive is read.
  public var exerciseSteps: Int
  public var readingOptimizer: OptimizerSettings
  /// From how many exposures on a person is meant to be known.
  public var knownFrom: Int
  /// Up to how many a person is meant to be unknown.
  public var unknownTo: Int
  /// Probing: samples of each question, and how many right make it known; as many wrong, unknown.
  public var probes: Int
  public var probesRight: Int
  /// The assistant that always answers: passes over the known facts.
  public var answerEpochs: Double
  public var answerOptimizer: OptimizerSettings
  /// The questions that refusal is taught with, and the share of them with a known answer.
  public var refusalQuestions: Int
  public var refusalKnownShare: Double
  /// Pages of the archive that are read again beside each question.
  public var replay: Double
  public var refusalOptimizer: OptimizerSettings
  /// Practice: what a wrong answer costs, when a right one pays 1.
  public var penalty: Double
  public var practiceSteps: Int
  public var practiceProblems: Int
  public var practiceSamples: Int
  public var practiceOptimizer: OptimizerSettings
  /// What the use of tools is shown with.
  public var lookupQuestions: Int
  public var lookupOptimizer: OptimizerSettings
  /// What is asked in the end.
  public var validationInvented: Int
  public var testInvented: Int
  /// Questions of each kind in the exam of tools.
  public var lookupItems: Int
  /// How the memory exam asks.
  public var manner: MemoryManner
  /// People in each bucket of the memory exam.
  public var memoryPeople: Int

  /// Measured on one core of 118 GFLOP/s: about eight minutes.
  public static func tour(seed: UInt64) -> KnowledgeRecipe {
    KnowledgeRecipe(
      seed: seed,
      contents: ArchiveContents(
        buckets: [
          .init(exposures: 1, people: 6_000), .init(exposures: 2, people: 800),
          .init(exposures: 4, people: 400), .init(exposures: 8, people: 200),
          .init(exposures: 16, people: 80), .init(exposures: 32, people: 80),
          .init(exposures: 64, people: 80), .init(exposures: 96, people: 140),
          .init(exposures: 128, people: 160),
        ], interviews: 0.25, passages: 28_000),
      width: 96, layers: 4, heads: 6, headWidth: 16, context: 256, length: 128, rows: 8,
      exerciseSteps: 600, readingOptimizer: .pretraining, knownFrom: 96, unknownTo: 8, probes: 8,
      probesRight: 6,
      answerEpochs: 2, answerOptimizer: OptimizerSettings(rate: 1e-3),
      refusalQuestions: 15_000, refusalKnownShare: 0.45, replay: 0.5,
      refusalOptimizer: .imitation, penalty: 1, practiceSteps: 250,
      practiceProblems: 48, practiceSamples: 4,
      practiceOptimizer: OptimizerSettings(rate: 1.5e-3, decay: 0), lookupQuestions: 9_000,
      lookupOptimizer: .imitation, validationInvented: 400,
      testInvented: 800, lookupItems: 300, manner: .question, memoryPeople: 60)
  }

  /// A few seconds: whether every part runs. Its verdicts mean nothing.
  public static func quick(seed: UInt64) -> KnowledgeRecipe {
    var recipe = tour(seed: seed)
    recipe.contents = ArchiveContents(
      buckets: [
        .init(exposures: 1, people: 60), .init(exposures: 2, people: 20),
        .init(exposures: 96, people: 20),
      ], interviews: 0.25, passages: 300)
    recipe.width = 32
    recipe.layers = 2
    recipe.exerciseSteps = 4
    recipe.probesRight = 1
    recipe.refusalQuestions = 300
    recipe.practiceSteps = 3
    recipe.practiceProblems = 8
    recipe.validationInvented = 40
    recipe.testInvented = 60
    recipe.lookupQuestions = 200
    recipe.lookupItems = 20
    recipe.memoryPeople = 10
    return recipe
  }

  /// Rows of one size and a head tied to them let the model copy what it reads; a small rotary base
  /// tells near places apart. Without the three, no name is found on a page (docs/LOG.md).
  func model(vocabulary: Int) -> DecoderConfig {
    DecoderConfig(
      vocabularySize: vocabulary, width: width, layers: layers, heads: heads, headWidth: headWidth,
      hiddenWidth: 4 * width, context: context, positions: .rotary(base: 100),
      feedForward: .reluSquared, tiesHead: true,
      normalisesEmbedding: true)
  }
}
