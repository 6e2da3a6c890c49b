import Environments
import Foundation
import Training

/// What E7 measured. Rewards and worths are in deviations of what the imitator writes, from its mean.
public struct TasteFinding: Codable, Sendable {
  public var recipe: TasteRecipe
  public var rewardModels: [RewardModelFinding]
  /// By name: see ``Taste``.
  public var arms: [String: TasteArm]
  public var bestOf: [BestOfPoint]
  public var rounds: [TasteRound]
}

/// A reward model before it is used.
public struct RewardModelFinding: Codable, Sendable, Equatable {
  /// Rankings that it learned from.
  public var rankings: Int
  /// Against the true order, and against people's, on rankings it never saw.
  public var truth: RewardAgreement
  public var people: RewardAgreement
  /// With the worth, over answers of the imitator.
  public var correlation: Double
}

/// What happened while one model practised.
public struct TasteArm: Codable, Sendable {
  public var points: [TastePoint]
  /// What the last policy writes that its reward likes best.
  public var gallery: [GalleryItem]
}

/// A few steps of practice. All answers were sampled by the policy of their own step, before it was
/// updated.
public struct TastePoint: Codable, Sendable, Equatable {
  /// Updates before the middle of the window.
  public var step: Double
  /// Answers in each half; the halves are the even and the odd samples.
  public var n: Int
  public var gold: [Double]
  public var goldDeviation: Double
  public var proxy: [Double]
  public var proxyDeviation: Double
  /// Nats an answer from the imitator.
  public var divergence: Double
  /// The share that is a joke by its form.
  public var formed: Double
  /// Content words said again, an answer.
  public var repeated: Double
  /// Comparisons with the imitator that people made, and those that the policy won.
  public var labels: Int
  public var wins: Int
}

public struct GalleryItem: Codable, Sendable, Equatable {
  public var prompt: String
  public var text: String
  public var proxy: Double
  public var gold: Double
}

public struct BestOfPoint: Codable, Sendable, Equatable {
  public var n: Int
  /// ln n − (n − 1) / n.
  public var divergence: Double
  public var proxy: Estimate
  public var gold: Estimate
}

/// A round of showing nonsense to people and training the reward model again.
public struct TasteRound: Codable, Sendable, Equatable {
  /// The arm that was run against the reward model of the round.
  public var arm: String
  /// How often the reward model put an honest joke before a piece of nonsense, before and after.
  public var before: RewardAgreement
  public var after: RewardAgreement
  /// True accuracy on honest jokes after it.
  public var honest: RewardAgreement
}

extension TasteArm {
  /// Reads the log of an arm, `window` steps a point.
  static func points(_ stage: URL, window: Int, perHalf: Int) throws -> [TastePoint] {
    let data = try Data(contentsOf: stage.appendingPathComponent("log.jsonl"))
    let lines = try data.split(separator: 0x0A).map {
      try JSONDecoder().decode([String: Double].self, from: Data($0))
    }
    return stride(from: 0, to: lines.count, by: window).map { start in
      let part = lines[start..<min(lines.count, start + window)]
      func average(_ key: String) -> Double {
        part.reduce(0) { $0 + ($1[key] ?? 0) } / Double(part.count)
      }
      return TastePoint(
        step: average("step"), n: perHalf * part.count,
        gold: [average("gold_even"), average("gold_odd")],
        goldDeviation: average("gold_deviation"),
        proxy: [average("proxy_even"), average("proxy_odd")],
        proxyDeviation: average("proxy_deviation"), divergence: average("kl"),
        formed: average("formed"), repeated: average("repeated"),
        labels: Int(part.reduce(0) { $0 + ($1["labels"] ?? 0) }),
        wins: Int(part.reduce(0) { $0 + ($1["wins"] ?? 0) }))
    }
  }
}
