import ArgumentParser
import Corpus
import Environments
import Foundation
import LanguageModel
import TensorCore
import TensorKernels
import Training

/// `bench train`: training steps on random tokens, as the peers' scripts take them.
struct BenchTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Time training steps of a Llama-style model.",
    discussion: """
      Example:  lyceum bench train --width 256 --layers 6 --heads 4 --ff 704 --threads 2 --json
      """)

  @Option(help: "Width of the residual stream.") var width = 256
  @Option(help: "Number of layers.") var layers = 6
  @Option(help: "Query heads.") var heads = 4
  @Option(help: "Key and value heads.") var kvHeads = 4
  @Option(help: "Width inside the feed-forward blocks.") var ff = 704
  @Option(help: "Vocabulary size.") var vocab = 4096
  @Option(help: "Tokens in a row.") var context = 256
  @Option(help: "Rows in a batch.") var batch = 16
  @Option(help: "Timed steps, after three that warm up.") var steps = 10
  @Option(help: "Seed of weights and tokens.") var seed: UInt64 = 1
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var tokens_per_second: Double
    var step_ms: Double
    var gflops: Double
    var peak_share: Double
    var loss_first: Double
    var loss_last: Double
    var peak_rss_mb: Double
    var threads: Int
    var parameters: Int
  }

  func validate() throws {
    try requireCounts([
      "width": width, "layers": layers, "heads": heads, "kv-heads": kvHeads, "ff": ff,
      "vocab": vocab, "context": context, "batch": batch, "steps": steps,
    ])
  }

  func run() throws {
    compute.apply()
    let config = DecoderConfig(
      vocabularySize: vocab, width: width, layers: layers, heads: heads, keyHeads: kvHeads,
      hiddenWidth: ff, context: context, epsilon: 1e-5, normalisesHeads: false, tiesHead: true)
    try config.check()
    let settings = OptimizerSettings(
      rate: 3e-4, beta2: 0.95, decay: 0.1, decaysAll: true, clip: 1)
    let plan = StagePlan(
      config: config, rows: batch, length: context, steps: steps, stepTokens: batch * context,
      optimizer: settings)
    try plan.checkMemory("lower --batch, --context or --layers")
    let model = try Transformer(config, source: RandomSource(seed: seed))
    let optimizer = Optimizer(model.parameters, settings)
    var generator = SplitMix64(seed: seed)
    let sample = TokenBatch(
      rows: batch, length: context,
      tokens: (0..<batch * context).map { _ in Int32(generator.next() % UInt64(vocab)) },
      targets: (0..<batch * context).map { _ in Int32(generator.next() % UInt64(vocab)) },
      weights: Array(repeating: 1, count: batch * context),
      segments: Array(repeating: 0, count: batch * context))
    let normaliser = Float(batch * context)
    var losses: [Double] = []
    var times: [Double] = []
    for step in 0..<steps + 3 {
      let start = ContinuousClock.now
      let report = trainStep(
        model, optimizer, batches: [sample], normaliser: normaliser, scale: 1)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      losses.append(report.loss)
      if step >= 3 { times.append(seconds) }
    }
    let total = times.reduce(0, +)
    let tokens = Double(batch * context)
    let operations = config.trainingOperations(length: context) * tokens * Double(times.count)
    let result = Result(
      tokens_per_second: tokens * Double(times.count) / total,
      step_ms: total / Double(times.count) * 1000, gflops: operations / total / 1e9,
      peak_share: operations / total / multiplyAddsPeak(threads: kernelThreads),
      loss_first: losses.first ?? 0, loss_last: losses.last ?? 0,
      peak_rss_mb: Double(Machine.peakResidentBytes) / 1e6, threads: kernelThreads,
      parameters: config.parameterCount)
    if compute.json {
      try JSONLine.print(result)
    } else {
      print(
        String(
          format:
            "%.0f tokens/s, %.1f ms a step, %.1f GFLOP/s (%.0f %% of the measured peak), peak %.0f MB",
          result.tokens_per_second, result.step_ms, result.gflops, result.peak_share * 100,
          result.peak_rss_mb))
    }
  }
}
