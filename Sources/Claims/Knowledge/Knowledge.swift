import Corpus
import Environments
import Foundation
import LanguageModel
import TensorCore
import Tokenization
import Training

/// What the experiment found.
public struct KnowledgeFinding: Codable, Sendable, Equatable {
  public var recipe: KnowledgeRecipe
  public var parameters: Int
  /// How many probed questions were known, unknown and neither.
  public var probed: Probed
  /// The exam's questions, and every arm's answers to them.
  public var test: [RecallItem]
  public var arms: [String: [RecallAnswer]]
  /// The same on validation, where a method and a threshold are chosen.
  public var validation: [RecallItem]
  public var validationArms: [String: [RecallAnswer]]
  /// What linear probes read off the base at the place of the answer.
  public var readout: Readout
  public var memory: MemoryFinding
  /// The exam of the model that has tools.
  public var lookups: [LookupAnswer]

  public struct Readout: Codable, Sendable, Equatable {
    /// The layer whose probe told right answers from wrong ones best on validation people, from 0.
    public var layer: Int
    /// How well each layer's did there: the area under the ROC curve.
    public var areas: [Double]
    /// The chance that the answer is right, for every question of the exam.
    public var scores: [Double]
  }

  public struct Probed: Codable, Sendable, Equatable {
    public var known: Int
    public var unknown: Int
    public var maybe: Int
    /// By exposures, how many of the samples were right.
    public var rightByExposures: [Int: Double]
  }
}

/// E2 and E3: one base that read the archive, examined with the book open and closed, then taught to
/// say that it does not know. Killed and run again, it goes on, and ends with the same bits.
struct Knowledge {
  /// The models that sit the exam of E2.
  enum Arm: String, CaseIterable, Sendable {
    /// Read only.
    case base
    /// Imitated answers to what it knows: it never saw a refusal.
    case answers = "sft-answers"
    /// Read on: pages and interviews as the archive has them, and refusals of what probing found
    /// unknown.
    case refusals = "sft-refusals"
    /// The same, but asked only about the people who were probed.
    case narrow = "sft-narrow"
    /// The same with the refusals dealt by chance.
    case shuffled = "sft-shuffled"
    /// The same questions, with the answers of the archive to those it did not know.
    case taught = "sft-unknown-facts"
    /// Practised from `shuffled`: paid for right answers, fined for wrong ones.
    case practice = "rl"
  }

  let recipe: KnowledgeRecipe
  let folder: URL
  let observer: ExperimentObserver

  func run() throws -> KnowledgeFinding {
    let data = try KnowledgeData(recipe)
    let base = try read(data)
    let memory = try examineMemory(base, data)

    let right = try observer.once(
      "probe", steps: data.probed.count, at: folder.appendingPathComponent("probe.json")
    ) { update in
      try probe(
        base, data.script, data.probed, samples: recipe.probes, seed: recipe.seed,
        progress: update, shouldStop: observer.shouldStop)
    }
    let probed = zip(data.probed, right)
    var known = probed.filter { $0.1 >= recipe.probesRight }.map(\.0)
    // A base that knows nothing, as in a quick tour, still goes through every stage.
    if known.isEmpty { known = Array(data.items(data.known, .train).prefix(32)) }
    let unknown = probed.filter { $0.1 <= recipe.probes - recipe.probesRight }.map(\.0)
    let lessons = data.lessons(known: data.interviews, unknown: unknown)

    let answers = try imitate(
      .answers, data, known.map { .init(item: $0, refuses: false) }, base,
      epochs: recipe.answerEpochs, recipe.answerOptimizer, replays: false)
    let shuffled = try imitate(
      .shuffled, data, data.shuffled(lessons), base, recipe.refusalOptimizer)
    let refusals = try imitate(.refusals, data, lessons, base, recipe.refusalOptimizer)
    let models: [(Arm, Transformer)] = [
      (.base, base), (.answers, answers), (.shuffled, shuffled),
      (.refusals, refusals),
      (
        .narrow,
        try imitate(
          .narrow, data, data.lessons(known: known, unknown: unknown), base,
          recipe.refusalOptimizer)
      ),
      (.taught, try imitate(.taught, data, data.answered(lessons), base, recipe.refusalOptimizer)),
      (.practice, try practise(data, from: shuffled, known: known, unknown: unknown)),
    ]

    let validation =
      data.items(data.known, .validation) + data.invented(.validation, recipe.validationInvented)
    let test =
      data.items(data.known, .test) + data.oneEach(1...recipe.knownFrom - 1, .test)
      + data.invented(.test, recipe.testInvented)
    var (arms, validationArms) = ([String: [RecallAnswer]](), [String: [RecallAnswer]]())
    for (arm, model) in models {
      arms[arm.rawValue] = try exam("test", arm, model, data, test)
      validationArms[arm.rawValue] = try exam("validation", arm, model, data, validation)
    }
    return KnowledgeFinding(
      recipe: recipe, parameters: base.config.parameterCount,
      probed: Self.summary(data.probed, right, known: known.count, unknown: unknown.count),
      test: test, arms: arms, validation: validation, validationArms: validationArms,
      readout: try fitProbe(base, data, validation, test), memory: memory,
      lookups: try lookUp(data, from: refusals))
  }

