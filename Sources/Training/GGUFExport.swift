import Foundation
import LanguageModel
import ModelFiles
import TensorCore
import Tokenization

// A model as llama.cpp's own converter would write it: its names, its order of rows, its keys.

extension LoadedModel {
  /// Writes the model as a GGUF file of type F32. Throws a sentence where llama.cpp has no form for it,
  /// or cuts text in other places than the tokenizer.
  ///
  /// - Parameter name: what programs call the model.
  public func writeGGUF(to url: URL, name: String) throws {
    let architecture = try ggufArchitecture()
    var entries: [(key: String, value: GGUFEntry)] = [("general.name", .string(name))]
    entries += try tokenizerEntries()
    try model.writeGGUF(architecture, metadata: entries, to: url)
  }

  private func ggufArchitecture() throws -> Family {
    let config = model.config
    func refused(_ what: String) -> TrainingError {
      TrainingError(
        "llama.cpp has no form for \(what): `lyceum export --to hf` writes what transformers reads")
    }
    var plain = config
    if case .divisors = config.rotaryScaling { plain.rotaryScaling = nil }
    guard let family = Family.named(plain.modelType), family.ggufName != nil else {
      throw refused(
        plain.modelType == "lyceum"
          ? "this decoder (\(config.feedForward.rawValue), \(config.norm.rawValue) norm)"
          : "the family \(plain.modelType)")
    }
    guard config.biases != .all || family.name == "gpt2" else { throw refused("biases everywhere") }
    if let window = config.window, !config.isGemma || window.fullEvery != 6 {
      throw refused("windows of \(window.length) tokens in these layers")
    }
    if let scale = config.scoreScale, abs(scale * Float(config.headWidth).squareRoot() - 1) > 1e-6 {
      throw refused("scores multiplied by \(scale)")
    }
    return family
  }

  /// The keys of the tokenizer: those of the file that the model came from, or new ones.
  private func tokenizerEntries() throws -> [(key: String, value: GGUFEntry)] {
    if let origin, GGUFFile.isOne(origin) {
      let file = try GGUFFile(origin)
      return file.keys.filter { $0.hasPrefix("tokenizer.") }.compactMap { key in
        file.entry(key).map { (key, $0) }
      }
    }
    var found: TokenizerMetadata
    do {
      found = try TokenizerMetadata(tokenizer, vocabularySize: model.config.vocabularySize)
    } catch let error as TokenizerError {
      throw TrainingError("a GGUF file cannot hold this tokenizer: \(error)")
    }
    if let own = format.own {
      (found.bos, found.eos, found.addsBOS) = (Int(own.bos), Int(own.end), true)
    }
    var entries: [(key: String, value: GGUFEntry)] = [
      ("model", .string(found.model)), ("pre", .string(found.pre ?? "default")),
      ("tokens", .strings(found.tokens)), ("token_type", .int32s(found.types)),
      ("merges", .strings(found.merges)),
    ]
    for (key, id) in [
      ("bos_token_id", found.bos), ("eos_token_id", found.eos), ("padding_token_id", found.padding),
    ] {
      if let id { entries.append((key, .uint32(UInt32(id)))) }
    }
    entries.append(("add_bos_token", .bool(found.addsBOS ?? false)))
    entries.append(("add_eos_token", .bool(found.addsEOS ?? false)))
    for index in entries.indices { entries[index].key = "tokenizer.ggml." + entries[index].key }
    if let source = format.source { entries.append(("tokenizer.chat_template", .string(source))) }
    return entries
  }
}

extension Transformer {
  fileprivate func writeGGUF(
    _ family: Family, metadata: [(key: String, value: GGUFEntry)], to url: URL
  ) throws {
    let name = family.ggufName ?? ""
    var entries: [(key: String, value: GGUFEntry)] = [
      ("general.architecture", .string(name)), ("general.file_type", .uint32(0)),
    ]
    for (key, value) in ggufSizes(family) { entries.append(("\(name).\(key)", .uint32(value))) }
    let epsilon = family.name == "gpt2" ? "layer_norm_epsilon" : "layer_norm_rms_epsilon"
    entries.append(("\(name).attention.\(epsilon)", .float32(config.epsilon)))
    if case .rotary(let base) = config.positions {
      entries.append(("\(name).rope.freq_base", .float32(Float(base))))
    }
    if case .linear(let factor)? = config.rotaryScaling {
      entries.append(("\(name).rope.scaling.type", .string("linear")))
      entries.append(("\(name).rope.scaling.factor", .float32(Float(factor))))
    }
    var tensors = try parameters.flatMap { try outputs($0, family) }
    if let divisors = config.rotaryDivisors {
      tensors.append(
        GGUFOutput(
          name: "rope_freqs.weight", shape: [divisors.count], values: divisors.map { Float($0) }))
    }
    try ModelFiles.writeGGUF(metadata: entries + metadata, tensors: tensors, to: url)
  }

  private func ggufSizes(_ family: Family) -> [(key: String, value: UInt32)] {
    var sizes = [
      ("block_count", config.layers), ("context_length", config.context),
      ("embedding_length", config.width), ("feed_forward_length", config.hiddenWidth),
      ("attention.head_count", config.heads), ("attention.head_count_kv", config.keyHeads),
      ("vocab_size", config.vocabularySize),
    ]
    if family.name != "gpt2" {
      sizes += [
        ("attention.key_length", config.headWidth), ("attention.value_length", config.headWidth),
        ("rope.dimension_count", config.headWidth),
      ]
    }
    if let window = config.window { sizes.append(("attention.sliding_window", window.length)) }
    return sizes.map { ($0.0, UInt32($0.1)) }
  }

  /// The tensors that a parameter's parts become: matrices always (outputs, inputs).
  private func outputs(_ parameter: Parameter, _ family: Family) throws -> [GGUFOutput] {
    let tensor = parameter.tensor
    let isVector = parameter.kind == .vector
    let columns = isVector ? 1 : tensor.columns
    return try parameter.parts.map { part in
      guard let name = GGUFNames.name(of: part.name, config) else {
        throw TrainingError("llama.cpp's files have no name for \"\(part.name)\"")
      }
      let first = part.rows.lowerBound * columns
      let count = part.rows.count
      let heads =
        family.permutesHeads && !isVector ? GGUFNames.permutedHeads(part.name, config) : nil
      let offset: Float = isVector && config.isGemma ? 1 : 0
      return GGUFOutput(
        name: name, shape: isVector ? [count] : [count, columns], type: .f32
      ) { bytes in
        let (out, values) = (bytes.bindMemory(to: Float.self), tensor.values)
        for row in 0..<count {
          let place = heads.map { GGUFNames.permuted(row, perHead: count / $0) } ?? row
          for i in 0..<columns {
            out[place * columns + i] = values[first + row * columns + i] + offset
          }
        }
      }
    }
  }
}
