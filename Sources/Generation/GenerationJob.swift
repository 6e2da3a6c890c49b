/// One sequence to write: a prompt, and how to go on.
///
/// What is written depends on the job and the model alone: the same job gives the same tokens and
/// the same bits of log-probability whatever else is being written beside it.
public struct GenerationJob: Sendable {
  public var prompt: [Int32]
  public var settings: SamplingSettings
  /// Tokens that end the sequence.
  public var stops: Set<Int32>
  /// Tokens that are never drawn.
  public var forbidden: [Int32]
  /// With `stream` and `sample`, decides the draws.
  public var seed: UInt64
  public var stream: UInt64
  public var sample: Int
  /// How many of the likeliest tokens to report with each token.
  public var alternatives: Int
  /// Whether rank, entropy and kept are measured; otherwise they are 0. Implied by `alternatives`.
  public var isMeasured: Bool
  /// Whether the tokens of the prompt are reported too. Such a prompt is always computed anew, and
  /// `settings.maxTokens` may be 0: then nothing is written.
  public var scoresPrompt: Bool
  /// Which tokens may follow: what holds an answer to a grammar.
  public var constraint: (any TokenConstraint)?
  /// Runs the tools that the model calls; nil where a call is nothing but tokens.
  public var host: ToolHost?
  /// Who asks. Where jobs wait, those who have fewer under way come first; the jobs of one client,
  /// and those of nobody in particular, come in the order of their submission.
  public var client: String?

  public init(
    prompt: [Int32], settings: SamplingSettings = SamplingSettings(), stops: Set<Int32> = [],
    forbidden: [Int32] = [], seed: UInt64 = 0, stream: UInt64 = 0, sample: Int = 0,
    alternatives: Int = 0, isMeasured: Bool = false, scoresPrompt: Bool = false,
    constraint: (any TokenConstraint)? = nil, host: ToolHost? = nil, client: String? = nil
  ) {
    (self.prompt, self.settings, self.stops) = (prompt, settings, stops)
    (self.forbidden, self.seed, self.stream) = (forbidden, seed, stream)
    (self.sample, self.alternatives, self.isMeasured) = (sample, alternatives, isMeasured)
    (self.scoresPrompt, self.constraint, self.host) = (scoresPrompt, constraint, host)
    self.client = client
  }

  /// Tokens that the sequence can hold at most, in a context of `context`.
  public func most(context: Int) -> Int {
    let (sum, isTooMuch) = prompt.count.addingReportingOverflow(
      settings.maxTokens.addingReportingOverflow(host?.injectedLimit ?? 0).overflow
        ? .max : settings.maxTokens + (host?.injectedLimit ?? 0))
    return isTooMuch ? context : min(context, sum)
  }

  /// Why it cannot be written by a model with `vocabulary` tokens, in a sentence.
  ///
  /// - Parameters:
  ///   - room: tokens that a sequence may hold.
  ///   - reason: what `room` is, as in "a context of".
  func problem(vocabulary: Int, room: Int, reason: String = "a context of") -> String? {
    var settings = settings
    if scoresPrompt, settings.maxTokens == 0 { settings.maxTokens = 1 }
    if let problem = settings.problem { return problem }
    guard !prompt.isEmpty else { return "an empty prompt cannot be continued" }
    guard prompt.count < room || (prompt.count == room && self.settings.maxTokens == 0) else {
      return "a prompt of \(prompt.count) tokens leaves no room in \(reason) \(room): shorten it"
    }
    func isOdd(_ token: Int32) -> Bool { token < 0 || Int(token) >= vocabulary }
    if let odd = prompt.first(where: isOdd) ?? forbidden.first(where: isOdd)
      ?? settings.bias.keys.filter(isOdd).min()
    {
      return "token \(odd) is not one of the \(vocabulary) of this model"
    }
    if alternatives < 0 { return "\(alternatives) alternatives cannot be reported: use 0 or more" }
    return nil
  }
}

/// Why a prompt cannot be continued.
public struct GenerationError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
