// Words for questions about letters. A word is two to four syllables; a model that reads syllables
// as tokens does not see the letters in them. Some syllables are hidden: words of them are read and
// copied, but nothing ever says which letters they have.

/// A word as syllables, by their numbers.
public struct SyllableWord: Sendable, Equatable, Hashable {
  public let syllables: [Int]

  public init(_ syllables: [Int]) { self.syllables = syllables }
}

/// How often does a letter stand in a word?
public struct LetterQuestion: Sendable, Equatable {
  public var word: SyllableWord
  /// The letter's number.
  public var letter: Int
  /// How many of the word's syllables have it: no syllable has a letter twice.
  public var count: Int

  public init(word: SyllableWord, letter: Int, count: Int) {
    (self.word, self.letter, self.count) = (word, letter, count)
  }
}

/// 120 syllables of 17 letters, of which 40 are hidden: which, is a function of the seed.
public struct SyllableWorld: Sendable {
  public static let letters = Array("bdfgklmnprstaeiou").map(String.init)
  /// Syllables of a word in a test, at most.
  public static let longestWord = 4
  /// Letters of a syllable, at most.
  public static let longestSyllable = 3

  /// Whether the letters of a syllable are ever told to the model, or hidden.
  public enum Pool: String, Codable, Sendable { case seen, hidden }

  public let seed: UInt64
  public let syllables: [String]
  /// Numbers of the syllables of each pool.
  public let seen: [Int]
  public let hidden: [Int]
  /// By pool and letter: the syllables with it and without it.
  private let having: [Pool: [[Int]]]
  private let lacking: [Pool: [[Int]]]

  public init(seed: UInt64) {
    self.seed = seed
    var random = SplitMix64(seed: seed, stream: "syllables")
    let consonants = Self.letters[..<12]
    let vowels = Self.letters[12...]
    func chosen(_ all: [String], _ count: Int) -> [String] {
      var all = all
      random.shuffle(&all)
      return Array(all.prefix(count))
    }
    let pairs = consonants.flatMap { a in vowels.map { a + $0 } }
    let closed = consonants.flatMap { a in
      vowels.flatMap { b in consonants.filter { $0 != a }.map { a + b + $0 } }
    }
    let open = vowels.flatMap { a in
      consonants.flatMap { b in consonants.filter { $0 != b }.map { a + b + $0 } }
    }
    let syllables = chosen(pairs, 30) + chosen(closed, 60) + chosen(open, 30)
    var order = Array(syllables.indices)
    random.shuffle(&order)
    self.syllables = syllables
    hidden = order.prefix(40).sorted()
    seen = order.dropFirst(40).sorted()
    let pools: [(Pool, [Int])] = [(.seen, seen), (.hidden, hidden)]
    func split(_ has: Bool) -> [Pool: [[Int]]] {
      Dictionary(
        uniqueKeysWithValues: pools.map { pool, members in
          (pool, Self.letters.map { l in members.filter { syllables[$0].contains(l) == has } })
        })
    }
    having = split(true)
    lacking = split(false)
  }

  public func members(_ pool: Pool) -> [Int] { pool == .seen ? seen : hidden }

  public func text(_ word: SyllableWord) -> String {
    word.syllables.map { syllables[$0] }.joined()
  }

  /// Where a word may be used, by its letters: two words that read alike are on the same side. Three
  /// in ten are for the test. The syllables alone are no test.
  public func portion(_ word: SyllableWord) -> Portion {
    guard word.syllables.count > 1 else { return .train }
    return switch stableHash("word " + text(word)) % 10 {
    case 0, 1, 2: .test
    case 3: .validation
    default: .train
    }
  }

  /// A word of as many syllables, whatever its letters.
  public func word(
    _ pool: Pool, _ portion: Portion, syllables count: Int, _ random: inout SplitMix64
  ) -> SyllableWord {
    while true {
      let word = SyllableWord((0..<count).map { _ in random.pick(members(pool)) })
      if self.portion(word) == portion { return word }
    }
  }

  /// A question on a word in which the letter stands `count` times; nil where the dice give none.
  public func question(
    _ pool: Pool, _ portion: Portion, syllables: Int, letter: Int, count: Int,
    _ random: inout SplitMix64
  ) -> LetterQuestion? {
    guard let with = having[pool]?[letter], let without = lacking[pool]?[letter], !with.isEmpty,
      !without.isEmpty
    else { return nil }
    var places = (0..<syllables).map { $0 < count }
    random.shuffle(&places)
    let word = SyllableWord(places.map { random.pick($0 ? with : without) })
    guard self.portion(word) == portion else { return nil }
    return LetterQuestion(word: word, letter: letter, count: count)
  }

  /// A question with syllables, letter and count drawn independently, so that neither length nor
  /// letter gives the count away.
  public func question(
    _ pool: Pool, _ portion: Portion, syllables: Int, _ random: inout SplitMix64
  ) -> LetterQuestion {
    while true {
      let letter = random.below(Self.letters.count)
      let count = random.within(0...syllables)
      // Another word for the same count, or the rarer counts would come up less often.
      for _ in 0..<20 {
        if let question = question(
          pool, portion, syllables: syllables, letter: letter, count: count, &random)
        {
          return question
        }
      }
    }
  }

  /// For every length and letter as many questions of each count, all on different words: whoever
  /// knows only length and letter is right in 1/3 of the words of two syllables, 1/4 of those of three
  /// and 1/5 of those of four. A length and letter that has not enough words is left out whole.
  public func balancedQuestions(
    _ pool: Pool, _ portion: Portion, each: Int, stream: String
  ) -> [LetterQuestion] {
    var random = SplitMix64(seed: seed, stream: stream)
    var questions: [LetterQuestion] = []
    for syllables in 2...Self.longestWord {
      for letter in Self.letters.indices {
        var group: [LetterQuestion] = []
        var used: Set<SyllableWord> = []
        for count in 0...syllables {
          var found = 0
          for _ in 0..<200 * each where found < each {
            if let question = question(
              pool, portion, syllables: syllables, letter: letter, count: count, &random),
              used.insert(question.word).inserted
            {
              group.append(question)
              found += 1
            }
          }
        }
        if group.count == each * (syllables + 1) { questions += group }
      }
    }
    return questions
  }
}
