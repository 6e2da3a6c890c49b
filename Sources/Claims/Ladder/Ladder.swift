import Corpus
import Environments
import Foundation
import LanguageModel
import TensorCore
import Tokenization
import Training

/// What the ladder gave.
public struct LadderResult: Codable, Sendable, Equatable {
  public var recipe: LadderRecipe
  /// By arm; see ``Ladder/Arm``.
  public var exams: [String: ExamResult]
  public var parameters: Int
  /// Floating-point operations of practice, and of the imitation that was continued as long.
  public var practiceOperations: Double
}

/// E1: the same model read, imitated and practised, and every rung examined on problems that none of
/// them saw. Killed and run again, it goes on, and ends with the same bits.
struct Ladder {
  /// The models that sit the exam.
  enum Arm: String, CaseIterable, Sendable {
    /// Read only; asked in a chat turn.
    case base
    /// Read only; shown four solved problems first.
    case baseShots = "base-4-shot"
    /// Imitated all demonstrations.
    case imitation = "sft"
    /// Imitated only those that show their work, for as many epochs.
    case workedOnly = "sft-worked"
    /// The better of the two on validation problems, continued for practice's operations.
    case continued = "sft-continued"
    /// Practised, from `imitation`.
    case practice = "rl"
  }

  let recipe: LadderRecipe
  let folder: URL
  let observer: ExperimentObserver

  /// Climbs the rungs in their order.
  func climb() throws -> LadderResult {
    let data = LadderData(recipe)
    try data.checkSplit()
    observer.begin("tokenizer", 100, 0)
    let tokenizer = try data.tokenizer(in: folder) { [observer] in
      observer.update(Int($0 * 100), "")
    }
    observer.end()

    let base = try read(data, tokenizer)
    let imitation = try imitate(.imitation, data, tokenizer, from: base, style: nil)
    let worked = try imitate(.workedOnly, data, tokenizer, from: base, style: .worked)
    let practised = try practise(data, tokenizer, from: imitation)

    let operations = try practiceOperations()
    let onValidation = try [Arm.imitation, .workedOnly].map { arm in
      try exam(
        arm, arm == .imitation ? imitation : worked, data.validation, tokenizer,
        name: "validation-\(arm.rawValue)", sampled: 0)
    }
    let workedIsBetter = onValidation[1].accuracy.value > onValidation[0].accuracy.value
    let continued = try continueImitation(
      data, tokenizer, from: workedIsBetter ? worked : imitation,
      style: workedIsBetter ? .worked : nil, operations: operations)

    var exams: [String: ExamResult] = [:]
    for (arm, model) in [
      (Arm.base, base), (.baseShots, base), (.imitation, imitation), (.workedOnly, worked),
      (.continued, continued), (.practice, practised),
    ] {
      let isBase = arm == .base || arm == .baseShots
      exams[arm.rawValue] = try exam(
        arm, model, data.examination, tokenizer, name: arm.rawValue,
        sampled: isBase ? 0 : recipe.samplingItems,
        shots: arm == .baseShots
          ? Array(data.demonstrations.filter { $0.style == .worked }.prefix(4)) : nil)
    }
    try LoadedModel(model: practised, tokenizer: tokenizer).save(
      to: folder.appendingPathComponent("model"))
    return LadderResult(
      recipe: recipe, exams: exams, parameters: recipe.model.parameterCount,
      practiceOperations: operations)
  }

  // MARK: Rungs

  private func read(_ data: LadderData, _ tokenizer: Tokenizer) throws -> Transformer {
    let material = try data.material(try ChatTemplate(tokenizer: tokenizer))
    let rows = Double(material.training.rowsPerEpoch) * recipe.readingEpochs
    let steps = max(1, Int(rows / Double(recipe.readingRows)))
    let stage = PretrainingRecipe(
      model: recipe.model, length: recipe.readingLength, rows: recipe.readingRows, steps: steps,
      optimizer: recipe.readingOptimizer, schedule: Schedule(warmup: 50, final: 0.05),
      seed: recipe.seed, validateEvery: max(1, steps / 8), data: tokenizer.fingerprint)
    return try observer.watch("read", steps) {
      try pretrain(
        stage, material: material, tokenizer: tokenizer,
        prompts: ["Sums: ", "C2H6O is ", "the element of "],
        in: folder.appendingPathComponent("pretrain"), observer: $0)
    }
  }

