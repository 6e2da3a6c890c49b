import ArgumentParser
import Foundation
import Generation
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
    if samples < 1 { throw ValidationError("--samples is \(samples): at least 1 is needed") }
  }

  func run() throws {
    compute.apply()
    let loaded = try LoadedModel.open(place(model), arithmetic: weights.arithmetic)
    Interrupt.install()
    let prompt = loaded.format.opening + loaded.tokenizer.encode(self.prompt)
    let generator = Generator(
      loaded.model, settings: sampling.settings, stops: raw ? [] : loaded.format.ends,
      seed: sampling.seed)
    // One continuation is shown as it is written.
    let streams = samples == 1 && !compute.json
    var decoder = IncrementalDecoder(loaded.tokenizer)
    if streams { write(self.prompt) }
    let results = try generator.run(
      [GenerationRequest(prompt: prompt, samples: samples, stream: 0)]
    ) { _, _, token in
      if streams, raw || !loaded.format.ends.contains(token) { write(decoder.append(token)) }
      return !Interrupt.isRequested
    }
    if streams { return write(decoder.finish() + "\n") }
    let choices = results[0].map { continuation in
      let tokens =
        continuation.end == .stop ? continuation.tokens.dropLast() : continuation.tokens[...]
      return Result.Choice(
        text: loaded.tokenizer.decode(tokens), tokens: continuation.tokens.count,
        finish_reason: continuation.end.rawValue,
        logprob: continuation.logProbabilities.reduce(0) { $0 + Double($1) })
    }
    if compute.json {
      return try JSONLine.print(Result(prompt_tokens: prompt.count, choices: choices))
    }
    for (i, choice) in choices.enumerated() { print("\(i + 1). \(self.prompt)\(choice.text)\n") }
  }

  private func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
