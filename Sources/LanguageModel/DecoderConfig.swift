/// The shape of a decoder: everything that its parameters and formulas depend on.
public struct DecoderConfig: Sendable, Equatable {
  /// RMSNorm, or LayerNorm with a bias.
  public enum Norm: String, Sendable { case rms, layer }
  /// How a token knows its place: rotations of queries and keys, or a learned table.
  public enum Positions: Sendable, Equatable {
    case rotary(base: Double)
    case learned
  }
  /// The nonlinearity of a feed-forward block, by its name in config.json.
  public enum FeedForward: String, Sendable, CaseIterable {
    case swiGLU = "silu"
    case geGLU = "gelu_pytorch_tanh"
    case gelu = "gelu"
    case geluTanh = "gelu_new"
    case reluSquared = "relu2"

    /// Whether one map opens and closes what another lets through.
    public var isGated: Bool { self == .swiGLU || self == .geGLU }
  }
  /// Which linear maps add a bias.
  public enum Biases: String, Sendable {
    case none
    case queryKeyValue = "qkv"
    case all
  }
  /// Layers in which a token sees only those just before it.
  public struct Window: Sendable, Equatable {
    /// Tokens seen, itself included.
    public var length: Int
    /// Every so many layers one sees all tokens; nil where none does.
    public var fullEvery: Int?
    /// The rotary base of layers with the window, whose positions are never scaled; nil for that of
    /// the others.
    public var base: Double?

    public init(length: Int, fullEvery: Int? = nil, base: Double? = nil) {
      (self.length, self.fullEvery, self.base) = (length, fullEvery, base)
    }
  }

  public var vocabularySize: Int
  /// Width of the residual stream.
  public var width: Int
  public var layers: Int
  public var heads: Int
  /// Heads of keys and values; a divisor of `heads`.
  public var keyHeads: Int
  public var headWidth: Int
  /// Width inside the feed-forward blocks.
  public var hiddenWidth: Int
  /// The longest sequence, in tokens.
  public var context: Int
  public var norm: Norm
  public var epsilon: Float
  public var positions: Positions
  public var feedForward: FeedForward
  public var biases: Biases
  /// RMSNorm of every head of queries and keys.
  public var normalisesHeads: Bool
  /// Whether the embedding table scores the next token as well.
  public var tiesHead: Bool
  /// How rotary positions are spread beyond the length that a model began with.
  public var rotaryScaling: RotaryScaling?
  public var window: Window?
  /// What attention scores are multiplied by; nil for 1/√headWidth.
  public var scoreScale: Float?
  /// Gemma's way: a norm multiplies by 1 + its weight, attention and feed-forward blocks have a norm
  /// behind them too, and embeddings are multiplied by √width.
  public var isGemma: Bool
  /// Numbers that come with every token and are added to its embedding by a linear map; 0 for none.
  public var inputFeatures: Int
  /// RMSNorm of the embedding, before the first layer: every token enters with the same length.
  public var normalisesEmbedding: Bool

  public init(
    vocabularySize: Int, width: Int, layers: Int, heads: Int, keyHeads: Int? = nil,
    headWidth: Int? = nil, hiddenWidth: Int, context: Int, norm: Norm = .rms,
    epsilon: Float = 1e-6, positions: Positions = .rotary(base: 10_000),
    feedForward: FeedForward = .swiGLU, biases: Biases = .none, normalisesHeads: Bool = true,
    tiesHead: Bool = false, rotaryScaling: RotaryScaling? = nil, window: Window? = nil,
    scoreScale: Float? = nil, isGemma: Bool = false, inputFeatures: Int = 0,
    normalisesEmbedding: Bool = false
  ) {
    self.vocabularySize = vocabularySize
    (self.width, self.layers, self.heads) = (width, layers, heads)
    self.keyHeads = keyHeads ?? heads
    self.headWidth = headWidth ?? (heads > 0 ? width / heads : 0)
    (self.hiddenWidth, self.context) = (hiddenWidth, context)
    (self.norm, self.epsilon, self.positions) = (norm, epsilon, positions)
    (self.feedForward, self.biases) = (feedForward, biases)
    (self.normalisesHeads, self.tiesHead) = (normalisesHeads, tiesHead)
    (self.rotaryScaling, self.window) = (rotaryScaling, window)
    (self.scoreScale, self.isGemma) = (scoreScale, isGemma)
    (self.inputFeatures, self.normalisesEmbedding) = (inputFeatures, normalisesEmbedding)
  }

