import Foundation
import TemplateLanguage

extension Tokenizer {
  /// Reads tokenizer.json: ours, another byte-level BPE whose pre-tokenizer this module has, or one
  /// of the SentencePiece kind.
  ///
  /// Throws ``TokenizerError`` for anything that would give other ids than its authors' library.
  public init(tokenizerJSON data: Data) throws {
    let root: JSONValue
    do {
      root = try JSONValue(data)
    } catch {
      throw TokenizerError.notJSON(what: error.what, byte: error.byte)
    }
    var file = try TokenizerFileReader(root)
    try file.readVocabulary()
    let merges = try file.merges()
    let (first, last) = file.addedByPostProcessor()
    let ends = file.specials.filter { Markers.endNames.contains($0.name) || $0.name == "</s>" }
    let markers = Markers(
      bos: first, eos: last, ends: Set(ends.map(\.id)), addsBOS: first != nil,
      addsEOS: last != nil)
    if let prefix = try file.characterPrefix() {
      self.init(
        .characters(CharacterRules(prefix: prefix, file.tokens, file.table, file.byteIDs)),
        tokens: file.tokens, merges: merges, byteIDs: file.byteIDs, specials: file.specials,
        words: file.words, ignoresMerges: file.ignoresMerges, markers: markers)
    } else {
      self.init(
        .bytes(try file.preTokenizer(), isNormalised: try file.isNormalised()),
        tokens: file.tokens, merges: merges, byteIDs: file.byteIDs, specials: file.specials,
        words: file.words, ignoresMerges: file.ignoresMerges, markers: markers)
    }
  }
}

/// The parts of a tokenizer.json, checked.
private struct TokenizerFileReader {
  private let root: JSONValue
  private let model: JSONValue
  private let isByteLevel: Bool
  let specials: [(name: String, id: Int32)]
  private(set) var words: [(name: String, id: Int32)]
  private(set) var tokens = TokenBytes()
  private(set) var table = ByteTable(capacity: 0)
  private(set) var byteIDs: [Int32] = []

  init(_ root: JSONValue) throws {
    guard root.members != nil else {
      throw TokenizerError.badField(path: "root", expected: "an object")
    }
    guard let model = root["model"], model.members != nil else {
      throw TokenizerError.badField(path: "model", expected: "an object")
    }
    (self.root, self.model) = (root, model)
    if let type = model["type"]?.string, type != "BPE" {
      throw TokenizerError.unsupported(what: "a model of type \(type)")
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let value = model[key]?.string, !value.isEmpty {
        throw TokenizerError.unsupported(what: "a \(key)")
      }
    }
    isByteLevel = model["byte_fallback"]?.bool != true
    (specials, words) = try Self.added(root)
  }

  var ignoresMerges: Bool { model["ignore_merges"]?.bool == true }

  private typealias Named = [(name: String, id: Int32)]

  private static func added(_ root: JSONValue) throws -> (specials: Named, words: Named) {
    guard let list = root["added_tokens"] else { return ([], []) }
    guard let added = list.array else {
      throw TokenizerError.badField(path: "added_tokens", expected: "a list of objects")
    }
    var (specials, words): (Named, Named) = ([], [])
    var seen: Set<[UInt8]> = []
    for token in added {
      guard let name = token["content"]?.string, let id = token["id"]?.int else {
        throw TokenizerError.badField(path: "added_tokens", expected: "objects with content and id")
      }
      guard !name.isEmpty, seen.insert(Array(name.utf8)).inserted else {
        throw TokenizerError.badSpecial(name)
      }
      guard let id = Int32(exactly: id), id >= 0 else {
        throw TokenizerError.idOutOfRange(id: id, token: name, limit: Int(Int32.max))
      }
      for flag in ["single_word", "lstrip", "rstrip"] where token[flag]?.bool == true {
        throw TokenizerError.unsupported(what: "the token \(name) with \(flag)")
      }
      if token["special"]?.bool == false {
        words.append((name, id))
      } else {
        specials.append((name, id))
      }
    }
    return (specials, words)
  }

