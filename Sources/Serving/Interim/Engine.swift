import Generation
import LanguageModel
import Synchronization
import TensorCore
import Foundation

// A sequential stand-in for the engine.

struct SamplingSettings: Sendable, Equatable {
  var temperature: Float = 1
  var topK = 0
  var topP: Float = 1
  var minP: Float = 0
  var repetitionPenalty: Float = 1
  var frequencyPenalty: Float = 0
  var presencePenalty: Float = 0
  var bias: [Int32: Float] = [:]
  var maxTokens = 256
}

struct GenerationJob: Sendable {
  var prompt: [Int32]
  var settings = SamplingSettings()
  var stops: Set<Int32> = []
  var forbidden: [Int32] = []
  var seed: UInt64 = 0
  var stream: UInt64 = 0
  var sample = 0
  var alternatives = 0
  var isMeasured = false
  var scoresPrompt = false
  var constraint: (any TokenConstraint)?
  var client: String?
}

protocol TokenConstraint: Sendable {
  mutating func allowed() -> TokenMask
  mutating func accept(_ token: Int32)
  var isFinished: Bool { get }
}

struct TokenMask: Sendable, Equatable {
  private var words: [UInt64]
  init(vocabulary: Int) { words = Array(repeating: 0, count: (vocabulary + 63) / 64) }
  mutating func insert(_ token: Int32) { words[Int(token) / 64] |= 1 << UInt64(token % 64) }
  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  func contains(_ token: Int32) -> Bool { words[Int(token) / 64] >> UInt64(token % 64) & 1 == 1 }
}

struct TokenScore: Sendable, Equatable {
  struct Alternative: Sendable, Equatable {
    var token: Int32
    var logProbability: Float
  }
  var token: Int32
  var logProbability: Float
  var rank: Int
  var entropy: Float
  var kept: Int
  var alternatives: [Alternative]
  var isScored: Bool { rank >= 0 }
}

enum EngineEvent: Sendable {
  case prompt([TokenScore])
  case token(TokenScore)
  case end(Continuation.End)
  case failed(GenerationError)
}

struct EngineBusy: Error { var retryAfter = 1 }

final class Engine: @unchecked Sendable {
  private let model: Transformer
  private let queue = DispatchQueue(label: "engine")
  private let waiting = Atomic<Int>(0)
  private let limit: Int

  init(_ model: Transformer, limit: Int) { (self.model, self.limit) = (model, limit) }

  func perform<Value: Sendable>(_ body: @escaping @Sendable (Transformer) throws -> Value)
    async throws -> Value
  {
    try await withCheckedThrowingContinuation { done in
      queue.async { done.resume(with: Result { try body(self.model) }) }
    }
  }

  func submit(_ job: GenerationJob) throws -> AsyncStream<EngineEvent> {
    guard job.prompt.count < model.config.context else {
      throw GenerationError("a prompt of \(job.prompt.count) tokens leaves no room")
    }
    guard waiting.load(ordering: .relaxed) < limit else { throw EngineBusy() }
    waiting.add(1, ordering: .relaxed)
    let isOver = Flag()
    return AsyncStream { stream in
      stream.onTermination = { _ in isOver.value.store(true, ordering: .relaxed) }
      queue.async {
        self.run(job, stream, isOver)
        self.waiting.subtract(1, ordering: .relaxed)
        stream.finish()
      }
    }
  }

  private final class Flag: Sendable { let value = Atomic<Bool>(false) }

  private func run(
    _ job: GenerationJob, _ out: AsyncStream<EngineEvent>.Continuation, _ isOver: Flag
  ) {
    let cache = KeyValueCache(model.config, slots: 1, capacity: model.config.context)
    var hidden = model.hidden(
      job.prompt, slots: job.prompt.map { _ in 0 }, cache: cache)
    if job.scoresPrompt {
      let logits = Tape.paused { model.logits(hidden) }
      var scores = [
        TokenScore(
          token: job.prompt[0], logProbability: 0, rank: -1, entropy: 0, kept: 0, alternatives: [])
      ]
      for i in 1..<max(1, job.prompt.count) {
        scores.append(score(job.prompt[i], row(logits, i - 1), job))
      }
      out.yield(.prompt(scores))
      if job.settings.maxTokens == 0 { return _ = out.yield(.end(.length)) }
    }
    hidden = hidden.selecting([job.prompt.count - 1])
    var constraint = job.constraint
    var random = SplitMix(state: job.seed &+ UInt64(job.sample) &* 977)
    var written = 0
    while !isOver.value.load(ordering: .relaxed) {
      let logits = Tape.paused { model.logits(hidden) }
      let row = row(logits, 0)
      var masked = row
      for token in job.forbidden { masked[Int(token)] = -.infinity }
      for (token, bias) in job.settings.bias { masked[Int(token)] += bias }
      if constraint != nil {
        let mask = constraint!.allowed()
        for i in masked.indices where !mask.contains(Int32(i)) { masked[i] = -.infinity }
      }
      let token = draw(masked, job.settings, &random)
      constraint?.accept(token)
      written += 1
      out.yield(.token(score(token, row, job)))
      if job.stops.contains(token) || constraint?.isFinished == true {
        return _ = out.yield(.end(.stop))
      }
      if written >= job.settings.maxTokens || job.prompt.count + written >= model.config.context {
        return _ = out.yield(.end(.length))
      }
      hidden = model.hidden([token], slots: [0], cache: cache)
    }
    out.yield(.end(.cancelled))
  }

  private struct SplitMix {
    var state: UInt64
    mutating func uniform() -> Double {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }
  }

  private func row(_ logits: Tensor, _ i: Int) -> [Float] {
    let width = logits.columns
    return Array(logits.values[i * width..<(i + 1) * width])
  }

  private func draw(_ row: [Float], _ settings: SamplingSettings, _ random: inout SplitMix) -> Int32
  {
    var best = 0
    for i in row.indices where row[i] > row[best] { best = i }
    if settings.temperature == 0 { return Int32(best) }
    let weights = row.map { exp(Double(($0 - row[best]) / settings.temperature)) }
    let target = random.uniform() * weights.reduce(0, +)
    var running = 0.0
    for i in weights.indices {
      running += weights[i]
      if running > target { return Int32(i) }
    }
    return Int32(best)
  }

  private func score(_ token: Int32, _ row: [Float], _ job: GenerationJob) -> TokenScore {
    let top = row.max() ?? 0
    let total = row.reduce(0.0) { $0 + exp(Double($1 - top)) }
    func logp(_ i: Int) -> Float { Float(Double(row[i] - top) - log(total)) }
    let order = row.indices.sorted { row[$0] > row[$1] || (row[$0] == row[$1] && $0 < $1) }
    let entropy = -row.indices.reduce(0.0) { $0 + exp(Double(logp($1))) * Double(logp($1)) }
    return TokenScore(
      token: token, logProbability: logp(Int(token)), rank: order.firstIndex(of: Int(token)) ?? 0,
      entropy: Float(entropy), kept: row.count,
      alternatives: order.prefix(job.alternatives).map {
        .init(token: Int32($0), logProbability: logp($0))
      })
  }
}

extension EngineSettings {
  func engine(_ model: Transformer) -> Engine { Engine(model, limit: queuedJobs) }
}
