import TensorKernels

/// How parameters move.
public struct OptimizerSettings: Codable, Sendable, Equatable {
  /// AdamW's rate (Loshchilov and Hutter 2017, arXiv:1711.05101).
  public var rate: Float
  public var beta1: Float
  public var beta2: Float
  public var epsilon: Float
  /// Decoupled decay.
  public var decay: Float
  /// Whether tables and vectors decay as well as matrices.
  public var decaysAll: Bool
  /// Muon's rate for the matrices inside the network (Jordan et al. 2024); nil for AdamW throughout.
  public var matrixRate: Float?
  public var momentum: Float
  /// Gradients longer than this are scaled down to it.
  public var clip: Float

  public init(
    rate: Float, beta1: Float = 0.9, beta2: Float = 0.99, epsilon: Float = 1e-8,
    decay: Float = 0.01,
    decaysAll: Bool = false, matrixRate: Float? = nil, momentum: Float = 0.95, clip: Float = 1
  ) {
    (self.rate, self.beta1, self.beta2, self.epsilon) = (rate, beta1, beta2, epsilon)
    (self.decay, self.decaysAll) = (decay, decaysAll)
    (self.matrixRate, self.momentum, self.clip) = (matrixRate, momentum, clip)
  }
}

/// AdamW, and Muon for the matrices inside the network where the settings say so. Holds the moments.
public final class Optimizer {
  public let settings: OptimizerSettings
  /// Updates made so far.
  public var steps = 0
  private let slots: [Slot]

  /// One parameter with its moments; Muon has one, AdamW two.
  private struct Slot {
    let parameter: Parameter
    let first: Buffer
    let second: Buffer?
  }

  public init(_ parameters: [Parameter], _ settings: OptimizerSettings) {
    self.settings = settings
    slots = parameters.map { parameter in
      let isMuon = settings.matrixRate != nil && parameter.kind == .matrix
      return Slot(
        parameter: parameter, first: Buffer(parameter.tensor.count, zeroed: true),
        second: isMuon ? nil : Buffer(parameter.tensor.count, zeroed: true))
    }
  }

  /// The moments by name, for a checkpoint to write or to fill.
  public var state: [(name: String, values: MutableFloats)] {
    slots.flatMap { slot in
      [(slot.parameter.name + ".first", slot.first.values)]
        + (slot.second.map { [(slot.parameter.name + ".second", $0.values)] } ?? [])
    }
  }

  /// The length of the gradient over all parameters; not finite where a value is not.
  public func gradientNorm() -> Double {
    slots.reduce(0) { sum, slot in
      sum + (slot.parameter.tensor.gradient.map { sumOfSquares($0.reading) } ?? 0)
    }.squareRoot()
  }

  /// The first parameter whose gradient is not finite.
  public func nonFiniteGradient() -> String? {
    slots.first { slot in
      slot.parameter.tensor.gradient.map { !sumOfSquares($0.reading).isFinite } ?? false
    }?.parameter.name
  }

  /// Moves every parameter by its gradient, at `scale` times the settings' rates, and clears the
  /// gradients. `norm` is that of ``gradientNorm()``, for clipping.
  public func step(scale: Float, norm: Double) {
    steps += 1
    let shrink = Float(min(1, Double(settings.clip) / (norm + 1e-6)))
    for slot in slots {
      guard let gradient = slot.parameter.tensor.gradient else { continue }
      update(slot, gradient, scale: scale, shrink: shrink)
      slot.parameter.tensor.valuesChanged()
    }
    clearGradients()
  }

  private func update(_ slot: Slot, _ gradient: Buffer, scale: Float, shrink: Float) {
    let tensor = slot.parameter.tensor
    guard let second = slot.second else {
      muonStep(slot, gradient, rate: (settings.matrixRate ?? 0) * scale, shrink: shrink)
      return
    }
    let decays = settings.decaysAll || slot.parameter.kind == .matrix
    adamW(
      parameter: tensor.buffer.values, m: slot.first.values, v: second.values,
      gradient: gradient.reading,
      AdamWStep(
        rate: settings.rate * scale, beta1: settings.beta1, beta2: settings.beta2,
        epsilon: settings.epsilon, weightDecay: decays ? settings.decay : 0, step: steps,
        gradientScale: shrink))
  }

  /// Each part is a matrix of its own: queries are not made orthogonal to keys.
  private func muonStep(_ slot: Slot, _ gradient: Buffer, rate: Float, shrink: Float) {
    let columns = slot.parameter.tensor.columns
    for part in slot.parameter.parts {
      let range = part.rows.lowerBound * columns..<part.rows.upperBound * columns
      let workspace = Buffer(muonWorkspace(rows: part.rows.count, columns: columns))
      muon(
        parameter: MutableFloats(rebasing: slot.parameter.tensor.buffer.values[range]),
        momentum: MutableFloats(rebasing: slot.first.values[range]),
        gradient: Floats(rebasing: gradient.reading[range]), rows: part.rows.count,
        columns: columns,
        MuonStep(
          rate: rate, momentum: settings.momentum, weightDecay: settings.decay,
          gradientScale: shrink), workspace: workspace.values)
    }
  }

  /// Sets all gradients to zero, and keeps their memory.
  public func clearGradients() {
    for slot in slots { slot.parameter.tensor.gradient?.values.update(repeating: 0) }
  }
}
