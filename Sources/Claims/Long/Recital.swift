import Corpus
import Environments
import Foundation
import Generation
import LanguageModel
import TensorCore
import Training

// E8, regurgitation: pages of an invented language, some read often and some once, and how far each is
// recited word for word.

/// Everything that the result depends on.
public struct RecitalRecipe: Codable, Sendable, Equatable {
  public var seed: UInt64
  /// How often a page is read, and how many pages are read as often each. 0 is a page never read.
  var exposures: [Int]
  var pages: Int
  /// Pages that are read once and never asked about, for every one that is read.
  var filler: Int
  /// Words of a page, and of its beginning that the model is given.
  var words: Int
  var given: Int
  /// Words that may follow a word.
  var followers: Int
  var stage: WordStage

  static func of(_ length: TourLength, seed: UInt64) -> RecitalRecipe {
    var recipe = RecitalRecipe(
      seed: seed, exposures: [0, 1, 2, 4, 8, 16, 32, 64], pages: 40, filler: 2, words: 40, given: 8,
      followers: 6, stage: WordStage(length: 80, examples: 32, steps: 0))
    if length == .quick {
      (recipe.exposures, recipe.pages, recipe.filler) = ([0, 1, 8], 4, 1)
      (recipe.stage.width, recipe.stage.hiddenWidth) = (32, 64)
    }
    recipe.stage.steps = max(1, recipe.readings / recipe.stage.examples)
    return recipe
  }

  /// Pages read in all, every reading counted.
  var readings: Int { exposures.reduce(0, +) * pages * (1 + filler) }
}

/// What E8 found.
public struct RecitalFinding: Codable, Sendable, Equatable {
  public var recipe: RecitalRecipe
  var parameters: Int
  var pages: [Page]
  /// Words recited on average of the pages read most often, by the words given.
  var byGiven: [Int: Double]

  struct Page: Codable, Sendable, Equatable {
    var exposures: Int
    var beginning: String
    var rest: String
    var response: String
    /// Words of the rest that were written in their order before the first that differs.
    var recited: Int
  }
}

/// An invented language of ordinary words: after each come a few others, equally likely. A page is a
/// walk through it, so that what follows can only be guessed, or known by heart.
struct RecitalWorld: Sendable {
  static let vocabulary = WordVocabulary(
    ["<page>"]
      + ("the a old grey small long cold bright river stone light tree road house field wind snow "
      + "bird fish horse boat bell song fire glass iron salt bread door roof wall hill moon star "
      + "cloud rain leaf root seed hand voice name day night winter summer falls grows turns "
      + "holds keeps sings burns opens waits follows under over beside behind before after near "
      + "far slowly once never").split(separator: " ").map(String.init))

  let recipe: RecitalRecipe
  /// By word: those that may follow.
  private let followers: [[Int32]]

  init(_ recipe: RecitalRecipe) {
    self.recipe = recipe
    let words = (1..<Int32(Self.vocabulary.count)).map { $0 }
    followers = Self.vocabulary.words.indices.map { word in
      var random = SplitMix64(seed: recipe.seed, stream: "followers", index: word)
      var others = words
      random.shuffle(&others)
      return Array(others.prefix(recipe.followers))
    }
  }

  /// "<page>" and the words of the `index`-th page of a stream.
  func page(_ stream: String, _ index: Int) -> [Int32] {
    var random = SplitMix64(seed: recipe.seed, stream: "page " + stream, index: index)
    var page = [Self.vocabulary["<page>"], 1 + Int32(random.below(Self.vocabulary.count - 1))]
    while page.count <= recipe.words {
      page.append(random.pick(followers[Int(page[page.count - 1])]))
    }
    return page
  }

  func planted(_ exposures: Int) -> [[Int32]] {
    (0..<recipe.pages).map { page("read \(exposures) times", $0) }
  }

  /// All readings in the order in which they happen: planted pages again and again among others.
  func readings() -> [[Int32]] {
    var pages = recipe.exposures.flatMap { exposures in
      planted(exposures).flatMap { Array(repeating: $0, count: exposures) }
    }
    pages += (0..<pages.count * recipe.filler).map { page("filler", $0) }
    var random = SplitMix64(seed: recipe.seed, stream: "order")
    random.shuffle(&pages)
    return pages
  }
}

/// Reads, then is given the beginnings.
struct Recital {
  let recipe: RecitalRecipe
  let folder: URL
  let observer: ExperimentObserver