  private func bytes(_ token: String) -> [UInt8]? {
    if isByteLevel { return ByteAlphabet.read(token) }
    return CharacterRules.byte(named: token).map { [$0] } ?? CharacterRules.unescaped(token.utf8)
  }

  mutating func readVocabulary() throws {
    guard let vocabulary = model["vocab"]?.members, !vocabulary.isEmpty else {
      throw TokenizerError.badField(path: "model.vocab", expected: "an object of token ids")
    }
    let added = specials + words
    let special = Set(specials.map { Array($0.name.utf8) })
    let limit = 4 * (vocabulary.count + added.count) + 1_024
    var spelled: [Int: (text: String, isAdded: Bool)] = [:]
    for (token, value) in vocabulary where !special.contains(Array(token.utf8)) {
      guard let id = value.int else {
        throw TokenizerError.badField(path: "model.vocab", expected: "an object of token ids")
      }
      guard id >= 0, id < limit else {
        throw TokenizerError.idOutOfRange(id: id, token: token, limit: limit)
      }
      guard spelled.updateValue((token, false), forKey: id) == nil else {
        throw TokenizerError.duplicate(what: "the id \(id)")
      }
    }
    for (i, (name, id)) in added.enumerated() {
      guard Int(id) < limit else {
        throw TokenizerError.idOutOfRange(id: Int(id), token: name, limit: limit)
      }
      let before = spelled[Int(id)]
      guard before == nil || i >= specials.count && before?.text == name else {
        throw TokenizerError.duplicate(what: "the id \(id)")
      }
      if before == nil { spelled[Int(id)] = (i < specials.count ? "" : name, true) }
    }
    try enter(spelled)
  }

  /// Fills the tables from tokens by id. Added ones take no part in merging.
  private mutating func enter(_ spelled: [Int: (text: String, isAdded: Bool)]) throws {
    table = ByteTable(capacity: spelled.count)
    byteIDs = Array(repeating: -1, count: 256)
    for id in 0...(spelled.keys.max() ?? 0) {
      let entry = spelled[id] ?? ("", true)
      if entry.isAdded {
        tokens.append(isByteLevel ? Array(entry.text.utf8) : bytes(entry.text) ?? [])
        continue
      }
      guard let bytes = bytes(entry.text) else {
        throw TokenizerError.unsupported(
          what: "the token \"\(entry.text.prefix(40))\", which spells no bytes")
      }
      tokens.append(bytes)
      if !isByteLevel, let byte = CharacterRules.byte(named: entry.text) {
        byteIDs[Int(byte)] = Int32(id)
      } else if !bytes.isEmpty, !table.insert(Int32(id), of: tokens) {
        throw TokenizerError.duplicate(what: "the token \"\(entry.text.prefix(40))\"")
      }
    }
    words = words.map { (isByteLevel ? $0.name : unescaped($0.name), $0.id) }
    let unknown = model["unk_token"]?.string.flatMap { name in specials.first { $0.name == name } }
    for byte in 0..<256 {
      if isByteLevel { byteIDs[byte] = find([UInt8(byte)]) }
      if byteIDs[byte] < 0, let unknown, isByteLevel { byteIDs[byte] = unknown.id }
      guard byteIDs[byte] >= 0 else { throw TokenizerError.missingByte(UInt8(byte)) }
    }
  }

  private func unescaped(_ name: String) -> String {
    String(decoding: CharacterRules.unescaped(name.utf8), as: UTF8.self)
  }

  private func find(_ bytes: [UInt8]) -> Int32 {
    bytes.withUnsafeBufferPointer { p in
      p.baseAddress.map { table.find($0, p.count, in: tokens) } ?? -1
    }
  }

  func merges() throws -> PairTable {
    guard let list = model["merges"]?.array else {
      throw TokenizerError.badField(path: "model.merges", expected: "a list")
    }
    var merges = PairTable(capacity: list.count)
    for (index, entry) in list.enumerated() {
      let pair =
        entry.array?.compactMap(\.string)
        ?? entry.string?.utf8.split(separator: 0x20).map { String(Substring($0)) } ?? []
      guard pair.count == 2 else {
        throw TokenizerError.badMerge(index: index, what: "is not two tokens")
      }
      let sides = try pair.map { token in
        guard let bytes = bytes(token), find(bytes) >= 0 else {
          throw TokenizerError.unknownMerge(index: index, token: token)
        }
        return bytes
      }
      let id = find(sides[0] + sides[1])
      guard id >= 0 else { throw TokenizerError.unknownMerge(index: index, token: pair.joined()) }
      guard merges.insert(find(sides[0]), find(sides[1]), rank: Int32(index), id: id) else {
        throw TokenizerError.badMerge(index: index, what: "is listed twice")
      }
    }
    return merges
  }

