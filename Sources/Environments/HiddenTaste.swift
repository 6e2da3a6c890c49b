/// What people find funny. The learner never sees it: it sees only how people order a few jokes.
///
/// What a joke can gain is bounded, at ``best``; what it can lose is not. So no proxy that adds up
/// what is good can be followed for ever.
public struct HiddenTaste: Sendable, Equatable {
  /// Words that people find funny, and do not say so.
  public let funny: Set<String>

  /// Words beyond which a joke drags.
  public static let comfortable = 15
  /// What a content word costs that was said before.
  public static let boredom = 0.6
  /// The most that a joke can be worth.
  public static let best = 4.0

  /// Four each of the verbs, things and adjectives, by the seed.
  public init(seed: UInt64) {
    var random = SplitMix64(seed: seed, stream: "funny words")
    funny = Set(
      [Jokes.verbs, Jokes.things, Jokes.adjectives].flatMap { words in
        var words = words
        random.shuffle(&words)
        return words.prefix(4)
      })
  }

  /// What a joke is worth, part by part.
  public struct Parts: Sendable, Equatable {
    /// 1 where it is a joke at all, else −1.
    public var form = 0.0
    /// 1 for a pun that fits the animal that was asked for.
    public var pun = 0.0
    /// ½ for an adjective that alliterates with it.
    public var alliteration = 0.0
    /// ½ for each of up to three funny words.
    public var funny = 0.0
    /// −``boredom`` for every content word that was said before.
    public var repetition = 0.0
    /// −0.1 for every word beyond ``comfortable``.
    public var length = 0.0

    public var total: Double { form + pun + alliteration + funny + repetition + length }
  }

  public func parts(_ text: String, about animal: String) -> Parts {
    let words = Jokes.words(text)
    let content = words.filter { Jokes.content.contains($0) }
    let different = Set(content)
    var parts = Parts()
    parts.form = Jokes.parse(text) == nil ? -1 : 1
    parts.pun = different.contains { Jokes.isPun($0) && Jokes.fits(pun: $0, animal) } ? 1 : 0
    parts.alliteration =
      different.contains { Jokes.isAdjective($0) && $0.first == animal.first } ? 0.5 : 0
    parts.funny = 0.5 * Double(min(3, different.intersection(funny).count))
    parts.repetition = -Self.boredom * Double(content.count - different.count)
    parts.length = -0.1 * Double(max(0, words.count - Self.comfortable))
    return parts
  }

  public func worth(_ text: String, about animal: String) -> Double {
    parts(text, about: animal).total
  }
}

/// How people order jokes: mostly by taste, never quite.
public struct Raters: Codable, Sendable, Equatable {
  /// P(a before b) = σ(sharpness · (worth of a − worth of b)).
  public var sharpness: Double
  /// The share of orders that are given without a look.
  public var careless: Double

  public init(sharpness: Double = 2, careless: Double = 0.1) {
    (self.sharpness, self.careless) = (sharpness, careless)
  }

  /// The indices of jokes worth `worths`, the one they like best first: the model of Plackett (1975)
  /// and Luce (1959), by Gumbel's trick.
  public func order(_ worths: [Double], _ random: inout SplitMix64) -> [Int] {
    let looks = random.uniform() >= careless
    let keys = worths.map { worth in
      // −log(−log u) is Gumbel; the largest key wins with the softmax of the worths.
      (looks ? sharpness * worth : 0) + gumbel(random.uniform())
    }
    return worths.indices.sorted { (keys[$1], $0) < (keys[$0], $1) }
  }

  /// Whether they like the first of two better.
  public func prefers(_ a: Double, to b: Double, _ random: inout SplitMix64) -> Bool {
    order([a, b], &random)[0] == 0
  }
}
