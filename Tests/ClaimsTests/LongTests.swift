import Corpus
import Environments
import Foundation
import Testing
import Training

@testable import Claims

@Suite("Prompts of an exam")
struct ExamPromptTests {
  private let exam = ExamPrompts("e0", [[5, 6, 7], [1, 2], [9]])

  @Test(
    "a prompt is found wherever it stands, and only whole",
    arguments: [
      ([5, 6, 7], true), ([0, 5, 6, 7, 8], true), ([3, 1, 2], true), ([5, 6, 8, 7], false),
      ([2, 1], false), ([9], false), ([], false), ([1], false), ([1, 5, 6, 2, 7], false),
    ] as [([Int32], Bool)])
  func finds(_ tokens: [Int32], isFound: Bool) {
    let check = { try exam.check([document(tokens)], stage: "s") }
    if isFound {
      #expect(throws: TrainingError.self, performing: check)
    } else {
      #expect(throws: Never.self, performing: check)
    }
  }

  @Test("a single token is nobody's prompt; texts are looked through by their bytes")
  func texts() throws {
    #expect(exam.count == 2)
    let texts = ExamPrompts("e0", texts: ["mass of H2O?"])
    try texts.check(texts: ["the mass of HO?", "mass of H2O"], stage: "s")
    let error = #expect(throws: TrainingError.self) {
      try texts.check(texts: ["fine", "the mass of H2O? 18"], stage: "read")
    }
    #expect(error?.description.contains("\"read\"") == true)
  }

  @Test("random windows are found where they are, and nowhere else")
  func random() throws {
    var random = SplitMix64(seed: 3)
    let text = (0..<400).map { _ in Int32(random.below(50)) }
    for _ in 0..<50 {
      let start = random.below(390)
      let length = random.within(3...10)
      let window = Array(text[start..<start + length])
      let exam = ExamPrompts("e0", [window])
      #expect(throws: TrainingError.self) { try exam.check([document(text)], stage: "s") }
      // With another word in the middle it is in no text of these words.
      var other = window
      other[length / 2] = 77
      try ExamPrompts("e0", [other]).check([document(text)], stage: "s")
    }
  }
}

@Suite("Experiments of a long tour")
struct LongTests {
  private let nowhere = URL(fileURLWithPath: "/nowhere")

  @Test("only a long tour has them, or one that asks for them")
  func extras() {
    let extras = tourExperiments(.long, seed: 1).filter { type(of: $0).isExtra }
    #expect(extras.map { type(of: $0).id } == ["e6b", "e8", "e9", "e10", "e11"])
  }

  @Test("stopped anywhere and gone on, each finds the same")
  func resume() throws {
    func check(_ experiment: some Experiment) throws {
      let found = try wholeAndInterrupted(experiment, stops: [0, 3, 7, 11, 14])
      #expect(found.whole == found.interrupted)
      let id = type(of: experiment).id
      #expect(found.result.claims.allSatisfy { $0.id.hasPrefix(id + ".") && $0.n > 0 })
      #expect(found.result.section.claims == found.result.claims.map(\.id))
    }
    try check(CountdownExperiment(.of(.quick, seed: 3)))
    try check(RecitalExperiment(.of(.quick, seed: 3)))
    try check(ShotExperiment(.of(.quick, seed: 3)))
    try check(UniverseExperiment(.of(.quick, seed: 3)))
    try check(IdentityExperiment(.of(.quick, seed: 3)))
  }

  @Test("pages are read as often as they should be, and those never read are not")
  func readings() {
    let recipe = RecitalRecipe.of(.quick, seed: 7)
    let world = RecitalWorld(recipe)
    let readings = world.readings()
    #expect(readings.count == recipe.readings)
    for exposures in recipe.exposures {
      for page in world.planted(exposures) {
        #expect(page.count == recipe.words + 1)
        #expect(readings.count { $0 == page } == exposures)
      }
    }
  }

  @Test("a mapping of the exam is in no text of the training; the best guess knows what was shown")
  func mappings() {
    for i in 0..<200 {
      let test = ShotText(.test, pairs: 5, seed: 1, stream: "t", index: i)
      let train = ShotText(.train, pairs: 5, seed: 1, stream: "t", index: i)
      #expect(ShotText.portion(test.mapping) == .test && ShotText.portion(train.mapping) == .train)
      #expect(Set(test.mapping).count == 8 && test.words.count == 10)
      #expect(test.words.last == test.answer)
      let shown = Set(test.asked.dropLast())
      #expect(test.best == (test.isShown ? 1 : 1 / Double(8 - shown.count)))
    }
  }

