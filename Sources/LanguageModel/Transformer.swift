import TensorCore
import TensorKernels

/// A decoder-only transformer: embedding, layers of attention and feed-forward, norm, head. One code
/// for the GPT-2, Llama, Qwen and Gemma forms, told apart by ``DecoderConfig``.
public final class Transformer {
  public let config: DecoderConfig
  /// All tensors of the model itself, in the order of the computation.
  public let parameters: [Parameter]
  /// The tensors of its adapter, which are trained in place of them; empty without one.
  public let adapter: [Parameter]
  /// (V, D).
  public let embedding: Tensor
  /// (V, D): the rows that score the next token. The embedding itself where they are tied.
  public let head: Tensor
  private let positionTable: Tensor?
  /// (D, features).
  private let featureMap: Tensor?
  private let embeddingNorm: Tensor?
  private let layers: [DecoderLayer]
  private let norm: NormLayer

  /// A decoder with parameters from `source`: new ones from ``RandomSource``, or those of a file.
  ///
  /// - Parameter adapter: what is trained beside parameters that stay as they are.
  public init(
    _ config: DecoderConfig, source: any ParameterSource, adapter plan: AdapterPlan? = nil
  ) throws {
    try config.check()
    self.config = config
    let scope = ParameterScope(source: source, adapter: plan)
    let names = ParameterNames(config)
    // A tied table also scores the next token, so it begins small enough for a flat guess. An untied
    // one gives the residual stream values of size one, and the head begins at zero. A norm behind
    // the table leaves its size free: rows are large enough to differ, small enough to be moved.
    embedding = try scope.matrix(
      names.embedding, parts: [(names.embedding, config.vocabularySize)], columns: config.width,
      initial: .normal(
        deviation: config.normalisesEmbedding ? 0.3 : config.tiesHead ? 0.02 : 1), kind: .table)
    if config.positions == .learned {
      positionTable = try scope.matrix(
        names.positions, parts: [(names.positions, config.context)], columns: config.width,
        initial: .normal(deviation: 0.02), kind: .table)
    } else {
      positionTable = nil
    }
    featureMap =
      config.inputFeatures > 0
      ? try scope.matrix(
        names.features, parts: [(names.features, config.width)], columns: config.inputFeatures,
        initial: .normal(deviation: 1 / Float(config.inputFeatures).squareRoot()), kind: .table)
      : nil
    embeddingNorm =
      config.normalisesEmbedding
      ? try scope.vector(
        names.embeddingNorm + ".weight", parts: [(names.embeddingNorm + ".weight", config.width)],
        initial: .constant(1))
      : nil
    let (all, windowed) = config.rotaryTables()
    layers = try (0..<config.layers).map {
      try DecoderLayer(
        config, scope: scope, names: names, index: $0,
        rotary: config.window(ofLayer: $0) == nil ? all : windowed)
    }
    // Tied rows of that size would begin with scores too large for a flat guess.
    norm = try NormLayer(
      config, scope: scope, name: names.finalNorm,
      initial: config.normalisesEmbedding && config.tiesHead ? 0.35 : 1)
    head =
      config.tiesHead
      ? embedding
      : try scope.matrix(
        names.head, parts: [(names.head, config.vocabularySize)], columns: config.width,
        initial: .constant(0), kind: .table)
    (parameters, adapter) = (scope.parameters, scope.adapter)
  }

  /// What training changes.
  public var trained: [Parameter] { adapter.isEmpty ? parameters : adapter }

  /// What the head scores, (N, D), for `tokens` that stand in rows as `layout` says.
  ///
  /// - Parameter features: ``DecoderConfig/inputFeatures`` numbers for each token, one after another.
  public func hidden(_ tokens: [Int32], features: [Float] = [], _ layout: SequenceLayout) -> Tensor
  {
    precondition(tokens.count == layout.rows * layout.length, "\(tokens.count) tokens")
    return trunk(tokens, features, positions: layout.positions) { qkv, form, _ in
      qkv.attention(form, layout)
    }
  }

