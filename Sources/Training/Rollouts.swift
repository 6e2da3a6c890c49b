import Corpus
import Environments
import Generation
import LanguageModel
import Tokenization

// Reinforcement learning from checked answers, in its plainest form: sample a group of answers to a
// problem, pay each its reward less the group's mean, and raise the log-probability of every sampled
// token by that. On-policy with one update a batch, so there is no ratio to clip; no division by the
// deviation or by the length, which would favour easy problems and long mistakes (Liu et al. 2025,
// arXiv:2503.20783); groups without variance teach nothing and are left out (Yu et al. 2025,
// arXiv:2503.14476).

/// One sampled answer.
public struct Rollout: Codable, Sendable, Equatable {
  public var step: Int
  /// Which problem of the step, and which of its samples.
  public var problem: Int
  public var sample: Int
  public var prompt: String
  public var answer: String
  /// What the model said: without calls to tools and what they answered.
  public var response: String
  public var tokens: [Int32]
  /// Where in `tokens` tools answered; nil where none did.
  public var injected: [Range<Int>]?
  public var reward: Double
  /// Σ log p of the tokens as they were sampled.
  public var logProbability: Double
  /// Whether the model ended by itself.
  public var finished: Bool
}

/// r − mean r of the group; nil where all rewards are the same.
public func groupAdvantages(_ rewards: [Double]) -> [Double]? {
  guard let first = rewards.first, rewards.contains(where: { $0 != first }) else { return nil }
  let mean = rewards.reduce(0, +) / Double(rewards.count)
  return rewards.map { $0 - mean }
}

/// The answers to one batch of problems.
public struct RolloutBatch: Sendable {
  public var prompts: [[Int32]]
  /// By problem and sample.
  public var continuations: [[Continuation]]
  public var responses: [[String]]
  public var rewards: [[Double]]

  /// Problems whose answers differ in reward.
  public var informative: Int { rewards.count { groupAdvantages($0) != nil } }
}

/// Samples `samples` answers to each problem and has them checked.
///
/// - Parameter host: runs the tools that the model calls.
public func rollOut(
  _ problems: [Problem], verifier: any Verifier, model: Transformer, tokenizer: Tokenizer,
  template: ChatTemplate, host: ToolHost? = nil, samples: Int, settings: SamplingSettings,
  seed: UInt64, step: Int
) throws -> RolloutBatch {
  var batch = try rollOut(
    problems, model: model, tokenizer: tokenizer, template: template, host: host, samples: samples,
    settings: settings, seed: seed, step: step)
  batch.rewards = try batch.checked(by: verifier, problems)
  return batch
}

/// Samples `samples` answers to each problem; their rewards are 0.
///
/// Sampling is at temperature 1 with nothing cut off, so that what is sampled is what is scored.
public func rollOut(
  _ problems: [Problem], model: Transformer, tokenizer: Tokenizer, template: ChatTemplate,
  host: ToolHost? = nil, samples: Int, settings: SamplingSettings, seed: UInt64, step: Int
) throws -> RolloutBatch {
  let generator = Generator(
    model, settings: settings, stops: [template.end], host: host, seed: seed)
  let prompts = problems.map { template.prompt([Message(role: .user, content: $0.prompt)]) }
  let requests = prompts.enumerated().map { i, prompt in
    GenerationRequest(
      prompt: prompt, samples: samples, stream: UInt64(step) << 32 | UInt64(i))
  }
  let continuations = try generator.run(requests)
  let responses = continuations.map { group in
    group.map { template.response($0) }
  }
  return RolloutBatch(
    prompts: prompts, continuations: continuations, responses: responses,
    rewards: continuations.map { Array(repeating: 0, count: $0.count) })
}

extension RolloutBatch {
  /// What a verifier says of the answers. One that never ended is not an answer. Throws
  /// ``TrainingError`` where the verifier fails.
  public func checked(by verifier: any Verifier, _ problems: [Problem]) throws -> [[Double]] {
    try zip(problems, zip(responses, continuations)).map { problem, group in
      try zip(group.0, group.1).map { response, continuation in
        guard continuation.end == .stop else { return 0.0 }
        return try judge(problem, response, verifier)
      }
    }
  }