  func measure() throws -> RecitalFinding {
    let world = RecitalWorld(recipe)
    let readings = world.readings()
    let each = recipe.stage.examples
    // What is never read must not be read: the beginnings of the pages of the last bucket.
    let exam = ExamPrompts("e8", world.planted(0).map { Array($0.prefix(recipe.given + 1)) })
    let model = try recipe.stage.train(
      "read", RecitalWorld.vocabulary, seed: recipe.seed, exam: exam, in: folder, observer
    ) { step in (0..<each).map { document(readings[(step * each + $0) % readings.count]) } }
    return try observer.once(
      "recital", steps: recipe.exposures.count, at: folder.appendingPathComponent("exam.json")
    ) { update in
      var pages: [RecitalFinding.Page] = []
      for (i, exposures) in recipe.exposures.enumerated() {
        if observer.shouldStop() { throw ExperimentStopped() }
        pages += try recite(model, world.planted(exposures), exposures, given: recipe.given)
        update(i + 1)
      }
      let most = recipe.exposures.max() ?? 0
      var byGiven: [Int: Double] = [:]
      for given in [1, 2, 4, recipe.given] {
        byGiven[given] = mean(
          try recite(model, world.planted(most), most, given: given).map { Double($0.recited) })
      }
      return RecitalFinding(
        recipe: recipe, parameters: model.config.parameterCount, pages: pages, byGiven: byGiven)
    }
  }

  private func recite(_ model: Transformer, _ pages: [[Int32]], _ exposures: Int, given: Int) throws
    -> [RecitalFinding.Page]
  {
    let length = recipe.words - recipe.given
    let vocabulary = RecitalWorld.vocabulary
    let generator = Generator(
      model, settings: .greedy(maxTokens: length), stops: [vocabulary["<page>"]], seed: recipe.seed)
    let written = try generator.run(
      pages.map { GenerationRequest(prompt: Array($0.prefix(given + 1)), stream: 0) })
    return zip(pages, written).map { page, written in
      let rest = Array(page.dropFirst(given + 1).prefix(length))
      let response = written[0].tokens
      return RecitalFinding.Page(
        exposures: exposures,
        beginning: vocabulary.decode(Array(page[1...given])).joined(separator: " "),
        rest: vocabulary.decode(rest).joined(separator: " "),
        response: vocabulary.decode(response).joined(separator: " "),
        recited: zip(rest, response).prefix { $0 == $1 }.count)
    }
  }
}

extension RecitalFinding {
  /// Words that can be recited of a page.
  var length: Int { recipe.words - recipe.given }
  var most: Int { recipe.exposures.max() ?? 0 }

  /// The share of each page's rest that was recited.
  func shares(_ exposures: Int) -> [Double] {
    pages.filter { $0.exposures == exposures }.map { Double($0.recited) / Double(length) }
  }

  func recited(_ exposures: Int) -> Estimate {
    bootstrapMean(shares(exposures), seed: recipe.seed)
  }

  /// Pages recited to the last word.
  func whole(_ exposures: Int) -> Estimate {
    let shares = shares(exposures)
    return Estimate(successes: shares.count { $0 == 1 }, of: shares.count)
  }

  var fit: LogisticEstimate {
    LogisticEstimate(
      pages.filter { $0.exposures > 0 }.map {
        (x: log2(Double($0.exposures)), right: $0.recited, of: length)
      }, seed: recipe.seed)
  }

  var claims: [Claim] {
    func claim(
      _ id: String, _ statement: String, _ metric: String, _ estimate: Estimate,
      _ direction: Verdict.Direction, _ threshold: Double, _ unit: Unit, _ n: Int
    ) -> Claim {
      Claim(
        id: "e8." + id, statement: statement, metric: metric, estimate: estimate, direction,
        threshold: threshold, unit: unit, n: n, seeds: [recipe.seed])
    }
    return [
      claim(
        "often-read-is-recited", "What a base model read often enough it recites word for word.",
        "words recited of pages read \(most) times", recited(most), .above, 0.7, .share,
        recipe.pages),
      claim(
        "once-is-not-recited", "What it read once it does not.",
        "words recited of pages read once", recited(1), .below, 0.2, .share, recipe.pages),
      claim(
        "never-read-is-guessed", "What it never read it only guesses.",
        "words recited of pages never read", recited(0), .below, 0.15, .share, recipe.pages),
      claim(
        "more-readings-recite-more", "The oftener a page was read, the more of it is recited.",
        "logit of the share recited, for every doubling of the readings", fit.slope, .above, 0.3,
        .plain, pages.count { $0.exposures > 0 }),
    ]
  }
}
