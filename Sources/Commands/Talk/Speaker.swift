import Foundation
import Generation
import LanguageModel
import Tokenization
import Training

/// Whoever is asked: a model here, or one behind an endpoint.
protocol Speaker {
  /// One answer to each conversation, drawn at `temperature`; 0 takes the likeliest tokens. The draws
  /// depend on `stream` and the place of the conversation.
  func answers(
    _ conversations: [[Message]], temperature: Float, maxTokens: Int, stream: UInt64
  ) throws -> [String]
}

/// A model in this process. One without a chat template is given questions as a text that goes on.
struct LocalSpeaker: Speaker {
  let loaded: LoadedModel
  let seed: UInt64

  private var isBase: Bool { loaded.format.source == nil }

  func answers(
    _ conversations: [[Message]], temperature: Float, maxTokens: Int, stream: UInt64
  ) throws -> [String] {
    let generator = Generator(
      loaded.model, settings: SamplingSettings(temperature: temperature, maxTokens: maxTokens),
      stops: loaded.format.ends, forbidden: loaded.format.own?.hostTokens ?? [], seed: seed,
      slots: 16)
    let requests = try conversations.enumerated().map { i, messages in
      GenerationRequest(prompt: try prompt(messages), stream: stream &* 0x10000 &+ UInt64(i))
    }
    var lines = [IncrementalDecoder?](repeating: nil, count: requests.count)
    let found = try generator.run(requests) { request, _, token in
      guard isBase else { return !Interrupt.isRequested }
      // A text goes on for ever: an answer ends with its line.
      var decoder = lines[request] ?? IncrementalDecoder(loaded.tokenizer)
      let piece = decoder.append(token)
      lines[request] = decoder
      return !Interrupt.isRequested && !piece.contains("\nQuestion")
    }
    try Interrupt.check()
    return found.map { continuations in
      let text = loaded.format.text(continuations[0].tokens)
      let end = isBase ? text.range(of: "\nQuestion")?.lowerBound : nil
      return text[..<(end ?? text.endIndex)].trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  private func prompt(_ messages: [Message]) throws -> [Int32] {
    guard isBase else { return try loaded.format.prompt(messages) }
    var text = ""
    for message in messages {
      switch message.role {
      case .system: text += message.content + "\n\n"
      case .user, .tool: text += "Question: " + message.content + "\n"
      case .assistant: text += "Answer: " + message.content + "\n"
      }
    }
    return loaded.format.opening + loaded.tokenizer.encode(text + "Answer:")
  }
}

/// A model behind an OpenAI-compatible API.
struct RemoteSpeaker: Speaker {
  let endpoint: Endpoint
  let seed: UInt64

  func answers(
    _ conversations: [[Message]], temperature: Float, maxTokens: Int, stream: UInt64
  ) throws -> [String] {
    try conversations.enumerated().map { i, messages in
      try Interrupt.check()
      return try endpoint.answer(
        messages, temperature: Double(temperature),
        seed: Int(truncatingIfNeeded: (seed &* 31 &+ stream &* 0x10000 &+ UInt64(i)) & 0x7FFF_FFFF),
        maxTokens: maxTokens)
    }
  }
}
