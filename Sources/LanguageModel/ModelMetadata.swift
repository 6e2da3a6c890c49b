/// What a GGUF file says of its model, by key. The reader of such files conforms.
public protocol ModelMetadata {
  func integer(_ key: String) throws -> Int?
  func number(_ key: String) throws -> Double?
  func string(_ key: String) throws -> String?
  /// Rows first; nil where the file has no such tensor.
  func shape(ofTensor name: String) -> [Int]?
  func floats(_ tensor: String) throws -> [Float]
}

extension DecoderConfig {
  /// The decoder that a GGUF file describes. Throws a sentence for what is missing or not known.
  public init(metadata file: some ModelMetadata) throws {
    guard let name = try file.string("general.architecture") else {
      throw DecoderError("the file lacks the key \"general.architecture\"")
    }
    guard let family = Family.all.first(where: { $0.ggufName == name }) else {
      throw DecoderError(
        "the file holds a model of the family \"\(name.prefix(60))\": this version reads "
          + Family.ggufNames)
    }
    let reader = MetadataReader(file: file, prefix: name)
    guard let embedding = file.shape(ofTensor: "token_embd.weight"), embedding.count == 2 else {
      throw DecoderError("the file lacks the tensor \"token_embd.weight\"")
    }
    try reader.refuseUnknown()
    let isGPT2 = family.name == "gpt2"
    let heads = try reader.size("attention.head_count")
    let width = try reader.size("embedding_length")
    let headWidth = try file.integer(name + ".attention.key_length") ?? width / heads
    try reader.checkHeads(headWidth, isRotary: !isGPT2)
    let epsilon = try reader.number(
      isGPT2 ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon")
    self.init(
      vocabularySize: embedding[0], width: width, layers: try reader.size("block_count"),
      heads: heads, keyHeads: try file.integer(name + ".attention.head_count_kv"),
      headWidth: headWidth, hiddenWidth: try reader.size("feed_forward_length"),
      context: try reader.size("context_length"), norm: isGPT2 ? .layer : .rms,
      epsilon: Float(epsilon),
      positions: isGPT2
        ? .learned : .rotary(base: try file.number(name + ".rope.freq_base") ?? family.base),
      feedForward: family.feedForward, biases: family.biases,
      normalisesHeads: family.normalisesHeads,
      tiesHead: file.shape(ofTensor: "output.weight") == nil,
      rotaryScaling: try reader.scaling(), window: try reader.window(family),
      isGemma: family.isGemma)
    try check()
    // The largest Gemma 3 divides its scores by the width of the stream, not of a head.
    if family.isGemma, layers == 62 {
      scoreScale = 1 / (Float(width) / Float(heads)).squareRoot()
    }
  }
}

/// The keys of one architecture.
private struct MetadataReader<File: ModelMetadata> {
  let file: File
  let prefix: String

  /// A count of at least one, of which a product with another cannot overflow.
  func size(_ key: String) throws -> Int {
    guard let value = try file.integer("\(prefix).\(key)") else {
      throw DecoderError("the file lacks the key \"\(prefix).\(key)\"")
    }
    guard (1...1 << 30).contains(value) else {
      throw DecoderError("the key \"\(prefix).\(key)\" is \(value), which makes no model")
    }
    return value
  }

  func number(_ key: String) throws -> Double {
    guard let value = try file.number("\(prefix).\(key)") else {
      throw DecoderError("the file lacks the key \"\(prefix).\(key)\"")
    }
    return value
  }

  func refuseUnknown() throws {
    for key in ["expert_count", "attn_logit_softcapping", "final_logit_softcapping"] {
      if let value = try file.number("\(prefix).\(key)"), value != 0 {
        throw DecoderError(
          "the file asks for \"\(prefix).\(key)\" = \(value), which this version does not have")
      }
    }
  }

  func checkHeads(_ headWidth: Int, isRotary: Bool) throws {
    if let width = try file.integer("\(prefix).attention.value_length"), width != headWidth {
      throw DecoderError(
        "values of \(width) beside keys of \(headWidth) (\"\(prefix).attention.value_length\") are "
          + "not known here")
    }
    if isRotary, let rotated = try file.integer("\(prefix).rope.dimension_count"),
      rotated != headWidth
    {
      throw DecoderError(
        "\"\(prefix).rope.dimension_count\" is \(rotated) where heads are \(headWidth) wide: a part "
          + "of a head cannot be rotated here")
    }
  }

  func scaling() throws -> RotaryScaling? {
    if let shape = file.shape(ofTensor: "rope_freqs.weight") {
      guard shape.count == 1, shape[0] <= 65_536 else {
        throw DecoderError("the tensor \"rope_freqs.weight\" has the shape \(shape)")
      }
      return .divisors(try file.floats("rope_freqs.weight").map(Double.init))
    }
    let type = try file.string("\(prefix).rope.scaling.type")
    let old = try file.number("\(prefix).rope.scale_linear")
    switch type {
    case nil, "none":
      return old.flatMap { $0 == 1 ? nil : .linear(factor: $0) }
    case "linear":
      return .linear(factor: try number("rope.scaling.factor"))
    case let type?:
      throw DecoderError(
        "the file asks for rotary scaling of the type \"\(type.prefix(60))\" "
          + "(\"\(prefix).rope.scaling.type\"), which this version does not have (none, linear)")
    }
  }

  func window(_ family: Family) throws -> DecoderConfig.Window? {
    guard let length = try file.integer("\(prefix).attention.sliding_window"), length != 0,
      family.isGemma || family.permutesHeads
    else { return nil }
    let every = try file.integer("\(prefix).attention.sliding_window_pattern") ?? family.fullEvery
    return DecoderConfig.Window(
      length: length, fullEvery: every,
      base: try file.number("\(prefix).rope.freq_base_swa") ?? family.windowBase)
  }
}
