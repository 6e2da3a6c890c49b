import ArgumentParser
import Claims
import Corpus
import Environments
import Foundation
import TensorCore
import Training

/// `reward`: a model of what people prefer.
struct RewardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reward", abstract: "Learn from preferences what people like: a reward model.",
    discussion: """
      Example:  lyceum reward --model runs/books-sft --data votes.jsonl --out runs/books-reward
      Each line holds "prompt", "chosen" and "rejected", or "prompt" and "ranking": answers from the
      best to the worst, where a list in place of an answer is a tie. One prompt in ten is kept to
      measure on.
      """)

  @Option(help: "The model whose trunk it starts from.") var model: String
  @Option(help: "Preferences, as JSONL.") var data: String
  @Option(help: "Folder of the run.") var out: String
  @Option(help: "Passes over the preferences; more than one soon learns them by heart.")
  var epochs = 1.0
  @Option(help: "Preferences in a step.") var batch = 12
  @Option(help: "AdamW's rate at its highest.") var rate: Float = 1e-3
  @Option(help: "Seed of the order.") var seed: UInt64 = 1
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    struct Bin: Encodable {
      var probability: Double
      var right: Double
      var pairs: Int
    }
    var model: String
    var preferences: Int
    var steps: Int
    var held_out_pairs: Int
    var accuracy: Estimate?
    var calibration: [Bin]
  }

  func validate() throws {
    guard (1...Limits.rows).contains(batch), epochs > 0, epochs <= 10_000, rate > 0, rate.isFinite
    else {
      throw ValidationError("--batch, --epochs (at most 10,000) and --rate must be above 0")
    }
  }

  func run() throws {
    compute.apply()
    let folder = try runFolder(out)
    let preferences = try readPreferences(try readFile(data), name: data)
    let start = try LoadedModel.load(place(model))
    let context = start.model.config.context
    let (training, kept) = keepSome(preferences)
    func ranked(_ some: [Preference]) throws -> [RankedAnswers] {
      try rankedAnswers(some, start.tokenizer, start.template, context: context, name: data)
    }
    let (rankings, test) = (try ranked(training), try ranked(kept))
    let count = min(batch, rankings.count)
    let steps = max(1, Int((Double(rankings.count) * epochs / Double(count)).rounded(.up)))
    let recipe = RewardRecipe(
      rankings: count, steps: steps, optimizer: OptimizerSettings.reward.with(rate: rate),
      schedule: Schedule(warmup: min(10, steps / 5 + 1)), seed: seed,
      data: start.tokenizer.fingerprint + "-" + start.model.fingerprint + "-"
        + fingerprint(of: preferences))
    let tokens = rankings.reduce(0) { $0 + $1.answers.reduce(0) { $0 + $1.count } }
    let plan = StagePlan(
      config: start.model.config, rows: count * 2, length: min(context, 128), steps: steps,
      stepTokens: tokens * count / rankings.count, optimizer: recipe.optimizer)
    try plan.checkMemory("lower --batch")
    try plan.announce(
      "\(training.count) preferences and \(kept.count) to measure on, \(steps) steps", in: folder)
    let trained = try watchStage("reward", steps: steps) {
      try learnReward(
        recipe, rankings: rankings, start: { try RewardModel(start.model) }, in: folder,
        observer: $0)
    }
    try trained.calibrate(on: rankings.flatMap(\.items))
    try LoadedRewardModel(model: trained, tokenizer: start.tokenizer).save(
      to: folder.appendingPathComponent("model"))
    try show(try trained.agreement(test), preferences.count, steps)
  }

  private func show(_ found: RewardAgreement, _ preferences: Int, _ steps: Int) throws {
    let accuracy = found.pairs > 0 ? Estimate(successes: found.right, of: found.pairs) : nil
    let bins = found.bins.filter { $0.pairs > 0 }
    if compute.json {
      return try JSONLine.print(
        Result(
          model: out, preferences: preferences, steps: steps, held_out_pairs: found.pairs,
          accuracy: accuracy,
          calibration: bins.map {
            .init(probability: $0.probability, right: $0.right, pairs: $0.pairs)
          }))
    }
    guard let accuracy else {
      return print("Nothing was kept to measure on: all preferences are about one prompt, or ties.")
    }
    print("Orders held-out pairs as people did: \(Unit.share.text(accuracy))  n = \(found.pairs)")
    var table = TextTable([
      .init("it is sure to", .right), .init("and right in", .right), .init("pairs", .right),
    ])
    for bin in bins {
      table.add([
        Unit.share.text(bin.probability), Unit.share.text(bin.right), String(bin.pairs),
      ])
    }
    print(table.text)
    print("Practise against it:  lyceum rlhf --model \(model) --reward \(out) --prompts … --out …")
  }
}
