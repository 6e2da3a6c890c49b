import Foundation
import LanguageModel
import Testing

/// config.json from strangers: every number in it is checked before anything is made of it.
@Suite struct ConfigFileTests {
  private static let good = """
    {"model_type": "llama", "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2,
     "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64,
     "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000, "hidden_act": "silu"}
    """
  private static let gpt2 = """
    {"model_type": "gpt2", "vocab_size": 100, "n_embd": 32, "n_layer": 2, "n_head": 4,
     "n_positions": 128}
    """

  /// The text with the value of a key replaced, or the key added; nil takes it away.
  private static func changed(_ text: String, _ key: String, _ value: String?) throws -> Data {
    let data = Data(text.utf8)
    var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    object[key] = nil
    let rest = try JSONSerialization.data(withJSONObject: object)
    guard let value else { return rest }
    return Data("{\"\(key)\": \(value), ".utf8) + rest.dropFirst()
  }

  static let refused: [(key: String, value: String?)] =
    [
      "model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
      "intermediate_size", "max_position_embeddings",
    ].map { ($0, nil) }
    + [
      "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
      "max_position_embeddings", "num_key_value_heads", "head_dim",
    ].flatMap { key in
      ["0", "-1", "1e30", "9223372036854775807", "1.5", "\"4\"", "[4]"].map { (key, $0) }
    }
    + [
      ("model_type", "\"mamba\""), ("model_type", "7"), ("model_type", "\"../../etc\""),
      ("num_key_value_heads", "3"), ("num_attention_heads", "5000"), ("head_dim", "7"),
      ("num_hidden_layers", "100000"), ("rms_norm_eps", "0"), ("rms_norm_eps", "-1e-5"),
      ("rms_norm_eps", "2"), ("rms_norm_eps", "\"small\""), ("rope_theta", "0"),
      ("rope_theta", "-5"), ("rope_theta", "1"), ("hidden_act", "\"swish9\""), ("hidden_act", "3"),
      ("num_local_experts", "8"), ("final_logit_softcapping", "30.0"),
      ("attn_logit_softcapping", "50.0"), ("rope_scaling", "{\"type\": \"yarn\", \"factor\": 4}"),
      ("rope_scaling", "{\"type\": \"linear\"}"),
      ("rope_scaling", "{\"type\": \"linear\", \"factor\": 0}"),
      ("rope_scaling", "{\"type\": \"linear\", \"factor\": -2}"),
      ("rope_scaling", "{\"rope_type\": \"llama3\", \"factor\": 8}"),
      (
        "rope_scaling",
        "{\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4, \"high_freq_factor\": 1, "
          + "\"original_max_position_embeddings\": 8192}"
      ),
      ("rope_scaling", "{\"rope_type\": \"divisors\", \"divisors\": [1, 2, 3]}"),
      ("rope_scaling", "{\"rope_type\": \"divisors\", \"divisors\": [0, 1, 1, 1]}"),
      ("rope_scaling", "{\"rope_type\": \"default\", \"partial_rotary_factor\": 0.5}"),
      ("attention_bias", "\"yes\""), ("mlp_bias", "true"), ("biases", "\"some\""),
      ("norm", "\"batch\""), ("sliding_window", "0"), ("sliding_window", "-4"),
      ("query_pre_attn_scalar", "0"), ("query_pre_attn_scalar", "-1"), ("score_scale", "-1"),
      ("input_features", "-1"), ("input_features", "9999999"),
    ]

  @Test(arguments: refused.indices)
  func `what makes no model is refused`(at: Int) throws {
    let (key, value) = Self.refused[at]
    let data = try Self.changed(Self.good, key, value)
    #expect(throws: (any Error).self, "\(key) = \(value ?? "nothing")") {
      try JSONDecoder().decode(DecoderConfig.self, from: data)
    }
  }

  @Test func `windows, and GPT-2's keys, are checked as well`() throws {
    func refuses(_ text: String, _ change: [(String, String?)]) throws {
      var data = Data(text.utf8)
      for (key, value) in change {
        data = try Self.changed(String(decoding: data, as: UTF8.self), key, value)
      }
      #expect(throws: (any Error).self, "\(change)") {
        try JSONDecoder().decode(DecoderConfig.self, from: data)
      }
    }
    for types in ["[\"sliding_attention\"]", "[\"odd\", \"odd\"]", "7"] {
      try refuses(Self.good, [("sliding_window", "16"), ("layer_types", types)])
    }
    try refuses(Self.good, [("sliding_window", "16"), ("sliding_window_pattern", "0")])
    for (key, value) in [
      ("n_embd", "0"), ("n_embd", "9223372036854775807"), ("n_head", "0"), ("n_head", "-4"),
      ("n_layer", "-1"), ("n_positions", "0"), ("n_inner", "0"), ("activation_function", "\"x\""),
      ("vocab_size", "99999999"),
    ] { try refuses(Self.gpt2, [(key, value)]) }
    for text in ["", "[]", "null", "{", "7", String(repeating: "[", count: 100_000)] {
      #expect(throws: (any Error).self) {
        try JSONDecoder().decode(DecoderConfig.self, from: Data(text.utf8))
      }
    }
  }

  @Test func `the two texts themselves are read`() throws {
    for text in [Self.good, Self.gpt2] {
      let config = try JSONDecoder().decode(DecoderConfig.self, from: Data(text.utf8))
      #expect(config.layers == 2 && config.parameterCount > 0)
    }
  }

  @Test func `no changed number traps`() throws {
    let keys = [
      "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
      "max_position_embeddings", "num_key_value_heads", "head_dim",
    ]
    var accepted = 0
    for a in keys {
      for b in keys where a < b {
        for value in ["1", "2", "4", "65536", "1048576", "4000000"] {
          let once = try Self.changed(Self.good, a, value)
          let data = try Self.changed(String(decoding: once, as: UTF8.self), b, value)
          if let config = try? JSONDecoder().decode(DecoderConfig.self, from: data) {
            accepted += 1
            #expect(config.parameterCount > 0)
          }
        }
      }
    }
    #expect(accepted > 5)
  }
}
