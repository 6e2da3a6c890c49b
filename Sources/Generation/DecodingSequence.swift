/// What came of a sequence.
enum DecodingEvent {
  /// Its prompt is computed.
  case began(DecodingStart)
  case token(TokenScore)
  case ended(Continuation)
  case failed(GenerationError)
}

struct DecodingStart {
  /// Tokens of the prompt that were there already.
  var reused: Int
  /// Of the tokens of the prompt, where the job asks for them.
  var scores: [TokenScore]
}

/// A sequence whose prompt another one waits for, to take over the tokens that both begin with.
struct Leader {
  var id: Int
  var slot: Int
  var tokens: Int
}

/// A sequence under way. It belongs to the thread of its core.
final class DecodingSequence {
  enum Ending {
    case ended(Continuation.End)
    case failed(GenerationError)
  }

  let job: GenerationJob
  let id: Int
  let slot: Int
  /// Tokens that the context has left behind the prompt.
  let room: Int
  /// Tokens that go into the model next: of the prompt, the last one drawn, what a tool answered.
  private(set) var pending: [Int32]
  private(set) var reused: Int
  /// Not nil where its prompt waits for another sequence's.
  var leader: Leader?
  /// Whether it waits for memory: then the cache holds nothing of it.
  var isParked = false
  /// Whether its prompt is computed.
  var hasPrompt = false
  var promptScores: [TokenScore] = []
  private(set) var written = Continuation(tokens: [], logProbabilities: [], end: .length)
  var random: SequenceRandom
  var turn: ToolTurn?
  var constraint: (any TokenConstraint)?
  /// How often the answer holds each token, where the penalties need it.
  private(set) var counts: [Int32: Int] = [:]
  /// The tokens of the prompt, where the penalties need them.
  private let promptTokens: Set<Int32>

  init(
    _ job: GenerationJob, id: Int, slot: Int, context: Int, pending: [Int32], reused: Int,
    leader: Leader?
  ) {
    (self.job, self.id, self.slot) = (job, id, slot)
    (self.pending, self.reused, self.leader) = (pending, reused, leader)
    room = context - job.prompt.count
    random = SequenceRandom(seed: job.seed, stream: job.stream, sample: job.sample)
    turn = job.host.map { ToolTurn($0.template) }
    constraint = job.constraint
    promptTokens = job.settings.repetitionPenalty == 1 ? [] : Set(job.prompt)
  }

  func takePending(_ count: Int) -> [Int32] {
    defer { pending.removeFirst(count) }
    return Array(pending.prefix(count))
  }

  /// The first `tokens` tokens of the prompt came from the leader.
  func follow(_ tokens: Int) {
    pending = Array(job.prompt[tokens...])
    reused = tokens
    leader = nil
  }

  /// All its tokens have to be computed again, once there is room: with the same bits.
  func park() {
    pending = job.prompt + written.tokens
    if !hasPrompt { promptScores = [] }
    isParked = true
  }

  func append(_ score: TokenScore) {
    written.tokens.append(score.token)
    written.logProbabilities.append(score.logProbability)
    pending = [score.token]
    if job.settings.hasPenalties { counts[score.token, default: 0] += 1 }
  }

  /// What was written, with the reason why it ended.
  func ended(_ end: Continuation.End) -> Continuation {
    written.end = end
    return written
  }

  func inject(_ result: [Int32]) {
    let start = written.tokens.count
    written.tokens += result
    written.logProbabilities += Array(repeating: 0, count: result.count)
    written.injected.append(start..<start + result.count)
    pending += result
  }

  /// Whether its scores are other than the model's.
  var isReshaped: Bool { job.settings.hasPenalties || !job.settings.bias.isEmpty }

  /// Whether some tokens may not follow.
  var isMasked: Bool { constraint != nil || job.host != nil || !job.forbidden.isEmpty }

  /// Changes a row of scores as the penalties and the biases say.
  func reshape(_ scores: UnsafeMutableBufferPointer<Float>) {
    let settings = job.settings
    if settings.repetitionPenalty != 1 {
      for token in promptTokens.union(counts.keys) {
        let score = scores[Int(token)]
        scores[Int(token)] =
          score > 0 ? score / settings.repetitionPenalty : score * settings.repetitionPenalty
      }
    }
    for (token, count) in counts {
      scores[Int(token)] -=
        Float(count) * settings.frequencyPenalty + settings.presencePenalty
    }
    for (token, bias) in settings.bias { scores[Int(token)] += bias }
  }

  /// Calls `body` for every token below `vocabulary` that may not follow.
  func forEachForbidden(below vocabulary: Int, _ body: (Int) -> Void) {
    constraint?.allowed().forEachMissing(below: vocabulary, body)
    for token in job.forbidden { body(Int(token)) }
    if let host = job.host, let turn {
      for token in host.forbidden(turn) { body(Int(token)) }
    }
  }
}
