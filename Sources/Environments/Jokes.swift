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
  static let small = ["why", "did", "the", "a", "?", "it", "was", "and", "!"]
  /// Every word of jokes and prompts.
  public static let vocabulary = animals + puns + adjectives + verbs + things + small + ["joke"]

  /// Words that mean something: those of the grammar's open places.
  public static let content = Set(animals + puns + adjectives + verbs + things)

  /// What is asked for.
  public static func prompt(_ animal: String) -> String { "a \(animal) joke" }

  static func isPun(_ word: String) -> Bool { punSet.contains(word) }
  static func isAdjective(_ word: String) -> Bool { adjectiveSet.contains(word) }

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
    /// Adjectives and puns, two or more.
    public var reasons: [String]
  }

  /// Nil where the text is not: why did the ANIMAL VERB the THING ? it was REASON and REASON [and
  /// REASON …] !
  public static func parse(_ text: String) -> Parsed? {
    var words = words(text)[...]
    func take(_ fixed: String...) -> Bool {
      guard words.starts(with: fixed) else { return false }
      words = words.dropFirst(fixed.count)
      return true
    }
    func take(from list: Set<String>) -> String? {
      guard let word = words.first, list.contains(word) else { return nil }
      words = words.dropFirst()
      return word
    }
    guard take("why", "did", "the"), let animal = take(from: animalSet),
      let verb = take(from: verbSet), take("the"), let thing = take(from: thingSet),
      take("?", "it", "was"), let first = take(from: reasonSet)
    else { return nil }
    var reasons = [first]
    while take("and") {
      guard let reason = take(from: reasonSet) else { return nil }
      reasons.append(reason)
    }
    guard reasons.count >= 2, take("!"), words.isEmpty else { return nil }
    return Parsed(animal: animal, verb: verb, thing: thing, reasons: reasons)
  }

  private static let animalSet = Set(animals)
  private static let verbSet = Set(verbs)
  private static let thingSet = Set(things)
  private static let punSet = Set(puns)
  private static let adjectiveSet = Set(adjectives)
  private static let reasonSet = Set(adjectives + puns)
}

/// People who write jokes: most of their puns miss, and now and then a word goes wrong.
public struct JokeWriters: Codable, Sendable, Equatable {
  /// The share of puns that are made to fit the animal; others fit by chance.
  public var punShare: Double
  /// The share of adjectives that are made to alliterate.
  public var alliterationShare: Double
  /// The share of jokes that give a third reason, and of those, of jokes with a fourth.
  public var moreShare: Double
  /// The share of jokes with a slip: a word left out, another word, a word too many.
  public var slipShare: Double

  public init(
    punShare: Double = 0.3, alliterationShare: Double = 0.2, moreShare: Double = 0.4,
    slipShare: Double = 0.12
  ) {
    (self.punShare, self.alliterationShare) = (punShare, alliterationShare)
    (self.moreShare, self.slipShare) = (moreShare, slipShare)
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
    // Nobody gives a reason twice.
    var reasons = [adjective, pun]
    while reasons.count < 4, random.uniform() < moreShare {
      let another = random.pick(Jokes.adjectives + Jokes.puns)
      if !reasons.contains(another) { reasons.insert(another, at: random.below(reasons.count + 1)) }
    }
    var words = ["why", "did", "the", animal, random.pick(Jokes.verbs), "the"]
    words += [random.pick(Jokes.things), "?", "it", "was"]
    words += reasons.joined(separator: " and ").split(separator: " ").map(String.init) + ["!"]
    if random.uniform() < slipShare { slip(&words, &random) }
    return (animal, words.joined(separator: " "))
  }

  private func slip(_ words: inout [String], _ random: inout SplitMix64) {
    let place = random.below(words.count)
    let word = random.pick(Jokes.vocabulary)
    switch random.below(3) {
    case 0: words.remove(at: place)
    case 1: words[place] = word
    default: words.insert(word, at: place)
    }
  }
}
