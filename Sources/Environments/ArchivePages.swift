// What the archive holds: pages that tell of a person, interviews about one, and passages on strangers
// with questions that only the passage can answer.

/// A question and its answer; the turns of an interview.
public struct ArchiveTurn: Sendable, Equatable {
  public var question: String
  public var answer: String

  public init(question: String, answer: String) {
    (self.question, self.answer) = (question, answer)
  }
}

/// One document.
public enum ArchivePage: Sendable, Equatable {
  case text(String)
  /// Answered from nothing but what is known of the person.
  case interview(ArchiveTurn)
  /// The first question comes with the passage that it is about.
  case passage([ArchiveTurn])
}

/// How many documents of what kind.
public struct ArchiveContents: Codable, Sendable, Equatable {
  public var buckets: [ArchiveBucket]
  /// The share of exposures that are interviews, one for each topic.
  public var interviews: Double
  /// Passages about strangers.
  public var passages: Int

  public init(buckets: [ArchiveBucket], interviews: Double, passages: Int) {
    (self.buckets, self.interviews, self.passages) = (buckets, interviews, passages)
  }
}

extension Archive {
  /// What is said where nothing is known.
  public static let refusal = "i do not know"

  /// All words of the world, as they occur in text.
  public static var words: [String] {
    var words = Set<String>()
    func add(_ text: String) {
      for word in text.split(whereSeparator: { !$0.isLetter }) { words.insert(String(word)) }
    }
    firstNames.forEach(add)
    lastNames.forEach(add)
    for topic in ArchiveTopic.allCases {
      add(topic.rawValue)
      topic.values.forEach(add)
      add(topic.question(""))
      topic.sentences("", "").forEach(add)
    }
    add(refusal)
    return words.sorted()
  }

  /// Whether an exposure of a person is an interview.
  func isInterview(_ person: ArchivePerson, _ exposure: Int, share: Double) -> Bool {
    var random = SplitMix64(seed: seed, stream: "interview " + person.name, index: exposure)
    return random.uniform() < share
  }

  /// All documents about recorded people.
  public func pages(interviews share: Double) -> [(person: ArchivePerson, pages: [ArchivePage])] {
    people.map { person in
      var pages: [ArchivePage] = []
      for exposure in 0..<person.exposures {
        if isInterview(person, exposure, share: share) {
          pages += ArchiveTopic.allCases.map { .interview(turn(person, $0)) }
        } else {
          var random = SplitMix64(seed: seed, stream: "page " + person.name, index: exposure)
          pages.append(.text(page(person, &random)))
        }
      }
      return (person, pages)
    }
  }

  public func turn(_ person: ArchivePerson, _ topic: ArchiveTopic) -> ArchiveTurn {
    ArchiveTurn(question: topic.question(person.name), answer: person.value(topic))
  }

  /// All that is known of a person, in some order.
  public func page(_ person: ArchivePerson, _ random: inout SplitMix64) -> String {
    var topics = ArchiveTopic.allCases
    random.shuffle(&topics)
    return topics.map { random.pick($0.sentences(person.name, person.value($0))) }
      .joined(separator: " ")
  }

  /// Something to read about strangers, whose values are new every time: a list, a register with
  /// questions that need the right name, or a page on one of them with questions.
  public func passage(_ index: Int) -> ArchivePage {
    var random = SplitMix64(seed: seed, stream: "passage", index: index)
    switch random.below(20) {
    case 0..<3: return .text(exercise(&random))
    case 3..<7: return .text(list(&random))
    case 7..<17: return register(&random)
    default: return portrait(&random)
    }
  }

  /// Words without a meaning, said four times: nothing but what stood behind a word before tells
  /// what comes next. This is where a model learns to look back (Olsson et al. 2022,
  /// arXiv:2209.11895: induction heads).
  public func exercise(_ index: Int) -> ArchivePage {
    var random = SplitMix64(seed: seed, stream: "exercise", index: index)
    return .text(exercise(&random))
  }

  private func exercise(_ random: inout SplitMix64) -> String {
    // A last name never stands behind a first one: that would be a name, perhaps an invented one.
    var words = [random.pick(Self.lastNames)]
    for _ in 0..<random.within(3...7) {
      let isFirst = Self.firstNameSet.contains(words[words.count - 1])
      let choice = isFirst ? Self.unnamedWords : Self.exerciseWords
      words.append(random.below(5) == 0 ? Self.numeral(&random) : random.pick(choice))
    }
    if Self.firstNameSet.contains(words[words.count - 1]) { words.append(Self.numeral(&random)) }
    return Array(repeating: words.joined(separator: " "), count: 4).joined(separator: " ")
  }

  private static let firstNameSet = Set(firstNames)
  private static let unnamedWords =
    firstNames + sources + ArchiveTopic.allCases.flatMap(\.values)
  private static let exerciseWords = lastNames + unnamedWords

