import Corpus
import Environments
import Foundation
import Generation
import LanguageModel
import TensorCore
import Tokenization

/// Everything that a practice run depends on, but the problems.
public struct PracticeRecipe: Codable, Sendable, Equatable {
  public var stage = "rl"
  /// Problems in a step.
  public var problems: Int
  /// Answers to each.
  public var samples: Int
  /// Tokens in an answer at most.
  public var maxTokens: Int
  /// Tokens in a row of the update.
  public var length: Int
  public var steps: Int
  public var optimizer: OptimizerSettings
  public var schedule: Schedule
  public var seed: UInt64
  /// What the start and the problems are, so that a run is not continued from others.
  public var data: String
  /// β: what an answer pays for every nat by which it has become likelier than at the start. The mean
  /// of that is the KL divergence from the start. Nil for nothing.
  public var penalty: Double?
  /// Answers of a step that rollouts.jsonl keeps; nil for all.
  public var recorded: Int?

  public init(
    problems: Int, samples: Int, maxTokens: Int, length: Int, steps: Int,
    optimizer: OptimizerSettings = .practice, schedule: Schedule = Schedule(warmup: 5),
    seed: UInt64,
    data: String
  ) {
    (self.problems, self.samples, self.maxTokens) = (problems, samples, maxTokens)
    (self.length, self.steps, self.optimizer) = (length, steps, optimizer)
    (self.schedule, self.seed, self.data) = (schedule, seed, data)
  }
}

/// What the answers of a step earn, by problem and sample, and what else the log is to keep.
public struct Earnings: Sendable {
  public var rewards: [[Double]]
  public var values: [String: Double]

  public init(rewards: [[Double]], values: [String: Double] = [:]) {
    (self.rewards, self.values) = (rewards, values)
  }
}

/// Where practice stands when answers are to be paid.
public struct PracticeMoment {
  public var step: Int
  public var problems: [Problem]
  /// The values that the log has under a key, from the steps before.
  public var earlier: (String) -> [Double]
}

/// Looks at a model in practice from outside, and ends the practice where it has become worse.
public struct PracticeWatch {
  /// Steps between looks.
  public var every: Int
  /// Looks in a row under the best one after which practice ends.
  public var patience: Int
  /// How good the model is, on answers that it just sampled; higher is better.
  public var measure: (Transformer, RolloutBatch) throws -> Double
  /// Given the model whenever it is the best so far.
  public var keep: (Transformer) throws -> Void

  public init(
    every: Int, patience: Int, measure: @escaping (Transformer, RolloutBatch) throws -> Double,
    keep: @escaping (Transformer) throws -> Void
  ) {
    (self.every, self.patience, self.measure, self.keep) = (every, patience, measure, keep)
  }
}

/// Practises on problems whose answers are checked.
///
/// - Parameters:
///   - problems: those of a step, a function of its number.
///   - tools: runs what the model calls while it answers.
/// - Throws: ``TrainingError`` where no answer to any problem was right for 20 steps: without a
///   success there is nothing to learn from.
public func practise(
  _ recipe: PracticeRecipe, problems: (Int) -> [Problem], verifier: any Verifier,
  start: () throws -> Transformer, tokenizer: Tokenizer, tools: ToolHost? = nil, in folder: URL,
  observer: StageObserver
) throws -> Transformer {
  // From the log, so that a run that was stopped gives up at the same step as one that was not.
  var withoutSuccess: Int?
  let patience = 20
  let trained = try practise(
    recipe, problems: problems, start: start, tokenizer: tokenizer, tools: tools, in: folder,
    observer: observer
  ) { batch, moment in
    let earned = Earnings(rewards: batch.checked(by: verifier, moment.problems))
    let before = withoutSuccess ?? moment.earlier("reward").reversed().prefix { $0 == 0 }.count
    let hasSuccess = earned.rewards.contains { $0.contains { $0 > 0 } }
    let now = hasSuccess ? 0 : before + 1
    withoutSuccess = now
    if now >= patience {
      throw TrainingError(
        "no answer to any of \(patience * moment.problems.count) problems was right: practice only sharpens what "
          + "sometimes succeeds. Give easier problems, or more examples first")
    }
    return earned
  }
  if let withoutSuccess, withoutSuccess >= recipe.steps {
    observer.onWarning("no answer was right in any step: nothing was learned")
  }
  return trained
}

