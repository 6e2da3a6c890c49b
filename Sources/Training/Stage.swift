import Foundation
import LanguageModel
import ModelFiles
import TensorCore

/// How far a stage has come.
public struct StageProgress: Sendable {
  public var step: Int
  public var steps: Int
  /// Something to watch: "loss 2.31".
  public var note: String
}

/// How a stage's caller watches and stops it.
public struct StageObserver {
  public var onProgress: (StageProgress) -> Void
  /// Asked between steps; true saves and stops.
  public var shouldStop: () -> Bool
  /// Said once, in a sentence: a skipped update, a checkpoint that was torn.
  public var onWarning: (String) -> Void
  /// Given what a model in training writes, where a stage has it write.
  public var onSample: (SampleLine) -> Void

  public init(
    onProgress: @escaping (StageProgress) -> Void = { _ in },
    shouldStop: @escaping () -> Bool = { false },
    onWarning: @escaping (String) -> Void = { _ in },
    onSample: @escaping (SampleLine) -> Void = { _ in }
  ) {
    (self.onProgress, self.shouldStop, self.onWarning) = (onProgress, shouldStop, onWarning)
    self.onSample = onSample
  }
}

/// Thrown when the caller stopped a stage: everything is saved.
public struct StageStopped: Error, CustomStringConvertible {
  public let folder: URL
  public let step: Int
  public var description: String {
    "stopped at step \(step), saved in \(folder.path): run the same command to go on"
  }
}

/// What went wrong in training, in a sentence.
public struct TrainingError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// The part that pretraining, imitation and practice share: a run folder with a recipe, a log and
/// checkpoints, and a loop that can be killed at any moment.
///
/// All randomness is a function of seed and step, so a run that goes on from a checkpoint takes the
/// same steps, bit for bit, as one that was never stopped.
public final class Stage {
  public let model: Transformer
  public let optimizer: Optimizer
  public let steps: Int
  public private(set) var state: State
  private let folder: RunFolder
  private let store: CheckpointStore
  private let logs: [String: AppendLog]
  private let extra: [Parameter]
  /// Whether only the model's adapter is trained, and kept in checkpoints.
  private let adapts: Bool

  /// What a checkpoint holds beside weights and moments.
  public struct State: Codable, Sendable, Equatable {
    /// Steps taken, updates that were skipped included.
    public var step = 0
    /// Updates made.
    public var updates = 0
    /// Updates skipped in a row because a number was not finite.
    public var skippedInARow = 0
    /// Times that training went back to a checkpoint; each halves the rates.
    public var rollbacks = 0
    /// Whether the stage ended before its last step; nil where it did not.
    public var hasEnded: Bool?
    /// The length of each log.
    public var logs: [String: Int] = [:]
  }

  /// Opens the run in `url`, or begins it.
  ///
  /// - Parameters:
  ///   - recipe: every value that the result depends on. A folder that was begun with another is
  ///     refused.
  ///   - extra: parameters that are trained beside the model's, such as another head. They hold
  ///     their first values; those of a checkpoint take their place.
  ///   - adapts: what `begin` makes stays as it is, but for its adapter: checkpoints hold that alone.
  ///   - begin: makes the model that the stage starts from.
  public init(
    _ url: URL, recipe: some Encodable, steps: Int, optimizer settings: OptimizerSettings,
    logs names: [String] = [], extra: [Parameter] = [], adapts: Bool = false,
    observer: StageObserver, begin: () throws -> Transformer
  ) throws {
    guard steps > 0 else { throw TrainingError("a stage of \(steps) steps trains nothing") }
    self.steps = steps
    (self.extra, self.adapts) = (extra, adapts)
    folder = try RunFolder(url, create: true)
    try folder.bindRecipe(recipe)
    store = CheckpointStore(url.appendingPathComponent("checkpoints"))
    var opened: [String: AppendLog] = [:]
    for name in ["log.jsonl"] + names { opened[name] = try folder.log(name) }
    logs = opened
    let checkpoint = try store.latest()
    for warning in store.warnings { observer.onWarning(warning) }
    if let checkpoint {
      state = try JSONDecoder().decode(State.self, from: checkpoint.data("state.json"))
      let file = try SafetensorsFile(checkpoint.file("model.safetensors"))
      if adapts {
        model = try begin()
        try model.loadAdapter(from: file)
      } else {
        let config = try JSONDecoder().decode(
          DecoderConfig.self, from: checkpoint.data("config.json"))
        model = try Transformer(config, source: file.parameters())
      }
      try Self.read(extra, file)
      optimizer = Optimizer(model.trained + extra, settings)
      try Self.readMoments(optimizer, checkpoint)
      optimizer.steps = state.updates
    } else {
      model = try begin()
      optimizer = Optimizer(model.trained + extra, settings)
      state = State()
    }
    for (name, log) in logs { try log.rewind(to: state.logs[name] ?? 0) }
  }

  public var isFinished: Bool { state.step >= steps || state.hasEnded == true }

  /// What one step did, and what the log is to keep of it.
  public struct StepResult {
    public var report: StepReport?
    public var values: [String: Double]
    public var note: String
    /// Whether the stage is to end with this step.
    public var isLast: Bool

    public init(
      report: StepReport?, values: [String: Double] = [:], note: String = "", isLast: Bool = false
    ) {
      (self.report, self.values, self.note, self.isLast) = (report, values, note, isLast)
    }
  }

