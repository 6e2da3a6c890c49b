import Generation
import Tokenization

// What /v1/chat/completions answers.

struct ChatReply: Encodable, Sendable {
  struct Choice: Encodable, Sendable {
    var index: Int
    var message: AnswerMessage
    @Nullable var logprobs: ChatLogprobs?
    var finish_reason: String
  }

  var id: String
  var object = "chat.completion"
  var created: Int
  var model: String
  var system_fingerprint: String
  var choices: [Choice]
  var usage: Usage
  var timings: Timings
}

/// What the assistant said.
struct AnswerMessage: Encodable, Sendable {
  var role = "assistant"
  @Nullable var content: String?
  @Nullable var refusal: String?
  var reasoning_content: String?
  var tool_calls: [AnswerCall]?
}

/// A call, or in a stream a part of it.
struct AnswerCall: Encodable, Sendable {
  struct Function: Encodable, Sendable {
    var name: String?
    var arguments: String
  }
  var index: Int?
  var id: String?
  var type: String?
  var function: Function
}

/// A part of a stream.
struct ChatChunk: Encodable, Sendable {
  struct Delta: Encodable, Sendable {
    var role: String?
    var content: String?
    var reasoning_content: String?
    var tool_calls: [AnswerCall]?
  }

  struct Choice: Encodable, Sendable {
    var index: Int
    var delta: Delta
    @Nullable var logprobs: ChatLogprobs?
    @Nullable var finish_reason: String?
  }

  var id: String
  var object = "chat.completion.chunk"
  var created: Int
  var model: String
  var system_fingerprint: String
  var choices: [Choice]
  /// There where the request asks for usage: null but in the last.
  var usage: Nullable<Usage>?
}

struct ChatLogprobs: Encodable, Sendable {
  struct Token: Encodable, Sendable {
    var token: String
    var logprob: Float
    var bytes: [UInt8]
    var top_logprobs: [Top]
  }

  struct Top: Encodable, Sendable {
    var token: String
    var logprob: Float
    var bytes: [UInt8]
  }

  var content: [Token]

  init(_ scores: [TokenScore], count: Int, _ tokenizer: Tokenizer) {
    content = scores.map { score in
      Token(
        token: tokenizer.decode([score.token]), logprob: finite(score.logProbability),
        bytes: tokenizer.bytes(of: score.token),
        top_logprobs: score.alternatives.prefix(count).map {
          Top(
            token: tokenizer.decode([$0.token]), logprob: finite($0.logProbability),
            bytes: tokenizer.bytes(of: $0.token))
        })
    }
  }
}

/// How fast it went, by llama.cpp's names.
struct Timings: Encodable, Sendable {
  /// Tokens of the prompt that were computed for an earlier request.
  var cache_n: Int
  var prompt_n: Int
  var prompt_ms: Double
  var prompt_per_second: Double
  var predicted_n: Int
  var predicted_ms: Double
  var predicted_per_second: Double

  init(prompt: Int, written: Int, _ times: WritingTimes) {
    func rate(_ count: Int, _ seconds: Double) -> Double {
      seconds > 0 ? Double(count) / seconds : 0
    }
    cache_n = times.prompt?.reused ?? 0
    (prompt_n, predicted_n) = (prompt - cache_n, written)
    let seconds = times.prompt?.secondsComputing ?? times.toFirst
    (prompt_ms, predicted_ms) = (seconds * 1000, times.afterwards * 1000)
    prompt_per_second = rate(prompt_n, seconds)
    // The first token comes with the prompt.
    predicted_per_second = rate(max(0, written - 1), times.afterwards)
  }
}
