import Corpus
import Foundation
import LanguageModel
import ModelFiles
import TensorCore
import Testing
import Tokenization
import Training

@Suite struct AdapterTests {
  private static let tokens: [Int32] = [3, 1, 4, 1, 5, 9, 2, 6]
  private static let settings = AdapterSettings(rank: 3, alpha: 6, targets: nil)

  private static func logits(_ model: Transformer) -> [Float] {
    Tape.paused {
      model.logits(model.hidden(tokens, SequenceLayout(rows: 1, length: tokens.count))).array
    }
  }

  private static func loss(_ model: Transformer) -> Tensor {
    let count = tokens.count - 1
    return model.hidden(Array(tokens.dropLast()), SequenceLayout(rows: 1, length: count))
      .crossEntropy(
        head: model.head, targets: Array(tokens.dropFirst()),
        weights: Array(repeating: 1, count: count), normaliser: Float(count)
      ).loss
  }

  /// A model with an adapter all of whose values are random.
  private static func adapted(
    _ config: DecoderConfig = Tiny.config, targets: [String]? = nil
  ) throws -> Transformer {
    let plan = AdapterPlan(
      rank: 3, alpha: 6, targets: targets.map { Set($0) }, source: Shaken(seed: 9))
    return try Transformer(config, source: Shaken(seed: 5), adapter: plan)
  }

