import ArgumentParser
import Foundation
import Generation
import LanguageModel
import TensorCore
import Training

/// `parity`: what a model computes for given token ids, for Scripts/check_real.py to compare with
/// another library. Not listed in the help.
struct ParityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parity",
    abstract: "Logits, log-probabilities and greedy continuations of token ids, as JSON.",
    discussion: "Example:  lyceum parity smollm2.gguf ids.json --new 16 --json",
    shouldDisplay: false)

  @Argument(help: "A GGUF file or a model folder.") var model: String
  @Argument(help: "JSON: a list of lists of token ids.") var ids: String
  @Option(help: "Greedy tokens to write after each.") var new = 32
  @Option(help: "Where the logits of each list's last token go, as 32-bit numbers.")
  var logits: String?
  @OptionGroup var weights: WeightOptions
  @OptionGroup var compute: ComputeOptions

  struct Line: Encodable {
    var logprobs: [Float]
    var greedy: [Int32]
    var greedy_logprobs: [Float]
  }

  func run() throws {
    compute.apply()
    let lists = try JSONDecoder().decode([[Int32]].self, from: readFile(ids))
    let start = ContinuousClock.now
    let model = try Transformer.open(place(self.model), arithmetic: weights.arithmetic)
    Terminal.note("loaded in \(ContinuousClock.now - start)")
    let size = Int32(model.config.vocabularySize)
    guard lists.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0..<size).contains($0) } }) else {
      throw TrainingError("\(ids): every list needs ids from 0 to \(size - 1)")
    }
    var file = Data()
    for list in lists {
      let layout = SequenceLayout(rows: 1, length: list.count)
      let last = Tape.paused {
        model.logits(model.hidden(list, layout).selecting([list.count - 1])).array
      }
      last.withUnsafeBytes { file.append(contentsOf: $0) }
      let settings = SamplingSettings(temperature: 0, maxTokens: max(1, new))
      let found = try Generator(model, settings: settings, stops: [], seed: 1, slots: 1)
        .run([GenerationRequest(prompt: list, stream: 0)])[0][0]
      try JSONLine.print(
        Line(
          logprobs: model.score(list).compactMap { $0 }, greedy: found.tokens,
          greedy_logprobs: found.logProbabilities))
    }
    if let logits { try file.write(to: place(logits)) }
  }
}
