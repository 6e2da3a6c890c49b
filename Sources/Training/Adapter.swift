import Foundation
import LanguageModel
import ModelFiles
import TensorCore
import TensorKernels

// An adapter in the files of PEFT: adapter_config.json and adapter_model.safetensors.

/// The part of a recipe that says what is adapted.
public struct AdapterSettings: Codable, Sendable, Equatable {
  public var rank: Int
  public var alpha: Float
  /// The last words of the names of adapted matrices; nil for all inside the layers.
  public var targets: [String]?

  public init(rank: Int, alpha: Float, targets: [String]?) {
    (self.rank, self.alpha, self.targets) = (rank, alpha, targets)
  }

  /// A new adapter: A is drawn with `seed`, B is zero.
  public func plan(seed: UInt64) -> AdapterPlan { plan(RandomSource(seed: seed)) }

  func plan(_ source: any ParameterSource) -> AdapterPlan {
    AdapterPlan(rank: rank, alpha: alpha, targets: targets.map { Set($0) }, source: source)
  }
}

/// An adapter that was trained, here or with PEFT.
public struct Adapter {
  public let settings: AdapterSettings
  /// Where the model is that it was trained for, as its maker wrote it.
  public let base: String?
  let tensors: SafetensorsFile
  private let folder: URL

  /// What is read of adapter_config.json; what would change the sum is refused.
  private struct File: Codable {
    var peft_type: String
    var task_type: String? = "CAUSAL_LM"
    var base_model_name_or_path: String?
    var r: Int
    var lora_alpha: Float
    var lora_dropout: Float? = 0
    var target_modules: Targets?
    var bias: String? = "none"
    var fan_in_fan_out: Bool? = false
    var inference_mode: Bool? = true
    var use_dora: Bool?
    var use_rslora: Bool?
    var modules_to_save: [String]?
    var rank_pattern: [String: Int]?
    var alpha_pattern: [String: Float]?

    /// A list of names, or one word for all.
    enum Targets: Codable {
      case names([String])
      case word(String)

      init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let names = try? value.decode([String].self) {
          self = .names(names)
        } else {
          self = .word(try value.decode(String.self))
        }
      }