  @Test func `a new adapter changes nothing, and only it is trained`() throws {
    let plain = try Transformer(Tiny.config, source: Shaken(seed: 5))
    let model = try Transformer(
      Tiny.config, source: Shaken(seed: 5), adapter: Self.settings.plan(seed: 1))
    #expect(Self.logits(plain) == Self.logits(model))
    #expect(model.trained.map(\.name) == model.adapter.map(\.name))
    // q, k, v, o, gate, up and down of one layer: A and B each.
    #expect(model.adapterTensors().count == 14)
    #expect(
      model.adapterTensors().contains {
        $0.name == "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
          && $0.shape == [3, 16]
      })
    Self.loss(model).backward()
    #expect(model.parameters.allSatisfy { $0.tensor.gradient == nil })
    #expect(model.adapter.allSatisfy { $0.tensor.gradient != nil })
    let some = try Self.adapted(targets: ["v_proj", "down_proj"])
    #expect(some.adapterTensors().count == 4)
  }

  @Test func `gradients of an adapter are those of differences`() throws {
    for targets in [nil, ["k_proj", "up_proj"]] {
      let model = try Self.adapted(targets: targets)
      Self.loss(model).backward()
      for parameter in model.adapter {
        let gradient = try #require(parameter.tensor.gradient).reading
        let values = parameter.tensor.buffer.values
        for index in [0, values.count / 2, values.count - 1] {
          let before = values[index]
          func at(_ value: Float) -> Double {
            values[index] = value
            parameter.tensor.valuesChanged()
            return Double(Tape.paused { Self.loss(model).item })
          }
          let slope = (at(before + 0.01) - at(before - 0.01)) / 0.02
          _ = at(before)
          #expect(
            abs(slope - Double(gradient[index])) < 2e-3 * (1 + abs(slope)),
            "\(parameter.name)[\(index)]")
        }
      }
    }
  }

  @Test func `merged, an adapter computes what it did beside its model`() throws {
    let scratch = try Scratch()
    let tokenizer = try #require(Tiny.tokenizer)
    for targets in [nil, ["q_proj", "v_proj"]] {
      let model = try Self.adapted(targets: targets)
      let base = try Transformer(Tiny.config, source: Shaken(seed: 5))
      try LoadedModel(model: base, tokenizer: tokenizer).save(to: scratch["base"])
      let settings = AdapterSettings(rank: 3, alpha: 6, targets: targets)
      try Adapter.save(model, settings, base: scratch["base"].path, to: scratch["run/adapter"])
      let adapter = try Adapter(scratch["run"])
      #expect(adapter.settings.rank == 3 && adapter.settings.alpha == 6)
      let merged = try Transformer.load(scratch["base"], adding: adapter)
      let expected = Self.logits(model)
      for found in [merged, try LoadedModel.load(scratch["run"]).model] {
        for (a, b) in zip(Self.logits(found), expected) {
          #expect(abs(a - b) < 1e-4 * (1 + abs(b)))
        }
      }
    }
  }

  @Test func `an adapter for another model, or of another kind, is refused in a sentence`() throws {
    let scratch = try Scratch()
    let tokenizer = try #require(Tiny.tokenizer)
    func refused(_ change: (inout [String: Any]) -> Void) throws -> String {
      let url = scratch["a/adapter_config.json"]
      try Adapter.save(try Self.adapted(), Self.settings, base: "x", to: scratch["a"])
      let data = try Data(contentsOf: url)
      var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
      change(&object)
      try JSONSerialization.data(withJSONObject: object).write(to: url)
      do {
        let wide = try Transformer(
          DecoderConfig(
            vocabularySize: 272, width: 32, layers: 1, heads: 2, hiddenWidth: 32, context: 64),
          source: Shaken(seed: 1))
        try LoadedModel(model: wide, tokenizer: tokenizer).save(to: scratch["wide"])
        _ = try Transformer.load(scratch["wide"], adding: Adapter(scratch["a"]))
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(try refused { _ in }.contains("another model"))
    #expect(try refused { $0["peft_type"] = "IA3" }.contains("\"IA3\""))
    #expect(try refused { $0["use_dora"] = true }.contains("use_dora"))
    #expect(try refused { $0["bias"] = "all" }.contains("bias"))
    #expect(try refused { $0["alpha_pattern"] = ["x": 1] }.contains("alpha_pattern"))
    #expect(try refused { $0["r"] = 0 }.contains("rank of 0"))
    #expect(try refused { $0["r"] = "a" }.contains("does not describe"))
    #expect(throws: TrainingError.self) { try Adapter(scratch["wide"]) }
    #expect(throws: TrainingError.self) { try LoadedModel.load(scratch["a"]) }
    // One layer less than the adapter has places for.
    let two = DecoderConfig(
      vocabularySize: 272, width: 16, layers: 2, heads: 2, hiddenWidth: 32, context: 64)
    try Adapter.save(try Self.adapted(two), Self.settings, base: "x", to: scratch["two"])
    try LoadedModel(
      model: try Transformer(Tiny.config, source: Shaken(seed: 5)), tokenizer: tokenizer
    ).save(to: scratch["one"])
    let error = #expect(throws: TrainingError.self) {
      try Transformer.load(scratch["one"], adding: Adapter(scratch["two"]))
    }
    #expect(error?.description.contains("14 of the adapter's 28") == true)
  }

  @Test func `stopped anywhere and gone on, an adapter ends in the same bytes`() throws {
    let scratch = try Scratch()
    func run(_ folder: URL, _ observer: StageObserver = StageObserver()) throws {
      _ = try imitate(
        ImitationRecipe(
          length: 64, rows: 3, steps: 8, optimizer: OptimizerSettings(rate: 1e-2, decay: 0),
          schedule: Schedule(warmup: 2), seed: 1, data: "x", adapter: Self.settings),
        examples: try Tiny.conversations(),
        start: {
          try Transformer(
            Tiny.config, source: Shaken(seed: 5), adapter: Self.settings.plan(seed: 1))
        }, in: folder, observer: observer)
    }
    try run(scratch["whole"])
    let whole = try contents(scratch["whole"])
    let losses = try Stage.logged("loss", in: scratch["whole"])
    #expect(losses.count == 8 && losses[7] < losses[0])
    for limit in [1, 5] {
      var asked = 0
      let stopping = StageObserver(shouldStop: {
        asked += 1
        return asked > limit
      })
      #expect(throws: StageStopped.self) { try run(scratch["s\(limit)"], stopping) }
      try run(scratch["s\(limit)"])
      let found = try contents(scratch["s\(limit)"])
      for (name, data) in whole where !name.contains("step-0/") {
        #expect(found[name] == data, "\(name), stopped at \(limit)")
      }
    }
  }

  @Test func `a model that is exported as GGUF computes the same`() throws {
    let scratch = try Scratch()
    let tokenizer = try #require(Tiny.tokenizer)
    var qwen2 = Tiny.config
    (qwen2.biases, qwen2.normalisesHeads) = (.queryKeyValue, false)
    var llama = Tiny.config
    (llama.normalisesHeads, llama.tiesHead, llama.keyHeads) = (false, true, 1)
    for (index, config) in [Tiny.config, qwen2, llama].enumerated() {
      let model = try Transformer(config, source: Shaken(seed: 5))
      let place = scratch["\(index).gguf"]
      try LoadedModel(model: model, tokenizer: tokenizer).writeGGUF(to: place, name: "tiny")
      let loaded = try LoadedModel.load(place)
      #expect(loaded.model.config == config)
      #expect(Self.logits(loaded.model) == Self.logits(model))
      let text = "7 + 5 = 12. What <|end|> follows?\n  Ça va? 😀"
      #expect(loaded.tokenizer.encode(text) == tokenizer.encode(text))
      let messages = [Message(role: .user, content: "1 + 1 <|end|>")]
      let own = try ChatTemplate(tokenizer: tokenizer)
      #expect(try loaded.format.prompt(messages) == own.prompt(messages))
    }
    var odd = Tiny.config
    odd.feedForward = .reluSquared
    let model = try Transformer(odd, source: Shaken(seed: 5))
    #expect(throws: TrainingError.self) {
      try LoadedModel(model: model, tokenizer: tokenizer)
        .writeGGUF(to: scratch["odd.gguf"], name: "odd")
    }
    #expect(!FileManager.default.fileExists(atPath: scratch["odd.gguf"].path))
  }
}
