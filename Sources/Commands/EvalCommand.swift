import ArgumentParser
import Claims
import Corpus
import Environments
import Foundation
import Generation
import Tokenization
import Training

/// `eval`: how often a model is right, or how well it predicts text.
struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Measure a model on problems or on text.",
    discussion: """
      Example:  lyceum eval --model runs/tour --task sums.jsonl --samples 8
                lyceum eval --model runs/books --data held-out.txt
      """)

  @Option(help: "The model.") var model: String
  @Option(help: "Problems with \"prompt\" and \"answer\", as JSONL.") var task: String?
  @Option(help: "Text to predict: bits a byte.") var data: String?
  @Option(help: "How answers are checked: number, exact, regex or program.")
  var verifier = VerifierChoice.number
  @Option(help: "Samples of each answer for pass@k; 0 for the greedy answer alone.") var samples = 0
  @Option(help: "Temperature of the samples.") var temperature: Float = 1
  @Option(help: "Tokens in an answer at most.") var maxTokens = 112
  @Option(help: "Seed of the draws.") var seed: UInt64 = 1
  @OptionGroup var tools: ToolOptions
  @OptionGroup var weights: WeightOptions
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var model: String
    var n: Int
    var accuracy: Estimate?
    var mean_tokens: Double?
    var pass_at: [String: Estimate]?
    var bits_per_byte: Double?
    var bytes: Int?
  }

  func validate() throws {
    guard (task == nil) != (data == nil) else {
      throw ValidationError("give either --task, problems to solve, or --data, text to predict")
    }
    guard (0...Limits.samples).contains(samples), maxTokens >= 1 else {
      throw ValidationError(
        "--samples must lie in 0...\(Limits.samples), --max-tokens be 1 or more")
    }
    guard temperature >= 0, temperature.isFinite else {
      throw ValidationError("--temperature must be 0 or more")
    }
  }

  func run() throws {
    compute.apply()
    let loaded = try LoadedModel.open(place(model), arithmetic: weights.arithmetic)
    let result = try task.map { try solve($0, loaded) } ?? predict(data ?? "", loaded)
    if compute.json { return try JSONLine.print(result) }
    if let accuracy = result.accuracy {
      print("Right, greedy: \(Unit.share.text(accuracy))  n = \(result.n)")
    }
    if let tokens = result.mean_tokens { print("Tokens in an answer: \(Format.fixed(tokens, 1))") }
    for (k, estimate) in (result.pass_at ?? [:]).sorted(by: { (Int($0.0) ?? 0) < (Int($1.0) ?? 0) })
    {
      print("pass@\(k): \(Unit.share.text(estimate))")
    }
    if let bits = result.bits_per_byte {
      print("\(Format.fixed(bits, 4)) bits a byte over \(result.bytes ?? 0) bytes")
    }
  }

  private func solve(_ file: String, _ loaded: LoadedModel) throws -> Result {
    let check = try verifier.verifier()
    let items = try readProblems(file, check)
    try checkRoom(items, loaded, file)
    let host = try tools.host(loaded)
    let exam = try watch(items.count * (1 + samples), unit: "answers") { update in
      try examine(
        "eval", loaded.model, loaded.format, problems: items,
        sampled: samples > 0 ? items.count : 0,
        samples: max(1, samples), maxTokens: maxTokens, temperature: temperature, seed: seed,
        verifier: check, tools: host, onProgress: update,
        shouldStop: { Interrupt.isRequested })
    }
    var passes: [String: Estimate] = [:]
    for k in [1, 2, 4, 8, 16, 32, 64] where k <= samples {
      passes[String(k)] = passAtK(n: samples, correct: exam.sampledRight, k: k, seed: seed)
    }
    return Result(
      model: model, n: items.count, accuracy: exam.accuracy, mean_tokens: exam.meanTokens,
      pass_at: samples > 0 ? passes : nil)
  }

  private func predict(_ path: String, _ loaded: LoadedModel) throws -> Result {
    let documents = try readDocuments(place(path))
    let bytes = documents.reduce(0) { $0 + $1.text.utf8.count }
    let packing = Packing(
      documents.map { TokenSequence(tokens: loaded.format.document($0.text)) },
      length: loaded.model.config.context)
    let batches = packing.batches(of: 16)
    let bits = try watch(batches.count, unit: "batches") { update in
      try batches.enumerated().reduce(0.0) { sum, item in
        try Interrupt.check()
        update(item.offset + 1)
        return sum + bitsPerByte(loaded.model, [item.element], bytes: bytes)
      }
    }
    return Result(model: model, n: documents.count, bits_per_byte: bits, bytes: bytes)
  }

  /// Shows progress. Ctrl-C stops; nothing of a measurement is kept.
  private func watch<Measured>(
    _ steps: Int, unit: String, _ body: (@escaping (Int) -> Void) throws -> Measured
  ) throws -> Measured {
    Interrupt.install()
    let bar = ProgressBar()
    bar.begin("eval", steps: steps, unit: unit)
    defer { bar.end() }
    do {
      return try body { bar.update(step: $0) }
    } catch  where error is ExperimentStopped || error is Interrupted {
      bar.note("Stopped; nothing of a measurement is kept.")
      throw ExitStatus.interrupted.code
    }
  }
}
