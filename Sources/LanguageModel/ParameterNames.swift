/// The names that Hugging Face's checkpoints give to parameters: Llama's, or GPT-2's where positions
/// are learned.
struct ParameterNames {
  /// GPT-2's files hold the matrices of its layers transposed.
  let isTransposed: Bool
  private let isGemma: Bool

  init(_ config: DecoderConfig) {
    (isTransposed, isGemma) = (config.positions == .learned, config.isGemma)
  }

  var embedding: String { isTransposed ? "transformer.wte.weight" : "model.embed_tokens.weight" }
  var positions: String { "transformer.wpe.weight" }
  var features: String {
    isTransposed ? "transformer.wfe.weight" : "model.embed_features.weight"
  }
  var embeddingNorm: String { isTransposed ? "transformer.ln_e" : "model.embed_norm" }
  var finalNorm: String { isTransposed ? "transformer.ln_f" : "model.norm" }
  var head: String { "lm_head.weight" }

  func layer(_ index: Int) -> Layer {
    Layer(index: index, isGPT2: isTransposed, isGemma: isGemma)
  }

  struct Layer {
    let index: Int
    let isGPT2: Bool
    let isGemma: Bool

    private var prefix: String { isGPT2 ? "transformer.h.\(index)." : "model.layers.\(index)." }

    var attentionNorm: String { prefix + (isGPT2 ? "ln_1" : "input_layernorm") }
    var queryKeyValue: String { prefix + (isGPT2 ? "attn.c_attn" : "self_attn.qkv_proj") }
    var queryNorm: String { prefix + "self_attn.q_norm.weight" }
    var keyNorm: String { prefix + "self_attn.k_norm.weight" }
    var attentionOut: String { prefix + (isGPT2 ? "attn.c_proj" : "self_attn.o_proj") }
    var feedForwardNorm: String {
      let name = isGemma ? "pre_feedforward_layernorm" : "post_attention_layernorm"
      return prefix + (isGPT2 ? "ln_2" : name)
    }
    /// Norms behind the two blocks.
    var attentionOutNorm: String { prefix + "post_attention_layernorm" }
    var feedForwardOutNorm: String { prefix + "post_feedforward_layernorm" }
    var down: String { prefix + (isGPT2 ? "mlp.c_proj" : "mlp.down_proj") }
    /// Gate and up in one, or the only map up.
    var up: String { prefix + (isGPT2 ? "mlp.c_fc" : "mlp.gate_up_proj") }

    /// The matrices that stand in `queryKeyValue`, of the given heights.
    func queryKeyValueParts(_ heights: [Int]) -> [(name: String, rows: Int)] {
      if isGPT2 { return [(queryKeyValue, heights.reduce(0, +))] }
      return zip(["q_proj", "k_proj", "v_proj"], heights).map {
        (prefix + "self_attn." + $0, $1)
      }
    }

    /// The matrices that stand in `up`.
    func upParts(_ width: Int, isGated: Bool) -> [(name: String, rows: Int)] {
      if isGPT2 { return [(up, width)] }
      return (isGated ? ["gate_proj", "up_proj"] : ["up_proj"]).map {
        (prefix + "mlp." + $0, width)
      }
    }
  }
}
