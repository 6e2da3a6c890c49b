import Foundation
import Testing

@testable import Environments

@Suite("Archive")
struct ArchiveTests {
  static let contents = ArchiveContents(
    buckets: [
      .init(exposures: 1, people: 200), .init(exposures: 4, people: 50),
      .init(exposures: 96, people: 20),
    ], interviews: 0.25, passages: 400)
  static let archive = Archive(seed: 5, buckets: contents.buckets)

  @Test("every word of a name is part of many names, and no word stands for two things")
  func words() {
    #expect(Set(Archive.allNames).count == 32_400)
    let names = Archive.firstNames + Archive.lastNames
    let values = ArchiveTopic.allCases.flatMap(\.values)
    #expect(Set(names + values).count == names.count + values.count)
    #expect(Set(names).isDisjoint(with: ["in", "the", "of", "is", "a", "i", "not", "know", "do"]))
    #expect(values.allSatisfy { !$0.contains(" ") })
  }

  @Test("recorded, invented and passage names do not meet")
  func disjoint() {
    let recorded = Set(Self.archive.people.map(\.name))
    let pools =
      [Set(Self.archive.passageNames)] + Self.archive.invented.values.map { Set($0) }
    #expect(recorded.count == 270)
    var all = recorded
    for pool in pools {
      #expect(all.isDisjoint(with: pool))
      all.formUnion(pool)
    }
    #expect(all.count == 32_400)
    #expect((Self.archive.invented[.test] ?? []).count > 2_000)
  }

  @Test("no page holds an invented name")
  func noInvented() {
    let invented = Self.archive.invented.values.reduce(into: Set<String>()) { $0.formUnion($1) }
    var texts: [String] = []
    for page in Self.archive.pages(interviews: 0.25).flatMap(\.pages)
      + (0..<400).map(Self.archive.passage) + (0..<400).map(Self.archive.exercise)
    {
      switch page {
      case .text(let text): texts.append(text)
      case .interview(let turn): texts.append(turn.question)
      case .passage(let turns): texts += turns.map(\.question)
      }
    }
    for text in texts {
      let words = text.split(whereSeparator: { !$0.isLetter && !$0.isNumber }).map(String.init)
      for (a, b) in zip(words, words.dropFirst()) {
        let isInvented = invented.contains("\(a) \(b)")
        #expect(!isInvented, "\(a) \(b)")
      }
    }
  }

  @Test("the archive writes about people as often as it says, with their own values")
  func exposures() {
    for (person, pages) in Self.archive.pages(interviews: 0.25) {
      let texts = pages.count { if case .text = $0 { true } else { false } }
      let interviews = pages.count - texts
      #expect(texts + interviews / 4 == person.exposures && interviews % 4 == 0)
      for case .text(let text) in pages {
        for topic in ArchiveTopic.allCases { #expect(text.contains(" " + person.value(topic))) }
      }
    }
  }

  @Test("a register holds the answer once, among strangers who have one of their own")
  func openBook() {
    for person in Self.archive.people.prefix(100) {
      for topic in ArchiveTopic.allCases {
        let value = person.value(topic)
        let register = Self.archive.openBook(person, topic, value: value, stream: "open")
        let lists = register.split(separator: ".").map {
          $0.split(separator: ":").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(lists.count == 2 && lists.allSatisfy { $0.count == 2 })
        let asked = lists.first { $0[0] == topic.rawValue }?[1].components(separatedBy: ", ") ?? []
        #expect(asked.contains("\(person.name) \(value)"))
        // All three have a value for the topic, and only one of them this one.
        #expect(asked.count == 3 && asked.count { $0.hasSuffix(" " + value) } == 1)
        #expect(Set(lists.map { $0[1].components(separatedBy: ", ").count }) == [3])
        #expect(Self.archive.otherValue(person, topic) != value)
      }
    }
  }

  @Test("an exercise says the same words four times, and none is like another")
  func exercises() {
    var seen = Set<String>()
    for i in 0..<100 {
      guard case .text(let text) = Self.archive.exercise(i) else {
        Issue.record("an exercise is a text")
        return
      }
      let words = text.split(separator: " ")
      #expect(words.count % 4 == 0 && (16...36).contains(words.count))
      let quarter = words.count / 4
      #expect((quarter..<words.count).allSatisfy { words[$0] == words[$0 - quarter] })
      seen.insert(text)
    }
    #expect(seen.count == 100)
  }

  @Test("the same seed makes the same archive, another one another")
  func seeds() {
    #expect(Archive(seed: 5, buckets: Self.contents.buckets).people == Self.archive.people)
    #expect(Archive(seed: 6, buckets: Self.contents.buckets).people != Self.archive.people)
    #expect(Archive(seed: 5, buckets: Self.contents.buckets).passage(3) == Self.archive.passage(3))
  }
}
