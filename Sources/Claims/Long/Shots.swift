import Corpus
import Environments
import Foundation
import Generation
import LanguageModel
import TensorCore
import Training

// E9, in-context learning: a key for a value, as a mapping says that is new in every text. No weight
// can know it; only what stands before can.

/// Everything that the result depends on.
public struct ShotRecipe: Codable, Sendable, Equatable {
  public var seed: UInt64
  /// Pairs of key and value before the question.
  var shots: [Int]
  /// Texts in the exam for each number of shots.
  var items: Int
  var stage: WordStage

  static func of(_ length: TourLength, seed: UInt64) -> ShotRecipe {
    let most = 16
    var recipe = ShotRecipe(
      seed: seed, shots: [0, 1, 2, 4, 8, most], items: 500,
      stage: WordStage(length: 2 * most + 2, examples: 96, steps: 700))
    if length == .quick {
      (recipe.items, recipe.stage.steps, recipe.stage.examples) = (20, 10, 8)
      (recipe.stage.width, recipe.stage.hiddenWidth) = (32, 64)
    }
    return recipe
  }

  var most: Int { shots.max() ?? 0 }
}

/// A mapping of keys to values that is one to one, and a text that shows it: "dax 3 wug 7 … dax".
struct ShotText: Sendable, Equatable {
  static let keys = ["dax", "wug", "fep", "blick", "toma", "zup", "gorp", "lim"]
  static let values = (1...8).map(String.init)
  static let vocabulary = WordVocabulary(keys + values)

  /// By key: its value.
  let mapping: [Int]
  /// The keys of the pairs, the one that is asked about last.
  let asked: [Int]

  /// The `index`-th text of a stream, with a mapping of the portion.
  init(_ portion: Portion, pairs: Int, seed: UInt64, stream: String, index: Int) {
    var random = SplitMix64(seed: seed, stream: stream, index: index)
    var mapping = Array(Self.keys.indices)
    repeat { random.shuffle(&mapping) } while Self.portion(mapping) != portion
    self.mapping = mapping
    asked = (0..<pairs).map { _ in random.below(Self.keys.count) }
  }

  /// Three mappings in ten are for the test.
  static func portion(_ mapping: [Int]) -> Portion {
    stableHash("mapping \(mapping)") % 10 < 3 ? .test : .train
  }

  var answer: String { Self.values[mapping[asked[asked.count - 1]]] }

  /// Key and value in turn, up to the last value.
  var words: [String] { asked.flatMap { [Self.keys[$0], Self.values[mapping[$0]]] } }

  /// Whether the key that is asked about was shown before.
  var isShown: Bool { asked.dropLast().contains(asked[asked.count - 1]) }

  /// How often the best guess is right: 1 where the key was shown, else one of the values that were
  /// not.
  var best: Double { isShown ? 1 : 1 / Double(Self.keys.count - Set(asked.dropLast()).count) }
}

/// What E9 found.
public struct ShotFinding: Codable, Sendable, Equatable {
  public var recipe: ShotRecipe
  var parameters: Int
  var exams: [Exam]
  /// After as many shots as there may be, each value in the context replaced by another's.
  var scrambled: Exam

  struct Exam: Codable, Sendable, Equatable {
    var shots: Int
    var items: [Item]

    var accuracy: Estimate { Estimate(successes: items.count(where: \.isRight), of: items.count) }
    var best: Double { mean(items.map(\.best)) }
  }

  struct Item: Codable, Sendable, Equatable {
    var prompt: String
    var response: String
    var answer: String
    var isShown: Bool
    var best: Double
    var isRight: Bool { response == answer }
  }
}

/// Trains on texts with mappings of one part, and asks about those of another.
struct Shots {
  let recipe: ShotRecipe
  let folder: URL
  let observer: ExperimentObserver