/// Practises for any reward: of a verifier, of a reward model, of people.
///
/// - Parameters:
///   - watch: looks at the model from time to time, and may end the practice.
///   - reward: what the answers to the problems of a step earn.
public func practise(
  _ recipe: PracticeRecipe, problems: (Int) -> [Problem], start: () throws -> Transformer,
  tokenizer: Tokenizer, tools: ToolHost? = nil, in folder: URL, observer: StageObserver,
  watch: PracticeWatch? = nil,
  reward: (RolloutBatch, PracticeMoment) throws -> Earnings
) throws -> Transformer {
  let template = try ChatTemplate(tokenizer: tokenizer)
  let stage = try Stage(
    folder, recipe: recipe, steps: recipe.steps, optimizer: recipe.optimizer,
    logs: ["rollouts.jsonl"], observer: observer, begin: start)
  let reference = try start()
  let settings = SamplingSettings(maxTokens: recipe.maxTokens)
  let earlier = { (key: String) in (try? stage.logged(key)) ?? [] }
  try stage.run(observer: observer) { step, factor in
    let chosen = problems(step)
    var rollouts = try rollOut(
      chosen, model: stage.model, tokenizer: tokenizer, template: template, host: tools,
      samples: recipe.samples, settings: settings, seed: recipe.seed, step: step)
    let earned = try reward(
      rollouts, PracticeMoment(step: step, problems: chosen, earlier: earlier))
    rollouts.rewards = earned.rewards
    let records = rollouts.records(step: step, problems: chosen)
    for record in records.prefix(recipe.recorded ?? records.count) {
      try stage.append(record, to: "rollouts.jsonl")
    }
    var values = rollouts.statistics().merging(earned.values) { $1 }
    let scale = recipe.schedule.scale(step: step, of: recipe.steps) * factor
    values["rate_scale"] = scale
    // Every answer where it costs reward; a few where it is only measured.
    let moved = rollouts.moved(
      from: reference, length: recipe.length,
      groups: recipe.penalty == nil ? 16 : chosen.count,
      samples: recipe.penalty == nil ? 1 : recipe.samples)
    values["kl_to_start"] = moved.perToken
    values["kl"] = moved.perAnswer
    if let penalty = recipe.penalty { rollouts.charge(penalty, for: moved.answers) }
    var isLast = false
    if let watch, step % watch.every == 0 {
      let seen = earlier("watched")
      let found = try watch.measure(stage.model, rollouts)
      values["watched"] = found
      if found > (seen.max() ?? -.infinity) { try watch.keep(stage.model) }
      isLast = seen.count >= watch.patience && staleness(seen + [found]) >= watch.patience
    }
    let sequences = rollouts.sequences()
    var report: StepReport?
    if !sequences.isEmpty {
      // Divided by the number of answers, a constant: a long answer counts as much as its tokens do.
      report = trainStep(
        stage.model, stage.optimizer,
        batches: Packing(sequences, length: recipe.length).batches(of: 32),
        normaliser: Float(recipe.problems * recipe.samples), scale: Float(scale), entropy: true)
    }
    let note = String(
      format: "reward %.2f, %.0f tokens", values["reward"] ?? 0, values["length"] ?? 0)
    return Stage.StepResult(report: report, values: values, note: note, isLast: isLast)
  }
  return stage.model
}

/// How many values came after the largest.
private func staleness(_ values: [Double]) -> Int {
  guard let largest = values.max(), let place = values.firstIndex(of: largest) else { return 0 }
  return values.count - 1 - place
}

extension RolloutBatch {
  /// How much likelier the first `samples` answers to the first `groups` problems are than under the
  /// model that practice began with: Σ log p − log p₀ of each, by problem; their mean; and the mean
  /// of a token. In nats.
  func moved(from reference: Transformer, length: Int, groups: Int, samples: Int) -> (
    answers: [[Double]], perAnswer: Double, perToken: Double
  ) {
    var items: [(group: Int, sample: Int)] = []
    var sequences: [TokenSequence] = []
    for (g, group) in continuations.prefix(groups).enumerated() {
      for (s, answer) in group.prefix(samples).enumerated() {
        items.append((g, s))
        let prompt = prompts[g]
        sequences.append(
          TokenSequence(
            tokens: prompt + answer.tokens,
            weights: Array(repeating: 0, count: prompt.count)
              + answer.weights(1)))
      }
    }
    var answers = continuations.prefix(groups).map { group in
      group.prefix(samples).map { $0.logProbabilities.reduce(0) { $0 + Double($1) } }
    }
    for (item, value) in zip(items, reference.logProbabilities(of: sequences, length: length)) {
      answers[item.group][item.sample] -= value
    }
    let total = answers.joined().reduce(0, +)
    let tokens = sequences.reduce(0) { $0 + $1.weights.count { $0 != 0 } }
    return (answers, total / Double(max(1, items.count)), total / Double(max(1, tokens)))
  }

  /// Takes `penalty` for every nat from the rewards.
  mutating func charge(_ penalty: Double, for moved: [[Double]]) {
    for (i, group) in moved.enumerated() {
      for (j, nats) in group.enumerated() { rewards[i][j] -= penalty * nats }
    }
  }
}
