import Testing

@testable import Environments

@Suite("Syllables")
struct SyllableTests {
  let world = SyllableWorld(seed: 5)

  @Test(
    "120 different syllables, none with a letter twice; 40 are hidden, and another seed hides others"
  )
  func syllables() {
    #expect(Set(world.syllables).count == 120 && world.hidden.count == 40)
    #expect(Set(world.seen).isDisjoint(with: world.hidden))
    #expect(world.syllables.allSatisfy { Set($0).count == $0.count && (2...3).contains($0.count) })
    let other = SyllableWorld(seed: 6)
    let names = { (world: SyllableWorld) in Set(world.hidden.map { world.syllables[$0] }) }
    #expect(names(world) != names(other))
  }

  @Test("a question's count is the letter's, and its word is of the pool and portion asked for")
  func questions() {
    var random = SplitMix64(seed: 1)
    for i in 0..<600 {
      let pool: SyllableWorld.Pool = i % 2 == 0 ? .seen : .hidden
      let portion: Portion = i % 3 == 0 ? .test : .train
      let question = world.question(pool, portion, syllables: 2 + i % 3, &random)
      let letter = SyllableWorld.letters[question.letter]
      #expect(world.text(question.word).count { String($0) == letter } == question.count)
      #expect(question.word.syllables.allSatisfy(world.members(pool).contains))
      #expect(world.portion(question.word) == portion)
    }
  }

  @Test("in a balanced exam, length and letter say nothing about the count")
  func balance() {
    for pool in [SyllableWorld.Pool.seen, .hidden] {
      let questions = world.balancedQuestions(pool, .test, each: 4, stream: "t")
      #expect(questions.count > (pool == .seen ? 500 : 350))
      let groups = Dictionary(grouping: questions) {
        [$0.word.syllables.count, $0.letter]
      }
      for (key, group) in groups {
        for count in 0...key[0] { #expect(group.count { $0.count == count } == 4) }
        #expect(Set(group.map(\.word)).count == group.count)
      }
    }
  }

  @Test("drawn for training, counts are as frequent for every letter")
  func drawn() {
    var random = SplitMix64(seed: 2)
    let counts = (0..<6_000).map { _ in
      world.question(.seen, .train, syllables: 3, &random).count
    }
    for count in 0...3 { #expect(abs(counts.count { $0 == count } - 1_500) < 200, "\(count)") }
  }
}
