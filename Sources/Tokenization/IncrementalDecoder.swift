/// Turns tokens into text as they come, a whole character at a time: a character that several tokens
/// share appears with the last of them.
public struct IncrementalDecoder: Sendable {
  private let tokenizer: Tokenizer
  private var pending: [UInt8] = []

  public init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// The text that `id` completes; often empty. Bytes that cannot become a character any more come
  /// out as U+FFFD.
  public mutating func append(_ id: Int32) -> String {
    pending += tokenizer.bytes(of: id)
    let complete = pending.count - Self.unfinishedBytes(pending)
    defer { pending.removeFirst(complete) }
    return String(decoding: pending[..<complete], as: UTF8.self)
  }

  /// What is left when no more tokens come.
  public mutating func finish() -> String {
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }

  /// How many bytes at the end begin a character that more bytes could complete.
  private static func unfinishedBytes(_ bytes: [UInt8]) -> Int {
    for back in 1...3 where back <= bytes.count {
      let byte = bytes[bytes.count - back]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF0 && byte < 0xF5 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1
      return byte < 0xF5 && length > back ? back : 0
    }
    return 0
  }
}
