import ArgumentParser
import Environments
import Generation
import LanguageModel
import TensorCore
import TensorKernels

/// `bench generate`: sampling many sequences, as practice needs it.
struct BenchGenerate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Time batched sampling over a cache.",
    discussion: """
      Example:  lyceum bench generate --prompts 256 --samples 1 --json
      With --samples 8 the sequences of a prompt share the work on it, as in practice.
      """)

  @Option(help: "Width of the residual stream.") var width = 128
  @Option(help: "Number of layers.") var layers = 4
  @Option(help: "Heads.") var heads = 4
  @Option(help: "Width inside the feed-forward blocks.") var ff = 344
  @Option(help: "Vocabulary size.") var vocab = 512
  @Option(help: "Different prompts.") var prompts = 256
  @Option(help: "Sequences for each prompt.") var samples = 1
  @Option(help: "Tokens in a prompt.") var promptTokens = 32
  @Option(help: "Tokens to sample.") var newTokens = 32
  @Option(help: "Timed repetitions.") var repeats = 5
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var tokens_per_second: Double
    var sequences: Int
    var seconds: Double
    var threads: Int
  }

  func validate() throws {
    try requireCounts([
      "width": width, "layers": layers, "heads": heads, "ff": ff, "vocab": vocab,
      "prompts": prompts, "samples": samples, "prompt-tokens": promptTokens,
      "new-tokens": newTokens, "repeats": repeats,
    ])
    guard samples <= Limits.samples / prompts else {
      throw ValidationError("--prompts times --samples may be \(Limits.samples) at most")
    }
  }

  func run() throws {
    compute.apply()
    let config = DecoderConfig(
      vocabularySize: vocab, width: width, layers: layers, heads: heads, hiddenWidth: ff,
      context: promptTokens + newTokens, normalisesHeads: false, tiesHead: true)
    let model = try Transformer(config, source: RandomSource(seed: 1))
    let generator = Generator(
      model, settings: SamplingSettings(maxTokens: newTokens), stops: [], seed: 1,
      slots: prompts * samples)
    var random = SplitMix64(seed: 1)
    let requests = (0..<prompts).map { i in
      GenerationRequest(
        prompt: (0..<promptTokens).map { _ in Int32(random.next() % UInt64(vocab)) },
        samples: samples, stream: UInt64(i))
    }
    var best = Double.infinity
    for _ in 0..<repeats + 1 {
      let start = ContinuousClock.now
      _ = try generator.run(requests)
      best = min(best, (ContinuousClock.now - start) / .seconds(1))
    }
    let tokens = Double(prompts * samples * newTokens)
    let result = Result(
      tokens_per_second: tokens / best, sequences: prompts * samples, seconds: best,
      threads: kernelThreads)
    if compute.json {
      try JSONLine.print(result)
    } else {
      print("\(Int(result.tokens_per_second)) new tokens/s over \(result.sequences) sequences")
    }
  }
}
