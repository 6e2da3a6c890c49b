import Foundation

// config.json as Hugging Face's transformers writes it. What a family does not say there is in
// ``Family``; a decoder that no family describes is of the type "lyceum", with the same keys.

enum ConfigKey: String, CodingKey {
  case type = "model_type"
  case architectures
  case text = "text_config"
  case vocabulary = "vocab_size"
  case width = "hidden_size"
  case layers = "num_hidden_layers"
  case heads = "num_attention_heads"
  case keyHeads = "num_key_value_heads"
  case headWidth = "head_dim"
  case hiddenWidth = "intermediate_size"
  case context = "max_position_embeddings"
  case epsilon = "rms_norm_eps"
  case base = "rope_theta"
  case windowBase = "rope_local_base_freq"
  case scaling = "rope_scaling"
  case rotary = "rope_parameters"
  case activation = "hidden_act"
  case gemmaActivation = "hidden_activation"
  case attentionBias = "attention_bias"
  case feedForwardBias = "mlp_bias"
  case tied = "tie_word_embeddings"
  case dtype = "torch_dtype"
  case window = "sliding_window"
  case usesWindow = "use_sliding_window"
  case windowPattern = "sliding_window_pattern"
  case layerTypes = "layer_types"
  case scoreWidth = "query_pre_attn_scalar"
  case scoreCap = "attn_logit_softcapping"
  case logitCap = "final_logit_softcapping"
  case experts = "num_local_experts"
  case norm
  case positions
  case biases
  case isGemma = "gemma"
  case scoreScale = "score_scale"
  case normalisesHeads = "qk_norm"
  case inputFeatures = "input_features"
  case normalisesEmbedding = "embedding_norm"
  case gptWidth = "n_embd"
  case gptLayers = "n_layer"
  case gptHeads = "n_head"
  case gptInner = "n_inner"
  case gptContext = "n_positions"
  case gptEpsilon = "layer_norm_epsilon"
  case gptActivation = "activation_function"
}

extension DecoderConfig: Codable {
  public func encode(to encoder: any Swift.Encoder) throws {
    var file = encoder.container(keyedBy: ConfigKey.self)
    let type = modelType
    try file.encode(type, forKey: .type)
    try file.encode(vocabularySize, forKey: .vocabulary)
    try file.encode(tiesHead, forKey: .tied)
    try file.encode("float32", forKey: .dtype)
    if type != "lyceum", let family = Family.named(type) {
      try file.encode([family.architecture], forKey: .architectures)
    }
    if type == "gpt2" {
      try file.encode(width, forKey: .gptWidth)
      try file.encode(layers, forKey: .gptLayers)
      try file.encode(heads, forKey: .gptHeads)
      try file.encode(hiddenWidth, forKey: .gptInner)
      try file.encode(context, forKey: .gptContext)
      try file.encode(epsilon, forKey: .gptEpsilon)
      try file.encode(feedForward.rawValue, forKey: .gptActivation)
      return
    }
    try file.encode(width, forKey: .width)
    try file.encode(layers, forKey: .layers)
    try file.encode(heads, forKey: .heads)
    try file.encode(keyHeads, forKey: .keyHeads)
    try file.encode(headWidth, forKey: .headWidth)
    try file.encode(hiddenWidth, forKey: .hiddenWidth)
    try file.encode(context, forKey: .context)
    try file.encode(epsilon, forKey: .epsilon)
    try file.encode(
      feedForward.rawValue, forKey: type == "gemma3_text" ? .gemmaActivation : .activation)
    try file.encode(biases == .all, forKey: .attentionBias)
    try file.encode(biases == .all, forKey: .feedForwardBias)
    try encodePositions(&file, isGemma: type == "gemma3_text")
    if type == "lyceum" {
      try file.encode(norm.rawValue, forKey: .norm)
      try file.encode(normalisesHeads, forKey: .normalisesHeads)
      try file.encode(positions == .learned ? "learned" : "rotary", forKey: .positions)
      try file.encode(biases.rawValue, forKey: .biases)
      try file.encode(isGemma, forKey: .isGemma)
      try file.encodeIfPresent(scoreScale, forKey: .scoreScale)
      if inputFeatures > 0 { try file.encode(inputFeatures, forKey: .inputFeatures) }
      if normalisesEmbedding { try file.encode(true, forKey: .normalisesEmbedding) }
    }
  }

