import Foundation
import LanguageModel
import ModelFiles
import TensorCore
import Tokenization

// A folder that other tools open too: config.json, model.safetensors, tokenizer.json and
// tokenizer_config.json with the chat template.

/// A model with what is needed to talk to it.
public struct LoadedModel {
  public let model: Transformer
  public let tokenizer: Tokenizer
  public let template: ChatTemplate

  public init(model: Transformer, tokenizer: Tokenizer) throws {
    (self.model, self.tokenizer) = (model, tokenizer)
    template = try ChatTemplate(tokenizer: tokenizer)
  }

  /// Writes the folder, each file aside first.
  public func save(to folder: URL) throws { try save(to: folder, tensors: model.namedTensors()) }

  /// As ``save(to:)``, with other weights.
  func save(to folder: URL, tensors: [NamedTensor]) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try writeAtomically(
      try encoder.encode(model.config), to: folder.appendingPathComponent("config.json"))
    try writeAtomically(
      try tokenizer.tokenizerJSON(), to: folder.appendingPathComponent("tokenizer.json"))
    try writeAtomically(
      try encoder.encode(TokenizerConfig(template: template)),
      to: folder.appendingPathComponent("tokenizer_config.json"))
    let aside = folder.appendingPathComponent("model.safetensors.tmp")
    try write(tensors, to: aside)
    try moveIntoPlace(aside, folder.appendingPathComponent("model.safetensors"))
  }

  /// Reads a model folder, or the folder of a run that keeps its model in `model`. Throws a sentence
  /// where something is missing or does not fit.
  public static func load(_ place: URL) throws -> LoadedModel {
    let (config, tokenizer, file) = try open(try modelFolder(place))
    return try LoadedModel(
      model: Transformer(config, source: file.parameters()), tokenizer: tokenizer)
  }

  /// The files of a model folder, which fit together.
  static func open(_ folder: URL) throws -> (DecoderConfig, Tokenizer, SafetensorsFile) {
    let config = try decodeConfig(folder)
    let tokenizer = try Tokenizer(tokenizerJSON: read(folder, "tokenizer.json"))
    guard tokenizer.vocabularySize <= config.vocabularySize else {
      throw TrainingError(
        "\(folder.path): the tokenizer has \(tokenizer.vocabularySize) tokens, the model only "
          + "\(config.vocabularySize)")
    }
    return (config, tokenizer, try SafetensorsFile(folder.appendingPathComponent("model.safetensors")))
  }

  private static func modelFolder(_ place: URL) throws -> URL {
    let files = FileManager.default
    for folder in [place, place.appendingPathComponent("model")]
    where files.fileExists(atPath: folder.appendingPathComponent("config.json").path) {
      return folder
    }
    guard files.fileExists(atPath: place.path) else {
      throw TrainingError("\(place.path) does not exist: `lyceum tour` makes a model in runs/tour")
    }
    let isRun = files.fileExists(atPath: place.appendingPathComponent("recipe.json").path)
    throw TrainingError(
      "\(place.path) holds no model"
        + (isRun ? " yet: run the command that began it again, until it ends" : " (config.json)"))
  }

  private static func decodeConfig(_ folder: URL) throws -> DecoderConfig {
    let data = try read(folder, "config.json")
    do {
      return try JSONDecoder().decode(DecoderConfig.self, from: data)
    } catch let error as DecoderError {
      throw error
    } catch {
      throw TrainingError("\(folder.path)/config.json does not describe a model: \(error)")
    }
  }

  private static func read(_ folder: URL, _ name: String) throws -> Data {
    do {
      return try Data(contentsOf: folder.appendingPathComponent(name))
    } catch {
      throw TrainingError(
        "\(folder.path) is not a model folder: it has no readable \(name) (a trained run keeps its "
          + "model in the folder \"model\")")
    }
  }
}

/// What transformers needs to know beside tokenizer.json.
private struct TokenizerConfig: Encodable {
  let tokenizer_class = "PreTrainedTokenizerFast"
  let bos_token = "<|bos|>"
  let eos_token = "<|end|>"
  let clean_up_tokenization_spaces = false
  let chat_template: String

  init(template: ChatTemplate) { chat_template = template.jinja }
}

/// Writes a model's parameters under the names of Hugging Face's checkpoints, and others under their
/// own.
func writeParameters(of model: Transformer, and others: [Parameter] = [], to url: URL) throws {
  try write(
    model.namedTensors()
      + others.map {
        NamedTensor(name: $0.name, shape: $0.tensor.shape, values: $0.tensor.array)
      }, to: url)
}

func write(_ tensors: [NamedTensor], to url: URL) throws {
  let buffers = tensors.map { Buffer($0.values) }
  // Without this, Swift may give the memory back after the last use of `buffers`, before it is read.
  try withExtendedLifetime(buffers) {
    try writeSafetensors(
      zip(tensors, buffers).map { ($0.name, $0.shape, $1.reading) }, metadata: ["format": "pt"],
      to: url)
  }
}

extension SafetensorsFile {
  /// The tensors of the file as the parameters of a model.
  public func parameters() -> NamedSource {
    NamedSource { name in
      guard let shape = self.shape(name) else { return nil }
      return NamedTensor(name: name, shape: shape, values: try self.floats(name))
    }
  }
}

extension Transformer {
  /// A short text that differs between models with other parameters.
  public var fingerprint: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for parameter in parameters {
      for value in parameter.tensor.values {
        hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01B3
      }
    }
    return String(hash, radix: 16)
  }
}