  private static func summary(
    _ items: [RecallItem], _ right: [Int], known: Int, unknown: Int
  ) -> KnowledgeFinding.Probed {
    var shares: [Int: [Double]] = [:]
    for (item, count) in zip(items, right) {
      shares[item.exposures, default: []].append(Double(count))
    }
    return .init(
      known: known, unknown: unknown, maybe: items.count - known - unknown,
      rightByExposures: shares.mapValues { $0.reduce(0, +) / Double($0.count) })
  }

  // MARK: Stages

  private func read(_ data: KnowledgeData) throws -> Transformer {
    let corpus = try data.corpus()
    let steps = recipe.exerciseSteps + max(1, corpus.rowsPerEpoch / recipe.rows)
    let stage = PretrainingRecipe(
      model: recipe.model(vocabulary: data.script.tokenizer.vocabularySize), length: recipe.length,
      rows: recipe.rows, steps: steps, exerciseSteps: recipe.exerciseSteps,
      optimizer: recipe.readingOptimizer,
      schedule: Schedule(warmup: 50, final: 0.05), seed: recipe.seed, validateEvery: steps,
      data: data.script.tokenizer.fingerprint)
    return try observer.watch("read", steps) {
      try pretrain(
        stage,
        material: ReadingMaterial(
          training: corpus, exercises: data.exercises(), validation: [], validationBytes: 0),
        tokenizer: data.script.tokenizer, in: folder.appendingPathComponent("read"), observer: $0)
    }
  }

  private func imitate(
    _ arm: Arm, _ data: KnowledgeData, _ lessons: [KnowledgeData.Lesson], _ start: Transformer,
    epochs: Double = 1, _ optimizer: OptimizerSettings, replays: Bool = true
  ) throws -> Transformer {
    var examples = data.examples(lessons)
    if !replays { examples = Array(examples.prefix(lessons.count)) }
    return try imitate(arm.rawValue, data, examples, start, epochs: epochs, optimizer)
  }

  private func imitate(
    _ name: String, _ data: KnowledgeData, _ examples: [TokenSequence], _ start: Transformer,
    epochs: Double, _ optimizer: OptimizerSettings
  ) throws -> Transformer {
    try data.exam().check(examples, stage: name)
    let rows = Packing(examples, length: recipe.length).rows.count
    let steps = max(1, Int(Double(rows) * epochs / Double(recipe.rows)))
    let stage = ImitationRecipe(
      length: recipe.length, rows: recipe.rows, steps: steps, optimizer: optimizer,
      schedule: Schedule(warmup: 20), seed: recipe.seed, data: data.script.tokenizer.fingerprint)
    return try observer.watch(name, steps) {
      try Training.imitate(
        stage, examples: examples, start: { try start.copy() },
        in: folder.appendingPathComponent(name), observer: $0)
    }
  }

  /// Teaches the use of tools, and examines it.
  private func lookUp(_ data: KnowledgeData, from start: Transformer) throws -> [LookupAnswer] {
    let model = try imitate(
      "tools", data, data.lookupExamples(), start, epochs: 1, recipe.lookupOptimizer)
    try LoadedModel(model: model, tokenizer: data.script.tokenizer).save(
      to: folder.appendingPathComponent("model"))
    let questions = data.lookupQuestions()
    return try observer.once(
      "test tools", steps: questions.count, at: folder.appendingPathComponent("exams/tools.json")
    ) { update in
      try data.lookUp(model, questions, progress: update, shouldStop: observer.shouldStop)
    }
  }

