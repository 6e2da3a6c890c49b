import Foundation
import LanguageModel
import ModelFiles
import TemplateLanguage
import TensorCore
import TensorKernels
import Tokenization

// A folder that other tools open too: config.json, model.safetensors, tokenizer.json and
// tokenizer_config.json with the chat template.

/// A model with what is needed to talk to it.
public struct LoadedModel {
  public let model: Transformer
  public let format: ChatFormat
  /// Where a published model came from: its GGUF file or its folder.
  let origin: URL?

  public var tokenizer: Tokenizer { format.tokenizer }

  /// A model that was made here.
  public init(model: Transformer, tokenizer: Tokenizer) throws {
    self.init(model: model, format: ChatFormat(try ChatTemplate(tokenizer: tokenizer)))
  }

  public init(model: Transformer, format: ChatFormat) {
    (self.model, self.format, origin) = (model, format, nil)
  }

  private init(model: Transformer, format: ChatFormat, origin: URL?) {
    (self.model, self.format, self.origin) = (model, format, origin)
  }

  /// The same tokenizer and format with another model, such as one that was trained further.
  public func with(_ model: Transformer) -> LoadedModel {
    LoadedModel(model: model, format: format, origin: origin)
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
    let tokenizerFiles = try tokenizerFiles()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try writeAtomically(
      try encoder.encode(model.config), to: folder.appendingPathComponent("config.json"))
    for (name, data) in tokenizerFiles {
      try writeAtomically(data, to: folder.appendingPathComponent(name))
    }
    let aside = folder.appendingPathComponent("model.safetensors.tmp")
    try write(tensors, to: aside)
    try moveIntoPlace(aside, folder.appendingPathComponent("model.safetensors"))
  }

  /// The files of the tokenizer by name: those of the folder that the model came from, or new ones.
  private func tokenizerFiles() throws -> [(name: String, data: Data)] {
    if let origin, !GGUFFile.isOne(origin) {
      let names = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
        "chat_template.jinja", "generation_config.json",
      ]
      return names.compactMap { name in
        (try? Data(contentsOf: origin.appendingPathComponent(name))).map { (name, $0) }
      }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let files = [
      ("tokenizer.json", try tokenizer.tokenizerJSON()),
      ("tokenizer_config.json", try encoder.encode(TokenizerConfig(format))),
    ]
    guard format.own == nil else { return files }
    let stops = GenerationConfig(
      bos_token_id: tokenizer.markers.bos, eos_token_id: format.ends.sorted())
    return files + [("generation_config.json", try encoder.encode(stops))]
  }

  /// Throws where ``save(to:)`` could not: to be said before hours of training.
  public func checkSaving() throws {
    do {
      _ = try tokenizerFiles()
    } catch let error as TokenizerError {
      throw TrainingError(
        "the tokenizer of this model cannot be written into a folder (\(error)): take the model's "
          + "folder instead of a GGUF file, or train an adapter with --lora 16")
    }
  }

  /// Reads a GGUF file, a model folder, the folder of a run that keeps its model in `model`, or an
  /// adapter with the model that it was trained for. Throws a sentence where something is missing or
  /// does not fit.
  ///
  /// - Parameters:
  ///   - adapter: added to the model's parameters.
  ///   - plan: what is to be trained in their place.
  public static func load(_ place: URL, adding adapter: Adapter? = nil, plan: AdapterPlan? = nil)
    throws -> LoadedModel
  {
    if adapter == nil, !GGUFFile.isOne(place), let (base, found) = try adapted(place) {
      return try load(base, adding: found, plan: plan)
    }
    let format = try format(place)
    let model = try Transformer.load(place, adding: adapter, plan: plan)
    try check(format.tokenizer, model.config, place)
    let origin =
      try format.own != nil ? nil : GGUFFile.isOne(place) ? place : modelFolder(place)
    return LoadedModel(model: model, format: format, origin: origin)
  }

  /// What a place that ``load(_:)`` takes says of its model, without reading the parameters.
  public static func describe(_ place: URL) throws -> (config: DecoderConfig, format: ChatFormat) {
    let format = try format(place)
    guard GGUFFile.isOne(place) else { return (try decodeConfig(modelFolder(place)), format) }
    do {
      return (try DecoderConfig(metadata: GGUFFile(place)), format)
    } catch let error as DecoderError {
      throw ModelFileError("\(place.path): \(error)")
    }
  }

  /// The tokenizer of a model, and how it writes conversations.
  static func format(_ place: URL) throws -> ChatFormat {
    guard GGUFFile.isOne(place) else { return try readFormat(modelFolder(place)) }
    let file = try GGUFFile(place)
    return ChatFormat(
      template: try file.string("tokenizer.chat_template"), tokenizer: try Tokenizer(file),
      clock: .now)
  }

  /// An adapter and the model that it was trained for; nil where a place is no adapter.
  static func adapted(_ place: URL) throws -> (base: URL, adapter: Adapter)? {
    let isModel = FileManager.default.fileExists(
      atPath: place.appendingPathComponent("config.json").path)
    guard !isModel, Adapter.folder(place) != nil else { return nil }
    let adapter = try Adapter(place)
    guard let name = adapter.base, !name.isEmpty,
      case let base = URL(fileURLWithPath: name),
      FileManager.default.fileExists(atPath: base.path), Adapter.folder(base) == nil
    else {
      throw TrainingError(
        "\(place.path) is an adapter to \"\(adapter.base ?? "")\", which is not here: "
          + "`lyceum merge MODEL \(place.path) --out …` adds it to a model")
    }
    return (base, adapter)
  }

  private static func check(_ tokenizer: Tokenizer, _ config: DecoderConfig, _ place: URL) throws {
    guard tokenizer.vocabularySize <= config.vocabularySize else {
      throw TrainingError(
        "\(place.path): the tokenizer has \(tokenizer.vocabularySize) tokens, the model only "
          + "\(config.vocabularySize)")
    }
  }

  /// The decoder of a folder.
  static func decoder(_ place: URL) throws -> (DecoderConfig, any ParameterSource) {
    let folder = try modelFolder(place)
    let config = try decodeConfig(folder)
    let weights = try ShardedWeights(folder: folder)
    guard config.parameterCount <= weights.byteCount else {
      throw ModelFileError(
        "\(folder.path): config.json asks for \(config.parameterCount) parameters, more than its files "
          + "of \(weights.byteCount) bytes can hold")
    }
    try checkMemory(config, file: folder, bytes: weights.byteCount)
    return (config, weights.parameters())
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

/// Where a published model that came without such a file stops.
private struct GenerationConfig: Encodable {
  let bos_token_id: Int32?
  let eos_token_id: [Int32]
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
  try write(model.namedTensors() + others.map(NamedTensor.init), to: url)
}

extension NamedTensor {
  init(_ parameter: Parameter) {
    self.init(
      name: parameter.name, shape: parameter.tensor.shape, values: parameter.tensor.array)
  }
}

/// Writes tensors as safetensors.
public func write(_ tensors: [NamedTensor], to url: URL) throws {
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
  /// Takes over the values of an adapter, in place.
  func loadAdapter(from file: SafetensorsFile) throws {
    for parameter in adapter {
      let columns = parameter.tensor.columns
      for part in parameter.parts {
        let range = part.rows.lowerBound * columns..<part.rows.upperBound * columns
        try file.read(
          part.name, into: MutableFloats(rebasing: parameter.tensor.buffer.values[range]))
      }
      parameter.tensor.valuesChanged()
    }
  }

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
