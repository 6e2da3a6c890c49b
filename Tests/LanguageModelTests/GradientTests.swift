import LanguageModel
import TensorCore
import TensorKernels
import TestSupport
import Testing

/// Random values everywhere, so that no gradient is zero by construction.
struct Shaken: ParameterSource {
  let seed: UInt64

  func fill(
    _ values: MutableFloats, name: String, rows: Int, columns: Int, isTransposed: Bool,
    isVector: Bool, initial: Initial
  ) {
    RandomSource(seed: seed).fill(
      values, name: name, rows: rows, columns: columns, isTransposed: isTransposed,
      isVector: isVector, initial: .normal(deviation: isVector ? 0.1 : 0.4))
    if isVector && !name.hasSuffix("bias") { for i in 0..<values.count { values[i] += 1 } }
  }
}

@Suite struct GradientTests {
  static let forms: [(String, DecoderConfig)] = [
    (
      "Llama",
      DecoderConfig(
        vocabularySize: 11, width: 8, layers: 2, heads: 2, keyHeads: 1, hiddenWidth: 7, context: 16,
        normalisesHeads: false)
    ),
    (
      "Qwen3",
      DecoderConfig(
        vocabularySize: 11, width: 8, layers: 2, heads: 2, keyHeads: 2, headWidth: 6,
        hiddenWidth: 5, context: 16, tiesHead: true)
    ),
    (
      "GPT-2",
      DecoderConfig(
        vocabularySize: 11, width: 8, layers: 2, heads: 2, hiddenWidth: 9, context: 16,
        norm: .layer, epsilon: 1e-5, positions: .learned, feedForward: .geluTanh, biases: .all,
        normalisesHeads: false, tiesHead: true)
    ),
    (
      "ReLU²",
      DecoderConfig(
        vocabularySize: 11, width: 8, layers: 2, heads: 1, hiddenWidth: 9, context: 16,
        feedForward: .reluSquared, normalisesHeads: true)
    ),
    (
      "norm of the embedding",
      DecoderConfig(
        vocabularySize: 11, width: 8, layers: 1, heads: 2, hiddenWidth: 9, context: 16,
        feedForward: .reluSquared, tiesHead: true, normalisesEmbedding: true)
    ),
    (
      "exact GELU",
      DecoderConfig(
        vocabularySize: 11, width: 8, layers: 1, heads: 2, hiddenWidth: 9, context: 16,
        feedForward: .gelu, biases: .all, normalisesHeads: false)
    ),
    (
      "Qwen2, positions scaled",
      DecoderConfig(
        vocabularySize: 11, width: 8, layers: 1, heads: 2, keyHeads: 1, hiddenWidth: 7, context: 16,
        biases: .queryKeyValue, normalisesHeads: false, rotaryScaling: .linear(factor: 4))
    ),
    (
      "Mistral",
      DecoderConfig(
        vocabularySize: 11, width: 8, layers: 2, heads: 2, keyHeads: 1, hiddenWidth: 7, context: 16,
        normalisesHeads: false, window: DecoderConfig.Window(length: 3))
    ),
    (
      "Llama 3",
      DecoderConfig(
        vocabularySize: 11, width: 8, layers: 1, heads: 1, hiddenWidth: 7, context: 16,
        positions: .rotary(base: 50), normalisesHeads: false,
        rotaryScaling: .llama3(
          factor: 8, lowFrequency: 1, highFrequency: 4, originalContext: 60))
    ),
    (
      "Gemma 3",
      DecoderConfig(
        vocabularySize: 11, width: 8, layers: 2, heads: 2, keyHeads: 1, headWidth: 6,
        hiddenWidth: 9, context: 16, positions: .rotary(base: 1_000_000), feedForward: .geGLU,
        tiesHead: true, window: DecoderConfig.Window(length: 3, fullEvery: 2, base: 100),
        scoreScale: 0.5, isGemma: true)
    ),
    (
      "input features",
      DecoderConfig(
        vocabularySize: 11, width: 8, layers: 1, heads: 2, hiddenWidth: 9, context: 16,
        inputFeatures: 3)
    ),
  ]

  /// What comes with each of `count` tokens.
  static func features(_ config: DecoderConfig, _ count: Int) -> [Float] {
    var random = TestRandom(seed: 8)
    return (0..<count * config.inputFeatures).map { _ in Float.random(in: -1...1, using: &random) }
  }

