import Foundation
import LanguageModel
import ModelFiles
import TemplateLanguage
import TensorCore
import Tokenization

// A folder that other tools open too: config.json, model.safetensors, tokenizer.json and
// tokenizer_config.json with the chat template.

/// A model with what is needed to talk to it.
public struct LoadedModel {
  public let model: Transformer
  public let format: ChatFormat

  public var tokenizer: Tokenizer { format.tokenizer }

  /// A model that was made here.
  public init(model: Transformer, tokenizer: Tokenizer) throws {
    self.init(model: model, format: ChatFormat(try ChatTemplate(tokenizer: tokenizer)))
  }

  public init(model: Transformer, format: ChatFormat) {
    (self.model, self.format) = (model, format)
  }

  /// The format of conversations, for what only models that were made here can do.
  public var template: ChatTemplate {
    get throws {
      guard let own = format.own else {
        throw TrainingError(
          "this needs a model that was made here, for its special tokens: `lyceum tour` makes one in "
            + "runs/tour")
      }
      return own
    }
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
      try encoder.encode(TokenizerConfig(format)),
      to: folder.appendingPathComponent("tokenizer_config.json"))
    let aside = folder.appendingPathComponent("model.safetensors.tmp")
    try write(tensors, to: aside)
    try moveIntoPlace(aside, folder.appendingPathComponent("model.safetensors"))
  }

  /// Reads a GGUF file, a model folder, or the folder of a run that keeps its model in `model`. Throws
  /// a sentence where something is missing or does not fit.
  public static func load(_ place: URL) throws -> LoadedModel {
    if GGUFFile.isOne(place) { return try load(GGUFFile(place)) }
    let folder = try modelFolder(place)
    let format = try readFormat(folder)
    let model = try loadModel(folder)
    try check(format.tokenizer, model.config, folder)
    return LoadedModel(model: model, format: format)
  }

  private static func load(_ file: GGUFFile) throws -> LoadedModel {
    let format = try format(file)
    let model = try Transformer(file)
    try check(format.tokenizer, model.config, file.url)
    return LoadedModel(model: model, format: format)
  }

  private static func format(_ file: GGUFFile) throws -> ChatFormat {
    do {
      let tokenizer = try Tokenizer(metadata: TokenizerMetadata(file))
      return ChatFormat(
        template: try file.string("tokenizer.chat_template"), tokenizer: tokenizer, clock: .now)
    } catch let error as TokenizerError {
      throw ModelFileError("\(file.url.path): \(error)")
    }
  }

  /// What a place that ``load(_:)`` takes says of its model, without reading the parameters.
  public static func describe(_ place: URL) throws -> (config: DecoderConfig, format: ChatFormat) {
    guard GGUFFile.isOne(place) else {
      let folder = try modelFolder(place)
      return (try decodeConfig(folder), try readFormat(folder))
    }
    let file = try GGUFFile(place)
    do {
      return (try DecoderConfig(metadata: file), try format(file))
    } catch let error as DecoderError {
      throw ModelFileError("\(place.path): \(error)")
    }
  }

  private static func check(_ tokenizer: Tokenizer, _ config: DecoderConfig, _ place: URL) throws {
    guard tokenizer.vocabularySize <= config.vocabularySize else {
      throw TrainingError(
        "\(place.path): the tokenizer has \(tokenizer.vocabularySize) tokens, the model only "
          + "\(config.vocabularySize)")
    }
  }

  /// The model of a folder alone.
  static func loadModel(_ place: URL) throws -> Transformer {
    let folder = try modelFolder(place)
    let config = try decodeConfig(folder)
    let weights = try ShardedWeights(folder: folder)
    guard config.parameterCount <= weights.byteCount else {
      throw ModelFileError(
        "\(folder.path): config.json asks for \(config.parameterCount) parameters, more than its files "
          + "of \(weights.byteCount) bytes can hold")
    }
    try checkMemory(config, file: folder, bytes: weights.byteCount)
    return try Transformer(config, source: weights.parameters())
  }

  /// The files of a folder that was written here, which fit together.
  static func open(_ folder: URL) throws -> (DecoderConfig, Tokenizer, SafetensorsFile) {
    let config = try decodeConfig(folder)
    let tokenizer = try Tokenizer(tokenizerJSON: read(folder, "tokenizer.json"))
    try check(tokenizer, config, folder)
    return (
      config, tokenizer, try SafetensorsFile(folder.appendingPathComponent("model.safetensors"))
    )
  }

  /// The tokenizer of a folder and how it writes conversations.
  private static func readFormat(_ folder: URL) throws -> ChatFormat {
    var tokenizer = try Tokenizer(tokenizerJSON: read(folder, "tokenizer.json"))
    if let own = try? ChatTemplate(tokenizer: tokenizer) { return ChatFormat(own) }
    let config = folder.appendingPathComponent("tokenizer_config.json")
    let root = (try? Data(contentsOf: config)).flatMap { try? JSONValue($0) }
    func token(_ key: String) -> Int32? {
      let value = root?[key]
      return (value?.string ?? value?["content"]?.string).flatMap { tokenizer.id(ofSpecial: $0) }
    }
    let (bos, eos) = (token("bos_token"), token("eos_token"))
    if let bos { tokenizer.markers.bos = bos }
    if let eos {
      tokenizer.markers.eos = eos
      tokenizer.markers.ends.insert(eos)
    }
    if let adds = root?["add_bos_token"]?.bool { tokenizer.markers.addsBOS = adds }
    let file = folder.appendingPathComponent("chat_template.jinja")
    let template =
      (try? String(contentsOf: file, encoding: .utf8)) ?? root?["chat_template"]?.string
    return ChatFormat(template: template, tokenizer: tokenizer, clock: .now)
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
  let bos_token: String?
  let eos_token: String?
  let clean_up_tokenization_spaces = false
  let chat_template: String?

  init(_ format: ChatFormat) {
    let markers = format.tokenizer.markers
    func name(_ id: Int32?) -> String? {
      id.map { String(decoding: format.tokenizer.bytes(of: $0), as: UTF8.self) }
    }
    (bos_token, eos_token) = (
      name(format.own?.bos ?? markers.bos), name(format.own?.end ?? markers.eos)
    )
    chat_template = format.source
  }
}

extension TemplateClock {
  /// For templates that write the date: today, in UTC.
  static var now: TemplateClock {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let parts = calendar.dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: Date())
    return TemplateClock(
      year: parts.year ?? 2000, month: parts.month ?? 1, day: parts.day ?? 1,
      hour: parts.hour ?? 0, minute: parts.minute ?? 0, second: parts.second ?? 0)
  }
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

extension ShardedWeights {
  /// The tensors of a published folder as the parameters of a model, whose files differ in what they
  /// put before a name.
  func parameters() -> NamedSource {
    NamedSource { name in
      let inner = name.hasPrefix("model.") ? String(name.dropFirst(6)) : name
      let names = [
        name, name.hasPrefix("transformer.") ? String(name.dropFirst(12)) : name,
        "language_model." + name, "model.language_model." + inner,
      ]
      for name in names {
        guard let shape = self.shape(name), let values = try self.floats(name) else { continue }
        return NamedTensor(name: name, shape: shape, values: values)
      }
      return nil
    }
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
    func add(_ bits: UInt32) { hash = (hash ^ UInt64(bits)) &* 0x100_0000_01B3 }
    for parameter in parameters {
      if let packed = parameter.tensor.packedWeights {
        packed.hash(into: add)
      } else {
        for value in parameter.tensor.values { add(value.bitPattern) }
      }
    }
    return String(hash, radix: 16)
  }
}
