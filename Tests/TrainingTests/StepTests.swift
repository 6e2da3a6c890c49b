import Corpus
import Environments
import Foundation
import Generation
import LanguageModel
import TensorCore
import TestSupport
import Testing
import Tokenization

@testable import Training

private func gradients(_ model: Transformer) -> [Float] {
  model.parameters.flatMap { $0.tensor.gradient.map { Array($0.values) } ?? [] }
}

private func values(_ model: Transformer) -> [Float] {
  model.parameters.flatMap { $0.tensor.array }
}

@Suite(.serialized) struct StepTests {
  private func batch(_ sequences: [TokenSequence]) -> TokenBatch {
    Packing(sequences, length: 32).batches(of: 1_000)[0]
  }

  @Test("a model learns: forty steps on one batch lower its loss by half")
  func learns() throws {
    let model = try Tiny.model()
    let optimizer = Optimizer(model.parameters, .pretraining)
    let batch = batch(try Tiny.documents(20))
    let losses = (0..<40).map { _ in
      trainStep(model, optimizer, batches: [batch], normaliser: batch.weightSum, scale: 1).loss
    }
    #expect(abs(losses[0] - log(272)) < 0.02 * log(272))
    #expect(losses[39] < losses[0] / 2)
  }

  @Test("a batch in parts makes the update of the batch in one piece")
  func accumulation() throws {
    let sequences = try Tiny.documents(24)
    let whole = Packing(sequences, length: 32).batches(of: 1_000)[0]
    let updated = try [1, 2, 4].map { parts in
      let model = try Tiny.model()
      let optimizer = Optimizer(model.parameters, OptimizerSettings(rate: 1e-2))
      let report = trainStep(
        model, optimizer, batches: whole.cut(into: parts), normaliser: whole.weightSum, scale: 1)
      return (report, values(model))
    }
    for (report, parameters) in updated.dropFirst() {
      #expect(abs(report.loss - updated[0].0.loss) < 1e-6 * updated[0].0.loss)
      #expect(abs(report.gradientNorm - updated[0].0.gradientNorm) < 1e-5 * report.gradientNorm)
      #expect(relativeError(parameters, updated[0].1.map(Double.init)) < 1e-4)
    }
  }

  @Test("a prompt has no weight: what the user said is not learned")
  func mask() throws {
    let template = try Tiny.template()
    let sequence = exampleSequence(
      [Message(role: .user, content: "12 + 3"), Message(role: .assistant, content: "15")], template)
    let assistant = template.prompt([Message(role: .user, content: "12 + 3")])
    #expect(sequence.weights.prefix(assistant.count).allSatisfy { $0 == 0 })
    #expect(sequence.weights.dropFirst(assistant.count).allSatisfy { $0 == 1 })
    #expect(sequence.tokens.last == template.end)

    // With no weight at all there is no gradient.
    let model = try Tiny.model()
    let silent = TokenSequence(
      tokens: sequence.tokens, weights: Array(repeating: 0, count: sequence.tokens.count))
    let batch = batch([silent])
    let layout = SequenceLayout(rows: 1, length: 32, segments: batch.segments)
    model.hidden(batch.tokens, layout).crossEntropy(
      head: model.head, targets: batch.targets, weights: batch.weights, normaliser: 1
    ).loss.backward()
    #expect(gradients(model).allSatisfy { $0 == 0 })
  }

  @Test("a loss that is not finite is caught in its step: nothing is updated")
  func notFinite() throws {
    let model = try Tiny.model()
    let optimizer = Optimizer(model.parameters, .pretraining)
    let before = values(model)
    var bad = batch(try Tiny.documents(4))
    bad.weights[0] = .infinity
    let report = trainStep(model, optimizer, batches: [bad], normaliser: 1, scale: 1)
    #expect(report.problem != nil)
    #expect(sameBits(values(model), before) && optimizer.steps == 0)
    let good = batch(try Tiny.documents(4))
    let next = trainStep(model, optimizer, batches: [good], normaliser: good.weightSum, scale: 1)
    #expect(next.problem == nil && next.loss.isFinite)
  }

  @Test("three updates in a row that are not finite go back to a checkpoint, with half the rates")
  func rollBack() throws {
    let scratch = try Scratch()
    var warnings: [String] = []
    let observer = StageObserver(onWarning: { warnings.append($0) })
    let stage = try Stage(
      scratch["run"], recipe: ["a": 1], steps: 8, optimizer: .pretraining, observer: observer,
      begin: { try Tiny.model() })
    var factors: [Double] = []
    try stage.run(observer: observer) { step, factor in
      var batch = Packing(try Tiny.documents(4), length: 32).batches(of: 9)[0]
      if factor == 1, step >= 3 { batch.weights[0] = .nan }
      factors.append(factor)
      return Stage.StepResult(
        report: trainStep(
          stage.model, stage.optimizer, batches: [batch], normaliser: 10, scale: Float(factor)))
    }
    #expect(warnings.count { $0.contains("skipped") } == 4)
    #expect(warnings.contains { $0.contains("half the rates") })
    #expect(factors.last == 0.5 && stage.isFinished)
    #expect(!values(stage.model).contains { !$0.isFinite })
  }

