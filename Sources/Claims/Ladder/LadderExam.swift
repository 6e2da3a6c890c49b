import Environments
import Foundation
import Generation
import LanguageModel
import Tokenization
import Training

/// How one model did in the exam.
public struct ExamResult: Codable, Sendable, Equatable {
  public struct Answer: Codable, Sendable, Equatable {
    public var prompt: String
    public var response: String
    public var answer: String
    public var isRight: Bool
    public var tokens: Int
  }

  public var arm: String
  /// Greedy answers to every item, in the order of the exam.
  public var greedy: [Answer]
  /// Right answers among the samples at temperature 1, by item; empty where none were drawn.
  public var sampledRight: [Int]
  public var samples: Int

  /// The share of right greedy answers that show their work.
  public var workedShare: Double {
    Double(greedy.count { $0.response.contains("=") }) / Double(max(1, greedy.count))
  }

  public var meanTokens: Double {
    Double(greedy.reduce(0) { $0 + $1.tokens }) / Double(max(1, greedy.count))
  }

  public var accuracy: Estimate {
    Estimate(successes: greedy.count(where: \.isRight), of: greedy.count)
  }
}

/// Has a model answer the problems, greedily, and the first of them many times over.
///
/// - Parameter temperature: of the samples.
/// - Parameter tools: run what the model calls.
/// - Parameter shots: solved problems to put before each question, for a model that never saw a chat.
public func examine(
  _ arm: String, _ model: Transformer, _ tokenizer: Tokenizer, problems: [Problem],
  sampled: Int, samples: Int, maxTokens: Int, temperature: Float = 1, seed: UInt64,
  shots: [Demonstration]? = nil, verifier: any Verifier = LastInteger(), tools: ToolHost? = nil,
  onProgress: @escaping (Int) -> Void = { _ in }, shouldStop: @escaping () -> Bool = { false }
) throws -> ExamResult {
  let template = try ChatTemplate(tokenizer: tokenizer)
  var finished = 0
  func answers(_ items: [Problem], _ settings: SamplingSettings, _ samples: Int) throws
    -> [[ExamResult.Answer]]
  {
    let generator = Generator(
      model, settings: settings, stops: [template.end], host: tools, seed: seed)
    var out: [[ExamResult.Answer]] = []
    for start in stride(from: 0, to: items.count, by: 256) {
      if shouldStop() { throw ExperimentStopped() }
      let part = items[start..<min(items.count, start + 256)]
      let requests = part.map { problem in
        GenerationRequest(
          prompt: prompt(problem, shots, tokenizer, template), samples: samples,
          stream: stableHash(problem.prompt))
      }
      for (problem, group) in zip(part, try generator.run(requests)) {
        out.append(
          group.map { written in
            let ended = written.end == .stop
            let text =
              shots == nil
              ? template.response(written)
              : tokenizer.decode(ended ? written.tokens.dropLast() : written.tokens)
            let response = shots == nil ? text : firstLine(text)
            let isRight =
              (ended || shots != nil)
              && verifier.reward(problem: problem, response: response) > 0.5
            return ExamResult.Answer(
              prompt: problem.prompt, response: response, answer: problem.answer,
              isRight: isRight, tokens: written.tokens.count)
          })
        finished += samples
      }
      onProgress(finished)
    }
    return out
  }
  let greedy = try answers(problems, .greedy(maxTokens: maxTokens), 1).map { $0[0] }
  let drawn =
    sampled > 0
    ? try answers(
      Array(problems.prefix(sampled)),
      SamplingSettings(temperature: temperature, maxTokens: maxTokens), samples) : []
  return ExamResult(
    arm: arm, greedy: greedy, sampledRight: drawn.map { $0.count(where: \.isRight) },
    samples: samples)
}

/// A chat turn, or a page of solved problems that ends with the question.
private func prompt(
  _ problem: Problem, _ shots: [Demonstration]?, _ tokenizer: Tokenizer, _ template: ChatTemplate
) -> [Int32] {
  guard let shots else { return template.prompt([Message(role: .user, content: problem.prompt)]) }
  let page = shots.map { $0.problem.prompt + " " + $0.solution + "\n" }.joined() + problem.prompt
  return [template.bos] + tokenizer.encode(page)
}

private func firstLine(_ text: String) -> String {
  String(text.prefix { $0 != "\n" && $0 != "?" })
}
