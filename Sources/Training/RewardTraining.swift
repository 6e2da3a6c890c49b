import Environments
import Foundation
import LanguageModel
import TensorCore

/// Answers to one prompt as people ordered them.
public struct RankedAnswers: Sendable, Equatable {
  public var prompt: [Int32]
  public var answers: [[Int32]]
  /// The place of each answer, 0 for the best; equal places are ties.
  public var places: [Int]

  public init(prompt: [Int32], answers: [[Int32]], places: [Int]) {
    precondition(answers.count == places.count, "\(answers.count) answers, \(places.count) places")
    (self.prompt, self.answers, self.places) = (prompt, answers, places)
  }

  /// The answers, each with the prompt.
  public var items: [AnswerTokens] { answers.map { AnswerTokens(prompt: prompt, answer: $0) } }

  /// All comparisons of the order, together of weight 1. A tie counts half each way: it draws the two
  /// scores together.
  func pairs(from first: Int) -> [ScorePair] {
    var pairs: [ScorePair] = []
    for i in places.indices {
      for j in places.indices.dropFirst(i + 1) {
        if places[i] == places[j] {
          pairs.append(ScorePair(better: first + i, worse: first + j, weight: 0.5))
          pairs.append(ScorePair(better: first + j, worse: first + i, weight: 0.5))
        } else {
          let (better, worse) = places[i] < places[j] ? (i, j) : (j, i)
          pairs.append(ScorePair(better: first + better, worse: first + worse))
        }
      }
    }
    let count = Float(max(1, places.count * (places.count - 1) / 2))
    return pairs.map { ScorePair(better: $0.better, worse: $0.worse, weight: $0.weight / count) }
  }
}

/// Everything that the training of a reward model depends on, but the orders.
public struct RewardRecipe: Codable, Sendable, Equatable {
  public var stage = "reward"
  /// Rankings in a step.
  public var rankings: Int
  public var steps: Int
  public var optimizer: OptimizerSettings
  public var schedule: Schedule
  public var seed: UInt64
  /// What the start and the rankings are, so that a run is not continued from others.
  public var data: String

  public init(
    rankings: Int, steps: Int, optimizer: OptimizerSettings = .reward,
    schedule: Schedule = Schedule(warmup: 10), seed: UInt64, data: String
  ) {
    (self.rankings, self.steps, self.optimizer) = (rankings, steps, optimizer)
    (self.schedule, self.seed, self.data) = (schedule, seed, data)
  }
}

extension OptimizerSettings {
  /// AdamW alone: the trunk is to be moved, not rebuilt.
  public static let reward = OptimizerSettings(rate: 1e-3)
}

/// Teaches a reward model to order answers as people did: −log σ(better − worse) over all pairs of
/// each ranking.
///
/// - Throws: ``TrainingError`` where no ranking prefers one answer to another.
public func learnReward(
  _ recipe: RewardRecipe, rankings: [RankedAnswers], start: () throws -> RewardModel,
  in folder: URL, observer: StageObserver
) throws -> RewardModel {
  guard rankings.contains(where: { Set($0.places).count > 1 }) else {
    throw TrainingError("no ranking prefers one answer to another: there is nothing to learn")
  }
  let begun = try start()
  let stage = try Stage(
    folder, recipe: recipe, steps: recipe.steps, optimizer: recipe.optimizer, extra: [begun.head],
    observer: observer, begin: { begun.trunk })
  let model = RewardModel(begun, trunk: stage.model)
  try stage.run(observer: observer) { step, factor in
    let chosen = rows(step, recipe, of: rankings.count).map { rankings[$0] }
    var pairs: [ScorePair] = []
    var items: [AnswerTokens] = []
    for ranking in chosen {
      pairs += ranking.pairs(from: items.count)
      items += ranking.items
    }
    let batch = try AnswerBatch(items, context: model.trunk.config.context)
    let scores = model.scores(batch)
    let loss = scores.pairLogistic(pairs, normaliser: Float(chosen.count))
    let decided = pairs.filter { scores.values[$0.better] != scores.values[$0.worse] }
    let right = decided.count { scores.values[$0.better] > scores.values[$0.worse] }
    var report = StepReport(
      loss: Double(loss.item), gradientNorm: 0, tokens: batch.segments.count { $0 >= 0 })
    loss.backward()
    let scale = recipe.schedule.scale(step: step, of: recipe.steps) * factor
    stage.optimizer.update(&report, scale: Float(scale))
    let accuracy = Double(right) / Double(max(1, decided.count))
    return Stage.StepResult(
      report: report, values: ["rate_scale": scale, "accuracy": accuracy],
      note: String(format: "loss %.3f, %.0f %% of pairs", report.loss, 100 * accuracy))
  }
  return model
}

/// The rankings of a step: one shuffled round after another.
private func rows(_ step: Int, _ recipe: RewardRecipe, of count: Int) -> [Int] {
  var rounds: [Int: [Int]] = [:]
  return (step * recipe.rankings..<(step + 1) * recipe.rankings).map { position in
    let round = position / count
    let order =
      rounds[round]
      ?? {
        var random = SplitMix64(seed: recipe.seed, stream: "rankings", index: round)
        var order = Array(0..<count)
        random.shuffle(&order)
        return order
      }()
    rounds[round] = order
    return order[position % count]
  }
}

extension RewardModel {
  /// A second model with a copy of the values.
  public func copy() throws -> RewardModel {
    let values = head.tensor.array
    let width = trunk.config.width
    let copy = try RewardModel(
      trunk.copy(), pooling: pooling,
      head: NamedSource { NamedTensor(name: $0, shape: [1, width], values: values) })
    (copy.centre, copy.spread) = (centre, spread)
    return copy
  }
}

/// How often a reward model orders two answers as a key does, and how sure it is.
public struct RewardAgreement: Codable, Sendable, Equatable {
  /// Pairs that the key orders, and those of them that the model orders alike; an undecided one is
  /// not.
  public var pairs: Int
  public var right: Int
  /// For pairs by the model's probability of its own order, from ½ to 1 in five bins: how many there
  /// are, the mean probability and the share that is right.
  public var bins: [Bin]

  public struct Bin: Codable, Sendable, Equatable {
    public var pairs = 0
    public var probability = 0.0
    public var right = 0.0
  }
}

extension RewardModel {
  /// Compares its order of the answers of each ranking with the places.
  public func agreement(_ rankings: [RankedAnswers]) throws -> RewardAgreement {
    let scores = try score(rankings.flatMap(\.items)).map { $0 * spread }
    var out = RewardAgreement(
      pairs: 0, right: 0, bins: Array(repeating: RewardAgreement.Bin(), count: 5))
    var first = 0
    for ranking in rankings {
      for pair in ranking.pairs(from: first) {
        guard ranking.places[pair.better - first] != ranking.places[pair.worse - first] else {
          continue
        }
        let margin = scores[pair.better] - scores[pair.worse]
        let probability = 1 / (1 + exp(-abs(margin)))
        let bin = min(4, Int((probability - 0.5) * 10))
        out.pairs += 1
        out.bins[bin].pairs += 1
        out.bins[bin].probability += probability
        if margin > 0 {
          out.right += 1
          out.bins[bin].right += 1
        }
      }
      first += ranking.answers.count
    }
    for i in out.bins.indices where out.bins[i].pairs > 0 {
      out.bins[i].probability /= Double(out.bins[i].pairs)
      out.bins[i].right /= Double(out.bins[i].pairs)
    }
    return out
  }
}
