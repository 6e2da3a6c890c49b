import Generation
import LanguageModel
import TensorCore
import TensorKernels

/// Weights large enough that the next token is not a flat guess.
struct Lively: ParameterSource {
  func fill(
    _ values: MutableFloats, name: String, rows: Int, columns: Int, isTransposed: Bool,
    isVector: Bool, initial: Initial
  ) {
    RandomSource(seed: 6).fill(
      values, name: name, rows: rows, columns: columns, isTransposed: isTransposed,
      isVector: isVector, initial: isVector ? initial : .normal(deviation: 0.3))
  }

  static func model(vocabulary: Int = 37, context: Int = 512) throws -> Transformer {
    try Transformer(
      DecoderConfig(
        vocabularySize: vocabulary, width: 32, layers: 2, heads: 2, keyHeads: 1, hiddenWidth: 48,
        context: context), source: Lively())
  }
}

/// What came of a job.
struct Outcome: Equatable, Sendable {
  var scores: [TokenScore] = []
  var prompt: [TokenScore] = []
  var report: PromptReport?
  var end: Continuation.End?
  var error: GenerationError?

  var tokens: [Int32] { scores.map(\.token) }
  var bits: [UInt32] { scores.map(\.logProbability.bitPattern) }

  mutating func add(_ event: EngineEvent) {
    switch event {
    case .started(let report): self.report = report
    case .prompt(let scores): prompt = scores
    case .token(let score): scores.append(score)
    case .end(let end): self.end = end
    case .failed(let error): self.error = error
    }
  }

  /// Equal in all but how the prompt was worked on.
  func matches(_ other: Outcome) -> Bool {
    scores == other.scores && prompt == other.prompt && end == other.end && error == other.error
  }
}

extension Engine {
  /// Submits jobs together and waits for all.
  func outcomes(_ jobs: [GenerationJob]) async throws -> [Outcome] {
    let streams = try jobs.map { try submit($0) }
    var outcomes: [Outcome] = []
    for stream in streams {
      var outcome = Outcome()
      for await event in stream { outcome.add(event) }
      outcomes.append(outcome)
    }
    return outcomes
  }
}
