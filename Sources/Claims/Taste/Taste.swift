import Corpus
import Environments
import Foundation
import LanguageModel
import ModelFiles
import TensorCore
import Tokenization
import Training

/// E7: a model imitates jokes; people order its jokes, five at a time; reward models learn the orders;
/// practice follows a reward model, and the hidden taste watches. Killed and run again, it goes on, and
/// ends with the same bits.
///
/// Arms: `rm-1` … against one reward model each, `kl-0.1` against the first with that penalty, `true`
/// against the taste itself, `round-1` … after nonsense was shown to people, `ensemble` against the
/// least of all.
struct Taste {
  let recipe: TasteRecipe
  let folder: URL
  let observer: ExperimentObserver

  func measure() throws -> TasteFinding {
    let data = try TasteData(recipe, in: folder)
    let imitator = try imitate(data)
    let scale = try scale(of: imitator, data)
    var models: [RewardModel] = []
    var found: [RewardModelFinding] = []
    for r in 1..<recipe.rewardModels + 1 {
      let (model, finding) = try rewardModel(r, imitator, data)
      models.append(model)
      found.append(finding)
    }
    let arms = TasteArms(
      recipe: recipe, folder: folder, observer: observer, data: data, imitator: imitator,
      scale: scale,
      usual: try data.sample(imitator, samples: 40, stream: "usual").map { $0.map(\.worth) })
    var results: [String: TasteArm] = [:]
    var first: Transformer?
    for (r, model) in models.enumerated() {
      let (policy, arm) = try arms.run("rm-\(r + 1)", .models([model]))
      results["rm-\(r + 1)"] = arm
      if r == 0 { first = policy }
    }
    for penalty in recipe.penalties {
      let name = "kl-\(penalty)"
      results[name] = try arms.run(name, .models([models[0]]), penalty: penalty).arm
    }
    results["true"] = try arms.run("true", .taste, steps: recipe.trueSteps).arm
    if recipe.ensemble { results["ensemble"] = try arms.run("ensemble", .models(models)).arm }
    let bestOf = try bestOf(models[0], imitator, scale, data)
    var rounds: [TasteRound] = []
    if let first {
      rounds = try playRounds(arms, models[0], gamer: first, imitator, data, &results)
    }
    return TasteFinding(
      recipe: recipe, rewardModels: found, arms: results, bestOf: bestOf, rounds: rounds)
  }

  // MARK: Stages

  private func imitate(_ data: TasteData) throws -> Transformer {
    let examples = data.examples()
    let length = 4 * recipe.maxTokens
    let rows = Packing(examples, length: length).rows.count
    let steps = max(1, Int(Double(rows) * recipe.imitationEpochs / Double(recipe.imitationRows)))
    let stage = ImitationRecipe(
      length: length, rows: recipe.imitationRows, steps: steps,
      optimizer: recipe.imitationOptimizer, schedule: Schedule(warmup: 20, final: 0.05),
      seed: recipe.seed, data: data.tokenizer.fingerprint)
    return try observer.watch("sft", steps) {
      try Training.imitate(
        stage, examples: examples,
        start: {
          try Transformer(
            recipe.model(vocabulary: data.tokenizer.vocabularySize),
            source: RandomSource(seed: recipe.seed))
        }, in: folder.appendingPathComponent("sft"), observer: $0)
    }
  }

  /// The unit of worth.
  private func scale(of imitator: Transformer, _ data: TasteData) throws -> TasteScale {
    try observer.once("scale", steps: 1, at: folder.appendingPathComponent("scale.json")) { _ in
      let worths = try data.sample(imitator, samples: 100, stream: "scale").joined().map(\.worth)
      let centre = mean(Array(worths))
      let variance = worths.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(worths.count)
      return TasteScale(centre: centre, spread: max(variance.squareRoot(), 1e-6))
    }
  }

  /// One that passed the gate, or had twice the rankings.
  private func rewardModel(_ r: Int, _ imitator: Transformer, _ data: TasteData) throws -> (
    RewardModel, RewardModelFinding
  ) {
    let first = try learn(r, recipe.rankings, "reward-\(r)", imitator, data)
    let truth = first.1.truth
    guard Double(truth.right) < recipe.gate * Double(truth.pairs) else { return first }
    return try learn(r, 2 * recipe.rankings, "reward-\(r)-more", imitator, data)
  }

  private func learn(
    _ r: Int, _ count: Int, _ name: String, _ imitator: Transformer, _ data: TasteData
  ) throws -> (RewardModel, RewardModelFinding) {
    let place = folder.appendingPathComponent(name)
    let model: RewardModel
    if let loaded = try? LoadedRewardModel.load(place) {
      model = loaded.model
    } else {
      let answers = try data.sample(
        imitator, samples: count * recipe.ranked / Jokes.animals.count + 1, stream: name)
      model = try train(
        name, data.rankings(answers, count: count, stream: name), stream: r,
        start: { try RewardModel(try imitator.copy(), pooling: recipe.rewardPooling) }, data)
      try model.calibrate(on: answers.flatMap { $0.prefix(100).map(\.answer) })
      try LoadedRewardModel(model: model, tokenizer: data.tokenizer).save(
        to: place.appendingPathComponent("model"))
    }
    let finding = try observer.once(
      "\(name) held out", steps: 1, at: place.appendingPathComponent("held-out.json")
    ) { _ in
      let count = recipe.heldOutRankings
      let answers = try data.sample(
        imitator, samples: count * recipe.ranked / Jokes.animals.count + 1, stream: "held out")
      let flat = Array(answers.joined())
      return RewardModelFinding(
        rankings: name.hasSuffix("more") ? 2 * recipe.rankings : recipe.rankings,
        truth: try model.agreement(
          data.rankings(answers, count: count, stream: "truth", truth: true)),
        people: try model.agreement(data.rankings(answers, count: count, stream: "people")),
        correlation: correlation(try model.score(flat.map(\.answer)), flat.map(\.worth)))
    }
    return (model, finding)
  }

