import Foundation

/// `rope_scaling` or `rope_parameters` of config.json.
struct RotaryEntry: Codable {
  var type: String?
  var rope_type: String?
  var rope_theta: Double?
  var factor: Double?
  var low_freq_factor: Double?
  var high_freq_factor: Double?
  var original_max_position_embeddings: Double?
  var divisors: [Double]?
  var partial_rotary_factor: Double?

  init(_ scaling: RotaryScaling) {
    switch scaling {
    case .linear(let factor): (rope_type, self.factor) = ("linear", factor)
    case .divisors(let divisors): (rope_type, self.divisors) = ("divisors", divisors)
    case .llama3(let factor, let low, let high, let context):
      (rope_type, self.factor) = ("llama3", factor)
      (low_freq_factor, high_freq_factor) = (low, high)
      original_max_position_embeddings = context
    }
  }

  func scaling() throws -> RotaryScaling? {
    if let part = partial_rotary_factor, part != 1 {
      throw DecoderError("config.json rotates a part of each head only, which is not done here")
    }
    let name = rope_type ?? type ?? "default"
    func needed(_ value: Double?, _ key: String) throws -> Double {
      guard let value else {
        throw DecoderError("config.json: rotary scaling of the type \"\(name)\" lacks \(key)")
      }
      return value
    }
    switch name {
    case "default": return nil
    case "linear": return .linear(factor: try needed(factor, "factor"))
    case "divisors": return .divisors(divisors ?? [])
    case "llama3":
      return .llama3(
        factor: try needed(factor, "factor"),
        lowFrequency: try needed(low_freq_factor, "low_freq_factor"),
        highFrequency: try needed(high_freq_factor, "high_freq_factor"),
        originalContext: try needed(
          original_max_position_embeddings, "original_max_position_embeddings"))
    default:
      throw DecoderError(
        "config.json asks for rotary scaling of the type \"\(name)\", which this version does not "
          + "have (default, linear, llama3)")
    }
  }
}

/// All that a config.json says of rotary positions, in its older and its newer form.
struct RotaryEntries {
  var base: Double?
  var windowBase: Double?
  var scaling: RotaryScaling?

  private struct ByLayer: Decodable {
    var full_attention: RotaryEntry?
    var sliding_attention: RotaryEntry?
  }

  init(_ file: KeyedDecodingContainer<ConfigKey>) throws {
    base = try file.decodeIfPresent(Double.self, forKey: .base)
    windowBase = try file.decodeIfPresent(Double.self, forKey: .windowBase)
    scaling = try file.decodeIfPresent(RotaryEntry.self, forKey: .scaling)?.scaling()
    let byLayer = try? file.decodeIfPresent(ByLayer.self, forKey: .rotary)
    if let full = byLayer?.full_attention {
      base = full.rope_theta ?? base
      scaling = try full.scaling() ?? scaling
      let windowed = byLayer?.sliding_attention
      windowBase = windowed?.rope_theta ?? windowBase
      if try windowed?.scaling() != nil {
        throw DecoderError("config.json scales the positions of layers with a window")
      }
    } else if let entry = try file.decodeIfPresent(RotaryEntry.self, forKey: .rotary) {
      base = entry.rope_theta ?? base
      scaling = try entry.scaling() ?? scaling
    }
  }
}
