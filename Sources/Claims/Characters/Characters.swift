import Corpus
import Environments
import Foundation
import LanguageModel
import Training

/// What E5 found.
public struct CharacterResult: Codable, Sendable, Equatable {
  public var recipe: CharacterRecipe
  /// By arm and cell; see ``CharacterCell/id``.
  var syllables: [String: CharacterExam]
  var letters: [String: CharacterExam]
  /// By ``PointMode``.
  var points: [String: PointExam]
  /// What each model learned from: by its name and ``CharacterMode``.
  var lessons: [String: [String: CharacterLessons]]
}

/// What a model was shown of one way to ask.
struct CharacterLessons: Codable, Sendable, Equatable {
  var questions = 0
  /// Those on words of ``CharacterRecipe/longWord`` syllables.
  var long = 0
  /// Of prompts and labels.
  var tokens = 0

  mutating func add(_ other: CharacterLessons) {
    questions += other.questions
    long += other.long
    tokens += other.tokens
  }
}

/// A way to ask, and whose words are asked about.
struct CharacterCell: Sendable, Equatable {
  var mode: CharacterMode
  var pool: SyllableWorld.Pool

  var id: String { "\(mode.rawValue)-\(pool.rawValue)" }

  static func all(_ modes: [CharacterMode]) -> [CharacterCell] {
    modes.flatMap { mode in
      [CharacterCell(mode: mode, pool: .seen), CharacterCell(mode: mode, pool: .hidden)]
    }
  }
}

/// E5: two models of the same size learn to spell and to count letters, one reads syllables, the other
/// letters; then both are asked about words that they never saw, of syllables whose letters the first
/// was told and of syllables whose letters it never was.
struct Characters {
  let recipe: CharacterRecipe
  let folder: URL
  let observer: ExperimentObserver
  let world: SyllableWorld

  init(recipe: CharacterRecipe, folder: URL, observer: ExperimentObserver) {
    (self.recipe, self.folder, self.observer) = (recipe, folder, observer)
    world = SyllableWorld(seed: recipe.seed)
  }

  func measure() throws -> CharacterResult {
    let (syllables, letters) = (
      SyllableScript(world), LetterScript(world: world, longest: recipe.letterLongest)
    )
    let first = try train(
      "syllables", syllables, recipe.syllablePhases, recipe.syllableExamples,
      watched: [.direct, .tally, .spell])
    let syllableExams = try examine(
      "syllables", first, syllables, [.direct, .spell, .tally, .tool, .copy])
    if observer.shouldStop() { throw ExperimentStopped() }
    let second = try train(
      "letters", letters, recipe.letterPhases, recipe.letterExamples, watched: [.direct, .tally])
    let letterExams = try examine("letters", second, letters, [.direct, .tally])
    if observer.shouldStop() { throw ExperimentStopped() }
    let points = try Points(recipe: recipe, folder: folder, observer: observer).measure()
    return CharacterResult(
      recipe: recipe, syllables: syllableExams, letters: letterExams, points: points,
      lessons: [
        "syllables": lessons(syllables, recipe.syllablePhases, recipe.syllableExamples),
        "letters": lessons(letters, recipe.letterPhases, recipe.letterExamples),
      ])
  }

  private func train(
    _ name: String, _ script: some CharacterScript, _ phases: [CharacterPhase], _ count: Int,
    watched: [CharacterMode]
  ) throws -> Transformer {
    let steps = phases.reduce(0) { $0 + $1.steps }
    let stage = StreamRecipe(
      model: recipe.model(vocabulary: script.vocabulary.count), length: recipe.length,
      steps: steps, optimizer: recipe.optimizer, schedule: Schedule(warmup: 50, final: 0.05),
      seed: recipe.seed, measureEvery: max(1, steps / 9), data: name)
    let exam = examPrompts(name, script)
    // Few, and of the validation portion: the curves only show when learning happens.
    let cells = CharacterCell.all(watched)
    let questions = cells.map { cell in
      world.balancedQuestions(cell.pool, .validation, each: 1, stream: "validation \(cell.id)")
        .filter { $0.word.syllables.count <= script.longest }
    }
    return try observer.watch(name, steps) {
      try trainOnStream(
        stage,
        examples: { try exam.checked(examples(script, phases, count, step: $0), stage: name) },
        measure: { model in
          try zip(cells, questions).reduce(into: [:]) { values, cell in
            let exam = try CharacterExam(model, script, cell.1, cell.0.mode, recipe.seed)
            values[cell.0.id] = exam.accuracy.value
          }
        }, in: folder.appendingPathComponent(name), observer: $0)
    }
  }