  // How text is prepared and cut.

  private func steps(_ field: String, _ list: String) -> [JSONValue] {
    guard let outer = root[field], !outer.isNull else { return [] }
    return outer[list]?.array ?? [outer]
  }

  /// Whether text is composed first (NFC). Every other way of changing text is refused.
  func isNormalised() throws -> Bool {
    let steps = steps("normalizer", "normalizers")
    guard steps.allSatisfy({ $0["type"]?.string == "NFC" }) else {
      throw TokenizerError.unsupported(
        what: "the normalizer \(steps.compactMap { $0["type"]?.string }.joined(separator: ", "))")
    }
    return !steps.isEmpty
  }

  /// Where blanks are put, for vocabularies of characters; nil for those of bytes.
  func characterPrefix() throws -> CharacterRules.Prefix? {
    guard !isByteLevel else { return nil }
    var prefix = CharacterRules.Prefix.never
    for step in steps("normalizer", "normalizers") {
      switch step["type"]?.string {
      case "Prepend" where step["prepend"]?.string == "▁": prefix = .always
      case "Replace"
      where step["pattern"]?["String"]?.string == " " && step["content"]?.string == "▁":
        break
      case let type: throw TokenizerError.unsupported(what: "the normalizer \(type ?? "none")")
      }
    }
    for step in steps("pre_tokenizer", "pretokenizers") {
      switch step["type"]?.string {
      // After the normalizer there is no blank left to cut at.
      case "Split" where step["pattern"]?["String"]?.string == " ": break
      case "Metaspace" where step["replacement"]?.string == "▁" && step["split"]?.bool == false:
        switch step["prepend_scheme"]?.string {
        case "never": break
        case "first": prefix = .first
        default: prefix = .always
        }
      case let type: throw TokenizerError.unknownPreTokenizer("\"\(type ?? "none")\"")
      }
    }
    return prefix
  }

  func preTokenizer() throws -> PreTokenizer {
    var found: PreTokenizer?
    var cutsDigits = false
    for step in steps("pre_tokenizer", "pretokenizers") {
      switch step["type"]?.string {
      case "ByteLevel":
        if step["add_prefix_space"]?.bool == true {
          throw TokenizerError.unsupported(what: "add_prefix_space")
        }
        if found == nil, step["use_regex"]?.bool ?? true { found = cutsDigits ? .smollm : .gpt2 }
      case "Digits" where step["individual_digits"]?.bool == true && found == nil:
        cutsDigits = true
      case "Split":
        let pattern = step["pattern"]?["Regex"]?.string ?? ""
        guard let known = PreTokenizer(pattern: pattern), !cutsDigits, found == nil,
          step["behavior"]?.string ?? "Isolated" == "Isolated", step["invert"]?.bool != true
        else { throw TokenizerError.unknownPreTokenizer("the pattern \(pattern)") }
        found = known
      case let type: throw TokenizerError.unknownPreTokenizer("\"\(type ?? "none")\"")
      }
    }
    guard let found else { throw TokenizerError.unknownPreTokenizer("which has no name") }
    return found
  }

  /// The tokens that the file puts before and after every text.
  func addedByPostProcessor() -> (first: Int32?, last: Int32?) {
    for step in steps("post_processor", "processors")
    where step["type"]?.string == "TemplateProcessing" {
      let parts = step["single"]?.array ?? []
      func id(_ part: JSONValue?) -> Int32? {
        let name = part?["SpecialToken"]?["id"]?.string
        return specials.first { $0.name == name }?.id
      }
      return (id(parts.first), parts.count > 1 ? id(parts.last) : nil)
    }
    return (nil, nil)
  }
}
