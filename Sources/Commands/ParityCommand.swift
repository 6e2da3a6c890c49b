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
    abstract:
      "Logits, log-probabilities, gradients and greedy continuations of token ids, as JSON.",
    discussion: "Example:  lyceum parity smollm2.gguf ids.json --new 16 --json",
    shouldDisplay: false)

  @Argument(help: "A GGUF file or a model folder.") var model: String
  @Argument(help: "JSON: a list of lists of token ids.") var ids: String
  @Option(help: "Greedy tokens to write after each; 0 for none.") var new = 32
  @Option(help: "Where the logits of each list's last token go, as 32-bit numbers.")
  var logits: String?
  @Option(help: "Where the gradients of the first list's mean loss go, as safetensors.")
  var gradients: String?
  @OptionGroup var compute: ComputeOptions

  struct Line: Encodable {
    var logprobs: [Float]
    var greedy: [Int32]
    var greedy_logprobs: [Float]
    var loss: Float?
  }

  func run() throws {
    compute.apply()
    let lists = try JSONDecoder().decode([[Int32]].self, from: readFile(ids))
    let start = ContinuousClock.now
    let model = try Transformer.load(place(self.model))
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
      var line = Line(
        logprobs: model.score(list).compactMap { $0 }, greedy: [], greedy_logprobs: [])
      if new > 0 {
        let settings = SamplingSettings(temperature: 0, maxTokens: new)
        let found = try Generator(model, settings: settings, stops: [], seed: 1, slots: 1)
          .run([GenerationRequest(prompt: list, stream: 0)])[0][0]
        (line.greedy, line.greedy_logprobs) = (found.tokens, found.logProbabilities)
      }
      if let gradients, list == lists[0] { line.loss = try write(gradients, model, list) }
      try JSONLine.print(line)
    }
    if let logits { try file.write(to: place(logits)) }
  }

  /// Writes the gradients of the mean loss of a list's tokens after the first, which is returned.
  private func write(_ path: String, _ model: Transformer, _ list: [Int32]) throws -> Float {
    let count = list.count - 1
    guard count > 0 else { throw TrainingError("\(ids): gradients need a list of two ids or more") }
    let loss = model.hidden(Array(list.dropLast()), SequenceLayout(rows: 1, length: count))
      .crossEntropy(
        head: model.head, targets: Array(list.dropFirst()),
        weights: Array(repeating: 1, count: count), normaliser: Float(count)
      ).loss
    loss.backward()
    try Training.write(model.gradientTensors(), to: place(path))
    return loss.item
  }
}
