import ArgumentParser
import Foundation
import Generation
import TensorCore
import TensorKernels
import Training

/// How the next token is drawn: the same flags wherever text is sampled.
struct SamplingOptions: ParsableArguments {
  @Option(help: "Scores are divided by it; 0 takes the likeliest token.") var temperature: Float = 1
  @Option(help: "Only the k likeliest tokens; 0 for all.") var topK = 0
  @Option(help: "Only the likeliest tokens that together have this probability.") var topP: Float =
    1
  @Option(help: "Only tokens at least this fraction as likely as the likeliest.") var minP: Float =
    0
  @Option(help: "Divides the scores of tokens that are there already; 1 for none.")
  var repetitionPenalty: Float = 1
  @Option(help: "Taken off a token's score for each time that the answer holds it.")
  var frequencyPenalty: Float = 0
  @Option(help: "Taken off the scores of tokens that the answer holds.")
  var presencePenalty: Float = 0
  @Option(help: "Tokens to write at most.") var maxTokens = 256
  @Option(help: "Seed of the draws.") var seed: UInt64 = 1

  var settings: SamplingSettings {
    SamplingSettings(
      temperature: temperature, topK: topK, topP: topP, minP: minP,
      repetitionPenalty: repetitionPenalty, frequencyPenalty: frequencyPenalty,
      presencePenalty: presencePenalty, maxTokens: maxTokens)
  }

  func validate() throws {
    if let problem = settings.problem { throw ValidationError(problem) }
  }
}

extension PackedArithmetic: ExpressibleByArgument {}

/// How the weights of a model that is used, not trained, are multiplied.
struct WeightOptions: ParsableArguments {
  @Option(
    help: """
      How packed weights are multiplied: float gives the bits of the weights themselves; integer \
      rounds what they are multiplied with to 8 bits, as llama.cpp does, and is faster.
      """)
  var arithmetic: PackedArithmetic = .float
}

/// What every command that computes has.
struct ComputeOptions: ParsableArguments {
  @Option(help: "Threads; 0 for all cores. Never changes a result.") var threads = 0
  @Flag(help: "End with one JSON line.") var json = false

  func validate() throws {
    if threads < 0 {
      throw ValidationError("--threads is \(threads): give 1 or more, or 0 for all")
    }
  }

  func apply() { if threads > 0 { kernelThreads = threads } }
}

/// What no machine does more of: products of these stay far from the largest integer.
enum Limits {
  static let rows = 1_000_000_000
  static let steps = 100_000_000
  /// Answers that are sampled to one problem, or in one step.
  static let samples = 65_536
}

/// Runs a training stage with a progress bar; Ctrl-C saves and stops it.
func watchStage<Result>(
  _ name: String, steps: Int, _ body: (StageObserver) throws -> Result
) throws -> Result {
  Interrupt.install()
  let bar = ProgressBar()
  var hasBegun = false
  defer { if hasBegun { bar.end() } }
  return try body(
    StageObserver(
      onProgress: { progress in
        if !hasBegun { bar.begin(name, steps: steps, from: progress.step) }
        hasBegun = true
        bar.update(step: progress.step, note: progress.note.isEmpty ? nil : progress.note)
      }, shouldStop: { Interrupt.isRequested }, onWarning: { bar.note($0) },
      onSample: { sample in
        let text = (sample.prompt + " …" + sample.text).split(whereSeparator: \.isWhitespace)
        bar.note("  step \(sample.step + 1): " + String(text.joined(separator: " ").prefix(150)))
      }))
}

/// A folder or file of the command line.
func place(_ path: String) -> URL { URL(fileURLWithPath: path) }
