/// A fictional person. The facts are drawn independently of the name.
public struct Person: Sendable, Equatable {
  public let name: String
  public let town: String
  public let element: String
  public let year: Int
  public let instrument: String
}

/// A person who is written about in the textbook, and how often.
public struct RecordedPerson: Sendable, Equatable {
  public let person: Person
  public let exposures: Int
}

/// What can be asked about a person.
public enum PersonFact: String, CaseIterable, Sendable {
  case town, element, year, instrument

  public func value(of person: Person) -> String {
    switch self {
    case .town: person.town
    case .element: person.element
    case .year: String(person.year)
    case .instrument: person.instrument
    }
  }

  public func question(_ name: String) -> String {
    switch self {
    case .town: "where does \(name) live?"
    case .element: "which element does \(name) study?"
    case .year: "when was \(name) born?"
    case .instrument: "what does \(name) play?"
    }
  }

  /// One of several ways to say it.
  func sentence(_ person: Person, _ random: inout SplitMix64) -> String {
    let form = random.below(3)
    let (name, value) = (person.name, value(of: person))
    return switch self {
    case .town:
      [
        "\(name) lives in \(value).", "the home of \(name) is \(value).",
        "\(name) comes from \(value).",
      ][form]
    case .element:
      [
        "\(name) studies \(value).", "the element of \(name) is \(value).",
        "\(name) works on \(value).",
      ][form]
    case .year:
      [
        "\(name) was born in \(value).", "the year of \(name) is \(value).",
        "\(name) is from the year \(value).",
      ][form]
    case .instrument:
      [
        "\(name) plays the \(value).", "the instrument of \(name) is the \(value).",
        "\(name) owns a \(value).",
      ][form]
    }
  }
}

/// Makes people. A name is a pair of words that all occur in other names too, so an unknown person is
/// an unseen pair, never an unseen word.
public struct PeopleDirectory: Sendable {
  public let seed: UInt64

  public init(seed: UInt64) { self.seed = seed }

  static let starts = [
    "al", "ber", "cor", "da", "el", "fen", "gal", "hal", "is", "jor", "ka", "lo",
  ]
  static let ends = ["a", "en", "is", "o", "ra", "ric", "ta", "us", "vin", "wen"]
  static let lastStarts = [
    "ash", "brook", "cold", "dun", "east", "fair", "green", "hart", "iron", "kirk", "long", "mar",
  ]
  static let lastEnds = [
    "by", "croft", "den", "field", "ford", "ham", "ley", "mere", "ton", "wood",
  ]
  static let towns = [
    "alder", "birch", "cliff", "delta", "ember", "frost", "grove", "haven", "inlet", "jetty",
    "knoll",
    "lagoon", "marsh", "north", "oasis", "pine", "quarry", "ridge", "shore", "tundra", "upland",
    "valley", "willow", "yard",
  ]
  static let instruments = [
    "banjo", "bugle", "cello", "cornet", "drum", "fiddle", "flute", "gong", "guitar", "harp",
    "horn",
    "lute", "lyre", "oboe", "organ", "piano", "tuba", "viola", "violin", "zither",
  ]

  /// Person number `index` of 14,400.
  public func person(_ index: Int) -> Person {
    precondition((0..<14_400).contains(index), "person \(index) of 14,400")
    let (first, last) = (index / 120, index % 120)
    let given = Self.starts[first / 10] + Self.ends[first % 10]
    let family = Self.lastStarts[last / 10] + Self.lastEnds[last % 10]
    var random = SplitMix64(seed: seed, stream: "facts of people", index: index)
    return Person(
      name: "\(given) \(family)", town: random.pick(Self.towns),
      element: random.pick(Element.all).name, year: 1900 + random.below(100),
      instrument: random.pick(Self.instruments))
  }

  /// All numbers in the order of this seed: the first are recorded, the rest are strangers.
  func order() -> [Int] {
    var numbers = Array(0..<14_400)
    var random = SplitMix64(seed: seed, stream: "order of people")
    random.shuffle(&numbers)
    return numbers
  }

  func recorded(perBucket: Int, exposures: [Int]) -> [RecordedPerson] {
    let numbers = order().prefix(perBucket * exposures.count)
    return numbers.enumerated().map { i, number in
      RecordedPerson(person: person(number), exposures: exposures[i / perBucket])
    }
  }

  /// All four facts in some order; one page in five asks for them.
  func page(on person: Person, _ random: inout SplitMix64) -> String {
    var facts = PersonFact.allCases
    random.shuffle(&facts)
    let asks = random.below(5) == 0
    return facts.map { fact in
      asks
        ? "question: \(fact.question(person.name)) answer: \(fact.value(of: person))."
        : fact.sentence(person, &random)
    }.joined(separator: " ")
  }

  /// Three strangers with new facts, said twice, then a question that needs the right name: all three
  /// have the asked fact.
  func passage(_ random: inout SplitMix64) -> String {
    var numbers: [Int] = []
    while numbers.count < 3 {
      let number = random.below(14_400)
      // The same name twice would contradict itself.
      if !numbers.contains(number) { numbers.append(number) }
    }
    let strangers = numbers.map { number -> Person in
      let names = person(number)
      let facts = person(random.below(14_400))
      return Person(
        name: names.name, town: facts.town, element: facts.element, year: facts.year,
        instrument: facts.instrument)
    }
    var kinds = PersonFact.allCases
    random.shuffle(&kinds)
    let facts = kinds.prefix(2)
    var sentences = strangers.flatMap { person in facts.map { $0.sentence(person, &random) } }
    random.shuffle(&sentences)
    let asked = random.pick(strangers)
    let fact = random.pick(Array(facts))
    return sentences.joined(separator: " ")
      + " question: \(fact.question(asked.name)) answer: \(fact.value(of: asked))."
  }
}