  @Test("a stop between skipped updates keeps the checkpoint from before them")
  func stopWhileSkipping() throws {
    let scratch = try Scratch()
    func go(_ name: String, stopAt: Int?) throws -> ([Float], [String]) {
      var taken = 0
      var warnings: [String] = []
      let observer = StageObserver(
        shouldStop: { taken == stopAt }, onWarning: { warnings.append($0) })
      let stage = try Stage(
        scratch[name], recipe: ["a": 1], steps: 8, optimizer: .pretraining, observer: observer,
        begin: { try Tiny.model() })
      try stage.run(observer: observer, secondsBetweenSaves: 1e9) { step, factor in
        var batch = Packing(try Tiny.documents(4), length: 32).batches(of: 9)[0]
        if factor == 1, step >= 3 { batch.weights[0] = .nan }
        taken += 1
        return Stage.StepResult(
          report: trainStep(
            stage.model, stage.optimizer, batches: [batch], normaliser: 10, scale: Float(factor)))
      }
      return (values(stage.model), warnings)
    }
    let whole = try go("whole", stopAt: nil)
    #expect(throws: StageStopped.self) { try go("stopped", stopAt: 5) }
    let rest = try go("stopped", stopAt: nil)
    #expect(sameBits(rest.0, whole.0))
    #expect(rest.1 == whole.1)
  }

  @Test("a practice that was stopped gives up at the same step, and a short one warns")
  func patience() throws {
    struct Hopeless: Verifier { func reward(problem: Problem, response: String) -> Double { 0 } }
    let scratch = try Scratch()
    let tokenizer = try #require(Tiny.tokenizer)
    func go(steps: Int, stopAfter: Int, in name: String) throws -> (Int, [String]) {
      var (asked, last) = (0, 0)
      var warnings: [String] = []
      let observer = StageObserver(
        onProgress: { last = $0.step },
        shouldStop: {
          asked += 1
          return asked > stopAfter
        }, onWarning: { warnings.append($0) })
      let recipe = PracticeRecipe(
        problems: 4, samples: 2, maxTokens: 2, length: 64, steps: steps, seed: 1, data: "x")
      let outcome = Result {
        try practise(
          recipe, problems: Tiny.problems, verifier: Hopeless(), start: { try Tiny.model() },
          tokenizer: tokenizer, in: scratch[name], observer: observer)
      }
      if case .failure(let error) = outcome { warnings.append("\(error)") }
      return (last, warnings)
    }
    #expect(try go(steps: 40, stopAfter: 15, in: "long").0 == 15)
    let given = try go(steps: 40, stopAfter: .max, in: "long")
    #expect(given.0 == 19 && given.1.contains { $0.contains("no answer to any of 80 problems") })
    let short = try go(steps: 3, stopAfter: .max, in: "short")
    #expect(short.0 == 3 && short.1.contains { $0.contains("nothing was learned") })
  }

  @Test(
    "examples without an assistant turn, and problems that nothing solves, are said in a sentence")
  func nothingToLearn() throws {
    let scratch = try Scratch()
    let template = try Tiny.template()
    let silent = [exampleSequence([Message(role: .user, content: "1")], template)]
    let error = #expect(throws: TrainingError.self) {
      try imitate(
        ImitationRecipe(
          length: 64, rows: 1, steps: 2, schedule: Schedule(warmup: 0), seed: 1, data: "x"),
        examples: silent, start: { try Tiny.model() }, in: scratch["sft"], observer: StageObserver()
      )
    }
    #expect(error?.description.contains("no assistant turn") == true)