  func measure() throws -> ShotFinding {
    let vocabulary = ShotText.vocabulary
    // What is short is in training too, by chance: eight words say nothing of a mapping.
    let exam = ExamPrompts(
      "e9",
      recipe.shots.filter { $0 >= 4 }.flatMap { shots in
        texts(shots).map { vocabulary.encode($0.words.dropLast()) }
      })
    let each = recipe.stage.examples
    let model = try recipe.stage.train(
      "read", vocabulary, seed: recipe.seed, exam: exam, in: folder, observer,
      measure: { model in
        Dictionary(
          uniqueKeysWithValues: [0, recipe.most].map {
            ("right_\($0)", examine(model, $0, texts($0, .validation, 200)).accuracy.value)
          })
      }
    ) { step in
      (0..<each).map { i in
        let text = ShotText(
          .train, pairs: recipe.most + 1, seed: recipe.seed, stream: "train", index: step * each + i
        )
        let tokens = vocabulary.encode(text.words)
        return TokenSequence(
          tokens: tokens, weights: tokens.indices.map { $0 % 2 == 1 ? 1 : 0 })
      }
    }
    return try observer.once(
      "shots", steps: recipe.shots.count + 1, at: folder.appendingPathComponent("exam.json")
    ) { update in
      var exams: [ShotFinding.Exam] = []
      for shots in recipe.shots {
        if observer.shouldStop() { throw ExperimentStopped() }
        exams.append(examine(model, shots, texts(shots)))
        update(exams.count)
      }
      return ShotFinding(
        recipe: recipe, parameters: model.config.parameterCount, exams: exams,
        scrambled: examine(model, recipe.most, texts(recipe.most), isScrambled: true))
    }
  }

  func texts(_ shots: Int, _ portion: Portion = .test, _ count: Int? = nil) -> [ShotText] {
    (0..<(count ?? recipe.items)).map {
      ShotText(
        portion == .test ? .test : .train, pairs: shots + 1, seed: recipe.seed,
        stream: "\(portion.rawValue) \(shots)", index: $0)
    }
  }

  /// The likeliest value after each text. `isScrambled` turns every value in it into the next one, so
  /// that what stands there says nothing true.
  private func examine(
    _ model: Transformer, _ shots: Int, _ texts: [ShotText], isScrambled: Bool = false
  ) -> ShotFinding.Exam {
    let vocabulary = ShotText.vocabulary
    let first = vocabulary[ShotText.values[0]]
    let prompts = texts.map { text in
      vocabulary.encode(text.words.dropLast()).map { token in
        isScrambled && token >= first
          ? first + (token - first + 1) % Int32(ShotText.values.count) : token
      }
    }
    var items: [ShotFinding.Item] = []
    for start in stride(from: 0, to: texts.count, by: 250) {
      let end = min(texts.count, start + 250)
      for (i, prediction) in zip(start..<end, model.predict(Array(prompts[start..<end]))) {
        items.append(
          ShotFinding.Item(
            prompt: vocabulary.decode(prompts[i]).joined(separator: " "),
            response: vocabulary.words[Int(prediction.likeliest)], answer: texts[i].answer,
            isShown: texts[i].isShown, best: texts[i].best))
      }
    }
    return ShotFinding.Exam(shots: shots, items: items)
  }
}

extension ShotFinding {
  func exam(_ shots: Int) -> Exam {
    exams.first { $0.shots == shots } ?? Exam(shots: shots, items: [])
  }

  var claims: [Claim] {
    let (none, most) = (exam(0), exam(recipe.most))
    let rightness = { (exam: Exam) in exam.items.map { $0.isRight ? 1.0 : 0.0 } }
    func claim(
      _ id: String, _ statement: String, _ metric: String, _ estimate: Estimate,
      _ direction: Verdict.Direction, _ threshold: Double, _ unit: Unit
    ) -> Claim {
      Claim(
        id: "e9." + id, statement: statement, metric: metric, estimate: estimate, direction,
        threshold: threshold, unit: unit, n: recipe.items, seeds: [recipe.seed])
    }
    return [
      claim(
        "no-shots-no-answer", "Without an example the model can only guess at a new mapping.",
        "right with no example", none.accuracy, .below, 0.25, .share),
      claim(
        "shots-teach", "Examples in the context teach it, though no weight changes.",
        "\(recipe.most) examples less none", difference(rightness(most), rightness(none)), .above,
        0.5, .points),
      claim(
        "as-good-as-can-be", "It makes of them nearly all that can be made.",
        "\(recipe.most) examples: right less the best guesses",
        pairedBootstrap(rightness(most), most.items.map(\.best), seed: recipe.seed), .above, -0.1,
        .points),
      claim(
        "from-the-context-alone",
        "It is the context that speaks: where the examples mislead, the answer follows them.",
        "\(recipe.most) examples with other values: right", scrambled.accuracy, .below, 0.2, .share),
    ]
  }

  /// Of the means of two independent samples of equal size.
  private func difference(_ a: [Double], _ b: [Double]) -> Estimate {
    a.count == b.count ? pairedBootstrap(a, b, seed: recipe.seed) : .unknown
  }
}