  /// The residual stream after each layer, (N, D) each, and last what ``hidden(_:features:_:)``
  /// gives: for those who want to look inside. Nothing is recorded.
  public func states(_ tokens: [Int32], _ layout: SequenceLayout) -> [Tensor] {
    var states: [Tensor] = []
    let last = Tape.paused {
      trunk(tokens, [], positions: layout.positions, observe: { states.append($0) }) {
        qkv, form, _ in
        qkv.attention(form, layout)
      }
    }
    return states + [last]
  }

  /// As ``hidden(_:features:_:)`` for tokens that continue the sequences of a cache: token i is the next of
  /// slot `slots[i]`. Several tokens of a slot follow one another. Nothing is recorded.
  public func hidden(
    _ tokens: [Int32], features: [Float] = [], slots: [Int32], cache: KeyValueCache
  ) -> Tensor {
    Tape.paused {
      let positions = cache.advance(slots)
      return trunk(tokens, features, positions: positions) { qkv, form, layer in
        cache.attention(qkv, form, layer: layer, slots: slots, positions: positions)
      }
    }
  }

  /// The scores of the next token, (N, V), for rows of ``hidden(_:features:_:)``.
  public func logits(_ hidden: Tensor) -> Tensor { hidden.linear(head) }

  private func trunk(
    _ tokens: [Int32], _ features: [Float], positions: [Int32],
    observe: (Tensor) -> Void = { _ in },
    attend: (_ qkv: Tensor, _ form: AttentionForm, _ layer: Int) -> Tensor
  ) -> Tensor {
    var x = embedding.rows(tokens)
    if let embeddingNorm { x = x.rmsNorm(weight: embeddingNorm, epsilon: config.epsilon) }
    if config.isGemma { x = x.scaled(by: Float(config.width).squareRoot()) }
    if let positionTable { x = x.adding(positionTable.rows(positions)) }
    precondition(
      features.count == tokens.count * config.inputFeatures,
      "\(features.count) features for \(tokens.count) tokens of \(config.inputFeatures) each")
    if let featureMap {
      let given = Buffer(features.count)
      _ = given.values.update(fromContentsOf: features)
      x = Tensor([tokens.count, config.inputFeatures], buffer: given)
        .linear(featureMap, residual: x)
    }
    for (index, layer) in layers.enumerated() {
      x = layer(x) { attend($0, layer.form, index) }
      observe(x)
    }
    return norm(x)
  }
}

/// x + attention(norm x), then x + feed-forward(norm x); Gemma adds the norm of what the blocks give.
struct DecoderLayer {
  let form: AttentionForm
  private let feedForwardKind: DecoderConfig.FeedForward
  private let attentionNorm: NormLayer
  private let queryKeyValue: LinearLayer
  private let attentionOut: LinearLayer
  private let attentionOutNorm: NormLayer?
  private let feedForwardNorm: NormLayer
  private let up: LinearLayer
  private let down: LinearLayer
  private let feedForwardOutNorm: NormLayer?

