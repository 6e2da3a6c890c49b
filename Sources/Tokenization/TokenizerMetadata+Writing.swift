extension TokenizerMetadata {
  /// What a GGUF file says so that llama.cpp gives the same ids.
  ///
  /// - Parameter vocabularySize: of the model; ids that no token has are written as unused.
  /// - Throws: ``TokenizerError`` where its format has no name for how this tokenizer cuts text.
  public init(_ tokenizer: Tokenizer, vocabularySize: Int) throws {
    guard case .bytes(let cut, _) = tokenizer.scheme else {
      throw TokenizerError.unsupported(
        what: "characters for symbols, which are read but not written")
    }
    guard let pre = tokenizer.ggufCut else {
      throw TokenizerError.unsupported(
        what: "the cuts \"\(cut.rawValue)\", which llama.cpp does not have")
    }
    var (texts, types): ([String], [Int32]) = ([], [])
    for id in 0..<max(vocabularySize, tokenizer.vocabularySize) {
      let bytes = id < tokenizer.vocabularySize ? Array(tokenizer.tokens[id]) : []
      if let name = tokenizer.specialName(Int32(id)) {
        texts.append(name)
        types.append(Kind.control.rawValue)
      } else if let word = tokenizer.words.first(where: { $0.id == Int32(id) }) {
        texts.append(word.name)
        types.append(Kind.userDefined.rawValue)
      } else {
        texts.append(bytes.isEmpty ? "[unused \(id)]" : ByteAlphabet.spell(bytes))
        types.append((bytes.isEmpty ? Kind.unused : .normal).rawValue)
      }
    }
    let merges = tokenizer.merges.all().sorted { $0.rank < $1.rank }.map {
      ByteAlphabet.spell(tokenizer.tokens[Int($0.a)]) + " "
        + ByteAlphabet.spell(tokenizer.tokens[Int($0.b)])
    }
    self.init(model: "gpt2", pre: pre, tokens: texts, types: types, merges: merges)
    let markers = tokenizer.markers
    (bos, eos) = (markers.bos.map { Int($0) }, markers.eos.map { Int($0) })
    padding = markers.padding.map { Int($0) }
    (addsBOS, addsEOS) = (markers.addsBOS, markers.addsEOS)
  }
}

extension Tokenizer {
  /// What `tokenizer.ggml.pre` calls a cut with which llama.cpp makes the same tokens; nil for none.
  var ggufCut: String? {
    guard case .bytes(let cut, _) = scheme else { return nil }
    switch (cut, ignoresMerges) {
    case (.gpt2, false): return "gpt-2"
    case (.cl100k, true): return "llama-bpe"
    case (.cl100k, false): return "dbrx"
    case (.digits, false): return "qwen2"
    case (.o200k, false): return "gpt-4o"
    case (.tekken, true): return "tekken"
    case (.smollm, false): return "smollm"
    case (.formulas, false): return crossesFormulaCuts ? nil : "qwen2"
    default: return nil
    }
  }

  /// Whether a merge could cross a place where ``PreTokenizer/formulas`` cuts and ``PreTokenizer/digits``
  /// does not: before an upper-case letter behind another letter, and between a punctuation mark and a
  /// letter. Where none can, both make the same tokens of every text: no vocabulary that was trained
  /// with the finer cuts has such a merge.
  private var crossesFormulaCuts: Bool {
    func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }
    let contractions: Set<String> = ["'s", "'t", "'r", "'v", "'m", "'l", "'d"]
    return merges.all().contains { merge in
      guard let left = tokens[Int(merge.a)].last, let right = tokens[Int(merge.b)].first else {
        return false
      }
      if isLetter(left), right &- UInt8(ascii: "A") < 26 { return true }
      guard isLetter(right), left < 0x80, !isLetter(left), left != UInt8(ascii: " ") else {
        return false
      }
      let both = String(decoding: Array(tokens[Int(merge.a)]) + tokens[Int(merge.b)], as: UTF8.self)
      return !contractions.contains(String(both.lowercased().prefix(2)))
    }
  }
}
