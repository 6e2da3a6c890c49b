import Environments
import Foundation
import LanguageModel
import Training

/// Practice against one reward or another, while the hidden taste watches.
struct TasteArms {
  let recipe: TasteRecipe
  let folder: URL
  let observer: ExperimentObserver
  let data: TasteData
  let imitator: Transformer
  let scale: TasteScale
  /// What the imitator's jokes are worth, by animal: what people compare others with.
  let usual: [[Double]]

  enum Reward {
    /// The least of the models' scores.
    case models([RewardModel])
    case taste
  }

  /// Practises, and reads what happened out of the log.
  func run(_ name: String, _ reward: Reward, penalty: Double? = nil, steps: Int? = nil) throws -> (
    policy: Transformer, arm: TasteArm
  ) {
    let steps = steps ?? recipe.steps
    let place = folder.appendingPathComponent(name)
    var stage = PracticeRecipe(
      problems: Jokes.animals.count, samples: recipe.samples, maxTokens: recipe.maxTokens,
      length: 4 * recipe.maxTokens, steps: steps, optimizer: recipe.practiceOptimizer,
      schedule: recipe.practiceSchedule, seed: recipe.seed ^ stableHash(name),
      data: data.tokenizer.fingerprint)
    stage.penalty = penalty
    stage.recorded = 16
    let problems = data.problems
    let policy = try observer.watch(name, steps) {
      try practise(
        stage, problems: { _ in problems }, start: { try imitator.copy() },
        tokenizer: data.tokenizer, in: place, observer: $0
      ) { try earnings($0, reward, step: $1.step, name) }
    }
    let points = try TasteArm.points(
      place, window: recipe.window, perHalf: Jokes.animals.count * recipe.samples / 2)
    let gallery = try observer.once(
      "\(name) gallery", steps: 1, at: place.appendingPathComponent("gallery.json")
    ) { _ in try self.gallery(policy, reward, name) }
    return (policy, TasteArm(points: points, gallery: gallery))
  }

  private func earnings(_ batch: RolloutBatch, _ reward: Reward, step: Int, _ name: String) throws
    -> Earnings
  {
    let parts = data.parts(batch)
    let worths = parts.map { $0.map(\.total) }
    let gold = worths.map { $0.map { scale($0) } }
    let rewards =
      switch reward {
      case .taste: gold
      case .models(let models): batch.grouped(try least(models, batch.answers))
      }
    var values: [String: Double] = [:]
    for (key, found) in [("gold", gold), ("proxy", rewards)] {
      let all = found.flatMap { $0 }
      let centre = mean(all)
      let variance = all.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(all.count)
      values["\(key)_even"] = mean(found.flatMap { every(second: $0, from: 0) })
      values["\(key)_odd"] = mean(found.flatMap { every(second: $0, from: 1) })
      values["\(key)_deviation"] = variance.squareRoot()
    }
    let all = parts.flatMap { $0 }
    values["formed"] = Double(all.count { $0.form > 0 }) / Double(max(1, all.count))
    values["repeated"] = mean(all.map { -$0.repetition / HiddenTaste.boredom })
    if step % recipe.window == 0 {
      values["labels"] = Double(recipe.labels)
      values["wins"] = Double(wins(worths, step: step, name))
    }
    return Earnings(rewards: rewards, values: values)
  }

  private func least(_ models: [RewardModel], _ answers: [AnswerTokens]) throws -> [Double] {
    let scores = try models.map { try $0.score(answers) }
    return answers.indices.map { i in scores.map { $0[i] }.min() ?? 0 }
  }

  private func every(second values: [Double], from start: Int) -> [Double] {
    stride(from: start, to: values.count, by: 2).map { values[$0] }
  }

  /// How often people like an answer of the policy better than one of the imitator to the same
  /// prompt, in ``TasteRecipe/labels`` fresh comparisons.
  private func wins(_ worths: [[Double]], step: Int, _ name: String) -> Int {
    var random = SplitMix64(seed: recipe.seed, stream: "labels \(name)", index: step)
    return (0..<recipe.labels).count { _ in
      let animal = random.below(worths.count)
      return recipe.raters.prefers(
        random.pick(worths[animal]), to: random.pick(usual[animal]), &random)
    }
  }

  /// The jokes of the last policy that its reward likes best, and a few as they come.
  private func gallery(_ policy: Transformer, _ reward: Reward, _ name: String) throws
    -> [GalleryItem]
  {
    let answers = try data.sample(policy, samples: 8, stream: "gallery \(name)").flatMap { $0 }
    let proxies =
      switch reward {
      case .taste: answers.map { scale($0.worth) }
      case .models(let models): try least(models, answers.map(\.answer))
      }
    let best = answers.indices.sorted { (proxies[$1], $0) < (proxies[$0], $1) }
    var seen: Set<String> = []
    let chosen = best.filter { seen.insert(answers[$0].text).inserted }.prefix(6)
    return chosen.map { i in
      GalleryItem(
        prompt: Jokes.prompt(Jokes.animals[answers[i].animal]), text: answers[i].text,
        proxy: proxies[i], gold: scale(answers[i].worth))
    }
  }
}