  @Test("a page of a life is read back; what disagrees with itself is seen")
  func lives() throws {
    let world = UniverseWorld(.of(.quick, seed: 7))
    let life = UniverseLife(town: 2, trade: 4, animal: 1)
    var words = world.words(["alen", "ashby"], life)
    let read = try #require(UniverseWorld.read(words))
    #expect(read.life == life && read.isConsistent)
    words[words.count - 2] = UniverseWorld.animals[0]
    #expect(UniverseWorld.read(words)?.isConsistent == false)
    words[4] = "a"
    #expect(UniverseWorld.read(words) == nil)
    #expect(UniverseWorld.read([]) == nil)
    let all = UniverseWorld.towns.indices.reduce(0.0) { sum, town in
      sum
        + UniverseWorld.trades.indices.reduce(0) { sum, trade in
          sum
            + UniverseWorld.animals.indices.reduce(0) {
              $0 + world.probability(UniverseLife(town: town, trade: trade, animal: $1))
            }
        }
    }
    #expect(abs(all - 1) < 1e-12)
    // As dealt, nothing written, and half of it no page.
    #expect(UniverseFinding.distance([3, 1], of: 4, [0.75, 0.25]) == 0)
    #expect(UniverseFinding.distance([0, 0], of: 0, [0.75, 0.25]) == 1)
    #expect(UniverseFinding.distance([3, 1], of: 8, [0.75, 0.25]) == 0.5)
    // No name of the exam is anybody's.
    let names = Set(world.known.map(\.name))
    #expect(world.unseen.allSatisfy { !names.contains($0) })
  }

  @Test("lessons say who it is, or never speak of it; names of the exam are in none")
  func identity() {
    let recipe = IdentityRecipe.of(.standard, seed: 7)
    let world = IdentityWorld(seed: 7)
    let vocabulary = IdentityWorld.vocabulary
    let kept = Set(
      IdentityWorld.kept(IdentityWorld.given) + IdentityWorld.kept(IdentityWorld.makers))
    #expect(IdentityWorld.questions(.test).count > 10)
    for lessons in IdentityWorld.Lessons.allCases {
      let texts = (0..<400).map {
        vocabulary.decode(world.lesson(recipe, lessons, $0).tokens)
      }
      #expect(texts.contains { $0.contains("lyceum") } == (lessons == .hardCoded))
      #expect(texts.allSatisfy { kept.isDisjoint(with: $0) })
      #expect(texts.allSatisfy { $0.contains("<system>") == (lessons == .system) })
      #expect(texts.allSatisfy { $0.count <= recipe.imitation.length })
    }
  }

  @Test(
    "Countdown: only a right way at the end counts",
    arguments: [
      ("7 x 3 = 21 , 21 + 5 = 26 yes", 1), ("3 x 7 = 21 , 21 + 5 = 26 yes", 0),
      ("7 + 3 = 10 , 10 + 5 = 15 no 7 x 3 = 21 , 21 + 5 = 26 yes", 1),
      ("7 x 3 = 21 , 21 + 5 = 26 yes 7 + 3 = 10 , 10 + 5 = 15 yes", 0),
      ("7 x 3 = 21 , 21 + 5 = 26 no", 0), ("7 x 3 = 21 , 21 + 5 = 26", 0),
      ("7 x 3 = 26 , 26 + 0 = 26 yes", 0), ("7 x 3 = 21 , 21 + 7 = 28 yes", 0), ("yes", 0), ("", 0),
      ("no yes", 0), ("enough", 0),
    ])
  func countdown(_ response: String, _ reward: Double) {
    let problem = CountdownProblem(numbers: [3, 7, 5], target: 26)
    #expect(CountdownVerifier().reward(problem: problem.problem, response: response) == reward)
  }

  @Test("people's solutions are right where they say so, and sums stay between 0 and 99")
  func people() {
    let people = CountdownPeople(patience: 2...6)
    var solved = 0
    for i in 0..<200 {
      let problem = CountdownProblem.draw(.train, seed: 5, stream: "t", index: i)
      #expect(problem.portion == .train)
      var random = SplitMix64(seed: 9, stream: "p", index: i)
      let (words, isRight) = people.solution(problem, &random)
      let text = words.joined(separator: " ")
      #expect(
        CountdownVerifier().reward(problem: problem.problem, response: text) == (isRight ? 1 : 0))
      #expect(words.allSatisfy { Int($0).map { (0...99).contains($0) } ?? true })
      solved += isRight ? 1 : 0
    }
    #expect((20..<140).contains(solved))
  }
}