  private func train(
    _ name: String, _ rankings: [RankedAnswers], stream: Int, start: () throws -> RewardModel,
    _ data: TasteData
  ) throws -> RewardModel {
    let steps = max(1, rankings.count / recipe.rewardRankings)
    let stage = RewardRecipe(
      rankings: recipe.rewardRankings, steps: steps, optimizer: recipe.rewardOptimizer,
      seed: recipe.seed ^ UInt64(stream) << 32, data: data.tokenizer.fingerprint)
    return try observer.watch(name, steps) {
      try learnReward(
        stage, rankings: rankings, start: start, in: folder.appendingPathComponent(name),
        observer: $0)
    }
  }

  private func bestOf(
    _ model: RewardModel, _ imitator: Transformer, _ scale: TasteScale, _ data: TasteData
  ) throws -> [BestOfPoint] {
    try observer.once("best of n", steps: 1, at: folder.appendingPathComponent("best-of.json")) {
      _ in
      let answers = try data.sample(imitator, samples: recipe.bestOfSamples, stream: "best of")
      let groups = try answers.map { group in
        (scores: try model.score(group.map(\.answer)), worths: group.map { scale($0.worth) })
      }
      return recipe.bestOf.map { n in
        BestOfPoint(
          n: n, divergence: bestOfNDivergence(n),
          proxy: bootstrapMean(
            groups.map { bestOfN(n, scores: $0.scores, values: $0.scores) }, seed: recipe.seed),
          gold: bootstrapMean(
            groups.map { bestOfN(n, scores: $0.scores, values: $0.worths) }, seed: recipe.seed))
      }
    }
  }

  /// Shows people what the last policy games the reward model with, trains the reward model on their
  /// orders too, and practises against it from the start.
  private func playRounds(
    _ arms: TasteArms, _ start: RewardModel, gamer: Transformer, _ imitator: Transformer,
    _ data: TasteData, _ results: inout [String: TasteArm]
  ) throws -> [TasteRound] {
    var (model, gamer) = (start, gamer)
    var rankings: [RankedAnswers] = []
    var rounds: [TasteRound] = []
    for round in 1..<recipe.rounds + 1 {
      let name = "round-\(round)"
      let each = recipe.nonsenseRankings * recipe.ranked / Jokes.animals.count + 1
      let nonsense = try data.sample(gamer, samples: each, stream: "nonsense \(round)")
      let honest = try data.sample(imitator, samples: each, stream: "honest \(round)")
      rankings += data.mixed(nonsense, honest, count: recipe.nonsenseRankings, stream: name)
      let test = data.duels(nonsense, honest)
      let before = model
      let place = folder.appendingPathComponent("reward-\(name)")
      if let loaded = try? LoadedRewardModel.load(place) {
        model = loaded.model
      } else {
        model = try train(
          "reward-\(name)", rankings, stream: 100 + round, start: { try before.copy() }, data)
        try model.calibrate(on: honest.flatMap { $0.prefix(100).map(\.answer) })
        try LoadedRewardModel(model: model, tokenizer: data.tokenizer).save(
          to: place.appendingPathComponent("model"))
      }
      let after = model
      rounds.append(
        try observer.once(
          "\(name) held out", steps: 1, at: place.appendingPathComponent("held-out.json")
        ) { _ in
          TasteRound(
            arm: name, before: try before.agreement(test), after: try after.agreement(test),
            honest: try after.agreement(
              data.rankings(
                honest, count: recipe.heldOutRankings, stream: "honest truth", truth: true)))
        })
      let (policy, arm) = try arms.run(name, .models([model]))
      results[name] = arm
      gamer = policy
    }
    return rounds
  }
}

/// Worth in deviations of what the imitator writes, from its mean.
struct TasteScale: Codable, Sendable {
  var centre: Double
  var spread: Double

  func callAsFunction(_ worth: Double) -> Double { (worth - centre) / spread }
}

extension TasteData {
  /// Orders by people of two pieces of nonsense among honest jokes.
  func mixed(_ nonsense: [[Judged]], _ honest: [[Judged]], count: Int, stream: String)
    -> [RankedAnswers]
  {
    (0..<count).map { i in
      var random = SplitMix64(seed: recipe.seed, stream: "mixed " + stream, index: i)
      let animal = i % Jokes.animals.count
      let at = i / Jokes.animals.count * recipe.ranked
      let group = (0..<recipe.ranked).map { j in
        let pool = j < 2 ? nonsense[animal] : honest[animal]
        return pool[(at + j) % pool.count]
      }
      return ranked(group, &random)
    }
  }

  /// Pairs of nonsense and an honest joke about the same animal, in their true order: the last of
  /// each, which no ranking held.
  func duels(_ nonsense: [[Judged]], _ honest: [[Judged]]) -> [RankedAnswers] {
    Jokes.animals.indices.flatMap { animal -> [RankedAnswers] in
      zip(nonsense[animal].suffix(10), honest[animal].suffix(10)).map { bad, good in
        var random = SplitMix64(seed: 0)
        return ranked([bad, good], &random, truth: true)
      }
    }
  }
}

/// Pearson's.
func correlation(_ a: [Double], _ b: [Double]) -> Double {
  let (ma, mb) = (mean(a), mean(b))
  var (ab, aa, bb) = (0.0, 0.0, 0.0)
  for (x, y) in zip(a, b) {
    ab += (x - ma) * (y - mb)
    aa += (x - ma) * (x - ma)
    bb += (y - mb) * (y - mb)
  }
  return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : 0
}
