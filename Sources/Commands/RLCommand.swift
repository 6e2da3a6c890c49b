import ArgumentParser
import Claims
import Corpus
import Environments
import Foundation
import Generation
import TensorCore
import Training

/// Which check of an answer to use.
enum VerifierChoice: String, ExpressibleByArgument, CaseIterable {
  case number, exact, regex

  var verifier: any Verifier {
    switch self {
    case .number: FinalNumber()
    case .exact: ExactText()
    case .regex: WholePattern()
    }
  }
}

/// `rl`: practice on problems whose answers are checked.
struct RLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rl", abstract: "Practise on problems with checked answers.",
    discussion: """
      Example:  lyceum rl --model runs/books-sft --task sums.jsonl --out runs/books-rl
      Each line of the task holds "prompt" and "answer".
      """)

  @Option(help: "The model to start from.") var model: String
  @Option(help: "Problems, as JSONL.") var task: String
  @Option(help: "How answers are checked: number, exact or regex.")
  var verifier = VerifierChoice.number
  @Option(help: "Folder of the run.") var out: String
  @Option(help: "Steps.") var steps = 100
  @Option(help: "Problems in a step.") var problems = 24
  @Option(help: "Answers to each problem.") var samples = 8
  @Option(help: "Tokens in an answer at most.") var maxTokens = 112
  @Option(help: "AdamW's rate at its highest.") var rate: Float = 1e-3
  @Option(help: "Seed of the draws.") var seed: UInt64 = 1
  @OptionGroup var tools: ToolOptions
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var model: String
    var steps: Int
    var reward_last: Double?
  }

  func validate() throws {
    guard (1...Limits.steps).contains(steps), maxTokens >= 1, rate > 0, rate.isFinite else {
      throw ValidationError("--steps, --max-tokens and --rate must be above 0")
    }
    guard samples >= 2 else {
      throw ValidationError("--samples is \(samples): a group needs 2 or more to be compared")
    }
    guard (1...Limits.samples).contains(problems), samples <= Limits.samples / problems else {
      throw ValidationError(
        "--problems times --samples are the answers of a step: from 2 to \(Limits.samples)")
    }
  }

  func run() throws {
    compute.apply()
    let folder = try runFolder(out)
    let items = try readProblems(task, verifier.verifier)
    let start = try LoadedModel.load(place(model))
    try checkRoom(items, start, task)
    let count = min(problems, items.count)
    let recipe = try PracticeRecipe(
      problems: count, samples: samples, maxTokens: maxTokens, length: start.model.config.context,
      steps: steps, optimizer: OptimizerSettings.practice.with(rate: rate), seed: seed,
      data: start.tokenizer.fingerprint + "-" + start.model.fingerprint + "-" + verifier.rawValue
        + String(fingerprint(of: items.lazy.map { $0.prompt + "\n" + $0.answer }), radix: 16)
        + tools.fingerprint())
    let host = try tools.host(start.template)
    try plan(recipe, items, start, host).announce(
      "\(items.count) problems, \(steps) steps of \(count) x \(samples) answers", in: folder)
    let trained = try watchStage("rl", steps: steps) { observer in
      try practise(
        recipe, problems: { problemsOfStep($0, items, count, seed: seed) },
        verifier: verifier.verifier, start: { try start.model.copy() },
        tokenizer: start.tokenizer, tools: host, in: folder, observer: observer)
    }
    try LoadedModel(model: trained, tokenizer: start.tokenizer).save(
      to: folder.appendingPathComponent("model"))
    let reward = StageLog.last("reward", in: folder)
    if compute.json {
      try JSONLine.print(Result(model: out, steps: steps, reward_last: reward))
    } else {
      if let reward { print("Reward of the last step: \(Format.fixed(reward, 3))") }
      print(
        "Measure it on problems that it did not practise on:  lyceum eval --model \(out) --task …")
    }
  }

  /// The time of one step's answers is measured, with the model as it is before it practises.
  private func plan(
    _ recipe: PracticeRecipe, _ items: [Problem], _ start: LoadedModel, _ host: ToolHost?
  ) throws -> StagePlan {
    let config = start.model.config
    let answers = recipe.problems * samples
    var plan = StagePlan(
      config: config, rows: min(32, answers), length: config.context, steps: steps, stepTokens: 0,
      optimizer: recipe.optimizer)
    // Keys and values of the answers that are sampled at a time, and the start, kept to measure from.
    plan.extraBytes =
      8 * config.layers * config.keyHeads * config.headWidth * min(256, answers) * config.context
      + 4 * config.parameterCount
    try plan.checkMemory("lower --samples or --problems")
    let began = ContinuousClock.now
    let trial = try rollOut(
      problemsOfStep(0, items, recipe.problems, seed: seed), verifier: verifier.verifier,
      model: start.model, tokenizer: start.tokenizer, template: start.template, host: host,
      samples: samples,
      settings: SamplingSettings(maxTokens: maxTokens), seed: seed, step: 0)
    plan.extraSeconds = (ContinuousClock.now - began) / .seconds(1)
    plan.stepTokens = zip(trial.prompts, trial.continuations).reduce(0) { sum, group in
      sum + group.1.reduce(0) { $0 + group.0.count + $1.tokens.count }
    }
    return plan
  }
}

/// The problems of a step, in one shuffled round after another.
func problemsOfStep(_ step: Int, _ items: [Problem], _ count: Int, seed: UInt64) -> [Problem] {
  var rounds: [Int: [Int]] = [:]
  return (step * count..<(step + 1) * count).map { position in
    let round = position / items.count
    let order = rounds[round] ?? shuffled(items.count, round, seed: seed)
    rounds[round] = order
    return items[order[position % items.count]]
  }
}

private func shuffled(_ count: Int, _ round: Int, seed: UInt64) -> [Int] {
  var random = SplitMix64(seed: seed, stream: "round", index: round)
  var order = Array(0..<count)
  random.shuffle(&order)
  return order
}
