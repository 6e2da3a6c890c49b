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

  private static let bytes = Dictionary(
    uniqueKeysWithValues: characters.enumerated().map { ($1, UInt8($0)) })

  static func spell(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(characters[Int(byte)]) }
    return String(text)
  }

  /// Nil where a character stands for no byte.
  static func read(_ text: String) -> [UInt8]? {
    var out: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = bytes[scalar] else { return nil }
      out.append(byte)
    }
    return out
  }
}

extension Tokenizer {
  /// This tokenizer as tokenizer.json.
  public func tokenizerJSON() throws -> Data {
    guard let preTokenizer else {
      throw TokenizerError.unsupported(what: "characters for symbols, which are read but not written")
    }
    var vocabulary: [String: Int] = [:]
    for id in 0..<tokens.count where !tokens[id].isEmpty {
      vocabulary[ByteAlphabet.spell(tokens[id])] = id
    }
    let ordered = merges.all().sorted { $0.rank < $1.rank }
    let added = specials.map { name -> [String: Any] in
      [
        "id": Int(specialIDs[name] ?? 0), "content": name, "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false, "special": true,
      ]
    }
    let file: [String: Any] = [
      "version": "1.0", "truncation": NSNull(), "padding": NSNull(), "normalizer": NSNull(),
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
      "post_processor": NSNull(),
      "decoder": [
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false,
      ] as [String: Any],
      "model": [
        "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(),
        "continuing_subword_prefix": NSNull(), "end_of_word_suffix": NSNull(),
        "fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": vocabulary,
        "merges": ordered.map {
          ByteAlphabet.spell(tokens[Int($0.a)]) + " " + ByteAlphabet.spell(tokens[Int($0.b)])
        },
      ] as [String: Any],
    ]
    return try JSONSerialization.data(
      withJSONObject: file, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
  }

  /// Reads tokenizer.json: ours, or another byte-level BPE whose pre-tokenizer this module has.
  ///
  /// Throws ``TokenizerError`` for anything that would give other ids than its authors' library.
  public init(tokenizerJSON data: Data) throws {
    let file = try TokenizerFileReader(data)
    let specials = try file.specials()
    let (tokens, ids) = try file.vocabulary(specials)
    let merges = try file.merges(ids)
    var byteIDs: [Int32] = []
    for byte in 0..<256 {
      guard let id = ids[ByteAlphabet.spell([UInt8(byte)])] else {
        throw TokenizerError.missingByte(UInt8(byte))
      }
      byteIDs.append(id)
    }
    self.init(
      .bytes(try file.preTokenizer()), tokens: tokens, merges: merges, byteIDs: byteIDs,
      specials: specials)
  }
}

/// The parts of a tokenizer.json, checked.
private struct TokenizerFileReader {
  let root: [String: Any]
  let model: [String: Any]

  init(_ data: Data) throws {
    let object: Any
    do {
      object = try JSONSerialization.jsonObject(with: data)
    } catch {
      throw TokenizerError.notJSON(what: "a syntax error", byte: data.count)
    }
    guard let root = object as? [String: Any] else {
      throw TokenizerError.badField(path: "root", expected: "an object")
    }
    guard let model = root["model"] as? [String: Any] else {
      throw TokenizerError.badField(path: "model", expected: "an object")
    }
    (self.root, self.model) = (root, model)
    if let type = model["type"] as? String, type != "BPE" {
      throw TokenizerError.unsupported(what: "a model of type \(type)")
    }
    if let normalizer = root["normalizer"], !(normalizer is NSNull),
      (normalizer as? [String: Any])?["type"] as? String != "NFC"
    {
      throw TokenizerError.unsupported(what: "a normalizer")
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let value = model[key] as? String, !value.isEmpty {
        throw TokenizerError.unsupported(what: "a \(key)")
      }
    }
    if model["byte_fallback"] as? Bool == true {
      throw TokenizerError.unsupported(what: "byte_fallback")
    }
  }

