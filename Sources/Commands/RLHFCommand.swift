import ArgumentParser
import Claims
import Corpus
import Environments
import Foundation
import LanguageModel
import TensorCore
import Tokenization
import Training

/// `rlhf`: practice against a reward model.
struct RLHFCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rlhf", abstract: "Practise against a reward model, and stop before it is gamed.",
    discussion: """
      Example:  lyceum rlhf --model runs/books-sft --reward runs/books-reward --prompts asks.jsonl \\
                  --stop-labels fresh-votes.jsonl --out runs/books-rlhf
      Each line of the prompts holds "prompt". A reward model can be gamed: practised on, any model
      finds nonsense that it likes. --stop-labels (preferences that no reward model saw) or
      --stop-reward (a second reward model, from other votes) ends practice where things get worse,
      and keeps the best model.
      """)

  @Option(help: "The model to start from.") var model: String
  @Option(help: "The reward model, of `lyceum reward`.") var reward: String
  @Option(help: "Prompts, as JSONL.") var prompts: String
  @Option(help: "Folder of the run.") var out: String
  @Option(help: "What an answer pays for every nat that it moves from the start.")
  var penalty = 0.05
  @Option(help: "Fresh preferences, as JSONL, that decide when to stop.") var stopLabels: String?
  @Option(help: "A second reward model that decides when to stop.") var stopReward: String?
  @Option(help: "Steps between two looks at whether to stop.") var every = 5
  @Option(help: "Looks in a row under the best after which to stop.") var patience = 4
  @Option(help: "Steps at most.") var steps = 100
  @Option(help: "Prompts in a step.") var problems = 24
  @Option(help: "Answers to each prompt.") var samples = 8
  @Option(help: "Tokens in an answer at most.") var maxTokens = 64
  @Option(help: "AdamW's rate at its highest.") var rate: Float = 5e-4
  @Option(help: "Seed of the draws.") var seed: UInt64 = 1
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var model: String
    var steps: Int
    var stopped_early: Bool
    var reward_first: Double?
    var reward_last: Double?
    var kl_last: Double?
  }

  func validate() throws {
    guard (1...Limits.steps).contains(steps), maxTokens >= 1, rate > 0, rate.isFinite, every >= 1,
      patience >= 1
    else {
      throw ValidationError(
        "--steps, --max-tokens, --rate, --every and --patience must be above 0")
    }
    guard penalty >= 0, penalty.isFinite else {
      throw ValidationError("--penalty must be 0 or more")
    }
    guard samples >= 2 else {
      throw ValidationError("--samples is \(samples): a group needs 2 or more to be compared")
    }
    guard (1...Limits.samples).contains(problems), samples <= Limits.samples / problems else {
      throw ValidationError(
        "--problems times --samples are the answers of a step: from 2 to \(Limits.samples)")
    }
    guard stopLabels == nil || stopReward == nil else {
      throw ValidationError("give --stop-labels or --stop-reward, not both")
    }
  }

  func run() throws {
    compute.apply()
    let folder = try runFolder(out)
    let items = try readPrompts()
    let start = try LoadedModel.load(place(model))
    try checkRoom(items, start, prompts)
    let judge = try loadReward(reward, for: start)
    let keeps = stopLabels != nil || stopReward != nil
    let best = folder.appendingPathComponent("model")
    let watch = try keeps ? watch(start, keepIn: best) : nil
    let count = min(problems, items.count)
    var recipe = PracticeRecipe(
      problems: count, samples: samples, maxTokens: maxTokens, length: start.model.config.context,
      steps: steps, optimizer: OptimizerSettings.practice.with(rate: rate), seed: seed,
      data: start.tokenizer.fingerprint + "-" + start.model.fingerprint + "-"
        + judge.trunk.fingerprint
        + String(fingerprint(of: items.lazy.map(\.prompt)), radix: 16))
    recipe.stage = "rlhf"
    recipe.penalty = penalty > 0 ? penalty : nil
    let plan = StagePlan(
      config: start.model.config, rows: min(32, count * samples), length: start.model.config.context,
      steps: steps, stepTokens: count * samples * min(maxTokens, start.model.config.context),
      optimizer: recipe.optimizer)
    try plan.checkMemory("lower --samples or --problems")
    try plan.announce(
      "\(items.count) prompts, \(steps) steps of \(count) x \(samples) answers", in: folder)
    let trained = try watchStage("rlhf", steps: steps) { observer in
      try practise(
        recipe, problems: { problemsOfStep($0, items, count, seed: seed) },
        start: { try start.model.copy() }, tokenizer: start.tokenizer, in: folder,
        observer: observer, watch: watch
      ) { batch, _ in
        Earnings(rewards: batch.grouped(try judge.score(batch.answers)))
      }
    }
    if !keeps { try LoadedModel(model: trained, tokenizer: start.tokenizer).save(to: best) }
    try show(folder)
  }

  private func readPrompts() throws -> [Problem] {
    struct Line: Decodable { var prompt: String }
    let data = try readFile(prompts)
    var found: [Problem] = []
    for (i, line) in data.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) {
      guard let line = try? JSONDecoder().decode(Line.self, from: Data(line)) else {
        throw EnvironmentError(
          "\(prompts), line \(i + 1): each line must be a JSON object with the text \"prompt\"")
      }
      found.append(Problem(prompt: line.prompt, answer: ""))
    }
    guard !found.isEmpty else { throw EnvironmentError("\(prompts) holds no prompt") }
    return found
  }

  private func loadReward(_ path: String, for start: LoadedModel) throws -> RewardModel {
    let loaded = try LoadedRewardModel.load(place(path))
    guard loaded.tokenizer.fingerprint == start.tokenizer.fingerprint else {
      throw TrainingError(
        "the reward model \(path) reads another tokenizer's tokens than \(model) writes: train one "
          + "from this model with `lyceum reward --model \(model)`")
    }
    guard loaded.model.trunk.config.context >= start.model.config.context else {
      throw TrainingError(
        "the reward model \(path) has a context of \(loaded.model.trunk.config.context), less than "
          + "the \(start.model.config.context) of \(model)")
    }
    return loaded.model
  }

  /// What decides when to stop.
  private func watch(_ start: LoadedModel, keepIn best: URL) throws -> PracticeWatch {
    let keep = { (model: Transformer) in
      try LoadedModel(model: model, tokenizer: start.tokenizer).save(to: best)
    }
    if let path = stopReward {
      let second = try loadReward(path, for: start)
      return PracticeWatch(
        every: every, patience: patience,
        measure: { _, batch in
          let scores = try second.score(batch.answers)
          return scores.reduce(0, +) / Double(max(1, scores.count))
        }, keep: keep)
    }
    let path = stopLabels ?? ""
    let labels = try rankedAnswers(
      try readPreferences(try readFile(path), name: path), start.tokenizer, start.template,
      context: start.model.config.context, name: path)
    let context = start.model.config.context
    let before = labels.likelihoods(under: start.model, length: context)
    return PracticeWatch(
      every: every, patience: patience,
      measure: { model, _ in
        labels.agreement(labels.likelihoods(under: model, length: context), before: before)
      }, keep: keep)
  }

  private func show(_ folder: URL) throws {
    let rewards = StageLog.values("reward", in: folder)
    let result = Result(
      model: out, steps: rewards.count, stopped_early: rewards.count < steps,
      reward_first: rewards.first, reward_last: rewards.last,
      kl_last: StageLog.last("kl", in: folder))
    if compute.json { return try JSONLine.print(result) }
    if let first = rewards.first, let last = rewards.last {
      print(
        "Reward from \(Format.fixed(first, 2)) to \(Format.fixed(last, 2)), "
          + "\(Format.fixed(result.kl_last ?? 0, 1)) nats an answer from the start")
    }
    if result.stopped_early {
      print("Stopped after \(rewards.count) of \(steps) steps; the best model is kept.")
    } else if stopLabels == nil, stopReward == nil {
      print("A reward model's word is not people's: read what it writes before you believe it.")
    }
    print("Talk to it:  lyceum chat \(out)")
  }
}

extension [RankedAnswers] {
  /// Σ log p of each answer, given its prompt.
  func likelihoods(under model: Transformer, length: Int) -> [Double] {
    model.logProbabilities(
      of: flatMap { ranking in
        ranking.answers.map { answer in
          TokenSequence(
            tokens: ranking.prompt + answer,
            weights: Array<Float>(repeating: 0, count: ranking.prompt.count)
              + Array<Float>(repeating: 1, count: answer.count))
        }
      }, length: length)
  }

  /// How well the move of a policy agrees with people: the mean over pairs of log σ(gain of the better
  /// answer − gain of the worse), the gains being of log p (Rafailov et al. 2023, arXiv:2305.18290).
  func agreement(_ now: [Double], before: [Double]) -> Double {
    var (total, pairs, first) = (0.0, 0, 0)
    for ranking in self {
      for i in ranking.places.indices {
        for j in ranking.places.indices where ranking.places[i] < ranking.places[j] {
          let gains = (now[first + i] - before[first + i]) - (now[first + j] - before[first + j])
          total -= gains > 0 ? log1p(exp(-gains)) : log1p(exp(gains)) - gains
          pairs += 1
        }
      }
      first += ranking.answers.count
    }
    return total / Double(Swift.max(1, pairs))
  }
}
