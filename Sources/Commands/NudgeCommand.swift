import ArgumentParser
import Claims
import Corpus
import Foundation
import LanguageModel
import TensorCore
import Tokenization
import Training

/// `nudge`: what one training step does, seen on one prediction.
struct NudgeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nudge", abstract: "One update towards a token, before and after.",
    discussion: """
      Example:  lyceum nudge runs/tour "C2H6O is 2" --toward " C"
      The model predicts the next token; one gradient step makes the wanted one likelier. The model's
      files stay as they are.
      """)

  @Argument(help: "A model folder, or the folder of a run.") var model: String
  @Argument(help: "The text before the token.") var prompt: String
  @Option(help: "The token to make likelier, as text; the first token of it counts.")
  var toward: String
  @Option(help: "Learning rate of the one step.") var rate: Float = 1e-3
  @Option(help: "How many tokens to show.") var top = 8
  @OptionGroup var compute: ComputeOptions

  struct Row: Encodable {
    var id: Int32
    var text: String
    var before: Double
    var after: Double
    var rank_before: Int
    var rank_after: Int
  }

  struct Result: Encodable {
    var target: Row
    var tokens: [Row]
    var gradient_norm: Double
  }

  func validate() throws {
    if top < 1 || !(rate > 0 && rate.isFinite) {
      throw ValidationError("--top and --rate must be above 0")
    }
  }

  func run() throws {
    compute.apply()
    let loaded = try LoadedModel.load(place(model))
    let tokens = loaded.format.opening + loaded.tokenizer.encode(prompt)
    let wanted = loaded.tokenizer.encode(toward)
    guard let target = wanted.first else {
      throw TrainingError("--toward is empty: give the token to make likelier")
    }
    if wanted.count > 1 {
      Terminal.note(
        "\(String(reflecting: toward)) is \(wanted.count) tokens; the step is toward the first, "
          + "\(String(reflecting: loaded.tokenizer.decode([target]))).")
    }
    guard tokens.count <= loaded.model.config.context else {
      throw TrainingError(
        "the prompt has \(tokens.count) tokens, more than the context of "
          + "\(loaded.model.config.context)")
    }
    let before = probabilities(loaded.model, tokens)
    let report = step(loaded.model, tokens, target)
    let after = probabilities(loaded.model, tokens)
    let result = compare(before, after, target, loaded.tokenizer, report.gradientNorm)
    if compute.json { return try JSONLine.print(result) }
    show(result)
  }

  /// The distribution of the next token.
  private func probabilities(_ model: Transformer, _ tokens: [Int32]) -> [Double] {
    let layout = SequenceLayout(
      rows: 1, length: tokens.count, segments: Array(repeating: 0, count: tokens.count))
    let logits = Tape.paused {
      Array(model.logits(model.hidden(tokens, layout)).values.suffix(model.config.vocabularySize))
    }
    let top = logits.max() ?? 0
    let weights = logits.map { exp(Double($0 - top)) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  /// One step of the loss −log p(target), as any stage takes it.
  private func step(_ model: Transformer, _ tokens: [Int32], _ target: Int32) -> StepReport {
    var weights = [Float](repeating: 0, count: tokens.count)
    weights[tokens.count - 1] = 1
    let batch = TokenBatch(
      rows: 1, length: tokens.count, tokens: tokens,
      targets: Array(tokens.dropFirst()) + [target], weights: weights,
      segments: Array(repeating: 0, count: tokens.count))
    let optimizer = Optimizer(model.parameters, OptimizerSettings(rate: rate, decay: 0))
    return trainStep(model, optimizer, batches: [batch], normaliser: 1, scale: 1)
  }

  private func compare(
    _ before: [Double], _ after: [Double], _ target: Int32, _ tokenizer: Tokenizer, _ norm: Double
  ) -> Result {
    func ranks(_ values: [Double]) -> [Int] {
      var ranks = [Int](repeating: 0, count: values.count)
      let order = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }
      for (rank, id) in order.enumerated() { ranks[id] = rank + 1 }
      return ranks
    }
    let (rankBefore, rankAfter) = (ranks(before), ranks(after))
    func row(_ id: Int) -> Row {
      Row(
        id: Int32(id), text: tokenizer.decode([Int32(id)]), before: before[id], after: after[id],
        rank_before: rankBefore[id], rank_after: rankAfter[id])
    }
    let shown = before.indices.sorted { rankBefore[$0] < rankBefore[$1] }.prefix(top)
    return Result(target: row(Int(target)), tokens: shown.map(row), gradient_norm: norm)
  }

  private func show(_ result: Result) {
    var table = TextTable([
      .init("rank", .right), .init("token"), .init("before", .right), .init("after", .right),
      .init("rank after", .right),
    ])
    let isShown = result.tokens.contains { $0.id == result.target.id }
    for row in result.tokens + (isShown ? [] : [result.target]) {
      let mark = row.id == result.target.id ? " <- wanted" : ""
      table.add([
        String(row.rank_before), String(reflecting: row.text) + mark,
        Format.fixed(100 * row.before, 2) + " %", Format.fixed(100 * row.after, 2) + " %",
        String(row.rank_after),
      ])
    }
    print(table.text)
    print(
      "One step at rate \(rate): the gradient was \(Format.number(result.gradient_norm)) long. "
        + "The files are as they were.")
  }
}
