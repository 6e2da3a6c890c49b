/// What comes of a job, in this order: `started`, `prompt` where its scores were asked for, `token`
/// for each token, then `end` or `failed`, once.
public enum EngineEvent: Sendable, Equatable {
  /// The prompt is computed, and the first token follows.
  case started(PromptReport)
  /// The tokens of the prompt; the first is unscored, since nothing came before it.
  case prompt([TokenScore])
  /// A token that was drawn, or, where ``TokenScore/isScored`` is false, that a tool answered. A stop
  /// token comes too, as the last.
  case token(TokenScore)
  case end(Continuation.End)
  /// It could not be gone on with.
  case failed(GenerationError)
}

/// How a prompt was worked on.
public struct PromptReport: Sendable, Equatable {
  /// Tokens of the prompt.
  public var tokens: Int
  /// Those of them that were there already, from an earlier or another job.
  public var reused: Int
  /// Seconds from the submission to a slot.
  public var secondsQueued: Double
  /// Seconds from the slot to the first token.
  public var secondsComputing: Double
}

/// Why a job was not taken: too many wait already.
public struct EngineBusy: Error, CustomStringConvertible, Equatable {
  /// When it may be worth another try, in seconds.
  public let retryAfter: Double
  public let description: String
}

/// How many jobs may wait for a slot.
public struct QueueLimit: Sendable, Equatable {
  public var jobs: Int
  /// Tokens of their prompts and of what they may write, together. One job alone always fits.
  public var tokens: Int

  public init(jobs: Int = 256, tokens: Int = 1 << 20) { (self.jobs, self.tokens) = (jobs, tokens) }
}

/// What an engine is doing, and did since it began.
public struct EngineStatus: Sendable, Equatable {
  /// Jobs that have a slot.
  public var running = 0
  /// Jobs that wait for one.
  public var waiting = 0
  /// Tokens that the waiting jobs may need.
  public var waitingTokens = 0
  public var slots = 0
  /// Bytes of the cache.
  public var cacheBytes = 0
  /// Tokens that one job may hold, prompt and answer.
  public var longest = 0
  public var jobsDone = 0
  public var jobsCancelled = 0
  public var jobsRefused = 0
  /// Tokens of prompts, those that were reused included.
  public var promptTokens = 0
  public var reusedTokens = 0
  /// Tokens drawn.
  public var writtenTokens = 0
  /// Seconds spent computing.
  public var busySeconds = 0.0

  public init() {}
}