  private func practise(
    _ data: KnowledgeData, from start: Transformer, known: [RecallItem], unknown: [RecallItem]
  ) throws -> Transformer {
    let stage = PracticeRecipe(
      problems: recipe.practiceProblems, samples: recipe.practiceSamples, maxTokens: 8,
      length: recipe.length, steps: recipe.practiceSteps, optimizer: recipe.practiceOptimizer,
      seed: recipe.seed, data: data.script.tokenizer.fingerprint)
    let exam = data.exam()
    for step in 0..<recipe.practiceSteps {
      for item in data.practice(step, known: known, unknown: unknown) {
        try exam.check(data.script.prompt(item.prompt), stage: Arm.practice.rawValue)
      }
    }
    return try observer.watch(Arm.practice.rawValue, recipe.practiceSteps) {
      try Training.practise(
        stage,
        problems: { step in
          data.practice(step, known: known, unknown: unknown).map {
            // The words of the user's turn begin with a space everywhere.
            Problem(prompt: " " + $0.prompt, answer: $0.exposures > 0 ? $0.answer : "")
          }
        }, verifier: RefusalPay(penalty: recipe.penalty), start: { try start.copy() },
        tokenizer: data.script.tokenizer, in: folder.appendingPathComponent(Arm.practice.rawValue),
        observer: $0)
    }
  }

  private func exam(
    _ part: String, _ arm: Arm, _ model: Transformer, _ data: KnowledgeData, _ items: [RecallItem]
  ) throws -> [RecallAnswer] {
    try observer.once(
      "\(part) \(arm.rawValue)", steps: items.count,
      at: folder.appendingPathComponent("exams/\(part)-\(arm.rawValue).json")
    ) { update in
      try examineRecall(
        model, data.script, items, progress: update, shouldStop: observer.shouldStop
      ).answers
    }
  }

  /// Fits a probe after each layer on train people, takes the layer that is best on validation
  /// people, and says what its probe makes of the exam.
  private func fitProbe(
    _ base: Transformer, _ data: KnowledgeData, _ validation: [RecallItem], _ test: [RecallItem]
  ) throws -> KnowledgeFinding.Readout {
    try observer.once(
      "linear probe", steps: recipe.layers + 1,
      at: folder.appendingPathComponent("linear-probe.json")
    ) { update in
      let train =
        data.items(data.known, .train)
        + data.oneEach(1...recipe.knownFrom - 1, .train)
        + data.invented(.train, 2 * recipe.testInvented)
      func states(_ items: [RecallItem]) throws -> (right: [Bool], states: [[[Float]]]) {
        let exam = try examineRecall(base, data.script, items, shouldStop: observer.shouldStop)
        return (exam.answers.map { $0.outcome == .right }, exam.states)
      }
      let (trained, validated, tested) = (
        try states(train), try states(validation), try states(test)
      )
      update(1)
      var readout = KnowledgeFinding.Readout(layer: 0, areas: [], scores: [])
      for layer in 0..<recipe.layers {
        func vectors(_ states: [[[Float]]]) -> [[Double]] {
          states.map { $0[layer].map(Double.init) }
        }
        let probe = LinearProbe(vectors(trained.states), trained.right)
        let scores = zip(vectors(validated.states).map(probe.probability), validated.right)
        let area = areaUnderCurve(
          scores.filter(\.1).map(\.0), scores.filter { !$0.1 }.map(\.0))
        // Without one of the two kinds there is nothing to tell apart.
        readout.areas.append(area.isFinite ? area : 0.5)
        if readout.areas.allSatisfy({ $0 <= readout.areas[layer] }) {
          readout.layer = layer
          readout.scores = vectors(tested.states).map(probe.probability)
        }
        update(layer + 2)
      }
      return readout
    }
  }
}

/// Pays 1 for a right answer, 0 for a refusal and −`penalty` for a wrong one, moved and scaled into
/// 0...1: the same preferences.
struct RefusalPay: Verifier {
  var penalty: Double

  func reward(problem: Problem, response: String) -> Double {
    let text = response.trimmingCharacters(in: .whitespaces)
    if text == Archive.refusal { return penalty / (1 + penalty) }
    return !problem.answer.isEmpty && text == problem.answer ? 1 : 0
  }
}