  private func encodePositions(
    _ file: inout KeyedEncodingContainer<ConfigKey>, isGemma: Bool
  ) throws {
    if case .rotary(let base) = positions { try file.encode(base, forKey: .base) }
    if let rotaryScaling { try file.encode(RotaryEntry(rotaryScaling), forKey: .scaling) }
    if isGemma {
      let scale = Double(scoreScale ?? 1 / Float(headWidth).squareRoot())
      try file.encode(Int((1 / (scale * scale)).rounded()), forKey: .scoreWidth)
    }
    guard let window else { return }
    try file.encode(window.length, forKey: .window)
    try file.encodeIfPresent(window.base, forKey: .windowBase)
    try file.encode(
      (0..<layers).map { self.window(ofLayer: $0) == nil ? "full_attention" : "sliding_attention" },
      forKey: .layerTypes)
    try file.encodeIfPresent(window.fullEvery, forKey: .windowPattern)
  }

  public init(from decoder: any Swift.Decoder) throws {
    var file = try decoder.container(keyedBy: ConfigKey.self)
    var type = try file.decode(String.self, forKey: .type)
    // Models that also see images keep their decoder inside.
    if type == "gemma3" {
      file = try file.nestedContainer(keyedBy: ConfigKey.self, forKey: .text)
      type = "gemma3_text"
    }
    guard let family = Family.named(type) else {
      throw DecoderError(
        "config.json describes a \"\(type)\": this version reads \(Family.names)")
    }
    if type == "gpt2" {
      try self.init(gpt2: file)
    } else {
      try self.init(file, family)
    }
    try check()
  }

  private init(gpt2 file: KeyedDecodingContainer<ConfigKey>) throws {
    let width = try file.decode(Int.self, forKey: .gptWidth)
    let activation = try file.decodeIfPresent(String.self, forKey: .gptActivation) ?? "gelu_new"
    let heads = try file.decode(Int.self, forKey: .gptHeads)
    guard heads > 0 else { throw DecoderError("config.json: n_head is \(heads)") }
    let inner = try file.decodeIfPresent(Int.self, forKey: .gptInner)
    let (four, overflow) = width.multipliedReportingOverflow(by: 4)
    guard !overflow else { throw DecoderError("config.json: n_embd is \(width)") }
    self.init(
      vocabularySize: try file.decode(Int.self, forKey: .vocabulary), width: width,
      layers: try file.decode(Int.self, forKey: .gptLayers), heads: heads,
      hiddenWidth: inner ?? four, context: try file.decode(Int.self, forKey: .gptContext),
      norm: .layer, epsilon: try file.decodeIfPresent(Float.self, forKey: .gptEpsilon) ?? 1e-5,
      positions: .learned, feedForward: try Self.feedForward(activation), biases: .all,
      normalisesHeads: false,
      tiesHead: try file.decodeIfPresent(Bool.self, forKey: .tied) ?? true)
  }

  private init(_ file: KeyedDecodingContainer<ConfigKey>, _ family: Family) throws {
    try Self.refuseUnknown(file)
    let heads = try file.decode(Int.self, forKey: .heads)
    guard heads > 0 else { throw DecoderError("config.json: num_attention_heads is \(heads)") }
    let norm = try file.decodeIfPresent(String.self, forKey: .norm) ?? "rms"
    guard let norm = Norm(rawValue: norm) else {
      throw DecoderError("config.json: a norm called \"\(norm)\" is not known (rms, layer)")
    }
    let activation =
      try file.decodeIfPresent(String.self, forKey: .gemmaActivation)
      ?? file.decodeIfPresent(String.self, forKey: .activation)
    let isLearned = try file.decodeIfPresent(String.self, forKey: .positions) == "learned"
    let layers = try file.decode(Int.self, forKey: .layers)
    let rotary = try RotaryEntries(file)
    let scoreWidth = try file.decodeIfPresent(Double.self, forKey: .scoreWidth)
    self.init(
      vocabularySize: try file.decode(Int.self, forKey: .vocabulary),
      width: try file.decode(Int.self, forKey: .width), layers: layers, heads: heads,
      keyHeads: try file.decodeIfPresent(Int.self, forKey: .keyHeads),
      headWidth: try file.decodeIfPresent(Int.self, forKey: .headWidth),
      hiddenWidth: try file.decode(Int.self, forKey: .hiddenWidth),
      context: try file.decode(Int.self, forKey: .context), norm: norm,
      epsilon: try file.decodeIfPresent(Float.self, forKey: .epsilon) ?? 1e-6,
      positions: isLearned ? .learned : .rotary(base: rotary.base ?? family.base),
      feedForward: try activation.map(Self.feedForward) ?? family.feedForward,
      biases: try Self.biases(file, family),
      normalisesHeads: try file.decodeIfPresent(Bool.self, forKey: .normalisesHeads)
        ?? family.normalisesHeads,
      tiesHead: try file.decodeIfPresent(Bool.self, forKey: .tied) ?? family.tiesHead,
      rotaryScaling: rotary.scaling,
      window: try Self.window(file, family, layers: layers, base: rotary.windowBase),
      scoreScale: try file.decodeIfPresent(Float.self, forKey: .scoreScale)
        ?? scoreWidth.map { Float(1 / $0.squareRoot()) },
      isGemma: try file.decodeIfPresent(Bool.self, forKey: .isGemma) ?? family.isGemma,
      inputFeatures: try file.decodeIfPresent(Int.self, forKey: .inputFeatures) ?? 0,
      normalisesEmbedding: try file.decodeIfPresent(Bool.self, forKey: .normalisesEmbedding)
        ?? false)
  }

