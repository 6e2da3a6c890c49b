import Corpus
import Environments
import Foundation
import Generation
import LanguageModel
import Training

/// What E4 found.
public struct ThinkingResult: Codable, Sendable, Equatable {
  public var recipe: ThinkingRecipe
  /// By arm.
  var exams: [String: ThinkingExam]
  var budget: BudgetExam
}

/// E4: the same problems with their labels in another order, one model for each; then how right they
/// are over the length of a problem and over the tokens that they may think with.
struct Thinking {
  let recipe: ThinkingRecipe
  let folder: URL
  let observer: ExperimentObserver

  func measure() throws -> ThinkingResult {
    var exams: [String: ThinkingExam] = [:]
    var budget: BudgetExam?
    for arm in recipe.arms {
      let model = try train(arm)
      exams[arm.id] = try observer.once(
        "exam \(arm.id)", steps: 1, at: folder.appendingPathComponent("exams/\(arm.id).json")
      ) { _ in try ThinkingExam(model, problems: examination(.test, recipe.items), recipe.seed) }
      if observer.shouldStop() { throw ExperimentStopped() }
      if arm.id == ThinkingArm.workFirst.id {
        budget = try observer.once(
          "exam budget", steps: 1, at: folder.appendingPathComponent("exams/budget.json")
        ) { _ in
          try BudgetExam(model, problems: examination(.test, recipe.budgetItems), recipe.seed)
        }
      }
    }
    return ThinkingResult(recipe: recipe, exams: exams, budget: budget ?? BudgetExam())
  }

  private func train(_ arm: ThinkingArm) throws -> Transformer {
    let stage = StreamRecipe(
      model: recipe.model(arm), length: recipe.length, steps: recipe.steps,
      optimizer: recipe.optimizer, schedule: Schedule(warmup: 50, final: 0.05), seed: recipe.seed,
      measureEvery: max(1, recipe.steps / 10), data: arm.id)
    // Few of each length, and of the validation portion: the curves only show when learning happens.
    let problems = (1...DialProblem.slots).flatMap {
      DialProblem.distinct(
        40, .validation, operations: $0, seed: recipe.seed, stream: "dial validation")
    }
    // Those of one and two operations are few, and all are trained on.
    let exam = ExamPrompts(
      "e4",
      (examination(.test, recipe.items) + examination(.test, recipe.budgetItems))
        .filter { $0.operations.count > 2 }
        .map { DialScript.vocabulary.encode(DialScript.prompt($0)) })
    return try observer.watch(arm.id, recipe.steps) {
      try trainOnStream(
        stage, examples: { try exam.checked(examples(arm, step: $0), stage: arm.id) },
        measure: { model in
          let exam = try ThinkingExam(model, problems: problems, recipe.seed)
          return Dictionary(
            uniqueKeysWithValues: (1...DialProblem.slots).map {
              ("right_\($0)", exam.accuracy($0...$0).value)
            })
        }, in: folder.appendingPathComponent(arm.id), observer: $0)
    }
  }

  /// The same problems for every arm at the same step.
  func examples(_ arm: ThinkingArm, step: Int) -> [TokenSequence] {
    trainingProblems(step: step).map {
      DialScript.example($0, arm.label, answerWeight: arm.answerWeight)
    }
  }

  /// Half of them have one operation, a quarter two, and a quarter any number: answer first sees most
  /// of what it can learn.
  func trainingProblems(step: Int) -> [DialProblem] {
    let lengths = [1...1, 1...1, 2...2, 1...DialProblem.slots]
    return (0..<recipe.problems).map { i in
      DialProblem.draw(
        .train, operations: lengths[i % lengths.count], seed: recipe.seed, stream: "dial train",
        index: step * recipe.problems + i)
    }
  }

  func examination(_ portion: Portion, _ count: Int) -> [DialProblem] {
    (1...DialProblem.slots).flatMap {
      DialProblem.distinct(
        count, portion, operations: $0, seed: recipe.seed, stream: "dial \(portion.rawValue)")
    }
  }
}
