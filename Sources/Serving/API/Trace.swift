import Foundation
import Generation
import HTTPTypes
import Hummingbird
import LanguageModel
import TensorCore

// POST /api/trace: what a model computes on the way, for those who want to look inside.

/// What comes before the numbers.
private struct TraceHead: Encodable {
  struct Part: Encodable {
    /// "states": the residual stream, after each layer and behind the last norm.
    var name: String
    var shape: [Int]
    /// Where it begins, in bytes after this head.
    var offset: Int
  }

  var model: String
  var tokens: [TokenLine]
  var layers: Int
  var width: Int
  var dtype: String
  var parts: [Part]
}

extension Endpoints {
  /// Numbers in one reply at most.
  private static let mostTraced = 1 << 22

  /// Answers one line of JSON, a line feed, and then little-endian numbers, part after part.
  func trace(_ call: Call) async throws -> Response {
    let fields = try call.fields()
    let model = try await model(of: fields)
    let tokens: [Int32]
    if let ids = try fields.tokens("prompt_tokens") {
      tokens = ids
    } else {
      let text = try fields.string("prompt") ?? ""
      tokens = Prompt(text, model.format, parsesSpecials: true).tokens
    }
    let size = Int32(model.config.vocabularySize)
    guard !tokens.isEmpty, tokens.count <= model.longest,
      tokens.allSatisfy({ $0 >= 0 && $0 < size })
    else {
      throw APIError.invalid(
        "prompt", "Give 1 to \(model.longest) tokens of this model, as prompt or prompt_tokens.")
    }
    let all = model.config.layers
    let wanted = try fields.list("layers", limit: all + 1)?.map { value in
      guard let layer = value.int, (0...all).contains(layer) else {
        throw fields.wrong("layers", "must be numbers from 0 to \(all), which is the last norm")
      }
      return layer
    }
    let layers = wanted ?? Array(0...all)
    let count = layers.count * tokens.count * model.config.width
    guard count <= Self.mostTraced else {
      throw APIError.invalid(
        "layers",
        "That are \(count) numbers: ask for fewer tokens or layers, at most "
          + "\(Self.mostTraced) numbers.")
    }
    let isHalf = try fields.string("dtype", limit: 16) ?? "f16" == "f16"
    let bytes = try await model.used {
      try await model.engine.withModel { Self.states(tokens, layers, isHalf: isHalf, $0) }
    }
    let each = tokens.count * model.config.width * (isHalf ? 2 : 4)
    let head = TraceHead(
      model: model.id, tokens: tokens.map { TokenLine($0, model.tokenizer) }, layers: all,
      width: model.config.width, dtype: isHalf ? "f16" : "f32",
      parts: layers.enumerated().map { index, layer in
        TraceHead.Part(
          name: layer == all ? "normed" : "states.\(layer)",
          shape: [tokens.count, model.config.width], offset: index * each)
      })
    var buffer = ByteBuffer(bytes: try json(head))
    buffer.writeString("\n")
    buffer.writeBytes(bytes)
    return Response(
      status: .ok, headers: [.contentType: "application/octet-stream"],
      body: ResponseBody(byteBuffer: buffer))
  }

  private static func states(
    _ tokens: [Int32], _ layers: [Int], isHalf: Bool, _ model: Transformer
  ) -> [UInt8] {
    let layout = SequenceLayout(
      rows: 1, length: tokens.count, segments: Array(repeating: 0, count: tokens.count))
    let states = model.states(tokens, layout)
    var out: [UInt8] = []
    for layer in layers {
      for value in states[layer].values {
        if isHalf {
          withUnsafeBytes(of: halfBits(value).littleEndian) { out += $0 }
        } else {
          withUnsafeBytes(of: value.bitPattern.littleEndian) { out += $0 }
        }
      }
    }
    return out
  }

  /// The nearest 16-bit number; what is too large becomes infinite.
  static func halfBits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let magnitude = value.magnitude
    guard !value.isNaN else { return 0x7E00 }
    guard magnitude < 65_520 else { return sign | 0x7C00 }
    // Below the smallest normal number, steps are of 2⁻²⁴.
    guard magnitude >= 0x1p-14 else {
      return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let exponent = Int(bits >> 23 & 0xFF) - 112
    let fraction = bits & 0x7F_FFFF
    var half = UInt32(exponent) << 10 | fraction >> 13
    let rest = fraction & 0x1FFF
    if rest > 0x1000 || (rest == 0x1000 && half & 1 == 1) { half += 1 }
    return sign | UInt16(half)
  }
}