  /// The window of a layer; nil where it sees all.
  public func window(ofLayer index: Int) -> Window? {
    guard let window else { return nil }
    if let every = window.fullEvery, (index + 1) % every == 0 { return nil }
    return window
  }

  /// The one dial. Everything else follows from `depth`:
  /// width 32·depth, heads of 32, hidden width 8/3 of the width (to a multiple of 16), so that the
  /// feed-forward block has the 8·width² parameters of a plain one (Shazeer 2020, arXiv:2002.05202).
  public static func depth(_ depth: Int, vocabularySize: Int, context: Int) throws -> DecoderConfig
  {
    guard (1...64).contains(depth) else {
      throw DecoderError("a depth of \(depth) makes no model: choose 1 to 64 (the tour uses 4)")
    }
    let width = 32 * depth
    let config = DecoderConfig(
      vocabularySize: vocabularySize, width: width, layers: depth, heads: depth,
      hiddenWidth: (8 * width / 3 + 15) / 16 * 16, context: context)
    try config.check()
    return config
  }

  /// Whether the dimensions fit together and are sane.
  public func check() throws {
    let sizes = [
      ("vocabulary size", vocabularySize, 4_000_000), ("width", width, 65_536),
      ("number of layers", layers, 1_024), ("number of heads", heads, 4_096),
      ("number of key heads", keyHeads, 4_096), ("head width", headWidth, 4_096),
      ("feed-forward width", hiddenWidth, 1_048_576), ("context", context, 16_777_216),
    ]
    for (name, value, most) in sizes where value < 1 || value > most {
      throw DecoderError("a \(name) of \(value) makes no model: it must lie in 1...\(most)")
    }
    if !(0...65_536).contains(inputFeatures) {
      throw DecoderError("\(inputFeatures) input features make no model: choose 0...65536")
    }
    if heads % keyHeads != 0 {
      throw DecoderError("\(heads) heads cannot share \(keyHeads) key heads evenly")
    }
    if case .rotary(let base) = positions {
      if headWidth % 2 != 0 {
        throw DecoderError("rotary positions need an even head width, not \(headWidth)")
      }
      for base in [base, window?.base ?? base] where !(base > 1 && base.isFinite) {
        throw DecoderError("a rotary base of \(base) makes no positions: it must be above 1")
      }
      try rotaryScaling?.check(headWidth: headWidth)
    }
    if let window {
      guard window.length >= 1, window.length <= 16_777_216, window.fullEvery ?? 1 >= 1 else {
        throw DecoderError(
          "a window of \(window.length) tokens, with every \(window.fullEvery ?? 0)th layer without, "
            + "makes no model")
      }
    }
    if let scoreScale, !(scoreScale > 0 && scoreScale.isFinite) {
      throw DecoderError("attention scores cannot be multiplied by \(scoreScale)")
    }
    if isGemma, norm != .rms {
      throw DecoderError("norms that multiply by 1 + their weight must be RMS norms")
    }
    if !(epsilon > 0 && epsilon < 1) {
      throw DecoderError("a norm epsilon of \(epsilon) is not between 0 and 1")
    }
    if normalisesHeads, positions == .learned {
      throw DecoderError("a norm of queries and keys needs rotary positions")
    }
  }

  /// Trainable values.
  public var parameterCount: Int {
    let attention = width * headWidth * (2 * heads + 2 * keyHeads)
    let maps = feedForward.isGated ? 3 : 2
    var layer = attention + maps * width * hiddenWidth + (isGemma ? 4 : 2) * width
    if normalisesHeads { layer += 2 * headWidth }
    if norm == .layer { layer += 2 * width }
    if biases != .none { layer += headWidth * (heads + 2 * keyHeads) }
    if biases == .all { layer += width + (maps - 1) * hiddenWidth + width }
    let tables =
      vocabularySize * width * (tiesHead ? 1 : 2) + (positions == .learned ? context * width : 0)
      + inputFeatures * width + (normalisesEmbedding ? width : 0)
    return layers * layer + tables + (norm == .layer ? 2 : 1) * width
  }

  /// Floating-point operations to train on one token in sequences of `length`: 6 for every value of
  /// the matrices and the head, and 6 · layers · width of heads · length for the causal scores.
  public func trainingOperations(length: Int) -> Double {
    let maps = feedForward.isGated ? 3 : 2
    let attention = width * headWidth * (2 * heads + 2 * keyHeads)
    let matrices =
      layers * (attention + maps * width * hiddenWidth) + (vocabularySize + inputFeatures) * width
    return 6 * Double(matrices) + 6 * Double(layers * heads * headWidth * length)
  }
}

/// What is wrong with a model's description or its parameters.
public struct DecoderError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
