import TensorKernels

/// A trained tensor with its name.
///
/// Several matrices that are multiplied by one input (queries, keys and values) stand in one tensor,
/// one below the other: one product instead of three. Files know them as `parts`.
public struct Parameter {
  /// Consecutive rows of a parameter, under the name that files give them.
  public struct Part: Sendable, Equatable {
    public let name: String
    public let rows: Range<Int>
    /// Whether files hold the transpose.
    public let isTransposed: Bool
  }

  /// What decides the optimiser and the decay.
  public enum Kind: Sendable {
    /// A matrix inside the network.
    case matrix
    /// A table of rows looked up or scored: token and position embeddings, the head.
    case table
    /// Norm weights and biases.
    case vector
  }

  public let name: String
  public let kind: Kind
  public let tensor: Tensor
  public let parts: [Part]
}

/// Where the values of a model's parameters come from: one path for making and for loading.
public protocol ParameterSource {
  /// Fills `values`, (rows, columns) row-major, with the parameter part called `name`; `initial` says
  /// what a new model begins with. Throws where the source does not have it.
  func fill(
    _ values: MutableFloats, name: String, rows: Int, columns: Int, isTransposed: Bool,
    isVector: Bool, initial: Initial) throws

  /// The matrix of these parts, one below the other, in packed form; nil to have it filled as Floats.
  func packed(parts: [(name: String, rows: Int)], columns: Int) throws -> PackedWeights?
}

extension ParameterSource {
  public func packed(parts: [(name: String, rows: Int)], columns: Int) throws -> PackedWeights? {
    nil
  }
}

/// The values that a new parameter begins with.
public enum Initial: Sendable, Equatable {
  case constant(Float)
  /// Normal with mean 0.
  case normal(deviation: Float)
  /// Even between −bound and bound.
  case uniform(bound: Float)
}

/// Hands out parameters to a model under construction, and keeps the list.
public final class ParameterScope {
  public private(set) var parameters: [Parameter] = []
  /// Those of adapters.
  public private(set) var adapter: [Parameter] = []
  private let source: any ParameterSource
  private let plan: AdapterPlan?

  /// - Parameter adapter: what is trained in place of the parameters, which then stay as they are.
  public init(source: any ParameterSource, adapter: AdapterPlan? = nil) {
    (self.source, plan) = (source, adapter)
  }

  /// A matrix of rows from one or more named parts, each `rows` high.
  public func matrix(
    _ name: String, parts: [(name: String, rows: Int)], columns: Int, initial: Initial,
    kind: Parameter.Kind = .matrix, isTransposed: Bool = false
  ) throws -> Tensor {
    let made = try make(
      name, parts: parts, columns: columns, initial: initial, kind: kind,
      isTransposed: isTransposed, source: source, isTrained: plan == nil)
    parameters.append(made)
    return made.tensor
  }

  /// A vector from one or more named parts.
  public func vector(_ name: String, parts: [(name: String, rows: Int)], initial: Initial) throws
    -> Tensor
  {
    let made = try make(
      name, parts: parts, columns: nil, initial: initial, kind: .vector, isTransposed: false,
      source: source, isTrained: plan == nil)
    parameters.append(made)
    return made.tensor
  }

  /// What the plan adds to a matrix of the given parts; nil where it adds nothing.
  ///
  /// The names are those of PEFT, and so is the start: A as ``Initial/uniform(bound:)``, B zero.
  public func adapter(_ name: String, parts: [(name: String, rows: Int)], columns: Int) throws
    -> LowRankAdapter?
  {
    guard let plan else { return nil }
    func named(_ part: String, _ letter: String) -> String {
      AdapterPlan.prefix + part + ".lora_\(letter).weight"
    }
    let adapted = parts.filter { plan.adapts($0.name) }
    guard !adapted.isEmpty else { return nil }
    let down = try make(
      named(name, "A"), parts: adapted.map { (named($0.name, "A"), plan.rank) }, columns: columns,
      initial: .uniform(bound: 1 / Float(columns).squareRoot()), kind: .matrix,
      isTransposed: false, source: plan.source, isTrained: true)
    adapter.append(down)
    var blocks: [LowRankAdapter.Block] = []
    var row = 0
    for part in parts {
      defer { row += part.rows }
      guard plan.adapts(part.name) else { continue }
      let name = named(part.name, "B")
      let up = try make(
        name, parts: [(name, part.rows)], columns: plan.rank, initial: .constant(0),
        kind: .matrix, isTransposed: false, source: plan.source, isTrained: true)
      adapter.append(up)
      blocks.append(.init(firstRow: row, up: up.tensor))
    }
    return LowRankAdapter(down: down.tensor, blocks: blocks, rows: row, scale: plan.scale)
  }

  private func make(
    _ name: String, parts: [(name: String, rows: Int)], columns: Int?, initial: Initial,
    kind: Parameter.Kind, isTransposed: Bool, source: any ParameterSource, isTrained: Bool
  ) throws -> Parameter {
    let width = columns ?? 1
    let height = parts.reduce(0) { $0 + $1.rows }
    var packed = try columns.flatMap { try source.packed(parts: parts, columns: $0) }
    let buffer = Buffer(packed == nil ? height * width : 0)
    var row = 0
    var placed: [Parameter.Part] = []
    for part in parts {
      if buffer.count > 0 {
        try source.fill(
          MutableFloats(rebasing: buffer.values[row * width..<(row + part.rows) * width]),
          name: part.name, rows: part.rows, columns: width, isTransposed: isTransposed,
          isVector: columns == nil, initial: initial)
      }
      placed.append(
        Parameter.Part(name: part.name, rows: row..<row + part.rows, isTransposed: isTransposed))
      row += part.rows
    }
    if packed == nil, let arithmetic = PackedWeights.loading, let columns,
      columns % PackedForm.blockTerms == 0
    {
      packed = try PackedWeights(buffer.reading, columns: columns, arithmetic: arithmetic)
    }
    let tensor =
      packed.map { Tensor($0) }
      ?? Tensor(
        columns == nil ? [height] : [height, width], buffer: buffer, wantsGradient: isTrained)
    return Parameter(name: name, kind: kind, tensor: tensor, parts: placed)
  }
}

/// New values, a function of the seed and of the parameter's name alone.
public struct RandomSource: ParameterSource {
  public let seed: UInt64

  public init(seed: UInt64) { self.seed = seed }

  public func fill(
    _ values: MutableFloats, name: String, rows: Int, columns: Int, isTransposed: Bool,
    isVector: Bool, initial: Initial
  ) {
    switch initial {
    case .constant(let value): values.update(repeating: value)
    case .normal(let deviation):
      var random = NormalGenerator(seed: seed, name: name)
      for i in 0..<values.count { values[i] = Float(random.next()) * deviation }
    case .uniform(let bound):
      var random = NormalGenerator(seed: seed, name: name)
      for i in 0..<values.count { values[i] = (2 * Float(random.uniform()) - 1) * bound }
    }
  }
}

/// Standard normal values by Box and Muller, from SplitMix64 over a hash of seed and name.
struct NormalGenerator {
  private var state: UInt64
  private var spare: Double?

  init(seed: UInt64, name: String) {
    // FNV-1a.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ seed &* 0x9E37_79B9_7F4A_7C15
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    state = hash
  }

  mutating func next() -> Double {
    if let value = spare {
      spare = nil
      return value
    }
    let radius = (-2 * logarithm(1 - uniform())).squareRoot()
    let angle = 2 * Double.pi * uniform()
    spare = radius * sine(angle)
    return radius * cosine(angle)
  }

  mutating func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
  }
}