  /// Takes the steps that are left. `body` is given the number of the step and a factor for the rates.
  ///
  /// - Throws: ``StageStopped`` after saving, where the observer asks for it.
  public func run(
    observer: StageObserver, secondsBetweenSaves: Double = 20,
    _ body: (_ step: Int, _ rateFactor: Double) throws -> StepResult
  ) throws {
    guard !isFinished else { return }
    if state.step == 0 { try save() }
    var saved = ContinuousClock.now
    var savingSeconds = 0.0
    // Not between skipped updates: what made them skip may be in the weights, and a checkpoint must
    // be a place worth going back to.
    var savedStep = state.step
    func saveBetween() throws {
      guard state.skippedInARow == 0 else { return }
      let start = ContinuousClock.now
      try save()
      (saved, savedStep) = (.now, state.step)
      savingSeconds = (saved - start) / .seconds(1)
    }
    observer.onProgress(StageProgress(step: state.step, steps: steps, note: ""))
    while !isFinished {
      if observer.shouldStop() {
        try saveBetween()
        throw StageStopped(folder: folder.url, step: savedStep)
      }
      let step = state.step
      let result = try body(step, pow(0.5, Double(state.rollbacks)))
      state.step += 1
      if let problem = result.report?.problem {
        observer.onWarning("step \(step): \(problem); the update was skipped")
        state.skippedInARow += 1
        if state.skippedInARow >= 3 {
          try rollBack(observer)
          (saved, savedStep) = (.now, state.step)
          continue
        }
      } else {
        state.skippedInARow = 0
      }
      state.updates = optimizer.steps
      if result.isLast { state.hasEnded = true }
      try logStep(step, result)
      observer.onProgress(StageProgress(step: state.step, steps: steps, note: result.note))
      // A model that takes long to write is written less often.
      if (ContinuousClock.now - saved) / .seconds(1) > max(secondsBetweenSaves, 10 * savingSeconds)
      {
        try saveBetween()
      }
    }
    try save()
  }

  /// Appends an object to one of the run's logs.
  public func append(_ object: some Encodable, to name: String) throws {
    guard let log = logs[name] else { preconditionFailure("no log called \(name)") }
    try log.append(object)
  }

  /// The values that `log.jsonl` has under a key, by step.
  public func logged(_ key: String) throws -> [Double] { try Self.logged(key, in: folder.url) }

  /// The same of a run that nobody may have opened. A line that someone spoiled is passed over.
  public static func logged(_ key: String, in folder: URL) throws -> [Double] {
    let data = try Data(contentsOf: folder.appendingPathComponent("log.jsonl"))
    return data.split(separator: 0x0A).compactMap { line in
      (try? JSONDecoder().decode([String: Double].self, from: Data(line)))?[key]
    }
  }

  private func logStep(_ step: Int, _ result: StepResult) throws {
    var line = result.values
    line["step"] = Double(step)
    if let report = result.report {
      line["loss"] = report.loss
      line["gradient_norm"] = report.gradientNorm
      line["tokens"] = Double(report.tokens)
      line["skipped"] = report.problem == nil ? nil : 1
      if let entropy = report.entropy { line["entropy"] = entropy }
    }
    try append(line.filter { $0.value.isFinite }, to: "log.jsonl")
  }

  private func save() throws {
    for (name, log) in logs {
      try log.flush()
      state.logs[name] = log.length
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    let (stateData, config) = (try encoder.encode(state), try encoder.encode(model.config))
    try store.save(
      step: state.step,
      files: [
        (
          "model.safetensors",
          { [model, extra, adapts] in
            try write(
              (adapts ? model.adapterTensors() : model.namedTensors())
                + extra.map(NamedTensor.init),
              to: $0)
          }
        ),
        ("optimizer.safetensors", { [optimizer] in try Self.writeMoments(optimizer, to: $0) }),
        ("config.json", { try config.write(to: $0) }),
        ("state.json", { try stateData.write(to: $0) }),
      ])
  }

  /// Goes back to the last checkpoint, with half the rates: the same steps would meet the same end.
  private func rollBack(_ observer: StageObserver) throws {
    let rollbacks = state.rollbacks + 1
    guard rollbacks <= 5, let checkpoint = try store.latest() else {
      throw TrainingError(
        "training keeps giving numbers that are not finite, even at 1/32 of the rates: lower the "
          + "learning rate")
    }
    observer.onWarning(
      "three updates in a row were skipped: back to step \(checkpoint.step), with half the rates")
    state = try JSONDecoder().decode(State.self, from: checkpoint.data("state.json"))
    state.rollbacks = rollbacks
    let file = try SafetensorsFile(checkpoint.file("model.safetensors"))
    if adapts {
      try model.loadAdapter(from: file)
    } else {
      try model.load(from: file.parameters())
    }
    try Self.read(extra, file)
    try Self.readMoments(optimizer, checkpoint)
    optimizer.steps = state.updates
    for (name, log) in logs { try log.rewind(to: state.logs[name] ?? 0) }
    try save()
  }

  private static func writeMoments(_ optimizer: Optimizer, to url: URL) throws {
    try writeSafetensors(
      optimizer.state.map { ($0.name, [$0.values.count], UnsafeBufferPointer($0.values)) },
      metadata: [:], to: url)
  }

  private static func read(_ extra: [Parameter], _ file: SafetensorsFile) throws {
    for parameter in extra {
      try file.read(parameter.name, into: parameter.tensor.buffer.values)
      parameter.tensor.valuesChanged()
    }
  }

  private static func readMoments(_ optimizer: Optimizer, _ checkpoint: Checkpoint) throws {
    let file = try SafetensorsFile(checkpoint.file("optimizer.safetensors"))
    for (name, values) in optimizer.state { try file.read(name, into: values) }
  }
}
