import Corpus
import Environments
import Foundation
import Generation
import LanguageModel
import TensorCore
import Training

// E10, parallel universes: a base model that read of many people is given a name it never read, again
// and again. It writes a life each time, another one each time.

/// Everything that the result depends on.
public struct UniverseRecipe: Codable, Sendable, Equatable {
  public var seed: UInt64
  /// People who are written about often, and how often.
  var known: Int
  var exposures: Int
  /// Others, written about once each.
  var others: Int
  /// Names in the exam that are in no text, and lives written for each, of the known too.
  var unseen: Int
  var samples: Int
  var stage: WordStage

  static func of(_ length: TourLength, seed: UInt64) -> UniverseRecipe {
    var recipe = UniverseRecipe(
      seed: seed, known: 60, exposures: 100, others: 14_000, unseen: 60, samples: 40,
      stage: WordStage(length: 72, examples: 48, steps: 0))
    if length == .quick {
      (recipe.known, recipe.exposures, recipe.others) = (8, 6, 300)
      (recipe.unseen, recipe.samples) = (8, 5)
      (recipe.stage.width, recipe.stage.hiddenWidth) = (32, 64)
    }
    let pages = recipe.known * recipe.exposures + recipe.others
    recipe.stage.steps = max(1, pages / recipe.stage.examples)
    return recipe
  }
}

/// A life: each part depends on the one before.
struct UniverseLife: Sendable, Equatable {
  /// Numbers of town, trade and animal.
  var town: Int
  var trade: Int
  var animal: Int
}

/// Names, and how lives are dealt.
struct UniverseWorld: Sendable {
  static let towns = ["alder", "cliff", "delta", "frost", "grove", "haven", "marsh", "ridge"]
  static let trades = ["baker", "weaver", "miller", "sailor", "doctor", "singer"]
  static let animals = ["cat", "dog", "goat", "hen", "horse", "duck"]
  static let vocabulary = WordVocabulary(
    ["<page>", "lives", "in", "is", "a", "has", "of", "the", "stays", "with", "."] + firsts + lasts
      + towns + trades + animals)
  private static let firsts = product(
    "al ber cor da el fen gal hal is jor ka lo", "a en is o ra ric ta us vin wen")
  private static let lasts = product(
    "ash brook cold dun east fair green hart iron kirk long mar",
    "by croft den field ford ham ley mere ton wood")

  private static func product(_ starts: String, _ ends: String) -> [String] {
    starts.split(separator: " ").flatMap { a in
      ends.split(separator: " ").map { String(a + $0) }
    }
  }

  let recipe: UniverseRecipe
  /// Names with the town, trade and animal of those who are known.
  let known: [(name: [String], life: UniverseLife)]
  /// Names of those who are written about once, and names that are in no text.
  private let others: [[String]]
  let unseen: [[String]]

  init(_ recipe: UniverseRecipe) {
    self.recipe = recipe
    var names = Self.firsts.flatMap { first in Self.lasts.map { [first, $0] } }
    var random = SplitMix64(seed: recipe.seed, stream: "names")
    random.shuffle(&names)
    known = names.prefix(recipe.known).enumerated().map { i, name in
      // Not as the others are: every known life is one of many.
      var random = SplitMix64(seed: recipe.seed, stream: "known", index: i)
      let life = UniverseLife(
        town: random.below(Self.towns.count), trade: random.below(Self.trades.count),
        animal: random.below(Self.animals.count))
      return (name, life)
    }
    unseen = Array(names.dropFirst(recipe.known).prefix(recipe.unseen))
    others = Array(names.dropFirst(recipe.known + recipe.unseen))
  }

  /// How likely each town is: some are large. With 8 towns from 28 % down to 6 %.
  static let townShares = shares(towns.count)