      func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .names(let names): try value.encode(names)
        case .word(let word): try value.encode(word)
        }
      }
    }

    /// What is asked for and not done here; nil where nothing is.
    var unknown: String? {
      if peft_type != "LORA" { return "peft_type \"\(peft_type)\"" }
      if use_dora == true { return "use_dora" }
      if use_rslora == true { return "use_rslora" }
      if let bias, bias != "none" { return "bias \"\(bias)\"" }
      if modules_to_save?.isEmpty == false { return "modules_to_save" }
      if rank_pattern?.isEmpty == false { return "rank_pattern" }
      if alpha_pattern?.isEmpty == false { return "alpha_pattern" }
      return nil
    }
  }

  /// The folder of an adapter: `place` itself, or the one that a run keeps; nil where there is none.
  public static func folder(_ place: URL) -> URL? {
    [place, place.appendingPathComponent("adapter")].first {
      FileManager.default.fileExists(
        atPath: $0.appendingPathComponent("adapter_config.json").path)
    }
  }

  /// Reads an adapter's folder, or that of the run that made it.
  public init(_ place: URL) throws {
    guard let folder = Self.folder(place) else {
      throw TrainingError(
        "\(place.path) holds no adapter (adapter_config.json): `lyceum sft --lora 16` makes one")
    }
    let config = folder.appendingPathComponent("adapter_config.json")
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: try Data(contentsOf: config))
    } catch {
      throw TrainingError("\(config.path) does not describe an adapter: \(error)")
    }
    if let unknown = file.unknown {
      throw TrainingError(
        "\(config.path) asks for \(unknown), which is not done here: plain LoRA is")
    }
    guard (1...65_536).contains(file.r), file.lora_alpha.isFinite, file.lora_alpha > 0 else {
      throw TrainingError("\(config.path): a rank of \(file.r) with alpha \(file.lora_alpha)")
    }
    var targets: [String]?
    if case .names(let names)? = file.target_modules { targets = names.sorted() }
    settings = AdapterSettings(rank: file.r, alpha: file.lora_alpha, targets: targets)
    base = file.base_model_name_or_path
    tensors = try SafetensorsFile(folder.appendingPathComponent("adapter_model.safetensors"))
    self.folder = folder
  }

  /// Writes the adapter of a model. `base` is where the model is that it was trained for.
  public static func save(
    _ model: Transformer, _ settings: AdapterSettings, base: String, to folder: URL
  ) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let aside = folder.appendingPathComponent("adapter_model.safetensors.tmp")
    try write(model.adapterTensors(), to: aside)
    try moveIntoPlace(aside, folder.appendingPathComponent("adapter_model.safetensors"))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    // PEFT's word for all is resolved from its own idea of the model: names say the same to everyone.
    let targets = settings.targets ?? Set(model.adapter.compactMap(Self.target)).sorted()
    try writeAtomically(
      try encoder.encode(
        File(
          peft_type: "LORA", base_model_name_or_path: base, r: settings.rank,
          lora_alpha: settings.alpha, target_modules: .names(targets),
          fan_in_fan_out: model.config.modelType == "gpt2")),
      to: folder.appendingPathComponent("adapter_config.json"))
  }

  /// "q_proj" for a parameter of an adapter that is B of it.
  private static func target(_ parameter: Parameter) -> String? {
    let words = parameter.name.split(separator: ".")
    guard words.count > 3, words[words.count - 2] == "lora_B" else { return nil }
    return String(words[words.count - 3])
  }

  /// Adds scale · B·A to a matrix (rows, columns) called `name`; false where the adapter has nothing
  /// for it.
  func add(to values: MutableFloats, name: String, rows: Int, columns: Int) throws -> Bool {
    let stem = AdapterPlan.prefix + (name.hasSuffix(".weight") ? String(name.dropLast(7)) : name)
    let (down, up) = (stem + ".lora_A.weight", stem + ".lora_B.weight")
    guard let shape = tensors.shape(down), let upShape = tensors.shape(up) else { return false }
    guard shape == [settings.rank, columns], upShape == [rows, settings.rank] else {
      throw TrainingError(
        "\(folder.path): A and B of \"\(name)\" have the shapes \(shape) and \(upShape), which "
          + "add nothing to \([rows, columns]): it was trained for another model")
    }
    let (a, b) = (try tensors.floats(down), try tensors.floats(up))
    let scale = settings.alpha / Float(settings.rank)
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        addProduct(values, a, b, rank: settings.rank, columns: columns, scale: scale)
      }
    }
    return true
  }
}

/// values (rows, columns) += scale · b (rows, rank) · a (rank, columns).
private func addProduct(
  _ values: MutableFloats, _ a: Floats, _ b: Floats, rank: Int, columns: Int, scale: Float
) {
  parallelRanges(values.count / columns, grain: max(1, 65_536 / columns)) { rows in
    for row in rows {
      for j in 0..<rank {
        let factor = scale * b[row * rank + j]
        for i in 0..<columns { values[row * columns + i] += factor * a[j * columns + i] }
      }
    }
  }
}

/// The parameters of a model with an adapter's products added.
final class AdaptedSource: ParameterSource {
  private let base: any ParameterSource
  private let adapter: Adapter
  private var used = 0

  init(_ base: any ParameterSource, _ adapter: Adapter) {
    (self.base, self.adapter) = (base, adapter)
  }

  func fill(
    _ values: MutableFloats, name: String, rows: Int, columns: Int, isTransposed: Bool,
    isVector: Bool, initial: Initial
  ) throws {
    try base.fill(
      values, name: name, rows: rows, columns: columns, isTransposed: isTransposed,
      isVector: isVector, initial: initial)
    if !isVector, try adapter.add(to: values, name: name, rows: rows, columns: columns) {
      used += 2
    }
  }

  /// Throws where the adapter holds what the model has no place for.
  func checkUsed(_ place: URL) throws {
    let count = adapter.tensors.names.count
    guard used == count else {
      throw TrainingError(
        "\(place.path) has a place for \(used) of the adapter's \(count) matrices: the adapter was "
          + "trained for another model")
    }
  }
}
