import Generation
import Tokenization

// What /v1/completions answers.

struct CompletionReply: Encodable, Sendable {
  struct Choice: Encodable, Sendable {
    var text: String
    var index: Int
    @Nullable var logprobs: CompletionLogprobs?
    @Nullable var finish_reason: String?
  }

  var id: String
  var object = "text_completion"
  var created: Int
  var model: String
  var system_fingerprint: String
  var choices: [Choice]
  var usage: Usage?
}

/// Parallel lists, an element a token.
struct CompletionLogprobs: Encodable, Sendable {
  var tokens: [String] = []
  /// Null for the first token of a prompt, which nothing predicts.
  var token_logprobs: [Float?] = []
  var top_logprobs: [[String: Float]?] = []
  /// Where a token begins, in Unicode scalars from the beginning of the choice's text.
  var text_offset: [Int] = []
  /// Beyond OpenAI's fields.
  var token_ids: [Int32] = []

  /// Where the next token begins.
  private var offset = 0

  private enum CodingKeys: String, CodingKey {
    case tokens, token_logprobs, top_logprobs, text_offset, token_ids
  }

  /// - Parameter offset: where the first token begins.
  init(offset: Int = 0) { self.offset = offset }

  var end: Int { offset }

  /// Adds tokens, with their `count` likeliest alternatives and themselves.
  mutating func add(_ scores: [TokenScore], count: Int, _ tokenizer: Tokenizer) {
    for score in scores {
      tokens.append(tokenizer.spelling(score.token))
      token_ids.append(score.token)
      text_offset.append(offset)
      if !tokenizer.isSpecial(score.token) {
        offset += tokenizer.bytes(of: score.token).reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
      }
      guard score.isScored else {
        token_logprobs.append(nil)
        top_logprobs.append(nil)
        continue
      }
      token_logprobs.append(finite(score.logProbability))
      guard count > 0 else {
        top_logprobs.append(nil)
        continue
      }
      var top = [tokenizer.spelling(score.token): finite(score.logProbability)]
      for other in score.alternatives.prefix(count) {
        top[tokenizer.spelling(other.token), default: finite(other.logProbability)] += 0
      }
      top_logprobs.append(top)
    }
  }
}
