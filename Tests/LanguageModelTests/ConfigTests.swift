import Foundation
import LanguageModel
import TensorCore
import Testing

@Suite struct ConfigTests {
  @Test func `a new model guesses evenly: its loss is ln V within 2 %`() throws {
    for ties in [false, true] {
      var config = try DecoderConfig.depth(4, vocabularySize: 500, context: 64)
      config.tiesHead = ties
      let model = try Transformer(config, source: RandomSource(seed: 1))
      let tokens = (0..<64).map { Int32($0 * 7 % 500) }
      let loss = model.hidden(tokens, SequenceLayout(rows: 1, length: 64)).crossEntropy(
        head: model.head, targets: tokens.reversed(), weights: Array(repeating: 1, count: 64),
        normaliser: 64
      ).loss.item
      #expect(abs(loss - Float(log(500.0))) < 0.02 * Float(log(500.0)))
    }
  }

  @Test func `config files of every form are read back as written`() throws {
    for (_, config) in GradientTests.forms {
      let data = try JSONEncoder().encode(config)
      #expect(try JSONDecoder().decode(DecoderConfig.self, from: data) == config)
    }
  }

  @Test(arguments: [0, -1, 65, 1_000_000])
  func `an absurd depth is refused with a sentence`(depth: Int) {
    #expect(throws: DecoderError.self) {
      try DecoderConfig.depth(depth, vocabularySize: 256, context: 64)
    }
  }

  @Test func `the number of parameters is that of the tensors`() throws {
    for (_, config) in GradientTests.forms {
      let model = try Transformer(config, source: RandomSource(seed: 1))
      #expect(model.parameters.reduce(0) { $0 + $1.tensor.count } == config.parameterCount)
    }
  }

  @Test func `the same seed gives the same model and another seed another`() throws {
    let config = GradientTests.forms[0].1
    let a = try Transformer(config, source: RandomSource(seed: 1)).namedTensors().map(\.values)
    let b = try Transformer(config, source: RandomSource(seed: 1)).namedTensors().map(\.values)
    let c = try Transformer(config, source: RandomSource(seed: 2)).namedTensors().map(\.values)
    #expect(a == b)
    #expect(a != c)
  }
}
