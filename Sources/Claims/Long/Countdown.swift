import Corpus
import Environments
import Foundation
import Generation
import LanguageModel
import TensorCore
import Tokenization
import Training

// E6b: Countdown. A model imitates people who try a few ways and give up, then practises with nothing
// but the check of its answer.

/// Everything that the result depends on.
public struct CountdownRecipe: Codable, Sendable, Equatable {
  public var seed: UInt64
  var people: CountdownPeople
  var width: Int
  var layers: Int
  /// Slots in a row.
  var length: Int
  /// Solutions by people, and passes over them.
  var demonstrations: Int
  var epochs: Double
  var rows: Int
  var problems: Int
  var samples: Int
  var maxTokens: Int
  var steps: Int
  var practice: OptimizerSettings
  /// Problems of the exam, and answers to each.
  var items: Int
  var answers: Int

  static func of(_ length: TourLength, seed: UInt64) -> CountdownRecipe {
    var recipe = CountdownRecipe(
      seed: seed, people: CountdownPeople(patience: 2...6), width: 64, layers: 3, length: 160,
      demonstrations: 16_000, epochs: 1, rows: 12, problems: 24, samples: 8, maxTokens: 144,
      steps: 120, practice: .practice, items: 400, answers: 4)
    if length == .quick {
      (recipe.demonstrations, recipe.epochs) = (60, 1)
      (recipe.width, recipe.layers) = (32, 2)
      (recipe.problems, recipe.samples, recipe.maxTokens, recipe.steps) = (4, 4, 32, 3)
      (recipe.items, recipe.answers) = (10, 2)
    }
    return recipe
  }

  func model(vocabulary: Int) -> DecoderConfig {
    DecoderConfig(
      vocabularySize: vocabulary, width: width, layers: layers, heads: 4, hiddenWidth: 4 * width,
      context: 2 * length, feedForward: .reluSquared)
  }
}

/// What E6b found.
public struct CountdownFinding: Codable, Sendable, Equatable {
  public var recipe: CountdownRecipe
  var parameters: Int
  var imitator: Exam
  var practised: Exam
  /// Whether people got there, by problem and try.
  var people: [[Bool]]

  struct Exam: Codable, Sendable, Equatable {
    var items: [Item]
  }

  struct Item: Codable, Sendable, Equatable {
    var prompt: String
    var responses: [String]
    var rewards: [Double]
    var tokens: [Int]

    /// Ways that were tried in an answer.
    var tries: [Int] {
      responses.map { $0.split(separator: " ").count { $0 == "no" || $0 == "yes" } }
    }
  }
}

struct Countdown {
  let recipe: CountdownRecipe
  let folder: URL
  let observer: ExperimentObserver

  func measure() throws -> CountdownFinding {
    let tokenizer = try Tokenizer.wholeWords(
      (0...99).map(String.init) + ["+", "-", "x", "=", ",", "make", "yes", "no", "enough"],
      preTokenizer: .gpt2)
    let exam = (0..<recipe.items).map {
      CountdownProblem.draw(.test, seed: recipe.seed, stream: "exam", index: $0)
    }
    let prompts = ExamPrompts("e6b", texts: exam.map(\.problem.prompt))
    let imitator = try imitate(tokenizer, prompts)
    let practised = try practise(imitator, tokenizer, prompts)
    return try observer.once("exam", steps: 3, at: folder.appendingPathComponent("exam.json")) {
      update in
      let before = try examine(imitator, tokenizer, exam)
      update(1)
      if observer.shouldStop() { throw ExperimentStopped() }
      let after = try examine(practised, tokenizer, exam)
      update(2)
      return CountdownFinding(
        recipe: recipe, parameters: imitator.config.parameterCount, imitator: before,
        practised: after,
        people: exam.enumerated().map { i, problem in
          var random = SplitMix64(seed: recipe.seed, stream: "people in the exam", index: i)
          return (0..<recipe.answers).map { _ in recipe.people.solution(problem, &random).isRight }
        })
    }
  }

  private func imitate(_ tokenizer: Tokenizer, _ exam: ExamPrompts) throws -> Transformer {
    let template = try ChatTemplate(tokenizer: tokenizer)
    let examples = try (0..<recipe.demonstrations).map { i in
      let problem = CountdownProblem.draw(
        .train, seed: recipe.seed, stream: "demonstrations", index: i)
      var random = SplitMix64(seed: recipe.seed, stream: "people", index: i)
      let solution = recipe.people.solution(problem, &random).words.joined(separator: " ")
      try exam.check(texts: [problem.problem.prompt], stage: "sft")
      return exampleSequence(
        [
          Message(role: .user, content: problem.problem.prompt),
          Message(role: .assistant, content: " " + solution),
        ], template)
    }
    let rows = Packing(examples, length: recipe.length).rows.count
    let steps = max(1, Int(Double(rows) * recipe.epochs / Double(recipe.rows)))
    let stage = ImitationRecipe(
      length: recipe.length, rows: recipe.rows, steps: steps, optimizer: .pretraining,
      schedule: Schedule(warmup: min(50, steps), final: 0.05), seed: recipe.seed,
      data: tokenizer.fingerprint)
    return try observer.watch("sft", steps) {
      try Training.imitate(
        stage, examples: examples,
        start: {
          try Transformer(
            recipe.model(vocabulary: tokenizer.vocabularySize),
            source: RandomSource(seed: recipe.seed))
        }, in: folder.appendingPathComponent("sft"), observer: $0)
    }
  }

