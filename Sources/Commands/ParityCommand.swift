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
  @OptionGroup var weights: WeightOptions
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
    // Gradients want every matrix as Floats.
    let model =
      try gradients == nil
      ? Transformer.open(place(self.model), arithmetic: weights.arithmetic)
      : Transformer.load(place(self.model))
    Terminal.note("loaded in \(ContinuousClock.now - start)")
    let size = Int32(model.config.vocabularySize)
    guard lists.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0..<size).contains($0) } }) else {
      throw TrainingError("\(ids): every list needs ids from 0 to \(size - 1)")
    }
    let greedy = try greedy(model, lists)
    var file = Data()
    for (i, list) in lists.enumerated() {
      let (last, logprobs) = score(model, list)
      last.withUnsafeBytes { file.append(contentsOf: $0) }
      var line = Line(
        logprobs: logprobs, greedy: greedy?[i].tokens ?? [],
        greedy_logprobs: greedy?[i].logProbabilities ?? [])
      if let gradients, i == 0 { line.loss = try write(gradients, model, list) }
      try JSONLine.print(line)
    }
    if let logits { try file.write(to: place(logits)) }
  }

  /// Continuations of all lists, in one batch; nil where none are wanted.
  private func greedy(_ model: Transformer, _ lists: [[Int32]]) throws -> [Continuation]? {
    guard new > 0 else { return nil }
    let settings = SamplingSettings(temperature: 0, maxTokens: new)
    return try Generator(model, settings: settings, stops: [], seed: 1, slots: lists.count)
      .run(lists.map { GenerationRequest(prompt: $0, stream: 0) }).map { $0[0] }
  }

  /// The logits of the last token, and log p of every token after the first.
  private func score(_ model: Transformer, _ list: [Int32]) -> ([Float], [Float]) {
    Tape.paused {
      let hidden = model.hidden(list, SequenceLayout(rows: 1, length: list.count))
      let last = model.logits(hidden.selecting([list.count - 1])).array
      let weights = list.indices.map { $0 + 1 < list.count ? Float(1) : 0 }
      let found = hidden.crossEntropy(
        head: model.head, targets: Array(list.dropFirst()) + [0], weights: weights, normaliser: 1
      ).logProbabilities
      return (last, Array(found.dropLast()))
    }
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
