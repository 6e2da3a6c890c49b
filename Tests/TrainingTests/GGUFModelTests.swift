import Foundation
import LanguageModel
import ModelFiles
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct GGUFModelTests {
  private static func rotary(_ width: Int = 8) -> DecoderConfig {
    DecoderConfig(
      vocabularySize: 40, width: width, layers: 2, heads: 2, keyHeads: 1, hiddenWidth: 12,
      context: 32, epsilon: 1e-5, normalisesHeads: false, tiesHead: true)
  }

  static var forms: [(String, DecoderConfig)] {
    var qwen2 = rotary()
    (qwen2.biases, qwen2.tiesHead) = (.queryKeyValue, false)
    var qwen3 = rotary()
    (qwen3.normalisesHeads, qwen3.headWidth) = (true, 6)
    var gemma = rotary()
    (gemma.isGemma, gemma.normalisesHeads, gemma.feedForward) = (true, true, .geGLU)
    gemma.window = DecoderConfig.Window(length: 3, fullEvery: 2, base: 10_000)
    gemma.positions = .rotary(base: 1_000_000)
    let gpt2 = DecoderConfig(
      vocabularySize: 40, width: 8, layers: 2, heads: 2, hiddenWidth: 12, context: 32, norm: .layer,
      epsilon: 1e-5, positions: .learned, feedForward: .geluTanh, biases: .all,
      normalisesHeads: false, tiesHead: true)
    return [
      ("llama", rotary()), ("qwen2", qwen2), ("qwen3", qwen3), ("gemma3", gemma), ("gpt2", gpt2),
    ]
  }

  /// A file as llama.cpp's converter writes it: rows of queries and keys reordered for llama, 1 + the
  /// weight of a norm for Gemma, matrices of GPT-2 the other way round.
  static func file(_ name: String, _ model: Transformer) -> GGUFBuilder {
    let config = model.config
    var file = GGUFBuilder()
    func size(_ value: Int) -> GGUFBuilder.Value { .uint32(UInt32(value)) }
    let epsilon = name == "gpt2" ? "layer_norm_epsilon" : "layer_norm_rms_epsilon"
    file.keys = [
      ("general.architecture", .string(name)), ("\(name).block_count", size(config.layers)),
      ("\(name).context_length", size(config.context)),
      ("\(name).embedding_length", size(config.width)),
      ("\(name).feed_forward_length", size(config.hiddenWidth)),
      ("\(name).attention.head_count", size(config.heads)),
      ("\(name).attention.head_count_kv", size(config.keyHeads)),
      ("\(name).attention.key_length", size(config.headWidth)),
      ("\(name).attention.\(epsilon)", .float(config.epsilon)),
    ]
    if case .rotary(let base) = config.positions {
      file.keys.append(("\(name).rope.freq_base", .float(Float(base))))
    }
    if let window = config.window {
      file.keys.append(("\(name).attention.sliding_window", size(window.length)))
      file.keys.append(
        ("\(name).attention.sliding_window_pattern", size(window.fullEvery ?? 1)))
    }
    for tensor in model.namedTensors() {
      guard let own = GGUFNames.name(of: tensor.name, config) else { continue }
      var (shape, values) = (tensor.shape, tensor.values)
      if name == "gpt2", shape.count == 2, tensor.name.contains(".h.") {
        values = (0..<shape[1]).flatMap { j in
          (0..<shape[0]).map { tensor.values[$0 * shape[1] + j] }
        }
        shape.reverse()
      }
      if config.isGemma, shape.count == 1 { values = values.map { $0 + 1 } }
      let heads = tensor.name.contains("q_proj") ? config.heads : config.keyHeads
      if name == "llama", tensor.name.contains("q_proj") || tensor.name.contains("k_proj") {
        let (perHead, columns) = (shape[0] / heads, shape[1])
        values = (0..<shape[0]).flatMap { row -> [Float] in
          let (head, at) = (row / perHead, row % perHead)
          let from = head * perHead + at / 2 + at % 2 * perHead / 2
          return Array(tensor.values[from * columns..<(from + 1) * columns])
        }
      }
      file.add(own, shape, values)
    }
    return file
  }

  private func hidden(_ model: Transformer) -> [Float] {
    let tokens: [Int32] = [3, 1, 4, 1, 5, 9, 2, 6]
    return Tape.paused {
      model.logits(model.hidden(tokens, SequenceLayout(rows: 1, length: 8))).array
    }
  }

  @Test(arguments: forms.indices)
  func `a file of each family computes what the model did that it was made from`(form: Int) throws {
    let scratch = try Scratch()
    let (name, config) = Self.forms[form]
    let model = try Transformer(config, source: Shaken(seed: 5))
    try Self.file(name, model).build().write(to: scratch["m.gguf"])
    let loaded = try Transformer.load(scratch["m.gguf"])
    var expected = config
    if name == "gemma3" { expected.window?.base = 10_000 }
    #expect(loaded.config == expected)
    let (a, b) = (hidden(loaded), hidden(model))
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 * (1 + abs($1)) }, "\(name)")
  }

  @Test func `what is missing or not known is named`() throws {
    let scratch = try Scratch()
    let model = try Transformer(Self.forms[0].1, source: Shaken(seed: 5))
    func refused(_ change: (inout GGUFBuilder) -> Void) throws -> String {
      var file = Self.file("llama", model)
      change(&file)
      try file.build().write(to: scratch["m.gguf"])
      let error = #expect(throws: ModelFileError.self) { try Transformer.load(scratch["m.gguf"]) }
      return error?.description ?? ""
    }
    func set(_ key: String, _ value: GGUFBuilder.Value?, _ file: inout GGUFBuilder) {
      file.keys.removeAll { $0.0 == key }
      if let value { file.keys.append((key, value)) }
    }
    #expect(
      try refused { set("general.architecture", .string("mamba"), &$0) }.contains("\"mamba\""))
    #expect(try refused { set("llama.block_count", nil, &$0) }.contains("llama.block_count"))
    #expect(
      try refused { set("llama.block_count", .uint32(1_000_000_000), &$0) }.contains("1000000000"))
    #expect(
      try refused { set("llama.attention.head_count", .uint32(0), &$0) }.contains("head_count"))
    #expect(
      try refused { set("llama.rope.dimension_count", .uint32(64), &$0) }
        .contains("rope.dimension_count"))
    #expect(
      try refused { set("llama.rope.scaling.type", .string("yarn"), &$0) }.contains("\"yarn\""))
    #expect(try refused { set("llama.expert_count", .uint32(8), &$0) }.contains("expert_count"))
    #expect(try refused { $0.tensors.removeLast(3) } != "")
    #expect(try refused { $0.tensors[2].name = "odd" }.contains("tensor"))
  }

  @Test func `changed bytes give an error or a model`() throws {
    let scratch = try Scratch()
    let model = try Transformer(Self.forms[0].1, source: Shaken(seed: 5))
    let whole = [UInt8](Self.file("llama", model).build())
    // The header and the descriptions; values behind them may be anything.
    let header = whole.count - model.config.parameterCount * 4
    var random = TestRandom(seed: 3)
    var accepted = 0
    for _ in 0..<1_500 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        bytes[Int.random(in: 0..<header, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      try Data(bytes).write(to: scratch["m.gguf"])
      do {
        _ = try Transformer.load(scratch["m.gguf"])
        accepted += 1
      } catch {
        #expect("\(error)".contains(" "))
      }
    }
    #expect(accepted > 10 && accepted < 1_500)
  }
}

/// Random values everywhere.
struct Shaken: ParameterSource {
  let seed: UInt64

  func fill(
    _ values: UnsafeMutableBufferPointer<Float>, name: String, rows: Int, columns: Int,
    isTransposed: Bool, isVector: Bool, initial: Initial
  ) {
    RandomSource(seed: seed).fill(
      values, name: name, rows: rows, columns: columns, isTransposed: isTransposed,
      isVector: isVector, initial: .normal(deviation: isVector ? 0.1 : 0.4))
  }
}
