// A domain without a right answer: jokes about animals. The grammar is small enough that a model of
// a hundred thousand parameters writes it, and that what people like about a joke can be defined.

/// The words of the jokes and how people who write them put them together.
public enum Jokes {
  /// Ten groups of three animals, by their first letters.
  public static let animals = [
    "bear", "bat", "bee", "cat", "cow", "crab", "dog", "duck", "deer", "fox", "frog", "fish",
    "goat", "goose", "gnu", "hen", "horse", "hare", "mouse", "mole", "moose", "pig", "pony", "puma",
    "snake", "seal", "swan", "toad", "tuna", "tiger",
  ]
  /// Three for the animals of each letter.
  public static let puns = [
    "bearly", "batty", "buzzy", "catty", "cowed", "crabby", "dogged", "ducked", "dearly", "foxy",
    "froggy", "fishy", "goaty", "goosed", "gnarly", "henny", "hoarse", "hairy", "mousy", "moley",
    "mossy", "piggy", "ponied", "pumped", "snaky", "sealed", "swanky", "toady", "tuned", "tidal",
  ]
  /// Two for each letter.
  public static let adjectives = [
    "big", "bold", "cold", "cute", "dim", "dull", "fat", "fast", "glum", "grim", "hot", "huge",
    "mad", "mean", "pale", "proud", "sad", "shy", "tall", "tiny",
  ]
  public static let verbs = [
    "kiss", "hug", "chase", "paint", "tickle", "juggle", "lick", "poke", "wash", "hide", "sell",
    "eat", "bury", "tease", "wake", "carry", "wear", "swap", "drop", "steal",
  ]
  public static let things = [
    "piano", "banana", "pickle", "sofa", "lamp", "hat", "spoon", "kettle", "carrot", "ladder",
    "drum", "rug", "bucket", "sock", "violin", "cake", "bell", "boot", "tractor", "noodle",
  ]
  static let small = ["why", "did", "the", "with", "a", "?", "it", "was", "and", "!"]
  /// Every word of jokes and prompts.
  public static let vocabulary = animals + puns + adjectives + verbs + things + small + ["joke"]

  /// Words that mean something: those of the grammar's open places.
  public static let content = Set(animals + puns + adjectives + verbs + things)

  /// What is asked for.
  public static func prompt(_ animal: String) -> String { "a \(animal) joke" }

  /// Whether the pun is one for the animals of this letter.
  public static func fits(pun: String, _ animal: String) -> Bool { pun.first == animal.first }

  public static func words(_ text: String) -> [String] {
    text.split(separator: " ").map(String.init)
  }

  /// A joke of the grammar, taken apart.
  public struct Parsed: Equatable, Sendable {
    public var animal: String
    public var verb: String
    public var thing: String
    public var tool: String?
    public var adjective: String
    public var pun: String
  }

  /// Nil where the text is not: why did the ANIMAL VERB the THING [with a THING] ? it was ADJECTIVE
  /// and PUN !
  public static func parse(_ text: String) -> Parsed? {
    var words = words(text)[...]
    func take(_ fixed: String...) -> Bool {
      guard words.starts(with: fixed) else { return false }
      words = words.dropFirst(fixed.count)
      return true
    }
    func take(from list: [String]) -> String? {
      guard let word = words.first, list.contains(word) else { return nil }
      words = words.dropFirst()
      return word
    }
    guard take("why", "did", "the"), let animal = take(from: animals), let verb = take(from: verbs),
      take("the"), let thing = take(from: things)
    else { return nil }
    var tool: String?
    if take("with", "a") {
      guard let found = take(from: things) else { return nil }
      tool = found
    }
    guard take("?", "it", "was"), let adjective = take(from: adjectives), take("and"),
      let pun = take(from: puns), take("!"), words.isEmpty
    else { return nil }
    return Parsed(
      animal: animal, verb: verb, thing: thing, tool: tool, adjective: adjective, pun: pun)
  }
}

/// People who write jokes: most of their puns miss, and now and then a word goes wrong.
public struct JokeWriters: Codable, Sendable, Equatable {
  /// The share of puns that are made to fit the animal; others fit by chance.
  public var punShare: Double
  /// The share of adjectives that are made to alliterate.
  public var alliterationShare: Double
  /// The share of jokes that name a tool: "with a spoon".
  public var toolShare: Double
  /// The share of jokes with a slip: a word left out, another word, a word too many.
  public var slipShare: Double

  public init(
    punShare: Double = 0.3, alliterationShare: Double = 0.2, toolShare: Double = 0.3,
    slipShare: Double = 0.08
  ) {
    (self.punShare, self.alliterationShare) = (punShare, alliterationShare)
    (self.toolShare, self.slipShare) = (toolShare, slipShare)
  }

  /// The `index`-th joke of a seed: what was asked for and the text.
  public func joke(seed: UInt64, index: Int) -> (animal: String, text: String) {
    var random = SplitMix64(seed: seed, stream: "joke", index: index)
    let animal = random.pick(Jokes.animals)
    let letter = animal.first
    let pun =
      random.uniform() < punShare
      ? random.pick(Jokes.puns.filter { $0.first == letter }) : random.pick(Jokes.puns)
    let adjective =
      random.uniform() < alliterationShare
      ? random.pick(Jokes.adjectives.filter { $0.first == letter })
      : random.pick(Jokes.adjectives)
    let thing = random.pick(Jokes.things)
    var words = ["why", "did", "the", animal, random.pick(Jokes.verbs), "the", thing]
    if random.uniform() < toolShare {
      words += ["with", "a", random.pick(Jokes.things.filter { $0 != thing })]
    }
    words += ["?", "it", "was", adjective, "and", pun, "!"]
    if random.uniform() < slipShare { slip(&words, &random) }
    return (animal, words.joined(separator: " "))
  }

  private func slip(_ words: inout [String], _ random: inout SplitMix64) {
    let place = random.below(words.count)
    let word = random.pick(Jokes.content.sorted() + Jokes.small)
    switch random.below(3) {
    case 0: words.remove(at: place)
    case 1: words[place] = word
    default: words.insert(word, at: place)
    }
  }
}
