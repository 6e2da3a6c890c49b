/// The names of llama.cpp's files for Hugging Face's.
public enum GGUFNames {
  private static let parts: [(theirs: String, ours: String)] = [
    ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"), ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"), ("input_layernorm", "attn_norm"),
    ("pre_feedforward_layernorm", "ffn_norm"), ("post_feedforward_layernorm", "post_ffw_norm"),
    ("attn.c_attn", "attn_qkv"), ("attn.c_proj", "attn_output"), ("mlp.c_fc", "ffn_up"),
    ("mlp.c_proj", "ffn_down"), ("ln_1", "attn_norm"), ("ln_2", "ffn_norm"),
  ]
  private static let whole = [
    "model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight", "transformer.wte.weight": "token_embd.weight",
    "transformer.wpe.weight": "position_embd.weight",
    "transformer.ln_f.weight": "output_norm.weight", "transformer.ln_f.bias": "output_norm.bias",
  ]

  /// The name in a GGUF file of a parameter of ``Transformer``; nil for none.
  public static func name(of parameter: String, _ config: DecoderConfig) -> String? {
    if let name = whole[parameter] { return name }
    for prefix in ["model.layers.", "transformer.h."] where parameter.hasPrefix(prefix) {
      let rest = parameter.dropFirst(prefix.count)
      guard let dot = rest.firstIndex(of: "."), let last = rest.lastIndex(of: "."), dot < last
      else { return nil }
      let middle = rest[rest.index(after: dot)..<last]
      let gemma = config.isGemma ? "post_attention_norm" : "ffn_norm"
      let name =
        middle == "post_attention_layernorm"
        ? gemma : parts.first { $0.theirs == middle }?.ours
      return name.map { "blk.\(rest[..<dot]).\($0)\(rest[last...])" }
    }
    return nil
  }

  /// Where llama.cpp keeps a row of queries or keys: it rotates neighbours, not the two halves.
  public static func permuted(_ row: Int, perHead: Int) -> Int {
    let (head, at) = (row / perHead, row % perHead)
    let half = perHead / 2
    return head * perHead + (at < half ? 2 * at : 2 * (at - half) + 1)
  }

  /// How many heads' rows llama.cpp reordered in a parameter; nil where it left them.
  public static func permutedHeads(_ parameter: String, _ config: DecoderConfig) -> Int? {
    if parameter.contains(".self_attn.q_proj.") { return config.heads }
    if parameter.contains(".self_attn.k_proj.") { return config.keyHeads }
    return nil
  }
}
