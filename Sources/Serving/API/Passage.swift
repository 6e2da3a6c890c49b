import Generation
import Tokenization

/// What an answer says so far: tokens into text that can be sent.
///
/// Text is held back while it could still become a stop string or more of a character, so that what
/// was sent never has to be taken back. Tokens come with the piece that holds the last of their text.
struct Passage: Sendable {
  /// Text that is final, and the tokens that it ends.
  struct Piece: Sendable {
    var text = ""
    var tokens: [TokenScore] = []
    var isEmpty: Bool { text.isEmpty && tokens.isEmpty }
  }

  private let tokenizer: Tokenizer
  private let stops: [[UInt8]]
  private let longestStop: Int
  private let shown: Specials
  /// Bytes that are not sent yet.
  private var held: [UInt8] = []
  /// Tokens that are not sent yet, and how many bytes of `held` end with each.
  private var waiting: [(score: TokenScore, end: Int)] = []
  /// A stop string was met: nothing comes any more.
  private(set) var isStopped = false

  /// Which special tokens are spelled out in the text.
  enum Specials: Sendable {
    case none, all
    case only(Int32)

    func contains(_ token: Int32) -> Bool {
      switch self {
      case .none: false
      case .all: true
      case .only(let one): token == one
      }
    }
  }

  init(_ tokenizer: Tokenizer, stops: [String] = [], shown: Specials = .none) {
    (self.tokenizer, self.shown) = (tokenizer, shown)
    self.stops = stops.map { Array($0.utf8) }
    longestStop = self.stops.map(\.count).max() ?? 0
  }

  /// What a further token makes final.
  mutating func accept(_ score: TokenScore) -> Piece {
    guard !isStopped else { return Piece() }
    let isHidden = !shown.contains(score.token) && tokenizer.isSpecial(score.token)
    let searched = max(0, held.count - longestStop + 1)
    if !isHidden { held += tokenizer.bytes(of: score.token) }
    waiting.append((score, held.count))
    if let found = firstStop(from: searched) {
      isStopped = true
      // Tokens that begin before the stop string belong to the text.
      var start = 0
      waiting = waiting.prefix { token in
        defer { start = token.end }
        return start < found || token.end <= found
      }.map { ($0.score, min($0.end, found)) }
      held.removeSubrange(found...)
      return release(held.count)
    }
    return release(held.count - max(unfinished, beginningOfStop))
  }

  /// What is left when no more tokens come.
  mutating func finish() -> Piece { release(held.count) }

  private mutating func release(_ count: Int) -> Piece {
    var piece = Piece(text: String(decoding: held[..<count], as: UTF8.self))
    held.removeFirst(count)
    let ready = waiting.prefix { $0.end <= count }
    piece.tokens = ready.map(\.score)
    waiting.removeFirst(ready.count)
    for i in waiting.indices { waiting[i].end -= count }
    return piece
  }

  private func firstStop(from start: Int) -> Int? {
    var first: Int?
    for stop in stops where stop.count <= held.count {
      for at in start...max(start, held.count - stop.count)
      where at + stop.count <= held.count && held[at..<at + stop.count].elementsEqual(stop) {
        first = min(first ?? at, at)
        break
      }
    }
    return first
  }

  /// Bytes at the end that could be the beginning of a stop string.
  private var beginningOfStop: Int {
    for length in stride(from: min(held.count, longestStop - 1), to: 0, by: -1) {
      let end = held.suffix(length)
      if stops.contains(where: { $0.count > length && $0.prefix(length).elementsEqual(end) }) {
        return length
      }
    }
    return 0
  }

  /// Bytes at the end that begin a character.
  private var unfinished: Int {
    for back in 1...3 where back <= held.count {
      let byte = held[held.count - back]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF0 && byte < 0xF5 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1
      return byte < 0xF5 && length > back ? back : 0
    }
    return 0
  }
}

extension Tokenizer {
  /// Whether a token stands for no text.
  func isSpecial(_ id: Int32) -> Bool { specialName(id) != nil }

  /// How the API spells a token: its text, or its bytes where they are no text.
  func spelling(_ id: Int32) -> String {
    let bytes = bytes(of: id)
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    return "bytes:"
      + bytes.map { byte in
        let digits = String(byte, radix: 16)
        return "\\x" + (digits.count < 2 ? "0" : "") + digits
      }.joined()
  }
}
