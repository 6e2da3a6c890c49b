import Foundation
import LanguageModel
import ModelFiles
import TensorCore
import TensorKernels

// A model out of a GGUF file: its description from the keys, its parameters from the tensors, expanded
// to Floats on the way into their place.

extension GGUFFile: ModelMetadata {
  public func shape(ofTensor name: String) -> [Int]? { tensor(name)?.shape }
}

/// Parameters from a GGUF file, in the order and scale of Hugging Face's.
public struct GGUFSource: ParameterSource {
  let file: GGUFFile
  let config: DecoderConfig
  let permutesHeads: Bool

  public init(_ file: GGUFFile, _ config: DecoderConfig) throws {
    (self.file, self.config) = (file, config)
    let name = try file.string("general.architecture")
    permutesHeads = Family.all.first { $0.ggufName == name }?.permutesHeads ?? false
  }

  public func fill(
    _ values: MutableFloats, name: String, rows: Int, columns: Int, isTransposed: Bool,
    isVector: Bool, initial: Initial
  ) throws {
    let tensor = try tensor(name, shape: isVector ? [rows] : [rows, columns])
    let width = isVector ? rows : columns
    let heads = permutesHeads && !isVector ? GGUFNames.permutedHeads(name, config) : nil
    parallelRanges(values.count / width, grain: max(1, 65_536 / width)) { range in
      guard let heads else {
        return file.read(tensor, rows: range, into: part(values, range, width))
      }
      for row in range {
        let source = GGUFNames.permuted(row, perHead: rows / heads)
        file.read(tensor, rows: source..<source + 1, into: part(values, row..<row + 1, width))
      }
    }
    // Its files hold 1 + the weight of a norm.
    if isVector, config.isGemma { for i in 0..<values.count { values[i] -= 1 } }
    file.release(tensor)
  }

  private func part(_ values: MutableFloats, _ rows: Range<Int>, _ width: Int) -> MutableFloats {
    MutableFloats(rebasing: values[rows.lowerBound * width..<rows.upperBound * width])
  }

  /// The tensor of a parameter, made sure of.
  func tensor(_ name: String, shape: [Int]) throws -> GGUFFile.Tensor {
    guard let own = GGUFNames.name(of: name, config), let tensor = file.tensor(own) else {
      throw ModelFileError(
        "\(file.url.path) lacks the tensor "
          + "\"\(GGUFNames.name(of: name, config) ?? name)\", which its keys ask for")
    }
    guard tensor.shape == shape else {
      throw ModelFileError(
        "\(file.url.path): the tensor \"\(own)\" has the shape \(tensor.shape) where the keys ask "
          + "for \(shape)")
    }
    return tensor
  }
}

extension GGUFFile {
  /// The decoder of the file, after making sure that the file and the memory can hold it.
  func decoder() throws -> (DecoderConfig, any ParameterSource) {
    let config: DecoderConfig
    do {
      config = try DecoderConfig(metadata: self)
    } catch let error as DecoderError {
      throw ModelFileError("\(url.path): \(error)")
    }
    // Nothing is allocated for more than the file holds.
    let values = tensors.reduce(0) { $0 &+ $1.count }
    guard config.parameterCount <= values else {
      throw ModelFileError(
        "\(url.path): its keys ask for \(config.parameterCount) parameters, but its tensors hold "
          + "\(values) values")
    }
    try checkMemory(config, file: url, bytes: byteCount)
    return (config, try GGUFSource(self, config))
  }
}

extension Transformer {
  /// The model of a GGUF file, of a model folder, or of the folder of a run.
  ///
  /// - Parameters:
  ///   - adapter: added to its parameters.
  ///   - plan: what is to be trained in their place.
  public static func load(_ place: URL, adding adapter: Adapter? = nil, plan: AdapterPlan? = nil)
    throws -> Transformer
  {
    if GGUFFile.isOne(place) {
      return try make(GGUFFile(place).decoder(), place, adapter, plan)
    }
    if adapter == nil, let (base, adapter) = try LoadedModel.adapted(place) {
      return try load(base, adding: adapter, plan: plan)
    }
    return try make(LoadedModel.decoder(place), place, adapter, plan)
  }

  private static func make(
    _ decoder: (config: DecoderConfig, source: any ParameterSource), _ place: URL,
    _ adapter: Adapter?, _ plan: AdapterPlan?
  ) throws -> Transformer {
    guard let adapter else {
      return try Transformer(decoder.config, source: decoder.source, adapter: plan)
    }
    let source = AdaptedSource(decoder.source, adapter)
    let model = try Transformer(decoder.config, source: source, adapter: plan)
    try source.checkUsed(place)
    return model
  }
}

/// Throws where the parameters of a model, and their copy in the order of the kernels, cannot fit into
/// the memory that is free.
func checkMemory(_ config: DecoderConfig, file: URL, bytes: Int) throws {
  guard let free = availableMemory() else { return }
  // Packed weights take what the file takes, or up to 5/3 of it where their type has no form of its own.
  let (needed, overflow) =
    PackedWeights.loading == nil
    ? config.parameterCount.multipliedReportingOverflow(by: 8) : (bytes / 3 * 5, false)
  guard overflow || needed > free else { return }
  func gigabytes(_ bytes: Int) -> String { String(format: "%.1f GB", Double(bytes) / 1e9) }
  throw ModelFileError(
    "\(file.path) does not fit: its \(gigabytes(bytes)) take \(gigabytes(needed)) in "
      + "memory, and \(gigabytes(free)) of memory are free; close other programs, or take a smaller "
      + "model")
}