  private func examine(
    _ name: String, _ model: Transformer, _ script: some CharacterScript, _ modes: [CharacterMode]
  ) throws -> [String: CharacterExam] {
    let cells = CharacterCell.all(modes)
    return try observer.once(
      "exam \(name)", steps: cells.count, at: folder.appendingPathComponent("exams/\(name).json")
    ) { update in
      try cells.enumerated().reduce(into: [:]) { exams, cell in
        exams[cell.element.id] = try CharacterExam(
          model, script, examination(cell.element.pool, script.longest), cell.element.mode,
          recipe.seed)
        update(cell.offset + 1)
      }
    }
  }

  /// The questions of the exam, the same for every way to ask and for both models, up to the longest
  /// word that a model reads.
  func examination(_ pool: SyllableWorld.Pool, _ longest: Int = SyllableWorld.longestWord)
    -> [LetterQuestion]
  {
    world.balancedQuestions(pool, .test, each: recipe.itemsEach, stream: "test \(pool.rawValue)")
      .filter { $0.word.syllables.count <= longest }
  }

  /// The exam's words as the script writes them, whatever is asked about them.
  private func examPrompts(_ name: String, _ script: some CharacterScript) -> ExamPrompts {
    let asked = examination(.seen, script.longest) + examination(.hidden, script.longest)
    return ExamPrompts("e5", asked.map { script.vocabulary.encode(script.written($0.word)) })
  }

  private func lessons(
    _ script: some CharacterScript, _ phases: [CharacterPhase], _ count: Int
  ) -> [String: CharacterLessons] {
    var lessons: [String: CharacterLessons] = [:]
    for step in 0..<phases.reduce(0, { $0 + $1.steps }) {
      for (question, mode) in trainingQuestions(phases, count, step: step, longest: script.longest)
      {
        let example = script.example(question, mode, directWeight: 1)
        lessons[mode.rawValue, default: CharacterLessons()].questions += 1
        lessons[mode.rawValue]?.tokens += example.tokens.count
        if question.word.syllables.count == recipe.longWord { lessons[mode.rawValue]?.long += 1 }
      }
    }
    return lessons
  }

  func examples(
    _ script: some CharacterScript, _ phases: [CharacterPhase], _ count: Int, step: Int
  ) -> [TokenSequence] {
    trainingQuestions(phases, count, step: step, longest: script.longest).map {
      script.example($0.question, $0.mode, directWeight: recipe.directWeight)
    }
  }

  /// What is asked at a step. Hidden words are only copied, or handed to the tool without its answer.
  func trainingQuestions(
    _ phases: [CharacterPhase], _ count: Int, step: Int, longest: Int = SyllableWorld.longestWord
  ) -> [(question: LetterQuestion, mode: CharacterMode)] {
    var phase = phases[0]
    var end = 0
    for candidate in phases where step >= end {
      phase = candidate
      end += candidate.steps
    }
    return (0..<count).map { i in
      var random = SplitMix64(seed: recipe.seed, stream: "letters", index: step * count + i)
      let mode = phase.mode(at: random.uniform())
      let isHidden = (mode == .copy || mode == .call) && random.below(2) == 0
      let isShort = mode == .direct && random.uniform() < phase.shortShare
      let syllables = isShort ? 1 : random.within(2...longest)
      if isHidden {
        let word = world.word(.hidden, .train, syllables: syllables, &random)
        let letter = random.below(SyllableWorld.letters.count)
        let count = word.syllables.count {
          world.syllables[$0].contains(SyllableWorld.letters[letter])
        }
        return (LetterQuestion(word: word, letter: letter, count: count), mode)
      }
      return (world.question(.seen, .train, syllables: syllables, &random), mode)
    }
  }
}
