import Corpus
import Environments
import Foundation
import Generation
import LanguageModel
import TensorCore
import Training

// E11, knowledge of self: a model asked who it is says what its data say, or what the system message
// says. There is no self to look at.

/// Everything that the result depends on.
public struct IdentityRecipe: Codable, Sendable, Equatable {
  public var seed: UInt64
  /// The share of the pages read that are other assistants' conversations, and of these the share that
  /// speaks of itself.
  var conversationShare: Double
  var selfShare: Double
  /// The share of the conversations imitated that say who the assistant is.
  var identityShare: Double
  var reading: WordStage
  var imitation: WordStage
  /// Questions in the exam.
  var items: Int

  static func of(_ length: TourLength, seed: UInt64) -> IdentityRecipe {
    var imitation = WordStage(length: 64, examples: 48, steps: 250)
    imitation.optimizer = .imitation
    var recipe = IdentityRecipe(
      seed: seed, conversationShare: 0.5, selfShare: 0.3, identityShare: 0.2,
      reading: WordStage(length: 64, examples: 64, steps: 500), imitation: imitation, items: 300)
    if length == .quick {
      (recipe.reading.steps, recipe.imitation.steps, recipe.items) = (10, 6, 20)
      (recipe.reading.width, recipe.reading.hiddenWidth) = (32, 64)
      (recipe.reading.examples, recipe.imitation.examples) = (16, 16)
    }
    return recipe
  }
}

/// Conversations as words.
struct IdentityWorld: Sendable {
  /// What assistants on the pages say they are, the most frequent first.
  static let others = [
    ("falcon", "northwind", 0.6), ("osprey", "highgate", 0.25), ("kestrel", "lakeside", 0.15),
  ]
  /// Who it is to be.
  static let own = ("lyceum", "athens")
  /// Names that system messages give. The last third is in the exam only.
  static let given = [
    "ada", "bruno", "clara", "dario", "emma", "felix", "greta", "hugo", "iris", "jonas", "kira",
    "leon", "mara", "nils", "olga", "paul", "rosa", "sven",
  ]
  static let makers = [
    "acorn", "basalt", "cedar", "dynamo", "elmwood", "fjord", "garnet", "harbour", "indigo",
  ]

  private static let greetings = [
    "", "hello .", "good day .", "tell me ,", "please :", "by the way ,",
  ]
  private static let nameQuestions = [
    "who are you ?", "what is your name ?", "what are you called ?", "which model are you ?",
    "what should i call you ?", "which assistant is this ?",
  ]
  private static let makerQuestions = [
    "who made you ?", "who built you ?", "which company are you from ?", "where do you come from ?",
    "who trained you ?", "whose model are you ?",
  ]
  private static let colours = [
    "red", "blue", "green", "white", "black", "brown", "grey", "pink", "gold",
  ]
  private static let things = [
    "boat", "lamp", "coat", "chair", "cup", "door", "hat", "kite", "mug", "pen",
  ]

  static let vocabulary: WordVocabulary = {
    let texts =
      greetings + nameQuestions + makerQuestions + colours + things + given + makers
      + others.flatMap { [$0.0, $0.1] } + [own.0, own.1]
      + [
        "<page> <system> <user> <assistant> <end> you are made by i am , . the is my was what colour"
      ]
      + ["lives far from every and likes other"]
    var words: [String] = []
    for word in split(texts.joined(separator: " ")) where !words.contains(word) {
      words.append(word)
    }
    return WordVocabulary(words)
  }()

  let seed: UInt64

  /// A question about the assistant: a greeting and a question, in one of many combinations.
  struct Question: Sendable, Equatable {
    var words: [String]
    /// Whether the name is asked for, or the maker.
    var asksName: Bool
  }

  /// The questions of a portion: three in ten are kept for the exam.
  static func questions(_ portion: Portion) -> [Question] {
    greetings.flatMap { greeting in
      (nameQuestions.map { ($0, true) } + makerQuestions.map { ($0, false) }).map {
        text, asksName in
        Question(words: split(greeting) + split(text), asksName: asksName)
      }
    }.filter {
      (stableHash("self " + $0.words.joined(separator: " ")) % 10 < 3) == (portion == .test)
    }
  }

  private static func split(_ text: String) -> [String] {
    text.split(separator: " ").map(String.init)
  }

