// A closed world of fictional people, for what a model knows and knows that it does not: some people
// are written about often, many rarely, and most names belong to nobody. A function of the seed.

/// What can be told of a person. Every value is one word.
public enum ArchiveTopic: String, CaseIterable, Codable, Sendable {
  case town, element, instrument, animal

  /// All values, equally likely.
  public var values: [String] {
    switch self {
    case .town: PeopleDirectory.towns
    case .element: Element.all.map(\.name)
    case .instrument: PeopleDirectory.instruments
    case .animal: Archive.animals
    }
  }

  public func question(_ name: String) -> String {
    switch self {
    case .town: "where does \(name) live?"
    case .element: "what does \(name) study?"
    case .instrument: "what does \(name) play?"
    case .animal: "what does \(name) keep?"
    }
  }

  /// The first of the ways to say it, up to the value.
  public func stem(_ name: String) -> String {
    String(sentences(name, "")[0].dropLast(2))
  }

  /// The ways to say it.
  func sentences(_ name: String, _ value: String) -> [String] {
    switch self {
    case .town:
      [
        "\(name) lives in \(value).", "the home of \(name) is \(value).",
        "\(name) is from \(value).",
      ]
    case .element:
      [
        "\(name) studies \(value).", "the element of \(name) is \(value).",
        "\(name) works on \(value).",
      ]
    case .instrument:
      [
        "\(name) plays the \(value).", "the instrument of \(name) is \(value).",
        "\(name) owns a \(value).",
      ]
    case .animal:
      [
        "\(name) keeps a \(value).", "the animal of \(name) is \(value).",
        "\(name) feeds a \(value).",
      ]
    }
  }
}

/// Somebody with a name, and a value for every topic.
public struct ArchivePerson: Codable, Sendable, Equatable {
  public let name: String
  /// In the order of ``ArchiveTopic/allCases``.
  public let values: [String]
  /// How often the archive writes about them; 0 for those who do not exist.
  public let exposures: Int

  public init(name: String, values: [String], exposures: Int) {
    (self.name, self.values, self.exposures) = (name, values, exposures)
  }

  public func value(_ topic: ArchiveTopic) -> String {
    values[ArchiveTopic.allCases.firstIndex(of: topic) ?? 0]
  }
}

/// How many people are written about how often.
public struct ArchiveBucket: Codable, Sendable, Equatable {
  public var exposures: Int
  public var people: Int

  public init(exposures: Int, people: Int) { (self.exposures, self.people) = (exposures, people) }
}

/// The people of the archive, and the names of nobody.
///
/// A name is a first and a last word, and every word is part of many names: an invented person is an
/// unseen pair, never an unseen word. Names are dealt to train, validation and test by a hash.
public struct Archive: Sendable {
  public let seed: UInt64
  public let people: [ArchivePerson]
  /// Names that belong to nobody and that passages may use, with new values every time.
  public let passageNames: [String]
  /// Names that belong to nobody and occur in no page, for each portion.
  public let invented: [Portion: [String]]

  public init(seed: UInt64, buckets: [ArchiveBucket]) {
    self.seed = seed
    var names = Self.allNames
    var random = SplitMix64(seed: seed, stream: "archive names")
    random.shuffle(&names)
    let exposures = buckets.flatMap { Array(repeating: $0.exposures, count: $0.people) }
    precondition(exposures.count < names.count / 2, "\(exposures.count) people")
    people = zip(names, exposures).map { name, exposures in
      ArchivePerson(name: name, values: Self.values(&random), exposures: exposures)
    }
    var passages: [String] = []
    var invented: [Portion: [String]] = [:]
    for name in names.dropFirst(exposures.count) {
      let deal = stableHash("invented " + name) % 100
      if deal < 30 {
        passages.append(name)
      } else {
        invented[deal < 82 ? .train : deal < 89 ? .validation : .test, default: []].append(name)
      }
    }
    (passageNames, self.invented) = (passages, invented)
  }

  /// Which portion a recorded person belongs to: 45, 20 and 35 in a hundred.
  public static func portion(of name: String) -> Portion {
    let deal = stableHash("recorded " + name) % 100
    return deal < 45 ? .train : deal < 65 ? .validation : .test
  }

  public func people(_ exposures: ClosedRange<Int>, _ portion: Portion? = nil) -> [ArchivePerson] {
    people.filter {
      exposures.contains($0.exposures) && (portion == nil || Self.portion(of: $0.name) == portion)
    }
  }

  static func values(_ random: inout SplitMix64) -> [String] {
    ArchiveTopic.allCases.map { random.pick($0.values) }
  }

  // MARK: Words

  private static let firstStarts = [
    "al", "be", "co", "da", "el", "fe", "ga", "hu", "is", "jo", "ka", "lo", "mi", "no", "pe",
  ]
  private static let firstEnds = [
    "ban", "den", "fin", "go", "ka", "lis", "mo", "na", "ric", "sa", "tu", "vin",
  ]
  private static let lastStarts = [
    "ash", "bro", "col", "dun", "eas", "fai", "gre", "har", "ive", "kir", "lon", "mar", "nor",
    "oak", "pen",
  ]
  private static let lastEnds = [
    "by", "croft", "dell", "field", "ford", "gate", "ham", "ley", "mere", "shaw", "ton", "wood",
  ]
  static let animals = [
    "badger", "bee", "beetle", "cat", "crow", "dog", "donkey", "duck", "falcon", "ferret", "finch",
    "fox", "goat", "goose", "hare", "heron", "horse", "lynx", "mouse", "newt", "otter", "owl",
    "pony", "toad",
  ]

  /// Where the pages stand.
  public static let sources = [
    "almanac", "annals", "bulletin", "chronicle", "gazette", "herald", "ledger", "register",
  ]

  static let firstNames = firstStarts.flatMap { start in firstEnds.map { start + $0 } }
  static let lastNames = lastStarts.flatMap { start in lastEnds.map { start + $0 } }
  static let allNames = firstNames.flatMap { first in lastNames.map { "\(first) \($0)" } }
}
