import Corpus
import Environments
import Foundation
import Generation
import LanguageModel
import Training

/// Every value that the result about numbers with a point depends on.
struct PointRecipe: Codable, Sendable, Equatable {
  var steps: Int
  var examples: Int
  /// The share of examples that are about sections of books.
  var sectionShare: Double
  /// The share of the decimals that are compared digit by digit.
  var digitsShare: Double
  var layers: Int
  /// Pairs in the exam, of those on which the readings disagree and of the others each.
  var items: Int
  /// Samples for each pair at temperature 1.
  var samples: Int

  static let tour = PointRecipe(
    steps: 450, examples: 64, sectionShare: 0.7, digitsShare: 0.7, layers: 2, items: 500,
    samples: 4)
}

/// How pairs of numbers were compared.
struct PointExam: Codable, Sendable, Equatable {
  struct Item: Codable, Sendable, Equatable {
    var pair: String
    var isTrap: Bool
    var response: String
    var isRight: Bool
    /// Whether the samples at temperature 1 gave both answers.
    var flips: Bool
  }

  var items: [Item]

  func accuracy(trap: Bool) -> Estimate {
    let chosen = items.filter { $0.isTrap == trap }
    return Estimate(successes: chosen.count(where: \.isRight), of: chosen.count)
  }

  func rightness(trap: Bool) -> [Bool] { items.filter { $0.isTrap == trap }.map(\.isRight) }

  func flips(trap: Bool) -> Estimate {
    let chosen = items.filter { $0.isTrap == trap }
    return Estimate(successes: chosen.count(where: \.flips), of: chosen.count)
  }
}

/// 9.11 and 9.9: a model reads mostly of sections, sometimes of decimals.
struct Points {
  let recipe: CharacterRecipe
  let folder: URL
  let observer: ExperimentObserver

  private var points: PointRecipe { recipe.points }

  /// The exams by mode.
  func measure() throws -> [String: PointExam] {
    var config = recipe.model(vocabulary: PointScript.vocabulary.count)
    (config.layers, config.context) = (points.layers, PointScript.longest)
    let stage = StreamRecipe(
      model: config, length: recipe.length, steps: points.steps, optimizer: recipe.optimizer,
      schedule: Schedule(warmup: 50, final: 0.05), seed: recipe.seed, data: "points")
    let exam = ExamPrompts(
      "e5",
      examination().map { pair in
        // Without the list of sections and the way to ask: whatever is asked about the pair.
        PointScript.vocabulary.encode(
          Array(PointScript.prompt(pair, .decimal, .direct, hasSections: false).dropLast()))
      })
    let model = try observer.watch("points", points.steps) {
      try trainOnStream(
        stage,
        examples: { step in
          try exam.checked(
            trainingQuestions(step: step).map {
              PointScript.example($0.prompt, PointScript.label($0.pair, $0.reading, $0.mode))
            }, stage: "points")
        }, in: folder.appendingPathComponent("points"), observer: $0)
    }
    return try observer.once(
      "exam points", steps: 2, at: folder.appendingPathComponent("exams/points.json")
    ) { update in
      let direct = try examine(model, .direct)
      update(1)
      return [
        PointMode.direct.rawValue: direct, PointMode.digits.rawValue: try examine(model, .digits),
      ]
    }
  }

  /// Sections stand in their list; decimals stand after such a list half of the time.
  func trainingQuestions(step: Int) -> [(
    pair: PointPair, reading: PointReading, mode: PointMode, prompt: [String]
  )] {
    (0..<points.examples).map { i in
      var random = SplitMix64(
        seed: recipe.seed, stream: "points", index: step * points.examples + i)
      let pair = PointPair.draw(.train, &random)
      let isSection = random.uniform() < points.sectionShare
      let mode: PointMode =
        !isSection && random.uniform() < points.digitsShare ? .digits : .direct
      let reading: PointReading = isSection ? .section : .decimal
      let prompt = PointScript.prompt(
        pair, reading, mode, hasSections: isSection || random.below(2) == 0)
      return (pair, reading, mode, prompt)
    }
  }

  /// As many pairs on which the readings disagree as others; none was trained on.
  func examination() -> [PointPair] {
    var random = SplitMix64(seed: recipe.seed, stream: "points test")
    var (traps, others): ([PointPair], [PointPair]) = ([], [])
    while traps.count < points.items || others.count < points.items {
      let pair = PointPair.draw(.test, &random)
      if pair.isTrap, traps.count < points.items { traps.append(pair) }
      if !pair.isTrap, others.count < points.items { others.append(pair) }
    }
    return traps + others
  }

  /// As decimals, after a list of sections.
  private func examine(_ model: Transformer, _ mode: PointMode) throws -> PointExam {
    let vocabulary = PointScript.vocabulary
    let pairs = examination()
    func run(_ settings: SamplingSettings, _ samples: Int) throws -> [[[String]]] {
      try Generator(model, settings: settings, stops: [vocabulary["#"]], seed: recipe.seed)
        .run(
          pairs.enumerated().map { i, pair in
            GenerationRequest(
              prompt: vocabulary.encode(
                PointScript.prompt(pair, .decimal, mode, hasSections: true)), samples: samples,
              stream: UInt64(i))
          }
        ).map { $0.map { vocabulary.decode($0.tokens) } }
    }
    let greedy = try run(.greedy(maxTokens: 12), 1)
    let sampled = try run(SamplingSettings(maxTokens: 12), points.samples)
    return PointExam(
      items: zip(pairs, zip(greedy, sampled)).map { pair, written in
        let verdicts = Set(written.1.map(Self.verdict))
        return PointExam.Item(
          pair: pair.text, isTrap: pair.isTrap, response: written.0[0].joined(separator: " "),
          isRight: Self.verdict(written.0[0]) == pair.isFirstLarger(.decimal),
          flips: verdicts.contains(true) && verdicts.contains(false))
      })
  }

  /// Whether the first is said to be larger; nil where the answer does not end in a verdict.
  static func verdict(_ words: [String]) -> Bool? {
    guard words.last == "#" else { return nil }
    return switch words.dropLast().last {
    case "first": true
    case "second": false
    default: nil
    }
  }
}
