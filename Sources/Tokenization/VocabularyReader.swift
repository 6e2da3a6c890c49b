/// A vocabulary of a GGUF file on its way into tables.
struct VocabularyReader {
  private let file: TokenizerMetadata
  private(set) var tokens = TokenBytes()
  /// The tokens that take part in merging, by their bytes.
  private(set) var table: ByteTable
  private var takesPart: [Bool] = []
  private(set) var specials: [(name: String, id: Int32)] = []
  private(set) var words: [(name: String, id: Int32)] = []

  /// - Parameter read: appends the bytes of a token that is not special; false where it takes no
  ///   part in merging. Where it appends nothing, the token stands for its own spelling.
  init(
    _ file: TokenizerMetadata, _ kinds: [TokenizerMetadata.Kind],
    read: (Substring, TokenizerMetadata.Kind, inout [UInt8]) -> Bool
  ) throws {
    self.file = file
    table = ByteTable(capacity: file.tokens.count)
    var names: Set<String> = []
    var bytes: [UInt8] = []
    for (id, text) in file.tokens.enumerated() {
      bytes.removeAll(keepingCapacity: true)
      var part = false
      if kinds[id] == .control || kinds[id] == .unknown {
        guard !text.isEmpty, names.insert(text).inserted else {
          throw TokenizerError.duplicate(what: "the special token \"\(text.prefix(40))\"")
        }
        specials.append((text, Int32(id)))
      } else {
        part = read(text[...], kinds[id], &bytes) && !bytes.isEmpty
        if bytes.isEmpty { bytes += text.utf8 }
      }
      tokens.append(bytes)
      takesPart.append(part)
      if kinds[id] == .userDefined {
        words.append((String(decoding: bytes, as: UTF8.self), Int32(id)))
      }
      guard part, !table.insert(Int32(id), of: tokens) else { continue }
      throw TokenizerError.duplicate(what: "the token \"\(text.prefix(40))\"")
    }
  }

  func find(_ bytes: some Collection<UInt8>) -> Int32 {
    let found = bytes.withContiguousStorageIfAvailable { p in
      p.baseAddress.map { table.find($0, p.count, in: tokens) } ?? -1
    }
    return found ?? -1
  }

  /// - Parameter read: appends the bytes of a token; false where it spells none.
  func merges(_ read: (Substring, inout [UInt8]) -> Bool) throws -> PairTable {
    var merges = PairTable(capacity: file.merges.count)
    var bytes: [UInt8] = []
    for (index, line) in file.merges.enumerated() {
      // A token may itself begin with the blank that separates the two, in no vocabulary end with it.
      guard let blank = line.utf8.dropFirst().firstIndex(of: 0x20) else {
        throw TokenizerError.badMerge(index: index, what: "is not two tokens")
      }
      bytes.removeAll(keepingCapacity: true)
      let isLeft = read(line[..<blank], &bytes)
      let cut = bytes.count
      let isRight = read(line[line.utf8.index(after: blank)...], &bytes)
      let (left, right, whole) = (find(bytes[..<cut]), find(bytes[cut...]), find(bytes))
      guard isLeft, isRight, left >= 0, right >= 0, whole >= 0 else {
        let missing = left < 0 ? bytes[..<cut] : right < 0 ? bytes[cut...] : bytes[...]
        throw TokenizerError.unknownMerge(
          index: index, token: String(decoding: missing, as: UTF8.self))
      }
      merges.insert(left, right, rank: Int32(index), id: whole)
    }
    return merges
  }

  func mergesByScore() throws -> PairTable {
    guard file.scores.count == file.tokens.count, file.scores.allSatisfy({ !$0.isNaN }) else {
      throw TokenizerError.badField(
        path: "scores", expected: "one number a token (\(file.tokens.count))")
    }
    let distinct = Set(file.scores).sorted(by: >)
    let rank = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, Int32($0)) })
    let ranks = file.scores.indices.map { takesPart[$0] ? rank[file.scores[$0]] : nil }
    return PairTable(spelledBy: tokens, table: table, ranks: ranks, onlyWholeCharacters: true)
  }
}
