import ArgumentParser
import Claims
import Corpus
import Environments
import Foundation
import Generation
import TensorCore
import Training

/// Which check of an answer to use.
enum VerifierChoice: String, ExpressibleByArgument, CaseIterable {
  case number, exact, regex

  var verifier: any Verifier {
    switch self {
    case .number: FinalNumber()
    case .exact: ExactText()
    case .regex: WholePattern()
    }
  }
}

/// `rl`: practice on problems whose answers are checked.
struct RLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rl", abstract: "Practise on problems with checked answers.",
    discussion: """
      Example:  lyceum rl --model runs/books-sft --task sums.jsonl --out runs/books-rl
      Each line of the task holds "prompt" and "answer".
      """)

  @Option(help: "The model to start from.") var model: String
  @Option(help: "Problems, as JSONL.") var task: String
  @Option(help: "How answers are checked: number, exact or regex.")
  var verifier = VerifierChoice.number
  @Option(help: "Folder of the run.") var out: String
  @Option(help: "Steps.") var steps = 100
  @Option(help: "Problems in a step.") var problems = 24
  @Option(help: "Answers to each problem.") var samples = 8
  @Option(help: "Tokens in an answer at most.") var maxTokens = 112
  @Option(help: "AdamW's rate at its highest.") var rate: Float = 1e-3
  @Option(help: "Seed of the draws.") var seed: UInt64 = 1
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var model: String
    var steps: Int
    var reward_last: Double?
  }

  func validate() throws {
    if steps < 1 || problems < 1 || maxTokens < 1 || !(rate > 0) {
      throw ValidationError("--steps, --problems, --max-tokens and --rate must be above 0")
    }
    if samples < 2 {
      throw ValidationError("--samples is \(samples): a group needs 2 or more to be compared")
    }
  }

  func run() throws {
    compute.apply()
    let items = try ProblemFile.read(try readFile(task), name: task)
    try check(items)
    let start = try LoadedModel.load(place(model))
    let count = min(problems, items.count)
    let recipe = PracticeRecipe(
      problems: count, samples: samples, maxTokens: maxTokens, length: start.model.config.context,
      steps: steps, optimizer: OptimizerSettings.practice.with(rate: rate), seed: seed,
      data: start.tokenizer.fingerprint + "-" + start.model.fingerprint + "-" + verifier.rawValue
        + String(fingerprint(of: items.lazy.map { $0.prompt + "\n" + $0.answer }), radix: 16))
    let folder = place(out)
    let trained = try watchStage("rl", steps: steps) { observer in
      try practise(
        recipe, problems: { step in problemsOfStep(step, items, count) },
        verifier: verifier.verifier, start: { try start.model.copy() },
        tokenizer: start.tokenizer, in: folder, observer: observer)
    }
    try LoadedModel(model: trained, tokenizer: start.tokenizer).save(
      to: folder.appendingPathComponent("model"))
    let reward = try StageLog.last("reward", in: folder)
    if compute.json {
      try JSONLine.print(Result(model: out, steps: steps, reward_last: reward))
    } else {
      if let reward { print("Reward of the last step: \(Format.fixed(reward, 3))") }
      print(
        "Measure it on problems that it did not practise on:  lyceum eval --model \(out) --task …")
    }
  }

  private func check(_ items: [Problem]) throws {
    for (i, item) in items.enumerated() {
      if let problem = verifier.verifier.problem(with: item) {
        throw EnvironmentError("\(task), problem \(i + 1): \(problem)")
      }
    }
  }

  /// The problems in one shuffled round after another, whatever the step.
  private func problemsOfStep(_ step: Int, _ items: [Problem], _ count: Int) -> [Problem] {
    (step * count..<(step + 1) * count).map { position in
      var random = SplitMix64(seed: seed, stream: "round", index: position / items.count)
      var order = Array(items.indices)
      random.shuffle(&order)
      return items[order[position % items.count]]
    }
  }
}
