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
  let template = try ChatTemplate(tokenizer: tokenizer)
  let stage = try Stage(
    folder, recipe: recipe, steps: recipe.steps, optimizer: recipe.optimizer,
    logs: ["rollouts.jsonl"], observer: observer, begin: start)
  let reference = try start()
  let settings = SamplingSettings(maxTokens: recipe.maxTokens)
  // From the log, so that a run that was stopped gives up at the same step as one that was not.
  var stepsWithoutSuccess = try stage.logged("reward").reversed().prefix { $0 == 0 }.count
  let patience = 20
  try stage.run(observer: observer) { step, factor in
    let chosen = problems(step)
    let rollouts = try rollOut(
      chosen, verifier: verifier, model: stage.model, tokenizer: tokenizer, template: template,
      host: tools, samples: recipe.samples, settings: settings, seed: recipe.seed, step: step)
    for record in rollouts.records(step: step, problems: chosen) {
      try stage.append(record, to: "rollouts.jsonl")
    }
    var values = rollouts.statistics()
    stepsWithoutSuccess = (values["reward"] ?? 0) > 0 ? 0 : stepsWithoutSuccess + 1
    if stepsWithoutSuccess >= patience {
      throw TrainingError(
        "no answer to any of \(patience * chosen.count) problems was right: practice only sharpens what "
          + "sometimes succeeds. Give easier problems, or more examples first")
    }
    let scale = recipe.schedule.scale(step: step, of: recipe.steps) * factor
    values["rate_scale"] = scale
    values["kl_to_start"] = divergence(rollouts, from: reference, length: recipe.length)
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
    return Stage.StepResult(report: report, values: values, note: note)
  }
  if stepsWithoutSuccess >= recipe.steps {
    observer.onWarning("no answer was right in any step: nothing was learned")
  }
  return stage.model
}

/// The mean of log p − log p₀ over the sampled tokens of a few answers, in nats a token: how far the
/// model has moved from where it began.
private func divergence(_ rollouts: RolloutBatch, from reference: Transformer, length: Int)
  -> Double
{
  var sequences: [TokenSequence] = []
  var sampled = 0.0
  for (prompt, group) in zip(rollouts.prompts.prefix(16), rollouts.continuations) {
    guard let first = group.first else { continue }
    sequences.append(
      TokenSequence(
        tokens: prompt + first.tokens,
        weights: Array(repeating: 0, count: prompt.count)
          + first.weights(1)))
    sampled += first.logProbabilities.reduce(0) { $0 + Double($1) }
  }
  var scored = 0.0
  var count = 0
  for batch in Packing(sequences, length: length).batches(of: 32) {
    for (value, weight) in zip(reference.logProbabilities(batch), batch.weights) where weight != 0 {
      scored += Double(value)
      count += 1
    }
  }
  return (sampled - scored) / Double(max(1, count))
}