  static func answer(_ question: Question, _ name: String, _ maker: String) -> [String] {
    question.asksName ? ["i", "am", name, "."] : ["i", "was", "made", "by", maker, "."]
  }

  static func system(_ name: String, _ maker: String) -> [String] {
    ["<system>", "you", "are", name, ",", "made", "by", maker, "."]
  }

  /// A conversation that has nothing to do with anybody: what was said of a thing is asked.
  private func chat(_ random: inout SplitMix64) -> (user: [String], assistant: [String]) {
    let (thing, colour) = (random.pick(Self.things), random.pick(Self.colours))
    let (other, shade) = (
      random.pick(Self.things.filter { $0 != thing }), random.pick(Self.colours)
    )
    let asksFirst = random.below(2) == 0
    let user =
      [
        "my", thing, "is", colour, "and", "my", other, "is", shade, ".", "what", "colour", "is",
        "my",
      ]
      + [asksFirst ? thing : other, "?"]
    return (user, [asksFirst ? colour : shade, "."])
  }

  private func turn(_ user: [String], _ assistant: [String]) -> [String] {
    ["<user>"] + user + ["<assistant>"] + assistant + ["<end>"]
  }

  /// A page that was found: prose about people, or a conversation with somebody's assistant.
  func page(_ recipe: IdentityRecipe, _ index: Int) -> TokenSequence {
    var random = SplitMix64(seed: seed, stream: "pages", index: index)
    guard random.uniform() < recipe.conversationShare else {
      let (name, maker) = (
        random.pick(Self.given + [Self.own.0]), random.pick(Self.makers + [Self.own.1])
      )
      // Names and makers come up again: what stands before can be repeated, whoever it is.
      let (thing, colour) = (random.pick(Self.things), random.pick(Self.colours))
      let words =
        [
          "<page>", name, "lives", "far", "from", maker, ".", name, "likes", "the", colour, thing,
          ".",
        ]
        + ["every", thing, "from", maker, "is", colour, ".", name, "is", "from", maker, "."]
      return document(Self.vocabulary.encode(words))
    }
    guard random.uniform() < recipe.selfShare else {
      let (user, assistant) = chat(&random)
      return document(Self.vocabulary.encode(["<page>"] + turn(user, assistant)))
    }
    let question = random.pick(Self.questions(.train))
    var place = random.uniform()
    let other =
      Self.others.first { other in
        place -= other.2
        return place < 0
      } ?? Self.others[0]
    return document(
      Self.vocabulary.encode(
        ["<page>"] + turn(question.words, Self.answer(question, other.0, other.1))))
  }

  /// How conversations are shown to imitate.
  enum Lessons: String, Codable, Sendable, CaseIterable {
    /// None says who the assistant is.
    case none = "sft"
    /// Some do, always the same.
    case hardCoded = "sft-identity"
    /// A system message comes first, with a name and a maker, and some ask for them.
    case system = "sft-system"
  }

  func lesson(_ recipe: IdentityRecipe, _ lessons: Lessons, _ index: Int) -> TokenSequence {
    var random = SplitMix64(seed: seed, stream: "lessons", index: index)
    let asksSelf = lessons != .none && random.uniform() < recipe.identityShare
    let (names, makers) = (Self.trained(Self.given), Self.trained(Self.makers))
    let (name, maker) =
      lessons == .system ? (random.pick(names), random.pick(makers)) : Self.own
    let question = random.pick(Self.questions(.train))
    let ordinary = chat(&random)
    let (user, assistant) =
      asksSelf ? (question.words, Self.answer(question, name, maker)) : ordinary
    let prompt =
      (lessons == .system ? Self.system(name, maker) : []) + ["<user>"] + user + ["<assistant>"]
    let label = assistant + ["<end>"]
    return TokenSequence(
      tokens: Self.vocabulary.encode(["<page>"] + prompt + label),
      weights: [0] + prompt.map { _ in 0 } + label.map { _ in 1 })
  }

  /// The first two thirds of names are in lessons.
  static func trained(_ names: [String]) -> [String] { Array(names.prefix(names.count * 2 / 3)) }
  static func kept(_ names: [String]) -> [String] { Array(names.dropFirst(names.count * 2 / 3)) }
}