  /// What changes a model's numbers and is not done here.
  private static func refuseUnknown(_ file: KeyedDecodingContainer<ConfigKey>) throws {
    for key in [ConfigKey.scoreCap, .logitCap, .experts] where file.contains(key) {
      if try !file.decodeNil(forKey: key) {
        throw DecoderError(
          "config.json asks for \(key.rawValue), which this version does not have")
      }
    }
  }

  private static func biases(
    _ file: KeyedDecodingContainer<ConfigKey>, _ family: Family
  ) throws -> Biases {
    if let name = try file.decodeIfPresent(String.self, forKey: .biases) {
      guard let biases = Biases(rawValue: name) else {
        throw DecoderError("config.json: biases \"\(name)\" are not known (none, qkv, all)")
      }
      return biases
    }
    guard family.biases == .none else { return family.biases }
    let attention = try file.decodeIfPresent(Bool.self, forKey: .attentionBias) ?? false
    let other = try file.decodeIfPresent(Bool.self, forKey: .feedForwardBias) ?? attention
    guard attention == other else {
      throw DecoderError("config.json asks for biases on some of the maps only")
    }
    return attention ? .all : .none
  }

  private static func window(
    _ file: KeyedDecodingContainer<ConfigKey>, _ family: Family, layers: Int, base: Double?
  ) throws -> Window? {
    let isUsed = try file.decodeIfPresent(Bool.self, forKey: .usesWindow) ?? true
    guard isUsed, let length = try file.decodeIfPresent(Int.self, forKey: .window) else {
      return nil
    }
    var every = try file.decodeIfPresent(Int.self, forKey: .windowPattern) ?? family.fullEvery
    if let types = try file.decodeIfPresent([String].self, forKey: .layerTypes) {
      for type in types where type != "full_attention" && type != "sliding_attention" {
        throw DecoderError("config.json: layers of the type \"\(type)\" are not known")
      }
      guard types.contains("sliding_attention") else { return nil }
      every =
        types.firstIndex(of: "full_attention").map { $0 + 1 } ?? every.map { max($0, layers + 1) }
      let regular = types.indices.allSatisfy { index in
        (types[index] == "full_attention") == (every.map { (index + 1) % $0 == 0 } ?? false)
      }
      guard types.count == layers, regular else {
        throw DecoderError("config.json: layer_types do not follow a pattern that is known here")
      }
    } else if family.name.hasPrefix("qwen") {
      throw DecoderError("config.json asks for use_sliding_window without saying layer_types")
    }
    if let every, every < 1 {
      throw DecoderError("config.json: sliding_window_pattern is \(every)")
    }
    return Window(length: length, fullEvery: every, base: base ?? family.windowBase)
  }

  static func feedForward(_ name: String) throws -> FeedForward {
    guard let kind = FeedForward(rawValue: name) else {
      let known = FeedForward.allCases.map(\.rawValue).joined(separator: ", ")
      throw DecoderError("config.json: the activation \"\(name)\" is not known (\(known))")
    }
    return kind
  }
}