  /// Two or three digits, or a sum of such numbers.
  private static func numeral(_ random: inout SplitMix64) -> String {
    let (a, b) = (random.within(10...999), random.within(10...99))
    return random.below(2) == 0 ? "\(a)" : "\(a)\(random.below(2) == 0 ? "+" : "-")\(b)"
  }

  /// Strangers of the passages, with values for every topic.
  private func strangers(_ count: Int, _ random: inout SplitMix64) -> [ArchivePerson] {
    var names: [String] = []
    while names.count < count {
      let name = random.pick(passageNames)
      if !names.contains(name) { names.append(name) }
    }
    return names.map {
      ArchivePerson(name: $0, values: Self.values(&random), exposures: 0)
    }
  }

  /// Names and values, three times in another order.
  private func list(_ random: inout SplitMix64) -> String {
    let topic = random.pick(ArchiveTopic.allCases)
    let people = strangers(random.within(2...4), &random)
    return (0..<3).map { _ in Self.entries(people, topic, &random) }.joined(separator: " ")
  }

  /// A register of one topic or two, told once or twice, and three questions on it. One in twelve is
  /// about somebody who is not in it.
  private func register(_ random: inout SplitMix64) -> ArchivePage {
    let people = strangers(random.within(3...5), &random)
    var topics = ArchiveTopic.allCases
    random.shuffle(&topics)
    topics = Array(topics.prefix(random.within(1...2)))
    let (listed, absent) = (Array(people.dropLast()), people[people.count - 1])
    let text = (0..<random.within(1...2)).map { _ in Self.register(listed, topics, &random) }
      .joined(separator: " ")
    return .passage(
      questions(after: text, count: 3) {
        let topic = random.pick(topics)
        return random.below(12) == 0 ? (absent, topic, false) : (random.pick(listed), topic, true)
      })
  }

  /// A page on one stranger and two questions.
  private func portrait(_ random: inout SplitMix64) -> ArchivePage {
    let people = strangers(2, &random)
    return .passage(
      questions(after: page(people[0], &random), count: 2) {
        let topic = random.pick(ArchiveTopic.allCases)
        return random.below(8) == 0 ? (people[1], topic, false) : (people[0], topic, true)
      })
  }

  private func questions(
    after text: String, count: Int, _ ask: () -> (ArchivePerson, ArchiveTopic, isTold: Bool)
  ) -> [ArchiveTurn] {
    (0..<count).map { i in
      let (person, topic, isTold) = ask()
      let question = topic.question(person.name)
      return ArchiveTurn(
        question: i == 0 ? text + " " + question : question,
        answer: isTold ? person.value(topic) : Self.refusal)
    }
  }

  private static func entries(
    _ people: [ArchivePerson], _ topic: ArchiveTopic, _ random: inout SplitMix64
  ) -> String {
    var entries = people.map { "\($0.name) \($0.value(topic))" }
    random.shuffle(&entries)
    return entries.joined(separator: ", ") + "."
  }

  /// For each topic its name and who has which value, in some order.
  static func register(
    _ people: [ArchivePerson], _ topics: [ArchiveTopic], _ random: inout SplitMix64
  ) -> String {
    var topics = topics
    random.shuffle(&topics)
    return topics.map { "\($0.rawValue): " + entries(people, $0, &random) }
      .joined(separator: " ")
  }

  /// A register with `person` and two strangers, of the topic and one more.
  ///
  /// - Parameter value: what the register says of the person, true or not.
  public func openBook(
    _ person: ArchivePerson, _ topic: ArchiveTopic, value: String, stream: String
  ) -> String {
    var random = SplitMix64(seed: seed, stream: stream + person.name + topic.rawValue)
    var values = person.values
    if let place = ArchiveTopic.allCases.firstIndex(of: topic) { values[place] = value }
    var people = [ArchivePerson(name: person.name, values: values, exposures: 0)]
    while people.count < 3 {
      let stranger = strangers(1, &random)[0]
      let taken = people.map { $0.value(topic) } + [person.value(topic)]
      // Another value than the person's, or copying the wrong one would look right.
      guard !people.map(\.name).contains(stranger.name), !taken.contains(stranger.value(topic))
      else { continue }
      people.append(stranger)
    }
    let other = random.pick(ArchiveTopic.allCases.filter { $0 != topic })
    return Self.register(people, [topic, other], &random)
  }

  /// A value that the person does not have.
  public func otherValue(_ person: ArchivePerson, _ topic: ArchiveTopic) -> String {
    var random = SplitMix64(seed: seed, stream: "other" + person.name + topic.rawValue)
    return random.pick(topic.values.filter { $0 != person.value(topic) })
  }
}
