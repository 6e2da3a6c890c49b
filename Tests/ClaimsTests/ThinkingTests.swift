import Environments
import Foundation
import Testing

@testable import Claims

@Suite("E4: tokens to think")
struct ThinkingTests {
  private let problem = DialProblem(start: 2, operations: [2, 10].map { DialOperation.all[$0] })

  @Test("work first and answer first hold the same words, and the same loss")
  func labels() {
    for index in 0..<100 {
      let problem = DialProblem.draw(.train, operations: 1...8, seed: 1, stream: "t", index: index)
      let (work, answer) = (
        DialScript.label(problem, .workFirst), DialScript.label(problem, .answerFirst)
      )
      #expect(work.sorted() == answer.sorted() && work != answer)
      #expect(DialScript.label(problem, .dots).count == work.count)
      let examples = [DialLabel.workFirst, .answerFirst].map {
        DialScript.example(problem, $0, answerWeight: 1)
      }
      #expect(examples[0].weights == examples[1].weights)
      #expect(examples[0].tokens.count <= DialScript.longest)
    }
    #expect(DialScript.label(problem, .workFirst).joined(separator: " ") == "2 5 5 so 5 .")
    #expect(DialScript.label(problem, .answerFirst).joined(separator: " ") == "so 5 2 5 5 .")
    #expect(DialScript.label(problem, .dots).joined(separator: " ") == "… … … so 5 .")
    #expect(DialScript.label(problem, .partial(2)).joined(separator: " ") == "2 5 so 5 .")
  }

  @Test("only the answer's digit has the answer's weight")
  func weights() {
    let example = DialScript.example(problem, .answerFirst, answerWeight: 4)
    let prompt = DialScript.prompt(problem).count
    #expect(example.weights.prefix(prompt).allSatisfy { $0 == 0 })
    #expect(Array(example.weights.dropFirst(prompt)) == [1, 4, 1, 1, 1, 1])
  }

  @Test(
    "an answer is the digit after the first \"so\", and nothing else",
    arguments: [
      ("2 5 5 so 5 .", true, true), ("so 5 2 5 5 .", true, true), ("2 5 5 so 4 .", false, true),
      ("2 5 4 so 5 .", true, false), ("so 4 2 5 5 .", false, true), ("2 5 5 5 .", false, false),
      ("so so 5 .", false, false), ("so 4 so 5 .", false, false), ("so", false, false),
      ("… … … so 5 .", true, false), ("", false, false),
    ])
  func reading(_ text: String, isRight: Bool, hasRightWork: Bool) {
    let reading = DialReading(text.split(separator: " ").map(String.init))
    #expect(reading.isRight(problem) == isRight)
    #expect(reading.hasRightWork(problem) == hasRightWork)
  }

  @Test(
    "steps are judged without the last value, which may be the answer again",
    arguments: [
      ("so 4 2 5 5 .", true, false), ("so 4 2 5 4 .", true, true), ("so 4 2 5 3 .", true, false),
      ("so 4 2 4 5 .", false, false), ("so 4 2 5 .", false, false), ("so", false, false),
      ("so 4 2 5 5 4 .", false, true),
    ])
  func steps(_ text: String, isRight: Bool, endsInAnswer: Bool) {
    let reading = DialReading(text.split(separator: " ").map(String.init))
    #expect(reading.hasRightSteps(problem) == isRight)
    #expect(reading.endsInAnswer == endsInAnswer)
  }

  @Test("no problem of the exam or of the curves is in what is trained on; every arm gets the same")
  func noLeak() {
    let recipe = ThinkingRecipe.tour(seed: 7)
    let thinking = Thinking(
      recipe: recipe, folder: URL(fileURLWithPath: "/nowhere"), observer: .stopping())
    let trained = Set(
      (0..<recipe.steps).flatMap { thinking.trainingProblems(step: $0).map(\.text) })
    for portion in [Portion.test, .validation] {
      let asked = thinking.examination(portion, 100).filter { $0.operations.count >= 3 }
      #expect(asked.count == 600 && asked.allSatisfy { $0.portion == portion })
      #expect(!asked.contains { trained.contains($0.text) })
    }
    let prompts = recipe.arms.map { arm in
      thinking.examples(arm, step: 3).map { $0.tokens.prefix(DialProblem.slots + 2) }
    }
    #expect(prompts.allSatisfy { $0 == prompts[0] })
  }

  @Test("stopped anywhere and gone on, the experiment finds the same")
  func resume() throws {
    let found = try wholeAndInterrupted(
      ThinkingExperiment(.quick(seed: 3)), stops: [0, 7, 25, 26, 40])
    #expect(found.whole == found.interrupted)
    #expect(found.result.claims.count == 7)
    #expect(found.result.claims.allSatisfy { $0.id.hasPrefix("e4.") && $0.n > 0 })
    #expect(found.result.section.claims == found.result.claims.map(\.id))
  }
}
