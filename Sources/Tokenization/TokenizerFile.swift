import Foundation

// tokenizer.json as the Hugging Face tokenizers library reads and writes it, for byte-level BPE.

/// GPT-2's spelling of bytes as printable characters.
enum ByteAlphabet {
  static let characters: [Unicode.Scalar] = {
    let printable = Set(Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF))
    var next: UInt32 = 256
    return (0..<256).map { byte in
      if printable.contains(byte) { return Unicode.Scalar(UInt8(byte)) }
      defer { next += 1 }
      return Unicode.Scalar(next) ?? " "
    }
  }()

  /// The byte of every character below U+0144; −1 for those that spell none.
  private static let bytes: [Int16] = {
    var bytes = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in characters.enumerated() { bytes[Int(scalar.value)] = Int16(byte) }
    return bytes
  }()

  static func spell(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(characters[Int(byte)]) }
    return String(text)
  }

  /// Nil where a character stands for no byte.
  static func read(_ text: String) -> [UInt8]? {
    var out: [UInt8] = []
    return read(text[...], into: &out) ? out : nil
  }

  /// Appends the bytes of a token; false, and nothing, where a character stands for none.
  static func read(_ text: Substring, into out: inout [UInt8]) -> Bool {
    let before = out.count
    for scalar in text.unicodeScalars {
      guard scalar.value < bytes.count, case let byte = bytes[Int(scalar.value)], byte >= 0 else {
        out.removeLast(out.count - before)
        return false
      }
      out.append(UInt8(byte))
    }
    return true
  }
}

extension Tokenizer {
  /// This tokenizer as tokenizer.json.
  public func tokenizerJSON() throws -> Data {
    guard case .bytes(let preTokenizer, let isNormalised) = scheme else {
      throw TokenizerError.unsupported(
        what: "characters for symbols, which are read but not written")
    }
    var vocabulary: [String: Int] = [:]
    let apart = Set(words.map(\.id))
    for id in 0..<tokens.count where !tokens[id].isEmpty && !apart.contains(Int32(id)) {
      vocabulary[ByteAlphabet.spell(tokens[id])] = id
    }
    let ordered = merges.all().sorted { $0.rank < $1.rank }
    func entry(_ name: String, _ id: Int32, isSpecial: Bool) -> [String: Any] {
      [
        "id": Int(id), "content": name, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": isSpecial,
      ]
    }
    let added =
      specials.map { entry($0, specialIDs[$0] ?? 0, isSpecial: true) }
      + words.map { entry($0.name, $0.id, isSpecial: false) }
    let file: [String: Any] = [
      "version": "1.0", "truncation": NSNull(), "padding": NSNull(),
      "normalizer": isNormalised ? ["type": "NFC"] : NSNull() as Any,
      "added_tokens": added,
      "pre_tokenizer": [
        "type": "Sequence",
        "pretokenizers": [
          [
            "type": "Split", "pattern": ["Regex": preTokenizer.pattern], "behavior": "Isolated",
            "invert": false,
          ] as [String: Any],
          [
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
            "use_regex": false,
          ],
        ],
      ] as [String: Any],
      "post_processor": postProcessor ?? NSNull(),
      "decoder": [
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false,
      ] as [String: Any],
      "model": [
        "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(),
        "continuing_subword_prefix": NSNull(), "end_of_word_suffix": NSNull(),
        "fuse_unk": false, "byte_fallback": false, "ignore_merges": ignoresMerges,
        "vocab": vocabulary,
        "merges": ordered.map {
          ByteAlphabet.spell(tokens[Int($0.a)]) + " " + ByteAlphabet.spell(tokens[Int($0.b)])
        },
      ] as [String: Any],
    ]
    return try JSONSerialization.data(
      withJSONObject: file, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
  }

  /// What puts the first token before every text; nil where none is put.
  private var postProcessor: [String: Any]? {
    guard markers.addsBOS, let bos = markers.bos, let name = specialName(bos) else { return nil }
    let first: [String: Any] = ["SpecialToken": ["id": name, "type_id": 0] as [String: Any]]
    func text(_ letter: String) -> [String: Any] {
      ["Sequence": ["id": letter, "type_id": 0] as [String: Any]]
    }
    return [
      "type": "TemplateProcessing", "single": [first, text("A")],
      "pair": [first, text("A"), text("B")],
      "special_tokens": [
        name: ["id": name, "ids": [Int(bos)], "tokens": [name]] as [String: Any]
      ],
    ]
  }
}
