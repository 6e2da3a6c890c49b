import ArgumentParser
import Foundation
import Generation
import LanguageModel
import Tokenization
import Training

/// `complete`: a base model continues a text.
struct CompleteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "complete", abstract: "Continue a text.",
    discussion: "Example:  lyceum complete runs/tour \"C2H6O is\" --samples 3 --max-tokens 40")

  @Argument(help: "A GGUF file, a model folder, or the folder of a run.") var model: String
  @Argument(help: "The text to continue.") var prompt: String
  @Option(help: "How many continuations.") var samples = 1
  @Flag(help: "Show special tokens as text instead of stopping at the end token.") var raw = false
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var weights: WeightOptions
  @OptionGroup var compute: ComputeOptions

  /// A continuation as it comes.
  private struct Choice {
    var tokens: [Int32] = []
    var logProbability = 0.0
    var end = Continuation.End.cancelled

    mutating func add(_ score: TokenScore) {
      tokens.append(score.token)
      logProbability += Double(score.logProbability)
    }

    func shown(_ tokenizer: Tokenizer) -> Result.Choice {
      Result.Choice(
        text: tokenizer.decode(end == .stop ? tokens.dropLast() : tokens[...]),
        tokens: tokens.count, finish_reason: end.rawValue, logprob: logProbability)
    }
  }

  struct Result: Encodable {
    struct Choice: Encodable {
      var text: String
      var tokens: Int
      var finish_reason: String
      var logprob: Double
    }
    var prompt_tokens: Int
    var choices: [Choice]
  }

  func validate() throws {
    if !(1...Limits.samples).contains(samples) {
      throw ValidationError("--samples is \(samples): give 1 to \(Limits.samples)")
    }
  }

  func run() throws {
    compute.apply()
    let loaded = try LoadedModel.open(place(model), arithmetic: weights.arithmetic)
    Interrupt.install()
    let prompt = loaded.format.opening + loaded.tokenizer.encode(self.prompt)
    let settings = sampling.settings
    let jobs = (0..<samples).map { sample in
      GenerationJob(
        prompt: prompt, settings: settings, stops: raw ? [] : loaded.format.ends,
        seed: sampling.seed, sample: sample)
    }
    let config = loaded.model.config
    let slots = min(samples, 64)
    let engine = try Engine(
      loaded.model, slots: slots,
      cacheBytes: KeyValueCache.bytes(
        config, slots: slots,
        // An engine wants two pages, so that a sequence can share one and write another.
        capacity: max(2 * KeyValueCache.pageTokens, jobs[0].most(context: config.context))),
      queueLimit: QueueLimit(jobs: samples, tokens: .max))
    // One continuation is shown as it is written.
    let streams = samples == 1 && !compute.json
    var decoder = IncrementalDecoder(loaded.tokenizer)
    if streams { write(self.prompt) }
    var choices = jobs.map { _ in Choice() }
    var failure: GenerationError?
    try engine.run(jobs, isCancelled: { Interrupt.isRequested }) { index, event in
      switch event {
      case .token(let score):
        choices[index].add(score)
        guard streams, raw || !loaded.format.ends.contains(score.token) else { break }
        write(decoder.append(score.token))
      case .end(let end): choices[index].end = end
      case .failed(let error): failure = error
      case .started, .prompt: break
      }
    }
    if let failure { throw failure }
    if streams { return write(decoder.finish() + "\n") }
    let shown = choices.map { $0.shown(loaded.tokenizer) }
    if compute.json {
      return try JSONLine.print(Result(prompt_tokens: prompt.count, choices: shown))
    }
    for (i, choice) in shown.enumerated() { print("\(i + 1). \(self.prompt)\(choice.text)\n") }
  }

  private func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
