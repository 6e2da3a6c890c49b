/// What the files of a family of models do not say, because its code knows it.
///
/// A family is one line of ``all``: its decoder is the one of ``Transformer``.
public struct Family: Sendable {
  /// `model_type` in config.json.
  public let name: String
  /// `general.architecture` in GGUF files; nil where none is read.
  public let ggufName: String?
  /// The class of transformers.
  let architecture: String
  var biases = DecoderConfig.Biases.none
  var normalisesHeads = false
  var tiesHead = false
  var isGemma = false
  var feedForward = DecoderConfig.FeedForward.swiGLU
  var base = 10_000.0
  /// The base of layers with a window, where it is another.
  var windowBase: Double?
  /// Every so many layers one has no window; nil where all have it.
  var fullEvery: Int?
  /// llama.cpp stores the rows of queries and keys in another order.
  public var permutesHeads = false

  public static let all: [Family] = [
    // Llama 2 and 3, SmolLM2.
    Family(
      name: "llama", ggufName: "llama", architecture: "LlamaForCausalLM", permutesHeads: true),
    Family(name: "mistral", ggufName: nil, architecture: "MistralForCausalLM"),
    // Qwen2.5 too.
    Family(
      name: "qwen2", ggufName: "qwen2", architecture: "Qwen2ForCausalLM",
      biases: .queryKeyValue),
    Family(
      name: "qwen3", ggufName: "qwen3", architecture: "Qwen3ForCausalLM", normalisesHeads: true),
    Family(
      name: "gemma3_text", ggufName: "gemma3", architecture: "Gemma3ForCausalLM",
      normalisesHeads: true, tiesHead: true, isGemma: true, feedForward: .geGLU,
      base: 1_000_000, windowBase: 10_000, fullEvery: 6),
    Family(
      name: "gpt2", ggufName: "gpt2", architecture: "GPT2LMHeadModel", biases: .all,
      tiesHead: true, feedForward: .geluTanh),
    // A decoder that no other family describes: its config.json says everything.
    Family(name: "lyceum", ggufName: nil, architecture: "LyceumForCausalLM"),
  ]

  public static func named(_ name: String) -> Family? { all.first { $0.name == name } }

  /// The names of what can be read, for messages.
  static var names: String { all.map(\.name).joined(separator: ", ") }
  static var ggufNames: String { all.compactMap(\.ggufName).joined(separator: ", ") }
}

extension DecoderConfig {
  /// The architecture that other tools know this decoder as; "lyceum" where they know none.
  public var modelType: String {
    if inputFeatures > 0 || normalisesEmbedding { return "lyceum" }
    let plain = rotaryScaling == nil && window == nil && scoreScale == nil && !isGemma
    if norm == .layer, positions == .learned, biases == .all, tiesHead, keyHeads == heads,
      feedForward == .geluTanh, headWidth * heads == width, plain
    {
      return "gpt2"
    }
    if case .divisors = rotaryScaling { return "lyceum" }
    guard norm == .rms, positions != .learned else { return "lyceum" }
    if isGemma {
      let fits =
        feedForward == .geGLU && normalisesHeads && biases == .none && window?.base != nil
        && window?.fullEvery != nil
      return fits ? "gemma3_text" : "lyceum"
    }
    guard feedForward == .swiGLU, scoreScale == nil else { return "lyceum" }
    switch (biases, normalisesHeads, window) {
    case (.none, true, nil): return "qwen3"
    case (.queryKeyValue, false, nil): return "qwen2"
    case (_, false, nil): return "llama"
    case (.none, false, let window?) where window.fullEvery == nil && window.base == nil:
      return "mistral"
    default: return "lyceum"
    }
  }
}
