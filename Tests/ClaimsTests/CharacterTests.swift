import Environments
import Foundation
import Testing

@testable import Claims

@Suite("E5: tokens, not characters")
struct CharacterTests {
  private let recipe = CharacterRecipe.tour(seed: 7)
  private var characters: Characters {
    Characters(recipe: recipe, folder: URL(fileURLWithPath: "/nowhere"), observer: .stopping())
  }

  @Test("nothing in training tells a letter or a count of a hidden syllable")
  func hiddenStayHidden() {
    let characters = characters
    let hidden = Set(characters.world.hidden)
    var copied = 0
    for step in stride(from: 0, to: 1_000, by: 25) {
      for (question, mode) in characters.trainingQuestions(recipe.syllablePhases, 96, step: step)
      where !hidden.isDisjoint(with: question.word.syllables) {
        #expect(mode == .copy || mode == .call)
        // Neither letters of the word nor a count: the call names the letter that is asked for.
        let words = SyllableScript(characters.world).label(question, mode).words
        #expect(!words.contains { Int($0) != nil })
        #expect(words.count { SyllableWorld.letters.contains($0) } == (mode == .call ? 1 : 0))
        copied += 1
      }
    }
    #expect(copied > 50)
  }

  @Test("no word of the exam is trained on, by syllables or by letters")
  func noLeak() {
    let characters = characters
    let words = { (questions: [LetterQuestion]) in
      Set(questions.map { characters.world.text($0.word) })
    }
    let asked = words(characters.examination(.seen) + characters.examination(.hidden))
    #expect(asked.count > 1_000)
    for (phases, count) in [
      (recipe.syllablePhases, recipe.syllableExamples),
      (recipe.letterPhases, recipe.letterExamples),
    ] {
      let steps = phases.reduce(0) { $0 + $1.steps }
      for step in stride(from: 0, to: steps, by: 3) {
        let trained = characters.trainingQuestions(phases, count, step: step).map(\.question)
        #expect(asked.isDisjoint(with: words(trained)))
      }
    }
  }

  @Test("labels spell in places of equal width and count along")
  func labels() {
    let world = characters.world
    let script = SyllableScript(world)
    var random = SplitMix64(seed: 1)
    for _ in 0..<50 {
      let question = world.question(.seen, .train, syllables: 3, &random)
      let tally = script.label(question, .tally).words
      #expect(tally.count == 3 * 7 + 3 && tally.suffix(3) == ["=", "\(question.count)", "#"])
      #expect(script.label(question, .spell).words.count == 3 * 4 + 1)
      let letters = LetterScript(world: world, longest: 3)
      #expect(letters.label(question, .tally).words.count == 2 * 9 + 3)
      let example = script.example(question, .tool, directWeight: 4)
      // The host's count has no weight, the model's own has.
      #expect(example.weights.suffix(3) == [0, 1, 1])
      for mode in CharacterMode.allCases {
        if mode != .call {
          #expect(letters.example(question, mode, directWeight: 4).tokens.count <= recipe.length)
        }
        let long = world.question(.seen, .train, syllables: 4, &random)
        #expect(script.example(long, mode, directWeight: 4).tokens.count <= recipe.length)
      }
    }
  }

  @Test(
    "the host counts what the call says, and refuses what is none",
    arguments: [
      ("bal reb b", "2"), ("bal reb z", nil), ("bal reb", nil), ("b", nil), ("", nil),
      ("bal reb bap a", "2"), ("li o", "0"),
    ] as [(String, String?)])
  func host(_ call: String, _ count: String?) {
    #expect(SyllableScript.run(call: call.split(separator: " ").map(String.init)) == count)
  }

  @Test("answers dealt anew are worth exactly what length and letter are worth")
  func dealt() {
    let questions = characters.world.balancedQuestions(.seen, .test, each: 3, stream: "t")
    let exam = CharacterExam(
      items: questions.enumerated().map { i, question in
        CharacterExam.Item(
          word: "", letter: "", group: question.word.syllables.count * 100 + question.letter,
          answer: question.count, guess: i % 3, response: "", isRight: i % 3 == question.count)
      })
    for (question, value) in zip(questions, exam.dealt) {
      #expect(abs(value - 1 / Double(question.word.syllables.count + 1)) < 1e-12)
    }
  }

  @Test("no pair of the exam is trained on; work ends where two digits differ")
  func points() {
    let points = Points(
      recipe: recipe, folder: URL(fileURLWithPath: "/nowhere"), observer: .stopping())
    let trained = Set(
      (0..<recipe.points.steps).flatMap { points.trainingQuestions(step: $0).map(\.pair.text) })
    let asked = points.examination()
    #expect(asked.count == 1_000 && asked.count(where: \.isTrap) == 500)
    #expect(!asked.contains { trained.contains($0.text) })
    let pair = PointPair(PointNumber(whole: 9, part: 11), PointNumber(whole: 9, part: 9))
    #expect(
      PointScript.label(pair, .decimal, .digits).joined(separator: " ")
        == "9 9 = 1 9 < second #")
    #expect(PointScript.label(pair, .section, .direct) == ["first", "#"])
    let prompt = PointScript.prompt(pair, .decimal, .digits, hasSections: true)
    #expect(prompt.count + 12 <= PointScript.longest)
    #expect(Points.verdict(["first", "#"]) == true && Points.verdict(["first"]) == nil)
    #expect(Points.verdict(["9", "9", "=", "#"]) == nil && Points.verdict([]) == nil)
  }

  @Test("stopped anywhere and gone on, the experiment finds the same")
  func resume() throws {
    let found = try wholeAndInterrupted(
      CharacterExperiment(.quick(seed: 3)), stops: [0, 5, 17, 20, 40, 41, 45])
    #expect(found.whole == found.interrupted)
    #expect(found.result.claims.allSatisfy { $0.id.hasPrefix("e5.") && $0.n > 0 })
    #expect(found.result.section.claims == found.result.claims.map(\.id))
  }
}
