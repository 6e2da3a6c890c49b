import Foundation
import LanguageModel
import ModelFiles
import TensorCore
import Tokenization

/// A reward model with what is needed to read answers: a model folder whose weights hold
/// `score.weight` in place of the head over tokens, and `reward.json` with the unit of the scores.
public struct LoadedRewardModel {
  public let model: RewardModel
  public let tokenizer: Tokenizer
  public let template: ChatTemplate

  private struct Scale: Codable {
    var centre: Double
    var spread: Double
    var pooling: RewardPooling
  }

  public init(model: RewardModel, tokenizer: Tokenizer) throws {
    (self.model, self.tokenizer) = (model, tokenizer)
    template = try ChatTemplate(tokenizer: tokenizer)
  }

  /// Writes the folder; `reward.json` comes last, so that a folder that has it is whole.
  public func save(to folder: URL) throws {
    let names = [RewardModel.headName, "lm_head.weight"]
    let head = NamedTensor(
      name: RewardModel.headName, shape: [1, model.trunk.config.width],
      values: model.head.tensor.array)
    try LoadedModel(model: model.trunk, tokenizer: tokenizer).save(
      to: folder,
      tensors: model.trunk.namedTensors().filter { !names.contains($0.name) } + [head])
    try writeAtomically(
      try JSONEncoder().encode(Scale(centre: model.centre, spread: model.spread, pooling: model.pooling)),
      to: folder.appendingPathComponent("reward.json"))
  }

  /// Reads the folder, or that of a run that keeps its model in `model`. Throws a sentence where
  /// something is missing or does not fit.
  public static func load(_ place: URL) throws -> LoadedRewardModel {
    let files = FileManager.default
    let folder =
      [place, place.appendingPathComponent("model")].first {
        files.fileExists(atPath: $0.appendingPathComponent("reward.json").path)
      }
    guard let folder else {
      throw TrainingError(
        files.fileExists(atPath: place.path)
          ? "\(place.path) holds no reward model (reward.json): `lyceum reward` makes one"
          : "\(place.path) does not exist: `lyceum reward` makes a reward model")
    }
    guard let data = try? Data(contentsOf: folder.appendingPathComponent("reward.json")),
      let scale = try? JSONDecoder().decode(Scale.self, from: data), scale.spread > 0,
      scale.spread.isFinite, scale.centre.isFinite
    else { throw TrainingError("\(folder.path)/reward.json is torn: train the reward model again") }
    let (config, tokenizer, file) = try LoadedModel.open(folder)
    let source = file.parameters()
    let rows = config.vocabularySize
    let trunk = try Transformer(
      config,
      source: NamedSource { name in
        // Nothing reads the head over tokens.
        name == "lm_head.weight"
          ? NamedTensor(
            name: name, shape: [rows, config.width],
            values: Array(repeating: 0, count: rows * config.width)) : try source.tensor(name)
      })
    let model = try RewardModel(trunk, pooling: scale.pooling, head: source)
    (model.centre, model.spread) = (scale.centre, scale.spread)
    return try LoadedRewardModel(model: model, tokenizer: tokenizer)
  }
}