  private func practise(_ start: Transformer, _ tokenizer: Tokenizer, _ exam: ExamPrompts) throws
    -> Transformer
  {
    let stage = PracticeRecipe(
      problems: recipe.problems, samples: recipe.samples, maxTokens: recipe.maxTokens,
      length: recipe.length, steps: recipe.steps, optimizer: recipe.practice, seed: recipe.seed,
      data: tokenizer.fingerprint)
    let problems = { (step: Int) in
      (0..<recipe.problems).map {
        CountdownProblem.draw(
          .train, seed: recipe.seed, stream: "practice", index: step * recipe.problems + $0
        ).problem
      }
    }
    for step in 0..<recipe.steps {
      try exam.check(texts: problems(step).map(\.prompt), stage: "rl")
    }
    return try observer.watch("rl", recipe.steps) {
      // In a quick tour nothing may ever be right, which ends practice with a message elsewhere.
      try Training.practise(
        stage, problems: problems, start: { try start.copy() }, tokenizer: tokenizer,
        in: folder.appendingPathComponent("rl"), observer: $0
      ) { batch, moment in
        Earnings(rewards: try batch.checked(by: CountdownVerifier(), moment.problems))
      }
    }
  }

  private func examine(_ model: Transformer, _ tokenizer: Tokenizer, _ exam: [CountdownProblem])
    throws -> CountdownFinding.Exam
  {
    let problems = exam.map(\.problem)
    let batch = try rollOut(
      problems, verifier: CountdownVerifier(), model: model, tokenizer: tokenizer,
      template: try ChatTemplate(tokenizer: tokenizer), samples: recipe.answers,
      settings: SamplingSettings(maxTokens: recipe.maxTokens),
      seed: recipe.seed ^ stableHash("countdown exam"), step: 0)
    return CountdownFinding.Exam(
      items: problems.indices.map { i in
        CountdownFinding.Item(
          prompt: exam[i].prompt,
          responses: batch.responses[i].map { $0.trimmingCharacters(in: .whitespaces) },
          rewards: batch.rewards[i], tokens: batch.continuations[i].map(\.tokens.count))
      })
  }
}

extension CountdownFinding {
  /// The share of right answers to each problem.
  private func shares(_ exam: Exam) -> [Double] { exam.items.map { mean($0.rewards) } }
  private var peopleShares: [Double] { people.map { mean($0.map { $0 ? 1 : 0 }) } }

  func accuracy(_ exam: Exam) -> Estimate { bootstrapMean(shares(exam), seed: recipe.seed) }
  var peopleAccuracy: Estimate { bootstrapMean(peopleShares, seed: recipe.seed) }

  func tokens(_ exam: Exam) -> [Double] { exam.items.map { mean($0.tokens.map(Double.init)) } }

  /// Over problems that no person got in as many tries: how often practice got there at least once.
  var beyond: (estimate: Estimate, n: Int) {
    let hard = zip(people, practised.items).filter { !$0.0.contains(true) }
    return (
      Estimate(successes: hard.count { $0.1.rewards.contains(1) }, of: hard.count), hard.count
    )
  }

  var claims: [Claim] {
    func claim(
      _ id: String, _ statement: String, _ metric: String, _ estimate: Estimate,
      _ threshold: Double, _ unit: Unit, _ n: Int
    ) -> Claim {
      Claim(
        id: "e6b." + id, statement: statement, metric: metric, estimate: estimate, .above,
        threshold: threshold, unit: unit, n: n, seeds: [recipe.seed])
    }
    let n = practised.items.count
    return [
      claim(
        "practice-beats-people", "Practice with a checked answer passes those who were imitated.",
        "RL less people, answers sampled",
        pairedBootstrap(shares(practised), peopleShares, seed: recipe.seed), 0.1, .points, n),
      claim(
        "practice-beats-imitation", "And the model that imitated them.",
        "RL less SFT, answers sampled",
        pairedBootstrap(shares(practised), shares(imitator), seed: recipe.seed), 0.1, .points, n),
      claim(
        "thoughts-grow", "Nobody asks for it, but its thoughts grow longer.",
        "tokens in an answer: RL less SFT",
        pairedBootstrap(tokens(practised), tokens(imitator), seed: recipe.seed), 10, .plain, n),
      claim(
        "solves-what-people-did-not", "It solves problems that no person solved.",
        "solved at least once in \(recipe.answers), where no person did in as many tries",
        beyond.estimate, 0.3, .share, beyond.n),
    ]
  }
}
