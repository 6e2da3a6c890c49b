import Foundation
import LanguageModel
import TensorCore
import Testing
import Tokenization

@testable import Training

@Suite("Reward models", .serialized)
struct RewardTests {
  /// People who like sevens: the more, the better.
  private func rankings(_ count: Int, from first: Int = 0) throws -> [RankedAnswers] {
    let (tokenizer, template) = (try #require(Tiny.tokenizer), try Tiny.template())
    return (first..<first + count).map { i in
      let answers = [0, 1, 2, 3].map { sevens in
        (0..<4).map { j in (i + j) % 4 < sevens ? "7" : "\((i * 3 + j) % 5)" }.joined(separator: " ")
      }
      return RankedAnswers(
        prompt: template.prompt([Message(role: .user, content: "\(i % 9)?")]),
        answers: answers.map { tokenizer.encode($0) + [template.end] }, places: [3, 2, 1, 0])
    }
  }

  private func recipe(_ steps: Int = 40) -> RewardRecipe {
    RewardRecipe(
      rankings: 6, steps: steps, optimizer: OptimizerSettings(rate: 1e-2), seed: 1, data: "x")
  }

  private func learn(
    in folder: URL, pooling: RewardPooling = .mean, steps: Int = 40,
    observer: StageObserver = StageObserver()
  ) throws -> RewardModel {
    try learnReward(
      recipe(steps), rankings: try rankings(80),
      start: { try RewardModel(try Tiny.model(), pooling: pooling) }, in: folder, observer: observer)
  }

  @Test("it learns an order, and knows it of answers that it never saw", arguments: [RewardPooling.mean, .sum])
  func learns(pooling: RewardPooling) throws {
    let scratch = try Scratch()
    let model = try learn(in: scratch["run"], pooling: pooling)
    let found = try model.agreement(try rankings(30, from: 100))
    #expect(found.pairs == 180 && Double(found.right) > 0.9 * Double(found.pairs))
    #expect(found.bins.reduce(0) { $0 + $1.pairs } == found.pairs)
    let items = try rankings(20).flatMap(\.items)
    try model.calibrate(on: items)
    let scores = try model.score(items)
    let centre = scores.reduce(0, +) / Double(scores.count)
    #expect(abs(centre) < 1e-6)
    #expect(abs(scores.reduce(0) { $0 + $1 * $1 } / Double(scores.count) - 1) < 1e-6)
  }

  @Test("an answer has one score, whatever stands beside it")
  func alone() throws {
    let scratch = try Scratch()
    let model = try learn(in: scratch["run"], steps: 8)
    let items = try rankings(70).flatMap(\.items)
    let together = try model.score(items)
    for i in [0, 7, 133, 279] { #expect(try model.score([items[i]]) == [together[i]]) }
  }

  @Test("saved and loaded, it scores the same; a language model's folder is refused")
  func folder() throws {
    let scratch = try Scratch()
    let tokenizer = try #require(Tiny.tokenizer)
    let model = try learn(in: scratch["run"], pooling: .sum, steps: 8)
    let items = try rankings(10).flatMap(\.items)
    try model.calibrate(on: items)
    try LoadedRewardModel(model: model, tokenizer: tokenizer).save(to: scratch["saved"])
    let loaded = try LoadedRewardModel.load(scratch["saved"])
    #expect(try loaded.model.score(items) == model.score(items))
    #expect(throws: (any Error).self) { try LoadedModel.load(scratch["saved"]) }
    try LoadedModel(model: try Tiny.model(), tokenizer: tokenizer).save(to: scratch["plain"])
    #expect(throws: TrainingError.self) { try LoadedRewardModel.load(scratch["plain"]) }
    #expect(try model.copy().score(items) == model.score(items))
  }

  @Test("stopped anywhere and gone on, it ends in the same bytes")
  func resume() throws {
    let scratch = try Scratch()
    let whole = try learn(in: scratch["whole"], steps: 12)
    let items = try rankings(10).flatMap(\.items)
    for limit in [1, 7] {
      var asked = 0
      let stopping = StageObserver(shouldStop: {
        asked += 1
        return asked > limit
      })
      let folder = scratch["stopped-\(limit)"]
      #expect(throws: StageStopped.self) {
        _ = try learn(in: folder, steps: 12, observer: stopping)
      }
      let again = try learn(in: folder, steps: 12)
      #expect(try again.score(items) == whole.score(items))
      let (a, b) = (try contents(folder), try contents(scratch["whole"]))
      for name in ["model", "optimizer"].map({ "checkpoints/step-12/\($0).safetensors" }) {
        #expect(a[name] != nil && a[name] == b[name])
      }
    }
  }

  @Test("ties count half each way, and ties alone teach nothing")
  func ties() throws {
    let ranking = RankedAnswers(prompt: [1], answers: [[2], [3], [4]], places: [0, 1, 1])
    let pairs = ranking.pairs(from: 10)
    #expect(pairs.count == 4 && abs(pairs.reduce(0) { $0 + $1.weight } - 1) < 1e-6)
    #expect(pairs.contains(ScorePair(better: 10, worse: 12, weight: 1 / 3)))
    let scratch = try Scratch()
    #expect(throws: TrainingError.self) {
      _ = try learnReward(
        recipe(), rankings: [RankedAnswers(prompt: [1], answers: [[2], [3]], places: [0, 0])],
        start: { try RewardModel(try Tiny.model()) }, in: scratch["ties"],
        observer: StageObserver())
    }
  }

  @Test("practice for any reward, with a penalty and a watch, resumes to the same bytes and stops itself")
  func practice() throws {
    let scratch = try Scratch()
    let tokenizer = try #require(Tiny.tokenizer)
    func run(_ name: String, stopAfter limit: Int = .max) throws {
      var asked = 0
      var recipe = PracticeRecipe(
        problems: 4, samples: 4, maxTokens: 6, length: 64, steps: 20, seed: 1, data: "x")
      recipe.penalty = 0.1
      recipe.recorded = 2
      let watch = PracticeWatch(
        every: 2, patience: 3, measure: { _, batch in Double(-batch.continuations[0][0].tokens.count) },
        keep: { model in
          try LoadedModel(model: model, tokenizer: tokenizer).save(to: scratch[name + "-best"])
        })
      _ = try practise(
        recipe, problems: Tiny.problems, start: { try Tiny.model() }, tokenizer: tokenizer,
        in: scratch[name],
        observer: StageObserver(shouldStop: {
          asked += 1
          return asked > limit
        }), watch: watch
      ) { batch, _ in
        Earnings(rewards: batch.continuations.map { $0.map { Double($0.tokens[0]) / 256 } })
      }
    }
    try run("whole")
    for limit in [3, 6] {
      #expect(throws: StageStopped.self) { try run("s\(limit)", stopAfter: limit) }
      try run("s\(limit)")
      let (a, b) = (try contents(scratch["s\(limit)"]), try contents(scratch["whole"]))
      #expect(a["log.jsonl"] == b["log.jsonl"] && a["rollouts.jsonl"] == b["rollouts.jsonl"])
      #expect(
        try contents(scratch["s\(limit)-best"])["model.safetensors"]
          == contents(scratch["whole-best"])["model.safetensors"])
    }
    let log = String(
      decoding: try Data(contentsOf: scratch["whole"].appendingPathComponent("log.jsonl")),
      as: UTF8.self)
    #expect(log.contains("\"kl\"") && log.contains("\"watched\""))
  }
}