  /// 1 / (rank + 2), dealt out.
  private static func shares(_ count: Int) -> [Double] {
    let weights = (0..<count).map { 1 / Double($0 + 2) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  /// Every town has trades that are common there, every trade animals that go with it.
  func tradeShares(_ town: Int) -> [Double] { turned(Self.trades.count, by: town) }
  func animalShares(_ trade: Int) -> [Double] { turned(Self.animals.count, by: trade) }

  private func turned(_ count: Int, by turn: Int) -> [Double] {
    let shares = Self.shares(count)
    return (0..<count).map { shares[($0 + turn) % count] }
  }

  /// How likely a life is of somebody of whom nothing is known.
  func probability(_ life: UniverseLife) -> Double {
    Self.townShares[life.town] * tradeShares(life.town)[life.trade]
      * animalShares(life.trade)[life.animal]
  }

  func life(_ random: inout SplitMix64) -> UniverseLife {
    func draw(_ shares: [Double]) -> Int {
      var place = random.uniform()
      for (i, share) in shares.enumerated() {
        place -= share
        if place < 0 { return i }
      }
      return shares.count - 1
    }
    let town = draw(Self.townShares)
    let trade = draw(tradeShares(town))
    return UniverseLife(town: town, trade: trade, animal: draw(animalShares(trade)))
  }

  func opening(_ name: [String]) -> [String] { ["<page>"] + name + ["lives", "in"] }

  /// The page of a life: the town and the trade come up twice.
  func words(_ name: [String], _ life: UniverseLife) -> [String] {
    let (town, trade) = (Self.towns[life.town], Self.trades[life.trade])
    let animal = Self.animals[life.animal]
    return opening(name)
      + [
        town, ".", "the", trade, "has", "a", animal, ".", "the", trade, "of", town, "stays", "with",
      ]
      + ["the", animal, "."]
  }

  /// A page as it was written: its life, and whether what comes up twice is the same both times. Nil
  /// where it is no page.
  static func read(_ words: [String]) -> (life: UniverseLife, isConsistent: Bool)? {
    let form = "<page> * * lives in T . the R has a A . the R of T stays with the A .".split(
      separator: " ")
    guard words.count == form.count else { return nil }
    var found: [Substring: [Int]] = [:]
    for (word, part) in zip(words, form) {
      let list =
        switch part {
        case "T": towns
        case "R": trades
        case "A": animals
        default: [String]()
        }
      if let number = list.firstIndex(of: word) {
        found[part, default: []].append(number)
      } else if part != "*", part != word {
        return nil
      }
    }
    guard let t = found["T"], let r = found["R"], let a = found["A"], t.count == 2, r.count == 2,
      a.count == 2
    else { return nil }
    return (
      UniverseLife(town: t[0], trade: r[0], animal: a[0]),
      t[0] == t[1] && r[0] == r[1] && a[0] == a[1]
    )
  }

  /// All pages in the order in which they are read.
  func pages() -> [[Int32]] {
    var pages = known.flatMap { person in
      Array(repeating: words(person.name, person.life), count: recipe.exposures)
    }
    for i in 0..<recipe.others {
      var random = SplitMix64(seed: recipe.seed, stream: "others", index: i)
      pages.append(words(others[i % others.count], life(&random)))
    }
    var random = SplitMix64(seed: recipe.seed, stream: "order")
    random.shuffle(&pages)
    return pages.map(Self.vocabulary.encode)
  }
}

/// What E10 found.
public struct UniverseFinding: Codable, Sendable, Equatable {
  public var recipe: UniverseRecipe
  var parameters: Int
  var known: [Person]
  var unseen: [Person]

  /// The lives that were written for one name.
  struct Person: Codable, Sendable, Equatable {
    var name: String
    var texts: [String]
    var lives: [Life]
  }

  struct Life: Codable, Sendable, Equatable {
    var town: Int
    var trade: Int
    var animal: Int
    /// How likely it is by the pages that were read.
    var probability: Double
    var isPage: Bool
    var isConsistent: Bool
  }
}

/// Reads, then writes lives.
struct Universes {
  let recipe: UniverseRecipe
  let folder: URL
  let observer: ExperimentObserver

  func measure() throws -> UniverseFinding {
    let world = UniverseWorld(recipe)
    let vocabulary = UniverseWorld.vocabulary
    let pages = world.pages()
    let each = recipe.stage.examples
    let exam = ExamPrompts("e10", world.unseen.map(vocabulary.encode))
    let model = try recipe.stage.train(
      "read", vocabulary, seed: recipe.seed, exam: exam, in: folder, observer
    ) { step in (0..<each).map { document(pages[(step * each + $0) % pages.count]) } }
    return try observer.once("lives", steps: 2, at: folder.appendingPathComponent("exam.json")) {
      update in
      let known = try lives(model, world, world.known.map(\.name))
      if observer.shouldStop() { throw ExperimentStopped() }
      update(1)
      return UniverseFinding(
        recipe: recipe, parameters: model.config.parameterCount, known: known,
        unseen: try lives(model, world, world.unseen))
    }
  }

  private func lives(_ model: Transformer, _ world: UniverseWorld, _ names: [[String]]) throws
    -> [UniverseFinding.Person]
  {
    let vocabulary = UniverseWorld.vocabulary
    let generator = Generator(
      model, settings: SamplingSettings(maxTokens: 24), stops: [vocabulary["<page>"]],
      seed: recipe.seed)
    let written = try generator.run(
      names.enumerated().map { i, name in
        GenerationRequest(
          prompt: vocabulary.encode(world.opening(name)), samples: recipe.samples,
          stream: stableHash(name.joined(separator: " ")))
      })
    let length = world.words(names[0], UniverseLife(town: 0, trade: 0, animal: 0)).count
    return zip(names, written).map { name, group in
      let texts = group.map {
        Array((world.opening(name) + vocabulary.decode($0.tokens)).prefix(length))
      }
      return UniverseFinding.Person(
        name: name.joined(separator: " "), texts: texts.map { $0.joined(separator: " ") },
        lives: texts.map { text in
          guard let (life, isConsistent) = UniverseWorld.read(text) else {
            return UniverseFinding.Life(
              town: -1, trade: -1, animal: -1, probability: 0, isPage: false, isConsistent: false)
          }
          return UniverseFinding.Life(
            town: life.town, trade: life.trade, animal: life.animal,
            probability: world.probability(life), isPage: true, isConsistent: isConsistent)
        })
    }
  }
}