    struct Never: Verifier { func reward(problem: Problem, response: String) -> Double { 0 } }
    let tokenizer = try #require(Tiny.tokenizer)
    let hopeless = #expect(throws: TrainingError.self) {
      try practise(
        PracticeRecipe(
          problems: 4, samples: 2, maxTokens: 4, length: 64, steps: 40, seed: 1, data: "x"),
        problems: Tiny.problems, verifier: Never(), start: { try Tiny.model() },
        tokenizer: tokenizer, in: scratch["rl"], observer: StageObserver())
    }
    #expect(hopeless?.description.contains("no answer to any of") == true)
  }

  @Test("a reward that never differs is said once, also where the run was stopped in between")
  func neverDiffers() throws {
    let scratch = try Scratch()
    let tokenizer = try #require(Tiny.tokenizer)
    var warnings: [String] = []
    for last in [12, Int.max] {
      var asked = 0
      let observer = StageObserver(
        shouldStop: {
          asked += 1
          return asked > last
        }, onWarning: { warnings.append($0) })
      let outcome = Result {
        try practise(
          PracticeRecipe(
            problems: 2, samples: 2, maxTokens: 2, length: 64, steps: 24, seed: 1, data: "x"),
          problems: { Array(Tiny.problems($0).prefix(2)) }, start: { try Tiny.model() },
          tokenizer: tokenizer, in: scratch["rl"], observer: observer
        ) { batch, _ in Earnings(rewards: batch.continuations.map { $0.map { _ in 0.5 } }) }
      }
      #expect((try? outcome.get()) == nil ? last == 12 : last == .max)
    }
    #expect(warnings.count { $0.contains("same reward for 20 steps") } == 1)
  }

  @Test("advantages sum to nothing, and a group without variance has none")
  func advantages() throws {
    let found = try #require(groupAdvantages([1, 0, 0, 1, 1]))
    #expect(abs(found.reduce(0, +)) < 1e-12 && found[0] == 0.4 && found[1] == -0.6)
    #expect(groupAdvantages([1, 1, 1]) == nil && groupAdvantages([]) == nil)
  }

  @Test("practice pays: the reward of what chance finds rises")
  func practiceLearns() throws {
    let scratch = try Scratch()
    let tokenizer = try #require(Tiny.tokenizer)
    let imitator = try imitate(
      ImitationRecipe(
        length: 64, rows: 8, steps: 150, schedule: Schedule(warmup: 3), seed: 1, data: "x"),
      examples: try Tiny.conversations(), start: { try Tiny.model() }, in: scratch["sft"],
      observer: StageObserver())
    struct HasThree: Verifier {
      func reward(problem: Problem, response: String) -> Double { response.contains("3") ? 1 : 0 }
    }
    _ = try practise(
      PracticeRecipe(
        problems: 4, samples: 8, maxTokens: 6, length: 64, steps: 30,
        optimizer: .practice.with(rate: 1e-2), seed: 2, data: "x"), problems: Tiny.problems,
      verifier: HasThree(), start: { try imitator.copy() }, tokenizer: tokenizer,
      in: scratch["rl"], observer: StageObserver())
    let log = try String(contentsOf: scratch["rl/log.jsonl"], encoding: .utf8)
    let rewards = try log.split(separator: "\n").map { line in
      try #require(JSONDecoder().decode([String: Double].self, from: Data(line.utf8))["reward"])
    }
    let (early, late) = (rewards.prefix(5).reduce(0, +), rewards.suffix(5).reduce(0, +))
    #expect(late > early + 1)
    let rollouts = try String(contentsOf: scratch["rl/rollouts.jsonl"], encoding: .utf8)
    #expect(rollouts.split(separator: "\n").count == 30 * 4 * 8)
  }

  @Test("a steady training step takes no memory from the system")
  func steady() throws {
    let model = try Tiny.model()
    let optimizer = Optimizer(model.parameters, .pretraining)
    let batch = batch(try Tiny.documents(24))
    func step() {
      _ = trainStep(model, optimizer, batches: [batch], normaliser: batch.weightSum, scale: 1)
    }
    for _ in 0..<3 { step() }
    // Tests beside this one share the pool: a window in which none of them takes anything must show.
    let quiet = (0..<200).contains { _ in
      let before = Buffer.freshAllocations
      for _ in 0..<3 { step() }
      return Buffer.freshAllocations == before
    }
    #expect(quiet)
  }

  @Test("a saved folder loads as the same model, and damage is said in a sentence")
  func folder() throws {
    let scratch = try Scratch()
    let tokenizer = try #require(Tiny.tokenizer)
    let saved = try LoadedModel(model: try Tiny.model(seed: 3), tokenizer: tokenizer)
    try saved.save(to: scratch["run/model"])
    let loaded = try LoadedModel.load(scratch["run"])
    #expect(sameBits(values(loaded.model), values(saved.model)))
    #expect(loaded.tokenizer.fingerprint == tokenizer.fingerprint)
    #expect(throws: (any Error).self) { try LoadedModel.load(scratch["nothing"]) }
    try Data("{}".utf8).write(to: scratch["run/model/config.json"])
    #expect(throws: TrainingError.self) { try LoadedModel.load(scratch["run"]) }
  }
}