  func specials() throws -> [(name: String, id: Int32)] {
    guard let list = root["added_tokens"] else { return [] }
    guard let added = list as? [[String: Any]] else {
      throw TokenizerError.badField(path: "added_tokens", expected: "a list of objects")
    }
    var seen: Set<String> = []
    return try added.map { token in
      guard let name = token["content"] as? String, let id = token["id"] as? Int else {
        throw TokenizerError.badField(path: "added_tokens", expected: "objects with content and id")
      }
      guard !name.isEmpty, seen.insert(name).inserted else { throw TokenizerError.badSpecial(name) }
      guard let id = Int32(exactly: id) else {
        throw TokenizerError.idOutOfRange(id: id, token: name, limit: Int(Int32.max))
      }
      return (name, id)
    }
  }

  /// Bytes by id, and ids by spelling.
  func vocabulary(_ specials: [(name: String, id: Int32)]) throws -> (TokenBytes, [String: Int32]) {
    guard let vocabulary = model["vocab"] as? [String: Int], !vocabulary.isEmpty else {
      throw TokenizerError.badField(path: "model.vocab", expected: "an object of token ids")
    }
    let special = Set(specials.map(\.name))
    let limit = 4 * (vocabulary.count + specials.count) + 1_024
    var spelled: [Int: String] = [:]
    for (token, id) in vocabulary where !special.contains(token) {
      guard id >= 0, id < limit else {
        throw TokenizerError.idOutOfRange(id: id, token: token, limit: limit)
      }
      guard spelled.updateValue(token, forKey: id) == nil else {
        throw TokenizerError.duplicate(what: "the id \(id)")
      }
    }
    for (name, id) in specials {
      guard id >= 0, Int(id) < limit else {
        throw TokenizerError.idOutOfRange(id: Int(id), token: name, limit: limit)
      }
      guard spelled.updateValue("", forKey: Int(id)) == nil else {
        throw TokenizerError.duplicate(what: "the id \(id)")
      }
    }
    var tokens = TokenBytes()
    for id in 0...(spelled.keys.max() ?? 0) {
      let text = spelled[id] ?? ""
      guard let bytes = ByteAlphabet.read(text) else {
        throw TokenizerError.unsupported(what: "the token \"\(text)\", which spells no bytes")
      }
      tokens.append(bytes)
    }
    return (tokens, vocabulary.mapValues(Int32.init))
  }

  func merges(_ ids: [String: Int32]) throws -> PairTable {
    guard let list = model["merges"] as? [Any] else {
      throw TokenizerError.badField(path: "model.merges", expected: "a list")
    }
    var table = PairTable(capacity: list.count)
    for (index, entry) in list.enumerated() {
      let pair = (entry as? [String]) ?? (entry as? String)?.components(separatedBy: " ") ?? []
      guard pair.count == 2 else {
        throw TokenizerError.badMerge(index: index, what: "is not two tokens")
      }
      let ids = try (pair + [pair[0] + pair[1]]).map { token in
        guard let id = ids[token] else {
          throw TokenizerError.unknownMerge(index: index, token: token)
        }
        return id
      }
      guard table.insert(ids[0], ids[1], rank: Int32(index), id: ids[2]) else {
        throw TokenizerError.badMerge(index: index, what: "is listed twice")
      }
    }
    return table
  }

  func preTokenizer() throws -> PreTokenizer {
    guard let outer = root["pre_tokenizer"] as? [String: Any] else {
      throw TokenizerError.unsupported(what: "no pre-tokenizer")
    }
    let steps = (outer["pretokenizers"] as? [[String: Any]]) ?? [outer]
    var found: PreTokenizer?
    for step in steps {
      switch step["type"] as? String {
      case "ByteLevel":
        if step["add_prefix_space"] as? Bool == true {
          throw TokenizerError.unsupported(what: "add_prefix_space")
        }
        if found == nil, step["use_regex"] as? Bool ?? true { found = .gpt2 }
      case "Split":
        let pattern = (step["pattern"] as? [String: Any])?["Regex"] as? String ?? ""
        guard let known = PreTokenizer(pattern: pattern) else {
          throw TokenizerError.unsupported(what: "a pre-tokenizer pattern that is not known here")
        }
        found = known
      case let type:
        throw TokenizerError.unsupported(what: "a pre-tokenizer of type \(type ?? "none")")
      }
    }
    guard let found else { throw TokenizerError.unsupported(what: "no pre-tokenizer pattern") }
    return found
  }
}