  /// All answers with their prompts, problem by problem, as a reward model reads them.
  public var answers: [AnswerTokens] {
    zip(prompts, continuations).flatMap { prompt, group in
      group.map { AnswerTokens(prompt: prompt, answer: $0.tokens) }
    }
  }

  /// Values of ``answers``, one for each, by problem and sample.
  public func grouped(_ values: [Double]) -> [[Double]] {
    var first = 0
    return continuations.map { group in
      defer { first += group.count }
      return Array(values[first..<first + group.count])
    }
  }
}

extension RolloutBatch {
  /// The sampled sequences with their advantages as weights: 0 on the prompt and on what tools
  /// answered, the advantage on every sampled token, the end token included.
  func sequences() -> [TokenSequence] {
    zip(prompts, zip(continuations, rewards)).flatMap { prompt, group -> [TokenSequence] in
      guard let advantages = groupAdvantages(group.1) else { return [] }
      return zip(group.0, advantages).compactMap { continuation, advantage in
        guard advantage != 0 else { return nil }
        return TokenSequence(
          tokens: prompt + continuation.tokens,
          weights: Array(repeating: 0, count: prompt.count)
            + continuation.weights(Float(advantage)))
      }
    }
  }

  /// What the log keeps of a batch.
  func statistics() -> [String: Double] {
    let all = zip(rewards, continuations).flatMap { zip($0, $1) }
    let lengths = { (isRight: Bool) -> Double in
      let chosen = all.filter { ($0.0 > 0.5) == isRight }.map { Double($0.1.tokens.count) }
      return chosen.isEmpty ? 0 : chosen.reduce(0, +) / Double(chosen.count)
    }
    var values = [
      "reward": all.reduce(0) { $0 + $1.0 } / Double(max(1, all.count)),
      "no_variance": 1 - Double(informative) / Double(max(1, rewards.count)),
      "length_right": lengths(true), "length_wrong": lengths(false),
      "length": all.reduce(0) { $0 + Double($1.1.tokens.count) } / Double(max(1, all.count)),
      "finished": Double(all.count { $0.1.end == .stop }) / Double(max(1, all.count)),
    ]
    for k in [1, 2, 4, 8] where rewards.allSatisfy({ $0.count >= k }) {
      let groups = rewards.map { group in
        passAtK(n: group.count, correct: group.count { $0 > 0.5 }, k: k)
      }
      values["pass@\(k)"] = groups.reduce(0, +) / Double(max(1, groups.count))
    }
    return values
  }

  func records(step: Int, problems: [Problem]) -> [Rollout] {
    problems.indices.flatMap { i in
      continuations[i].indices.map { j in
        Rollout(
          step: step, problem: i, sample: j, prompt: problems[i].prompt,
          answer: problems[i].answer, response: responses[i][j], tokens: continuations[i][j].tokens,
          injected: continuations[i][j].injected.isEmpty ? nil : continuations[i][j].injected,
          reward: rewards[i][j],
          logProbability: continuations[i][j].logProbabilities.reduce(0) { $0 + Double($1) },
          finished: continuations[i][j].end == .stop)
      }
    }
  }
}

/// The reward of an answer. Throws ``TrainingError`` where the verifier fails.
private func judge(_ problem: Problem, _ response: String, _ verifier: any Verifier) throws
  -> Double
{
  let reward: Double
  do {
    reward = try verifier.reward(problem: problem, response: response)
  } catch {
    throw TrainingError(
      "an answer to \"\(problem.prompt.prefix(60))\" could not be checked: \(error). The run is kept: "
        + "the same command goes on")
  }
  guard reward.isFinite else {
    throw TrainingError(
      "the verifier gave \"\(problem.prompt.prefix(60))\" the reward \(reward), which is no number. The "
        + "run is kept: the same command goes on")
  }
  return reward
}
