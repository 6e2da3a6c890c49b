import TensorCore
import TensorKernels

/// How a model's rotary frequencies differ from those of its base.
public enum RotaryScaling: Sendable, Equatable {
  /// Positions divided by `factor` (Chen et al. 2023, arXiv:2306.15595).
  case linear(factor: Double)
  /// Llama 3.1: waves longer than `originalContext / lowFrequency` divided by `factor`, those shorter
  /// than `originalContext / highFrequency` left alone, a passage between.
  case llama3(
    factor: Double, lowFrequency: Double, highFrequency: Double, originalContext: Double)
  /// A divisor for every pair, as GGUF files list them.
  case divisors([Double])

  func apply(_ frequencies: [Double]) -> [Double] {
    switch self {
    case .linear(let factor): return frequencies.map { $0 / factor }
    case .divisors(let divisors): return zip(frequencies, divisors).map { $0 / $1 }
    case .llama3(let factor, let low, let high, let context):
      return frequencies.map { frequency in
        let wave = 2 * Double.pi / frequency
        if wave < context / high { return frequency }
        if wave > context / low { return frequency / factor }
        let smooth = (context / wave - low) / (high - low)
        return (1 - smooth) * frequency / factor + smooth * frequency
      }
    }
  }

  func check(headWidth: Int) throws {
    let isSane =
      switch self {
      case .linear(let factor): factor > 0 && factor.isFinite
      case .llama3(let factor, let low, let high, let context):
        factor > 0 && low > 0 && high > low && context > 0
          && [factor, high, context].allSatisfy { $0.isFinite }
      case .divisors(let divisors):
        divisors.count == headWidth / 2 && divisors.allSatisfy { $0 > 0 && $0.isFinite }
      }
    guard isSane else { throw DecoderError("the rotary scaling \(self) makes no positions") }
  }
}

extension DecoderConfig {
  /// 1 where norms multiply by 1 + their weight.
  var normOffset: Float { isGemma ? 1 : 0 }

  /// What the frequency of every pair is divided by, where that is no single factor.
  public var rotaryDivisors: [Double]? {
    guard case .rotary(let base) = positions, let rotaryScaling else { return nil }
    if case .linear = rotaryScaling { return nil }
    let plain = rotaryFrequencies(headWidth: headWidth, base: base)
    return zip(plain, rotaryScaling.apply(plain)).map { $0 / $1 }
  }

  /// The tables of layers that see all tokens, and of those with a window; nil without rotation.
  func rotaryTables() -> (all: RotaryTable?, windowed: RotaryTable?) {
    guard case .rotary(let base) = positions else { return (nil, nil) }
    let plain = rotaryFrequencies(headWidth: headWidth, base: base)
    let all = RotaryTable(frequencies: rotaryScaling?.apply(plain) ?? plain)
    guard let own = window?.base else { return (all, all) }
    return (
      all, RotaryTable(frequencies: rotaryFrequencies(headWidth: headWidth, base: own))
    )
  }
}
