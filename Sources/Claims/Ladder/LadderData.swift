import Corpus
import Environments
import Foundation
import ModelFiles
import Tokenization
import Training

/// What the ladder learns from and is asked, made from the seed. Formulas are split by a hash of their
/// atoms before anything is written: no page, demonstration or practice problem holds one of the exam.
struct LadderData {
  let recipe: LadderRecipe
  let textbook: Textbook
  let demonstrations: [Demonstration]
  let examination: [Problem]
  let validation: [Problem]

  init(_ recipe: LadderRecipe) {
    self.recipe = recipe
    textbook = Textbook(seed: recipe.seed, contents: recipe.textbook)
    demonstrations = recipe.demonstrators.demonstrations(
      recipe.demonstrations, space: recipe.demonstrated, seed: recipe.seed)
    examination = recipe.examined.distinct(
      recipe.examinationItems, .test, seed: recipe.seed, stream: "examination"
    ).map { .valence($0) }
    validation = recipe.examined.distinct(
      recipe.validationItems, .validation, seed: recipe.seed, stream: "validation"
    ).map { .valence($0) }
  }

  /// The questions of the exam, as texts.
  var exam: ExamPrompts { ExamPrompts("e1", texts: examination.map(\.prompt)) }

  /// Holds everything that is read, imitated or practised against the exam. Throws ``TrainingError``
  /// where something holds one of its questions.
  func checkSplit() throws {
    let exam = exam
    try exam.check(texts: textbook.pages.map(\.text), stage: "read")
    try exam.check(
      texts: demonstrations.map { $0.problem.prompt + " " + $0.solution }, stage: "sft")
    for step in 0..<recipe.practiceSteps {
      try exam.check(texts: practiceProblems(step).map(\.prompt), stage: "rl")
    }
  }

  /// The problems of a practice step.
  func practiceProblems(_ step: Int) -> [Problem] {
    (0..<recipe.practiceProblems).map { i in
      .valence(
        recipe.practised.formula(
          .train, seed: recipe.seed, stream: "practice",
          index: step * recipe.practiceProblems + i))
    }
  }

  /// The tokenizer of this run, trained on the textbook's training pages at first.
  func tokenizer(in folder: URL, progress: (Double) -> Void) throws -> Tokenizer {
    let place = folder.appendingPathComponent("tokenizer.json")
    if let data = try? Data(contentsOf: place) { return try Tokenizer(tokenizerJSON: data) }
    let texts =
      pages(validation: false)
      + demonstrations.prefix(200).map { $0.problem.prompt + " " + $0.solution }
    let tokenizer = try withoutActuallyEscaping(progress) { progress in
      try Tokenizer.train(
        documents: texts, vocabularySize: recipe.vocabulary, preTokenizer: .formulas,
        progress: progress)
    }
    try writeAtomically(try tokenizer.tokenizerJSON(), to: place)
    return tokenizer
  }

  /// One page in fifty is kept for validation.
  func pages(validation: Bool) -> [String] {
    textbook.pages.filter { (stableHash("page " + $0.text) % 50 == 0) == validation }.map(\.text)
  }

  func material(_ template: ChatTemplate) throws -> ReadingMaterial {
    let held = pages(validation: true)
    return ReadingMaterial(
      training: try PackedCorpus(
        pages(validation: false).map { TokenSequence(tokens: template.document($0)) },
        length: recipe.readingLength, seed: recipe.seed),
      validation: Packing(
        held.map { TokenSequence(tokens: template.document($0)) }, length: recipe.readingLength
      ).batches(of: 32),
      validationBytes: held.reduce(0) { $0 + $1.utf8.count })
  }

  func examples(_ style: SolutionStyle?, _ template: ChatTemplate) -> [TokenSequence] {
    demonstrations.filter { style == nil || $0.style == style }.map {
      exampleSequence(
        [
          Message(role: .user, content: $0.problem.prompt),
          Message(role: .assistant, content: $0.solution),
        ], template)
    }
  }
}
