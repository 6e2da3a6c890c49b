import ModelFiles
import Tokenization

extension TokenizerMetadata {
  /// What a GGUF file says of its tokenizer.
  init(_ file: GGUFFile) throws {
    func key(_ name: String) -> String { "tokenizer.ggml." + name }
    guard let model = try file.string(key("model")), let tokens = try file.strings(key("tokens"))
    else {
      throw ModelFileError(
        "\(file.url.path) lacks the keys \"\(key("model"))\" and \"\(key("tokens"))\": it has no "
          + "tokenizer")
    }
    self.init(
      model: model, pre: try file.string(key("pre")), tokens: tokens,
      types: try file.integers(key("token_type")) ?? [],
      scores: try file.floats(ofKey: key("scores")) ?? [],
      merges: try file.strings(key("merges")) ?? [])
    bos = try file.integer(key("bos_token_id"))
    eos = try file.integer(key("eos_token_id"))
    endOfTurn = try file.integer(key("eot_token_id"))
    padding = try file.integer(key("padding_token_id"))
    addsBOS = try file.bool(key("add_bos_token"))
    addsEOS = try file.bool(key("add_eos_token"))
    addsSpacePrefix = try file.bool(key("add_space_prefix"))
  }
}

extension Tokenizer {
  /// The tokenizer of a GGUF file.
  public init(_ file: GGUFFile) throws {
    do {
      try self.init(metadata: TokenizerMetadata(file))
    } catch let error as TokenizerError {
      throw ModelFileError("\(file.url.path): \(error)")
    }
  }
}