  private func imitate(
    _ arm: Arm, _ data: LadderData, _ tokenizer: Tokenizer, from start: Transformer,
    style: SolutionStyle?
  ) throws -> Transformer {
    let examples = data.examples(style, try ChatTemplate(tokenizer: tokenizer))
    let rows = Packing(examples, length: recipe.readingLength).rows.count
    let steps = max(1, Int(Double(rows) * recipe.imitationEpochs / Double(recipe.imitationRows)))
    return try imitate(arm, examples, tokenizer, from: start, steps: steps)
  }

  private func imitate(
    _ arm: Arm, _ examples: [TokenSequence], _ tokenizer: Tokenizer, from start: Transformer,
    steps: Int
  ) throws -> Transformer {
    let stage = ImitationRecipe(
      length: recipe.readingLength, rows: recipe.imitationRows, steps: steps,
      optimizer: recipe.imitationOptimizer, schedule: Schedule(warmup: 20), seed: recipe.seed,
      data: tokenizer.fingerprint)
    return try observer.watch(arm.rawValue, steps) {
      try Training.imitate(
        stage, examples: examples, start: { try start.copy() },
        in: folder.appendingPathComponent(arm.rawValue), observer: $0)
    }
  }

  private func practise(_ data: LadderData, _ tokenizer: Tokenizer, from start: Transformer) throws
    -> Transformer
  {
    let stage = PracticeRecipe(
      problems: recipe.practiceProblems, samples: recipe.practiceSamples,
      maxTokens: recipe.practiceMaxTokens, length: max(recipe.readingLength, 160),
      steps: recipe.practiceSteps, optimizer: recipe.practiceOptimizer, seed: recipe.seed,
      data: tokenizer.fingerprint)
    return try observer.watch("rl", recipe.practiceSteps) {
      try Training.practise(
        stage, problems: data.practiceProblems, verifier: LastInteger(),
        start: { try start.copy() }, tokenizer: tokenizer,
        in: folder.appendingPathComponent("rl"), observer: $0)
    }
  }

  /// More of the same demonstrations, until as many operations are spent as practice took.
  private func continueImitation(
    _ data: LadderData, _ tokenizer: Tokenizer, from start: Transformer, style: SolutionStyle?,
    operations: Double
  ) throws -> Transformer {
    let perStep =
      recipe.model.trainingOperations(length: recipe.readingLength)
      * Double(recipe.imitationRows * recipe.readingLength)
    return try imitate(
      .continued, data.examples(style, try ChatTemplate(tokenizer: tokenizer)), tokenizer,
      from: start, steps: max(1, Int(operations / perStep)))
  }

  /// Sampling costs a third of training for each token; the log has both counts.
  private func practiceOperations() throws -> Double {
    struct Line: Decodable {
      var length: Double
      var tokens: Double?
    }
    let log = try Data(contentsOf: folder.appendingPathComponent("rl/log.jsonl"))
    let perToken = recipe.model.trainingOperations(length: recipe.readingLength / 2)
    let answers = Double(recipe.practiceProblems * recipe.practiceSamples)
    return try log.split(separator: 0x0A).reduce(0) { total, line in
      let line = try JSONDecoder().decode(Line.self, from: Data(line))
      return total + perToken * (line.length * answers / 3 + (line.tokens ?? 0))
    }
  }

  /// An exam, kept in a file once it is sat.
  private func exam(
    _ arm: Arm, _ model: Transformer, _ problems: [Problem], _ tokenizer: Tokenizer, name: String,
    sampled: Int, shots: [Demonstration]? = nil
  ) throws -> ExamResult {
    try observer.once(
      "exam \(name)",
      steps: problems.count + min(sampled, problems.count) * recipe.samplesPerItem,
      at: folder.appendingPathComponent("exams/\(name).json")
    ) { update in
      try examine(
        arm.rawValue, model, tokenizer, problems: problems, sampled: sampled,
        samples: recipe.samplesPerItem, maxTokens: recipe.practiceMaxTokens, seed: recipe.seed,
        shots: shots, onProgress: update, shouldStop: observer.shouldStop)
    }
  }
}
