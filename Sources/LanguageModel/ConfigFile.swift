import Foundation

// config.json as Hugging Face's transformers writes it: Llama and Qwen3 by their keys, GPT-2 by its
// own. A decoder that none of them describes is of the type "lyceum", with the same keys.

extension DecoderConfig: Codable {
  private enum Keys: String, CodingKey {
    case type = "model_type"
    case architectures
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
    case scaling = "rope_scaling"
    case activation = "hidden_act"
    case attentionBias = "attention_bias"
    case feedForwardBias = "mlp_bias"
    case tied = "tie_word_embeddings"
    case dtype = "torch_dtype"
    case norm
    case positions
    case normalisesHeads = "qk_norm"
    case inputFeatures = "input_features"
    case gptWidth = "n_embd"
    case gptLayers = "n_layer"
    case gptHeads = "n_head"
    case gptInner = "n_inner"
    case gptContext = "n_positions"
    case gptEpsilon = "layer_norm_epsilon"
    case gptActivation = "activation_function"
  }

  /// The architecture that other tools know this decoder as; "lyceum" where they know none.
  public var modelType: String {
    if inputFeatures > 0 { return "lyceum" }
    if norm == .layer, positions == .learned, biases, tiesHead, keyHeads == heads,
      feedForward == .geluTanh, headWidth * heads == width
    {
      return "gpt2"
    }
    guard norm == .rms, positions != .learned, feedForward == .swiGLU else { return "lyceum" }
    if normalisesHeads { return biases ? "lyceum" : "qwen3" }
    return "llama"
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var file = encoder.container(keyedBy: Keys.self)
    let type = modelType
    try file.encode(type, forKey: .type)
    try file.encode(vocabularySize, forKey: .vocabulary)
    try file.encode(tiesHead, forKey: .tied)
    try file.encode("float32", forKey: .dtype)
    if type == "gpt2" {
      try file.encode(["GPT2LMHeadModel"], forKey: .architectures)
      try file.encode(width, forKey: .gptWidth)
      try file.encode(layers, forKey: .gptLayers)
      try file.encode(heads, forKey: .gptHeads)
      try file.encode(hiddenWidth, forKey: .gptInner)
      try file.encode(context, forKey: .gptContext)
      try file.encode(epsilon, forKey: .gptEpsilon)
      try file.encode(feedForward.rawValue, forKey: .gptActivation)
      return
    }
    let architectures = ["llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM"]
    if let name = architectures[type] { try file.encode([name], forKey: .architectures) }
    try file.encode(width, forKey: .width)
    try file.encode(layers, forKey: .layers)
    try file.encode(heads, forKey: .heads)
    try file.encode(keyHeads, forKey: .keyHeads)
    try file.encode(headWidth, forKey: .headWidth)
    try file.encode(hiddenWidth, forKey: .hiddenWidth)
    try file.encode(context, forKey: .context)
    try file.encode(epsilon, forKey: .epsilon)
    try file.encode(feedForward.rawValue, forKey: .activation)
    try file.encode(biases, forKey: .attentionBias)
    try file.encode(biases, forKey: .feedForwardBias)
    if case .rotary(let base) = positions { try file.encode(base, forKey: .base) }
    if type == "lyceum" {
      try file.encode(norm.rawValue, forKey: .norm)
      try file.encode(normalisesHeads, forKey: .normalisesHeads)
      try file.encode(positions == .learned ? "learned" : "rotary", forKey: .positions)
      if inputFeatures > 0 { try file.encode(inputFeatures, forKey: .inputFeatures) }
    }
  }

  public init(from decoder: any Swift.Decoder) throws {
    let file = try decoder.container(keyedBy: Keys.self)
    let type = try file.decode(String.self, forKey: .type)
    if type == "gpt2" {
      try self.init(gpt2: file)
    } else if ["llama", "qwen3", "lyceum"].contains(type) {
      try self.init(llama: file, type: type)
    } else {
      throw DecoderError(
        "config.json describes a \"\(type)\": this version reads llama, qwen3, gpt2 and lyceum")
    }
    try check()
  }

