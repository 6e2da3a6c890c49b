import ArgumentParser
import Corpus
import Generation
import LanguageModel
import TensorCore
import TensorKernels
import Training

/// `bench practice`: whole steps of reinforcement learning: sampling, rewards, one update.
struct BenchPractice: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "practice", abstract: "Time whole steps of practice: sample, judge, update.",
    discussion: """
      Example:  lyceum bench practice --prompts 32 --samples 8 --json
      The reward is the share of even tokens; advantages are rewards less their group's mean.
      """)

  @Option(help: "Width of the residual stream.") var width = 128
  @Option(help: "Number of layers.") var layers = 4
  @Option(help: "Heads.") var heads = 4
  @Option(help: "Width inside the feed-forward blocks.") var ff = 344
  @Option(help: "Vocabulary size.") var vocab = 512
  @Option(help: "Different prompts.") var prompts = 32
  @Option(help: "Sequences for each prompt.") var samples = 8
  @Option(help: "Tokens in a prompt.") var promptTokens = 32
  @Option(help: "Tokens to sample.") var newTokens = 32
  @Option(help: "Timed steps, after one that warms up.") var steps = 5
  @Option(help: "Threads; 0 for all cores.") var threads = 0
  @Flag(help: "End with one JSON line.") var json = false

  struct Result: Encodable {
    var rollouts_per_second: Double
    var step_ms: Double
    var sampling_ms: Double
    var reward_first: Double
    var reward_last: Double
    var threads: Int
  }

  func run() throws {
    if threads > 0 { kernelThreads = threads }
    let length = promptTokens + newTokens
    let config = DecoderConfig(
      vocabularySize: vocab, width: width, layers: layers, heads: heads, hiddenWidth: ff,
      context: length, normalisesHeads: false, tiesHead: true)
    let model = try Transformer(config, source: RandomSource(seed: 1))
    let optimizer = Optimizer(model.parameters, OptimizerSettings(rate: 1e-3, decay: 0))
    var random = SplitMix(state: 1)
    let requests = (0..<prompts).map { i in
      GenerationRequest(
        prompt: (0..<promptTokens).map { _ in Int32(random.next() % UInt64(vocab)) },
        samples: samples, stream: UInt64(i))
    }
    var (times, sampling, rewards) = ([Double](), [Double](), [Double]())
    for step in 0...steps {
      let start = ContinuousClock.now
      let groups = try Generator(
        model, settings: SamplingSettings(maxTokens: newTokens), stops: [], seed: UInt64(step),
        slots: prompts * samples
      ).run(requests)
      let sampled = (ContinuousClock.now - start) / .seconds(1)
      let judged = zip(requests, groups).map { request, group in
        judge(prompt: request.prompt, group)
      }
      _ = trainStep(
        model, optimizer,
        batches: Packing(judged.flatMap(\.sequences), length: length)
          .batches(of: prompts * samples),
        normaliser: Float(prompts * samples * newTokens), scale: 1)
      if step > 0 {
        times.append((ContinuousClock.now - start) / .seconds(1))
        sampling.append(sampled)
      }
      rewards.append(judged.reduce(0) { $0 + $1.reward } / Double(prompts))
    }
    let seconds = times.sorted()[times.count / 2]
    let result = Result(
      rollouts_per_second: Double(prompts * samples) / seconds, step_ms: seconds * 1000,
      sampling_ms: sampling.sorted()[sampling.count / 2] * 1000, reward_first: rewards.first ?? 0,
      reward_last: rewards.last ?? 0, threads: kernelThreads)
    if json {
      try JSONLine.print(result)
    } else {
      print("\(Int(result.rollouts_per_second)) rollouts/s, \(Int(result.step_ms)) ms a step")
    }
  }

  /// The sequences of one prompt with their advantages as weights, and the mean reward.
  private func judge(prompt: [Int32], _ group: [Continuation]) -> (
    sequences: [TokenSequence], reward: Double
  ) {
    let rewards = group.map { Double($0.tokens.count { $0 % 2 == 0 }) / Double($0.tokens.count) }
    let mean = rewards.reduce(0, +) / Double(rewards.count)
    let sequences = zip(group, rewards).map { continuation, reward in
      TokenSequence(
        tokens: prompt + continuation.tokens,
        weights: Array(repeating: 0, count: prompt.count)
          + Array(repeating: Float(reward - mean), count: continuation.tokens.count))
    }
    return (sequences, mean)
  }
}
