import Foundation
import Generation
import Hummingbird
import LanguageModel
import TemplateLanguage
import TensorCore

// POST /v1/embeddings: the mean of the last hidden states of a text, at length one.

private struct EmbeddingReply: Encodable {
  struct Item: Encodable {
    var object = "embedding"
    var index: Int
    var embedding: Vector
  }

  /// A list of numbers, or the bytes of 32-bit numbers in base64.
  enum Vector: Encodable {
    case numbers([Float])
    case base64(String)

    func encode(to encoder: any Encoder) throws {
      var box = encoder.singleValueContainer()
      switch self {
      case .numbers(let numbers): try box.encode(numbers)
      case .base64(let text): try box.encode(text)
      }
    }
  }

  struct Usage: Encodable {
    var prompt_tokens: Int
    var total_tokens: Int
  }

  var object = "list"
  var data: [Item]
  var model: String
  var usage: Usage
}

extension Endpoints {
  /// Texts in one request, and tokens in all of them, at most.
  private static let (mostTexts, mostTokens) = (256, 65_536)

  func embeddings(_ call: Call) async throws -> Response {
    let fields = try call.fields()
    let model = try await model(of: fields)
    let format = try fields.string("encoding_format", limit: 64) ?? "float"
    guard format == "float" || format == "base64" else {
      throw fields.wrong("encoding_format", "must be 'float' or 'base64'")
    }
    if let size = try fields.int("dimensions", in: 1...Int.max), size != model.config.width {
      throw fields.wrong("dimensions", "must be \(model.config.width), what this model has")
    }
    let inputs = try Self.inputs(fields, model)
    let vectors = try await model.used { [inputs] in
      try await model.engine.withModel { transformer in
        inputs.map { Self.embedding(of: $0, transformer) }
      }
    }
    let count = inputs.reduce(0) { $0 + $1.count }
    metrics.prompted(count)
    return try reply(
      EmbeddingReply(
        data: vectors.enumerated().map { index, vector in
          EmbeddingReply.Item(
            index: index, embedding: format == "float" ? .numbers(vector) : Self.base64(vector))
        }, model: model.id,
        usage: EmbeddingReply.Usage(prompt_tokens: count, total_tokens: count)))
  }

  private static func inputs(_ fields: Fields, _ model: ServedModel) throws -> [[Int32]] {
    let prompts = try Prompt.all(fields, model, name: "input", most: mostTexts)
    var total = 0
    for prompt in prompts {
      total += prompt.tokens.count
      guard prompt.tokens.count <= model.longest else {
        throw APIError.tooLong(prompt: prompt.tokens.count, asked: 0, context: model.longest)
      }
      let size = Int32(model.config.vocabularySize)
      if let odd = prompt.tokens.first(where: { $0 >= size }) {
        throw fields.wrong("input", "has \(odd), which is not one of the \(size) tokens")
      }
    }
    guard total <= mostTokens else {
      throw fields.wrong("input", "has \(total) tokens: send at most \(mostTokens) at a time")
    }
    return prompts.map(\.tokens)
  }

  private static func embedding(of tokens: [Int32], _ model: Transformer) -> [Float] {
    Tape.paused {
      let layout = SequenceLayout(
        rows: 1, length: tokens.count, segments: Array(repeating: 0, count: tokens.count))
      let hidden = model.hidden(tokens, layout)
      let width = model.config.width
      var sum = [Double](repeating: 0, count: width)
      for row in 0..<tokens.count {
        for column in 0..<width { sum[column] += Double(hidden.values[row * width + column]) }
      }
      let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return sum.map { Float($0 / max(length, 1e-12)) }
    }
  }

  private static func base64(_ vector: [Float]) -> EmbeddingReply.Vector {
    var data = Data(capacity: 4 * vector.count)
    for value in vector {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }
    return .base64(data.base64EncodedString())
  }
}
