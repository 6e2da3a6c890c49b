import Foundation
import Generation
import LanguageModel
import ModelFiles
import TensorCore
import TensorKernels
import TestSupport
import Testing
import Training

@Suite struct PackedModelTests {
  private static let config = DecoderConfig(
    vocabularySize: 50, width: 64, layers: 2, heads: 4, keyHeads: 2, hiddenWidth: 96, context: 48,
    epsilon: 1e-5, normalisesHeads: false, tiesHead: true)

  /// A Llama file whose matrices are of `type`, but for the values of attention, which are `second`.
  private func file(_ type: WeightType, second: WeightType? = nil, at url: URL) throws {
    let model = try Transformer(Self.config, source: Uneven())
    var builder = GGUFModelTests.file("llama", model)
    for i in builder.tensors.indices where builder.tensors[i].dimensions.count == 2 {
      let type = builder.tensors[i].name.contains("attn_v") ? second ?? type : type
      let floats = builder.tensors[i].data
      let count = floats.count / 4
      var bytes = [UInt8](repeating: 0, count: count / type.blockCount * type.blockBytes)
      floats.withUnsafeBytes { floats in
        bytes.withUnsafeMutableBytes {
          quantise(floats.bindMemory(to: Float.self), as: type, into: $0)
        }
      }
      builder.tensors[i].type = type.rawValue
      builder.tensors[i].data = bytes
    }
    try builder.build().write(to: url)
  }

  private static let tokens = (0..<40).map { Int32(($0 * 17 + 3) % 50) }

  private func logits(_ model: Transformer) -> [Float] {
    Tape.paused {
      model.logits(model.hidden(Self.tokens, SequenceLayout(rows: 1, length: 40))).array
    }
  }

  /// The same, token by token over a cache.
  private func cached(_ model: Transformer, slots: Int) -> [[Float]] {
    let cache = KeyValueCache(model.config, slots: slots, capacity: 48)
    return Tape.paused {
      Self.tokens.map { token in
        let all = (0..<slots).map { Int32($0) }
        let hidden = model.hidden(all.map { _ in token }, slots: all, cache: cache)
        return model.logits(hidden).array
      }
    }
  }

  @Test(
    arguments: [
      (WeightType.q8_0, nil), (.q4_0, nil), (.f16, nil), (.f32, nil), (.q4_0, .q8_0),
    ] as [(WeightType, WeightType?)])
  func `an opened model computes the bits of the loaded one`(type: WeightType, second: WeightType?)
    throws
  {
    let scratch = try Scratch()
    try file(type, second: second, at: scratch["m.gguf"])
    let loaded = try Transformer.load(scratch["m.gguf"])
    let opened = try Transformer.open(scratch["m.gguf"])
    #expect(opened.parameters.contains { $0.tensor.packedWeights != nil })
    #expect(sameBits(logits(opened), logits(loaded)))
    #expect(opened.weightBytes < loaded.weightBytes || type == .f32)
    let again = try Transformer.open(scratch["m.gguf"])
    #expect(opened.fingerprint != "" && opened.fingerprint == again.fingerprint)

    // Integers are near, and each arithmetic agrees with itself in every batch, over the cache or not.
    let integers = try Transformer.open(scratch["m.gguf"], arithmetic: .integer)
    let (near, exact) = (logits(integers), logits(loaded))
    let error = zip(near, exact).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let size = exact.reduce(Float(0)) { $0 + $1 * $1 }
    let deviation = (error / size).squareRoot()
    #expect(deviation < 0.05, "relative deviation of the logits")
    for model in [opened, integers] {
      let whole = logits(model)
      for slots in [1, 3, 7] {
        for (at, row) in cached(model, slots: slots).enumerated() {
          for slot in 0..<slots {
            let found = Array(row[slot * 50..<(slot + 1) * 50])
            #expect(found == Array(whole[at * 50..<(at + 1) * 50]), "token \(at), slot \(slot)")
          }
        }
      }
    }
  }

  @Test(arguments: [(UInt32(0xFFFF_0000), 2.0), (0xFFFF_E000, 2), (.max, 4)])
  func `values of other sources keep their bits in the smallest plain form`(
    mask: UInt32, bytes: Double
  ) throws {
    let loaded = try Transformer(Self.config, source: Uneven(mask: mask))
    let opened = try PackedWeights.$loading.withValue(.float) {
      try Transformer(Self.config, source: Uneven(mask: mask))
    }
    #expect(sameBits(logits(opened), logits(loaded)))
    let expected = bytes / 4 * Double(loaded.weightBytes)
    #expect(abs(Double(opened.weightBytes) - expected) < 0.05 * expected)
  }
}

/// Values that differ in size, of no more bits than `mask` leaves.
private struct Uneven: ParameterSource {
  var mask = UInt32.max

  func fill(
    _ values: UnsafeMutableBufferPointer<Float>, name: String, rows: Int, columns: Int,
    isTransposed: Bool, isVector: Bool, initial: Initial
  ) {
    RandomSource(seed: 3).fill(
      values, name: name, rows: rows, columns: columns, isTransposed: isTransposed,
      isVector: isVector, initial: .normal(deviation: isVector ? 1 : 0.2))
    for i in values.indices {
      // Halves below 2^−14 have fewer bits still.
      values[i] = abs(values[i]) < 0x1p-14 ? 0 : Float(bitPattern: values[i].bitPattern & mask)
    }
  }
}
