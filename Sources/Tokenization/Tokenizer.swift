import Foundation

/// Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909) over bytes (Radford et al. 2019) or
/// over characters with bytes to fall back on (SentencePiece: Kudo and Richardson 2018,
/// arXiv:1808.06226). Any bytes have an encoding, and decoding gives them back.
public struct Tokenizer: Sendable {
  /// Special tokens, in the order of their ids. Text never becomes one unless a call allows it.
  public let specials: [String]
  public var markers: Markers
  let scheme: Scheme
  let specialIDs: [String: Int32]
  private let specialNames: [Int32: String]
  let tokens: TokenBytes
  let merges: PairTable
  /// By byte; −1 where a vocabulary lacks one.
  let byteIDs: [Int32]
  let ignoresMerges: Bool
  /// Tokens that a stretch of text spelled like them becomes at once.
  private let whole: ByteTable
  /// Tokens that stand for themselves wherever text spells them, before anything is cut.
  let words: [(name: String, id: Int32)]
  private let wordMatcher: NameMatcher

  /// What becomes a symbol before merging, and where text is cut.
  enum Scheme: Sendable {
    /// A symbol a byte.
    case bytes(PreTokenizer, isNormalised: Bool = false)
    /// A symbol a character, and white space belongs to the word after it.
    case characters(CharacterRules)
  }

