/// What a GGUF file says of its tokenizer, key by key, in plain values: the reader of such files
/// fills it in, and ``Tokenizer/init(metadata:)`` checks it.
public struct TokenizerMetadata: Sendable, Codable, Equatable {
  /// `tokenizer.ggml.model`: "gpt2" is byte-level BPE, "llama" SentencePiece's, "gemma4" the latter
  /// with listed merges.
  public var model: String
  /// `tokenizer.ggml.pre`
  public var pre: String?
  /// `tokenizer.ggml.tokens`, by id.
  public var tokens: [String]
  /// `tokenizer.ggml.token_type`, by id; empty where the file has none: then all are normal.
  public var types: [Int32]
  /// `tokenizer.ggml.scores`, by id: the higher, the earlier is a token made.
  public var scores: [Float]
  /// `tokenizer.ggml.merges`: two tokens with a blank between, the first to merge first.
  public var merges: [String]
  /// `tokenizer.ggml.bos_token_id` and its like.
  public var bos: Int?
  public var eos: Int?
  public var endOfTurn: Int?
  public var padding: Int?
  /// `tokenizer.ggml.add_bos_token`, `add_eos_token`, `add_space_prefix`; nil where the file is silent.
  public var addsBOS: Bool?
  public var addsEOS: Bool?
  public var addsSpacePrefix: Bool?

  public init(
    model: String, pre: String? = nil, tokens: [String], types: [Int32] = [],
    scores: [Float] = [], merges: [String] = []
  ) {
    (self.model, self.pre, self.tokens, self.types) = (model, pre, tokens, types)
    (self.scores, self.merges) = (scores, merges)
  }

  /// `token_type`'s values.
  enum Kind: Int32 {
    case normal = 1
    case unknown, control, userDefined, unused, byte
  }

  /// The kind of every token.
  func kinds() throws -> [Kind] {
    guard !tokens.isEmpty, tokens.count <= 1 << 24 else {
      throw TokenizerError.badField(path: "tokens", expected: "between one token and 16 million")
    }
    guard !types.isEmpty else { return Array(repeating: .normal, count: tokens.count) }
    guard types.count == tokens.count else {
      throw TokenizerError.badField(
        path: "token_type", expected: "as long as tokens (\(tokens.count)), not \(types.count)")
    }
    return try types.map {
      guard let kind = Kind(rawValue: $0) else {
        throw TokenizerError.badField(path: "token_type", expected: "1 to 6, not \($0)")
      }
      return kind
    }
  }

  func markers(_ specials: [(name: String, id: Int32)], addsBOS: Bool) throws -> Markers {
    func checked(_ id: Int?, _ name: String) throws -> Int32? {
      guard let id else { return nil }
      guard id >= 0, id < tokens.count else {
        throw TokenizerError.idOutOfRange(id: id, token: name, limit: tokens.count)
      }
      return Int32(id)
    }
    var ends = Set(specials.filter { Markers.endNames.contains($0.name) }.map(\.id))
    if let turn = try checked(endOfTurn, "eot") { ends.insert(turn) }
    return Markers(
      bos: try checked(bos, "bos"), eos: try checked(eos, "eos"),
      padding: try checked(padding, "padding"), ends: ends, addsBOS: self.addsBOS ?? addsBOS,
      addsEOS: addsEOS ?? false)
  }
}

extension Tokenizer {
  /// The tokenizer that a GGUF file describes.
  ///
  /// Control tokens become special ones; user-defined tokens are recognised in any text, as the
  /// libraries that made these files do. Throws ``TokenizerError`` for what would give other ids.
  public init(metadata: TokenizerMetadata) throws {
    switch metadata.model {
    case "gpt2": try self.init(byteLevel: metadata)
    case "llama", "gemma4": try self.init(characters: metadata)
    default:
      throw TokenizerError.unsupported(what: "a tokenizer of the kind \"\(metadata.model)\"")
    }
  }

  private init(byteLevel file: TokenizerMetadata) throws {
    guard let pre = file.pre else { throw TokenizerError.unknownPreTokenizer("which has no name") }
    guard let (cut, ignoresMerges) = PreTokenizer.named(pre) else {
      throw TokenizerError.unknownPreTokenizer("\"\(pre)\"")
    }
    let reader = try VocabularyReader(file, try file.kinds()) { text, kind, out in
      kind == .normal && ByteAlphabet.read(text, into: &out)
    }
    // SmolLM's vocabularies lack bytes that their corpus did not have.
    let byteIDs = (0..<256).map { reader.find([UInt8($0)]) }
    let merges = try reader.merges { ByteAlphabet.read($0, into: &$1) }
    self.init(
      .bytes(cut, isNormalised: pre == "qwen2" || pre == "deepseek-r1-qwen"),
      tokens: reader.tokens, merges: merges, byteIDs: byteIDs, specials: reader.specials,
      words: reader.words, ignoresMerges: ignoresMerges,
      markers: try file.markers(reader.specials, addsBOS: pre.hasPrefix("llama")))
  }

  private init(characters file: TokenizerMetadata) throws {
    let kinds = try file.kinds()
    var byteIDs = [Int32](repeating: -1, count: 256)
    for (id, text) in file.tokens.enumerated() where kinds[id] == .byte {
      guard let byte = CharacterRules.byte(named: text) else {
        throw TokenizerError.badField(
          path: "tokens", expected: "<0x00> to <0xFF> for bytes, not \(text.prefix(20))")
      }
      guard byteIDs[Int(byte)] < 0 else { throw TokenizerError.duplicate(what: "the byte \(byte)") }
      byteIDs[Int(byte)] = Int32(id)
    }
    if let missing = byteIDs.firstIndex(of: -1) { throw TokenizerError.missingByte(UInt8(missing)) }
    let reader = try VocabularyReader(file, kinds) { text, kind, out in
      if kind == .byte {
        out.append(CharacterRules.byte(named: String(text)) ?? 0)
      } else {
        out += CharacterRules.unescaped(text.utf8)
      }
      return kind == .normal
    }
    let merges =
      file.merges.isEmpty
      ? try reader.mergesByScore()
      : try reader.merges {
        $1 += CharacterRules.unescaped($0.utf8)
        return true
      }
    let prefix: CharacterRules.Prefix =
      file.addsSpacePrefix ?? (file.model == "llama") ? .always : .never
    self.init(
      .characters(CharacterRules(prefix: prefix, reader.tokens, reader.table, byteIDs)),
      tokens: reader.tokens, merges: merges, byteIDs: byteIDs, specials: reader.specials,
      words: reader.words, markers: try file.markers(reader.specials, addsBOS: true))
  }
}