  private init(gpt2 file: KeyedDecodingContainer<Keys>) throws {
    let width = try file.decode(Int.self, forKey: .gptWidth)
    let activation = try file.decodeIfPresent(String.self, forKey: .gptActivation) ?? "gelu_new"
    let heads = try file.decode(Int.self, forKey: .gptHeads)
    guard heads > 0 else { throw DecoderError("config.json: n_head is \(heads)") }
    self.init(
      vocabularySize: try file.decode(Int.self, forKey: .vocabulary), width: width,
      layers: try file.decode(Int.self, forKey: .gptLayers), heads: heads,
      hiddenWidth: try file.decodeIfPresent(Int.self, forKey: .gptInner) ?? 4 * width,
      context: try file.decode(Int.self, forKey: .gptContext), norm: .layer,
      epsilon: try file.decodeIfPresent(Float.self, forKey: .gptEpsilon) ?? 1e-5,
      positions: .learned, feedForward: try Self.feedForward(activation), biases: true,
      normalisesHeads: false,
      tiesHead: try file.decodeIfPresent(Bool.self, forKey: .tied) ?? true)
  }

  private init(llama file: KeyedDecodingContainer<Keys>, type: String) throws {
    if file.contains(.scaling), try !file.decodeNil(forKey: .scaling) {
      throw DecoderError("config.json asks for rope_scaling, which this version does not have")
    }
    let heads = try file.decode(Int.self, forKey: .heads)
    let width = try file.decode(Int.self, forKey: .width)
    guard heads > 0 else { throw DecoderError("config.json: num_attention_heads is \(heads)") }
    let isLearned = try file.decodeIfPresent(String.self, forKey: .positions) == "learned"
    let base = try file.decodeIfPresent(Double.self, forKey: .base) ?? 10_000
    let norm = try file.decodeIfPresent(String.self, forKey: .norm) ?? "rms"
    guard let norm = Norm(rawValue: norm) else {
      throw DecoderError("config.json: a norm called \"\(norm)\" is not known (rms, layer)")
    }
    let attentionBias = try file.decodeIfPresent(Bool.self, forKey: .attentionBias) ?? false
    let otherBias = try file.decodeIfPresent(Bool.self, forKey: .feedForwardBias) ?? attentionBias
    guard attentionBias == otherBias else {
      throw DecoderError("config.json asks for biases on some of the maps only")
    }
    self.init(
      vocabularySize: try file.decode(Int.self, forKey: .vocabulary), width: width,
      layers: try file.decode(Int.self, forKey: .layers), heads: heads,
      keyHeads: try file.decodeIfPresent(Int.self, forKey: .keyHeads),
      headWidth: try file.decodeIfPresent(Int.self, forKey: .headWidth),
      hiddenWidth: try file.decode(Int.self, forKey: .hiddenWidth),
      context: try file.decode(Int.self, forKey: .context), norm: norm,
      epsilon: try file.decodeIfPresent(Float.self, forKey: .epsilon) ?? 1e-6,
      positions: isLearned ? .learned : .rotary(base: base),
      feedForward: try Self.feedForward(
        try file.decodeIfPresent(String.self, forKey: .activation) ?? "silu"),
      biases: attentionBias,
      normalisesHeads: try file.decodeIfPresent(Bool.self, forKey: .normalisesHeads)
        ?? (type == "qwen3"),
      tiesHead: try file.decodeIfPresent(Bool.self, forKey: .tied) ?? false,
      inputFeatures: try file.decodeIfPresent(Int.self, forKey: .inputFeatures) ?? 0)
  }

  private static func feedForward(_ name: String) throws -> FeedForward {
    guard let kind = FeedForward(rawValue: name) else {
      let known = FeedForward.allCases.map(\.rawValue).joined(separator: ", ")
      throw DecoderError("config.json: the activation \"\(name)\" is not known (\(known))")
    }
    return kind
  }
}
