/// The shape of a decoder: everything that its parameters and formulas depend on.
public struct DecoderConfig: Sendable, Equatable {
  public enum Norm: String, Sendable { case rms, layer }
  public enum Positions: Sendable, Equatable {
    case rotary(base: Double)
    case learned
  }
  public enum FeedForward: String, Sendable, CaseIterable {
    case swiGLU = "silu"
    case gelu = "gelu"
    case geluTanh = "gelu_new"
    case reluSquared = "relu2"
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
  /// Biases on all linear maps.
  public var biases: Bool
  /// RMSNorm of every head of queries and keys.
  public var normalisesHeads: Bool
  /// Whether the embedding table scores the next token as well.
  public var tiesHead: Bool
  /// Numbers that come with every token and are added to its embedding by a linear map; 0 for none.
  public var inputFeatures: Int

  public init(
    vocabularySize: Int, width: Int, layers: Int, heads: Int, keyHeads: Int? = nil,
    headWidth: Int? = nil, hiddenWidth: Int, context: Int, norm: Norm = .rms,
    epsilon: Float = 1e-6, positions: Positions = .rotary(base: 10_000),
    feedForward: FeedForward = .swiGLU, biases: Bool = false, normalisesHeads: Bool = true,
    tiesHead: Bool = false, inputFeatures: Int = 0
  ) {
    self.vocabularySize = vocabularySize
    (self.width, self.layers, self.heads) = (width, layers, heads)
    self.keyHeads = keyHeads ?? heads
    self.headWidth = headWidth ?? (heads > 0 ? width / heads : 0)
    (self.hiddenWidth, self.context) = (hiddenWidth, context)
    (self.norm, self.epsilon, self.positions) = (norm, epsilon, positions)
    (self.feedForward, self.biases) = (feedForward, biases)
    (self.normalisesHeads, self.tiesHead) = (normalisesHeads, tiesHead)
    self.inputFeatures = inputFeatures
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
      if !(base > 1 && base.isFinite) {
        throw DecoderError("a rotary base of \(base) makes no positions: it must be above 1")
      }
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
    let maps = feedForward == .swiGLU ? 3 : 2
    var layer = attention + maps * width * hiddenWidth + 2 * width
    if normalisesHeads { layer += 2 * headWidth }
    if norm == .layer { layer += 2 * width }
    if biases {
      layer += headWidth * (heads + 2 * keyHeads) + width + (maps - 1) * hiddenWidth + width
    }
    let tables =
      vocabularySize * width * (tiesHead ? 1 : 2) + (positions == .learned ? context * width : 0)
      + inputFeatures * width
    return layers * layer + tables + (norm == .layer ? 2 : 1) * width
  }

  /// Floating-point operations to train on one token in sequences of `length`: 6 for every value of
  /// the matrices and the head, and 6 · layers · width of heads · length for the causal scores.
  public func trainingOperations(length: Int) -> Double {
    let maps = feedForward == .swiGLU ? 3 : 2
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
