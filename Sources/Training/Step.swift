import Corpus
import LanguageModel
import TensorCore

// One step for every stage. Pretraining, imitation and practice differ in where the tokens come from
// and in their weights: 1 on documents, 1 on what the assistant wrote, the advantage on what the
// model sampled.

/// What a step did.
public struct StepReport: Sendable, Equatable {
  /// −Σ weight · log p / normaliser, in nats.
  public var loss: Double
  /// The length of the gradient before clipping.
  public var gradientNorm: Double
  /// Tokens in the batch, padding not counted.
  public var tokens: Int
  /// The mean entropy of the tokens with a weight, in nats; nil where it was not asked for.
  public var entropy: Double?
  /// Why the update was skipped: a loss or gradient that is not finite, by name.
  public var problem: String?
}

/// Computes the gradients of `batches` together, and makes one update from them.
///
/// - Parameters:
///   - normaliser: what the weighted sum over all batches is divided by. Cutting a batch into several
///     leaves the update as it is.
///   - scale: of the optimiser's rates at this step.
/// - Returns: a report. Where the loss or the gradient is not finite, nothing is updated, and
///   `problem` says what was found.
public func trainStep(
  _ model: Transformer, _ optimizer: Optimizer, batches: [TokenBatch], normaliser: Float,
  scale: Float, entropy: Bool = false
) -> StepReport {
  var report = StepReport(loss: 0, gradientNorm: 0, tokens: 0)
  var entropies = (sum: 0.0, count: 0)
  for batch in batches {
    let layout = SequenceLayout(rows: batch.rows, length: batch.length, segments: batch.segments)
    let result = model.hidden(batch.tokens, features: batch.features, layout).crossEntropy(
      head: model.head, targets: batch.targets, weights: batch.weights, normaliser: normaliser,
      allowed: batch.allowed, entropies: entropy)
    report.loss += Double(result.loss.item)
    report.tokens += batch.tokenCount
    for (i, value) in result.entropies.enumerated() where batch.weights[i] != 0 {
      entropies.sum += Double(value)
      entropies.count += 1
    }
    result.loss.backward()
  }
  if entropy { report.entropy = entropies.sum / Double(max(1, entropies.count)) }
  optimizer.update(&report, scale: scale)
  return report
}

extension Optimizer {
  /// Makes the update of the gradients that are there, unless loss or gradient are not finite:
  /// `report` then says which.
  func update(_ report: inout StepReport, scale: Float) {
    report.gradientNorm = gradientNorm()
    guard report.loss.isFinite, report.gradientNorm.isFinite else {
      report.problem =
        report.loss.isFinite
        ? "the gradient of \(nonFiniteGradient() ?? "a parameter") is not finite"
        : "the loss is not finite"
      clearGradients()
      return
    }
    step(scale: scale, norm: report.gradientNorm)
  }
}

extension TokenBatch {
  /// The sum of the weights' sizes: what a mean is taken over.
  public var weightSum: Float { weights.reduce(0) { $0 + abs($1) } }
}

/// How the rates change over a stage.
public struct Schedule: Codable, Sendable, Equatable {
  /// Updates over which the rates rise from 0.
  public var warmup: Int
  /// The share of the updates, at the end, over which they fall.
  public var decayShare: Double
  /// What they fall to.
  public var final: Double

  public init(warmup: Int, decayShare: Double = 1, final: Double = 0) {
    (self.warmup, self.decayShare, self.final) = (warmup, decayShare, final)
  }

  /// The factor of the rates at update `step` of 0..<`steps`.
  public func scale(step: Int, of steps: Int) -> Double {
    let rise = warmup > 0 ? min(1, Double(step + 1) / Double(warmup)) : 1
    let decaySteps = max(1, decayShare * Double(steps))
    let left = Double(steps - step) / decaySteps
    return rise * (left >= 1 ? 1 : final + (1 - final) * left)
  }
}