  init(
    _ config: DecoderConfig, scope: ParameterScope, names: ParameterNames, index: Int,
    rotary: RotaryTable?
  ) throws {
    let layer = names.layer(index)
    let attentionWidth = config.heads * config.headWidth
    let keyWidth = config.keyHeads * config.headWidth
    feedForwardKind = config.feedForward
    attentionNorm = try NormLayer(config, scope: scope, name: layer.attentionNorm)
    let fanIn = Initial.normal(deviation: 1 / Float(config.width).squareRoot())
    queryKeyValue = try LinearLayer(
      scope, name: layer.queryKeyValue,
      parts: layer.queryKeyValueParts([attentionWidth, keyWidth, keyWidth]), inputs: config.width,
      initial: fanIn, isTransposed: names.isTransposed, hasBias: config.biases != .none)
    let hasBias = config.biases == .all
    // The largest score of normalised queries and keys is weight² · √headWidth: 12 to begin with.
    let headNorm = (12 / Float(config.headWidth).squareRoot()).squareRoot()
    let norms = try (config.normalisesHeads ? [layer.queryNorm, layer.keyNorm] : []).map {
      try scope.vector(
        $0, parts: [($0, config.headWidth)], initial: .constant(headNorm - config.normOffset))
    }
    form = AttentionForm(
      heads: config.heads, keyHeads: config.keyHeads, headWidth: config.headWidth, rotary: rotary,
      queryNorm: norms.first, keyNorm: norms.last, epsilon: config.epsilon,
      normOffset: config.normOffset, scale: config.scoreScale,
      window: config.window(ofLayer: index)?.length)
    // Layers begin as the identity: what they add is zero.
    attentionOut = try LinearLayer(
      scope, name: layer.attentionOut, parts: [(layer.attentionOut, config.width)],
      inputs: attentionWidth, initial: .constant(0), isTransposed: names.isTransposed,
      hasBias: hasBias)
    attentionOutNorm =
      config.isGemma ? try NormLayer(config, scope: scope, name: layer.attentionOutNorm) : nil
    feedForwardNorm = try NormLayer(config, scope: scope, name: layer.feedForwardNorm)
    up = try LinearLayer(
      scope, name: layer.up,
      parts: layer.upParts(config.hiddenWidth, isGated: config.feedForward.isGated),
      inputs: config.width, initial: fanIn, isTransposed: names.isTransposed, hasBias: hasBias)
    down = try LinearLayer(
      scope, name: layer.down, parts: [(layer.down, config.width)],
      inputs: config.hiddenWidth, initial: .constant(0), isTransposed: names.isTransposed,
      hasBias: hasBias)
    feedForwardOutNorm =
      config.isGemma ? try NormLayer(config, scope: scope, name: layer.feedForwardOutNorm) : nil
  }

  func callAsFunction(_ x: Tensor, attend: (Tensor) -> Tensor) -> Tensor {
    let attended = attend(queryKeyValue(attentionNorm(x)))
    let x = add(attentionOut, of: attended, to: x, norm: attentionOutNorm)
    let raised = up(feedForwardNorm(x))
    let activated =
      switch feedForwardKind {
      case .swiGLU: raised.swiGLU()
      case .geGLU: raised.geGLU()
      case .gelu: raised.activated(.gelu)
      case .geluTanh: raised.activated(.geluTanh)
      case .reluSquared: raised.activated(.reluSquared)
      }
    return add(down, of: activated, to: x, norm: feedForwardOutNorm)
  }

  private func add(_ map: LinearLayer, of y: Tensor, to x: Tensor, norm: NormLayer?) -> Tensor {
    guard let norm else { return map(y, residual: x) }
    return x.adding(norm(map(y)))
  }
}

/// x·Wᵀ + b.
struct LinearLayer {
  private let weight: Tensor
  private let bias: Tensor?
  private let adapter: LowRankAdapter?

  init(
    _ scope: ParameterScope, name: String, parts: [(name: String, rows: Int)], inputs: Int,
    initial: Initial, isTransposed: Bool, hasBias: Bool
  ) throws {
    weight = try scope.matrix(
      name + ".weight", parts: parts.map { ($0.name + ".weight", $0.rows) }, columns: inputs,
      initial: initial, isTransposed: isTransposed)
    bias =
      hasBias
      ? try scope.vector(
        name + ".bias", parts: parts.map { ($0.name + ".bias", $0.rows) }, initial: .constant(0))
      : nil
    adapter = try scope.adapter(name, parts: parts, columns: inputs)
  }

  func callAsFunction(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
    let y = x.linear(weight, bias: bias, residual: residual)
    return adapter.map { $0(x, residual: y) } ?? y
  }
}

/// RMSNorm or LayerNorm.
struct NormLayer {
  private let weight: Tensor
  private let bias: Tensor?
  private let epsilon: Float
  private let offset: Float

  init(
    _ config: DecoderConfig, scope: ParameterScope, name: String, initial: Float = 1
  ) throws {
    weight = try scope.vector(
      name + ".weight", parts: [(name + ".weight", config.width)],
      initial: .constant(initial - config.normOffset))
    bias =
      config.norm == .layer
      ? try scope.vector(
        name + ".bias", parts: [(name + ".bias", config.width)], initial: .constant(0))
      : nil
    (epsilon, offset) = (config.epsilon, config.normOffset)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    guard let bias else {
      return x.rmsNorm(weight: weight, epsilon: epsilon, offset: offset)
    }
    return x.layerNorm(weight: weight, bias: bias, epsilon: epsilon)
  }
}