  @Test(arguments: forms.indices)
  func `gradients of a whole model equal central differences in Double`(form: Int) throws {
    let (name, config) = Self.forms[form]
    let model = try Transformer(config, source: Shaken(seed: 3))
    // Two packed rows: the first holds two sequences and padding.
    let segments: [Int32] = [0, 0, 0, 0, 1, 1, -1, 0, 0, 0, 0, 0, 0, 0]
    var random = TestRandom(seed: 5)
    let tokens = segments.map { _ in Int32.random(in: 0..<11, using: &random) }
    let targets = segments.map { _ in Int32.random(in: 0..<11, using: &random) }
    let weights: [Float] = [1, 0.5, 0, 1, -1, 2, 0, 1, 1, 1, 0, 1, 0.25, 1]
    let features = Self.features(config, tokens.count)
    let layout = SequenceLayout(rows: 2, length: 7, segments: segments)
    let result = model.hidden(tokens, features: features, layout)
      .crossEntropy(head: model.head, targets: targets, weights: weights, normaliser: 6)
    result.loss.backward()

    let sequences = [0..<4, 4..<6, 7..<14].map { range in
      let width = config.inputFeatures
      return (
        Array(tokens[range]), Array(targets[range]), Array(weights[range]),
        Array(features[range.lowerBound * width..<range.upperBound * width])
      )
    }
    let reference = ReferenceDecoder(model)
    let expected = reference.loss(sequences, 6)
    #expect(abs(Double(result.loss.item) - expected) < 1e-5 * abs(expected), "\(name)")
    for gradient in model.gradientTensors() {
      let at = reference.parameters[gradient.name] ?? []
      // Every value of small tensors, a spread of large ones.
      let step = max(1, at.count / 24)
      let chosen = Array(stride(from: 0, to: at.count, by: step))
      let numeric = numericGradient(chosen.map { at[$0] }) { values in
        var moved = reference
        for (i, value) in zip(chosen, values) { moved.parameters[gradient.name]?[i] = value }
        return moved.loss(sequences, 6)
      }
      let error = relativeError(chosen.map { gradient.values[$0] }, numeric)
      // Gemma's norms after each block divide by small values, which costs Float a digit.
      #expect(error < (config.isGemma ? 2e-3 : 2e-4), "\(name): \(gradient.name)")
    }
  }

  @Test(arguments: forms.indices)
  func `logits equal the formulas in Double`(form: Int) throws {
    let (name, config) = Self.forms[form]
    let model = try Transformer(config, source: Shaken(seed: 9))
    let tokens: [Int32] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 10, 0]
    let features = Self.features(config, tokens.count)
    let hidden = model.hidden(
      tokens, features: features, SequenceLayout(rows: 1, length: tokens.count))
    let expected = ReferenceDecoder(model).logits(tokens, features: features).flatMap { $0 }
    #expect(relativeError(model.logits(hidden).array, expected) < 1e-5, "\(name)")
  }

  @Test(arguments: forms.indices)
  func `a cache gives the bits of the whole sequence, however it is cut`(form: Int) throws {
    let (name, config) = Self.forms[form]
    let model = try Transformer(config, source: Shaken(seed: 9))
    let tokens: [Int32] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 10, 0]
    let features = Self.features(config, tokens.count)
    func given(_ range: Range<Int>) -> [Float] {
      let width = config.inputFeatures
      return Array(features[range.lowerBound * width..<range.upperBound * width])
    }
    let whole = Tape.paused {
      let layout = SequenceLayout(rows: 1, length: tokens.count)
      return model.hidden(tokens, features: features, layout).array
    }
    let cache = KeyValueCache(config, slots: 3, capacity: 16)
    let first = model.hidden(
      Array(tokens[0..<4]), features: given(0..<4), slots: [1, 1, 1, 1], cache: cache
    ).array
    cache.copy(from: 1, to: 2)
    var rest: [Float] = []
    for (i, token) in tokens.enumerated().dropFirst(4) {
      // A neighbour in the batch, with other tokens.
      let both = model.hidden(
        [7, token], features: given(0..<1) + given(i..<i + 1), slots: [0, 2], cache: cache
      ).array
      rest += both[config.width...]
    }
    #expect(first + rest == whole, "\(name)")
  }
}
