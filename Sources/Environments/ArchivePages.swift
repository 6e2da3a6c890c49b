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

  /// Strangers with new values, said two or three times: the second time takes reading the first. Then
  /// questions that need the right name, because everybody there has a value for the topic. One
  /// question in six is about somebody else.
  public func passage(_ index: Int) -> ArchivePage {
    var random = SplitMix64(seed: seed, stream: "passage", index: index)
    if index % 3 == 0 { return .text(list(&random)) }
    let (count, topicCount) = random.pick([(2, 1), (2, 2), (3, 1), (3, 1), (3, 2)])
    var names: [String] = []
    while names.count < count + 1 {
      let name = random.pick(passageNames)
      if !names.contains(name) { names.append(name) }
    }
    let strangers = names.dropLast().map {
      ArchivePerson(name: $0, values: Self.values(&random), exposures: 0)
    }
    var topics = ArchiveTopic.allCases
    random.shuffle(&topics)
    topics = Array(topics.prefix(topicCount))
    // Half of the passages say a thing in the same words every time.
    let form = random.below(2) == 0 ? random.below(3) : nil
    let text = (0..<(topicCount == 1 ? 3 : 2)).map { _ in
      Self.facts(strangers, topics, form: form, &random)
    }.joined(separator: " ")
    let turns = (0..<3).map { i -> ArchiveTurn in
      let topic = random.pick(topics)
      let isAbsent = random.below(6) == 0
      let asked = random.pick(strangers)
      let question = topic.question(isAbsent ? names[count] : asked.name)
      return ArchiveTurn(
        question: i == 0 ? text + " " + question : question,
        answer: isAbsent ? Self.refusal : asked.value(topic))
    }
    return .passage(turns)
  }

  /// Strangers with a value each, listed several times in another order: practice in reading off what
  /// stands behind a name.
  private func list(_ random: inout SplitMix64) -> String {
    let topic = random.pick(ArchiveTopic.allCases)
    let count = random.within(3...4)
    var entries: [String] = []
    var names: Set<String> = []
    while entries.count < count {
      let name = random.pick(passageNames)
      guard names.insert(name).inserted else { continue }
      entries.append("\(name) \(random.pick(topic.values))")
    }
    return (0..<4).map { _ in
      random.shuffle(&entries)
      return entries.joined(separator: ", ") + "."
    }.joined(separator: " ")
  }

  /// A sentence for each person and topic, shuffled.
  ///
  /// - Parameter form: which of the ways to say it; nil for any.
  static func facts(
    _ people: [ArchivePerson], _ topics: [ArchiveTopic], form: Int? = nil,
    _ random: inout SplitMix64
  ) -> String {
    var sentences = people.flatMap { person in
      topics.map { topic in
        let ways = topic.sentences(person.name, person.value(topic))
        return form.map { ways[$0] } ?? random.pick(ways)
      }
    }
    random.shuffle(&sentences)
    return sentences.joined(separator: " ")
  }

  /// A passage on `person` and two strangers who all have the topic.
  ///
  /// - Parameter value: what the passage says of the person, true or not.
  public func openBook(
    _ person: ArchivePerson, _ topic: ArchiveTopic, value: String, stream: String
  ) -> String {
    var random = SplitMix64(seed: seed, stream: stream + person.name + topic.rawValue)
    var names: [String] = []
    while names.count < 2 {
      let name = random.pick(passageNames)
      if !names.contains(name) { names.append(name) }
    }
    var values = person.values
    if let place = ArchiveTopic.allCases.firstIndex(of: topic) { values[place] = value }
    var people = [ArchivePerson(name: person.name, values: values, exposures: 0)]
    for name in names {
      // Another value than the person's, or copying the wrong one would look right.
      var drawn = Self.values(&random)
      while ArchivePerson(name: name, values: drawn, exposures: 0).value(topic) == value
        || ArchivePerson(name: name, values: drawn, exposures: 0).value(topic)
          == person.value(topic)
      {
        drawn = Self.values(&random)
      }
      people.append(ArchivePerson(name: name, values: drawn, exposures: 0))
    }
    let other = random.pick(ArchiveTopic.allCases.filter { $0 != topic })
    return Self.facts(people, [topic, other], &random)
  }

  /// A value that the person does not have.
  public func otherValue(_ person: ArchivePerson, _ topic: ArchiveTopic) -> String {
    var random = SplitMix64(seed: seed, stream: "other" + person.name + topic.rawValue)
    return random.pick(topic.values.filter { $0 != person.value(topic) })
  }
}