  /// - Parameters:
  ///   - tokens: bytes by id; empty for special tokens and unused ids.
  ///   - merges: with the lower rank first.
  ///   - ignoresMerges: a whole pre-token that is spelled like a token is that token, even where the
  ///     merges would not make it.
  ///   - words: tokens that text spells wherever it does; they take no part in merging.
  init(
    _ scheme: Scheme, tokens: TokenBytes, merges: PairTable, byteIDs: [Int32],
    specials: [(name: String, id: Int32)], words: [(name: String, id: Int32)] = [],
    ignoresMerges: Bool = false, markers: Markers = Markers()
  ) {
    (self.scheme, self.ignoresMerges) = (scheme, ignoresMerges)
    (self.tokens, self.merges, self.byteIDs, self.markers) = (tokens, merges, byteIDs, markers)
    let ordered = specials.sorted { $0.id < $1.id }
    self.specials = ordered.map(\.name)
    specialIDs = Dictionary(ordered.map { ($0.name, $0.id) }) { first, _ in first }
    specialNames = Dictionary(ordered.map { ($0.id, $0.name) }) { first, _ in first }
    self.words = words.filter { !$0.name.isEmpty }
    wordMatcher = NameMatcher(self.words)
    let apart = Set(words.map(\.id))
    var whole = ByteTable(capacity: tokens.count)
    var merger = PairMerger()
    var ids: [Int32] = []
    tokens.bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      for id in 0..<tokens.count where tokens.length(id) > 0 && !apart.contains(Int32(id)) {
        let p = base + tokens.offsets[id]
        if !ignoresMerges {
          ids.removeAll(keepingCapacity: true)
          scheme.merge(p, tokens.length(id), byteIDs, merges, &merger, &ids)
          guard ids.count == 1, ids[0] == Int32(id) else { continue }
        }
        whole.insert(Int32(id), of: tokens)
      }
    }
    self.whole = whole
  }

  /// Nil where text is not cut before merging (SentencePiece).
  public var preTokenizer: PreTokenizer? {
    if case .bytes(let cut, _) = scheme { cut } else { nil }
  }

  /// Ids are 0..<vocabularySize.
  public var vocabularySize: Int { tokens.count }

  public func id(ofSpecial name: String) -> Int32? { specialIDs[name] }

  /// The ids of a text. What looks like a special token in it stays text.
  public func encode(_ text: String) -> [Int32] { encode(text, allowing: []) }

  /// As ``encode(_:)``, with the special tokens `allowed` recognised in the text.
  public func encode(_ text: String, allowing allowed: Set<String>) -> [Int32] {
    let known = specialIDs.filter { allowed.contains($0.key) }.map { ($0.key, $0.value) }
    var ids: [Int32] = []
    var text = text
    text.withUTF8 { bytes in
      guard !known.isEmpty else { return encode(bytes: bytes, into: &ids) }
      encode(bytes, NameMatcher(known + words), into: &ids)
    }
    return ids
  }

  /// Appends the ids of any bytes, UTF-8 or not.
  public func encode(bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
    encode(bytes, wordMatcher, into: &ids)
  }

  /// Appends the ids of bytes in which special tokens count only where `isAllowed` says so of their
  /// bytes, and the bytes that each id stands for.
  func encode(
    _ bytes: UnsafeBufferPointer<UInt8>, specialsWhere isAllowed: (Range<Int>) -> Bool,
    into ids: inout [Int32], ranges: inout [Range<Int>]
  ) {
    let matcher = NameMatcher(specialIDs.map { ($0.key, $0.value) } + words)
    encode(
      bytes, matcher, into: &ids, where: { specialNames[$1] == nil || isAllowed($0) },
      stretch: { stretch, ids in
        let lengths = ids.map { specialNames[$0]?.utf8.count ?? tokens.length(Int($0)) }
        // A blank that was put before the text belongs to none of its bytes.
        var at = stretch.upperBound - lengths.reduce(0, +)
        for length in lengths {
          let range = min(max(at, stretch.lowerBound), stretch.upperBound)
          at += length
          ranges.append(range..<min(max(at, range), stretch.upperBound))
        }
      })
  }

  private func encode(
    _ bytes: UnsafeBufferPointer<UInt8>, _ matcher: NameMatcher, into ids: inout [Int32],
    where accepts: (Range<Int>, Int32) -> Bool = { _, _ in true },
    stretch: (Range<Int>, ArraySlice<Int32>) -> Void = { _, _ in }
  ) {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    var merger = PairMerger()
    var start = 0
    var at = 0
    func append(upTo end: Int) {
      let before = ids.count
      encodeText(base + start, end - start, start == 0, &merger, &ids)
      stretch(start..<end, ids[before...])
    }
    while let found = matcher.next(in: bytes, from: at) {
      guard accepts(found.range, found.id) else {
        at = found.range.lowerBound + 1
        continue
      }
      append(upTo: found.range.lowerBound)
      ids.append(found.id)
      stretch(found.range, ids[(ids.count - 1)...])
      at = found.range.upperBound
      start = at
    }
    append(upTo: bytes.count)
  }

  /// Encodes a stretch of text without special tokens and words.
  private func encodeText(
    _ p: UnsafePointer<UInt8>, _ count: Int, _ isFirst: Bool, _ merger: inout PairMerger,
    _ ids: inout [Int32]
  ) {
    guard count > 0 else { return }
    switch scheme {
    case .bytes(let cut, let isNormalised):
      if isNormalised, let text = composed(p, count) {
        return text.withUnsafeBufferPointer { text in
          if let base = text.baseAddress { cutAndMerge(base, text.count, cut, &merger, &ids) }
        }
      }
      cutAndMerge(p, count, cut, &merger, &ids)
    case .characters(let rules):
      rules.withPrepared(p, count, isFirst: isFirst) { text, count in
        var start = 0
        while start < count {
          let stop = rules.wordEnd(text, from: start, count)
          appendWord(text + start, stop - start, &merger, &ids)
          start = stop
        }
      }
    }
  }

  @inline(__always)
  private func cutAndMerge(
    _ p: UnsafePointer<UInt8>, _ count: Int, _ cut: PreTokenizer, _ merger: inout PairMerger,
    _ ids: inout [Int32]
  ) {
    var scanner = PreTokenScanner(p, count: count, kind: cut)
    var start = 0
    while start < count {
      let stop = scanner.next(after: start)
      appendWord(p + start, stop - start, &merger, &ids)
      start = stop
    }
  }

  @inline(__always)
  func appendWord(
    _ p: UnsafePointer<UInt8>, _ count: Int, _ merger: inout PairMerger, _ ids: inout [Int32]
  ) {
    let id = whole.find(p, count, in: tokens)
    if id >= 0 {
      ids.append(id)
    } else {
      scheme.merge(p, count, byteIDs, merges, &merger, &ids)
    }
  }

  /// The bytes of a token; for a special one, its name.
  public func bytes(of id: Int32) -> [UInt8] {
    guard id >= 0, Int(id) < tokens.count else { return [] }
    let bytes = tokens[Int(id)]
    return bytes.isEmpty ? (specialNames[id].map { Array($0.utf8) } ?? []) : Array(bytes)
  }

  public func bytes(of ids: some Sequence<Int32>) -> [UInt8] { ids.flatMap { bytes(of: $0) } }

  /// The text of tokens, with U+FFFD for what is not UTF-8.
  ///
  /// - Parameter fromStart: the tokens begin a text, so that a blank which encoding puts before every
  ///   text is left out.
  public func decode(_ ids: some Sequence<Int32>, fromStart: Bool = false) -> String {
    var bytes = bytes(of: ids)
    if fromStart, case .characters(let rules) = scheme, rules.prefix != .never, bytes.first == 0x20
    {
      bytes.removeFirst()
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The name of a special token; nil for others.
  public func specialName(_ id: Int32) -> String? { specialNames[id] }
}
