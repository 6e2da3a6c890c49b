import ArgumentParser
import Claims
import Corpus
import Foundation
import Tokenization

/// `bench tokenizer`: training and encoding on the user's text.
struct BenchTokenizer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Time tokenizer training and encoding, on one thread.",
    discussion: "Example:  lyceum bench tokenizer --data corpus.txt --vocab 8192 --json")

  @Option(help: "A file or folder of text.") var data: String
  @Option(help: "Vocabulary to train.") var vocab = 8192
  @Option(help: "A tokenizer to encode with instead of training one.") var tokenizer: String?
  @Option(help: "Timed repetitions of encoding.") var repeats = 5
  @Option(help: "Encode this many megabytes of the text, cut into documents at line ends.")
  var megabytes: Double?
  @Flag(help: "End with one JSON line.") var json = false

  struct Result: Encodable {
    var train_mb_per_second: Double?
    var encode_mb_per_second: Double
    var tokens: Int
    var bytes: Int
    /// The first 16 digits of SHA-256 over the ids as little-endian 32-bit numbers, as the scripts
    /// that time other encoders print it.
    var ids_sha256: String
  }

  func run() throws {
    var texts = try readDocuments(place(data)).map(\.text)
    if let megabytes { texts = Self.documents(texts.joined(), bytes: Int(megabytes * 1e6)) }
    let bytes = texts.reduce(0) { $0 + $1.utf8.count }
    var rate: Double?
    let used: Tokenizer
    if let tokenizer {
      used = try loadTokenizer(place(tokenizer))
    } else {
      let start = ContinuousClock.now
      used = try Tokenizer.train(documents: texts, vocabularySize: vocab, preTokenizer: .cl100k)
      rate = Double(bytes) / 1e6 / ((ContinuousClock.now - start) / .seconds(1))
    }
    var best = Double.infinity
    var (count, hash) = (0, SHA256())
    for round in 0..<max(1, repeats) {
      let start = ContinuousClock.now
      let ids = texts.map { used.encode($0) }
      best = min(best, (ContinuousClock.now - start) / .seconds(1))
      guard round == 0 else { continue }
      count = ids.reduce(0) { $0 + $1.count }
      for id in ids.joined() {
        for shift in [0, 8, 16, 24] { hash.update(UInt8(truncatingIfNeeded: id >> shift)) }
      }
    }
    let result = Result(
      train_mb_per_second: rate, encode_mb_per_second: Double(bytes) / 1e6 / best, tokens: count,
      bytes: bytes, ids_sha256: String(hash.hexadecimal().prefix(16)))
    if json { return try JSONLine.print(result) }
    if let rate { print("training  \(Format.fixed(rate, 1)) MB/s") }
    print(
      "encoding  \(Format.fixed(result.encode_mb_per_second, 1)) MB/s, \(count) tokens, "
        + "ids \(result.ids_sha256)")
  }

  /// The first `bytes` of a text in documents of 8,000 characters and the rest of their last line.
  private static func documents(_ text: String, bytes: Int) -> [String] {
    let scalars = Array(String(decoding: text.utf8.prefix(bytes), as: UTF8.self).unicodeScalars)
    var documents: [String] = []
    var start = 0
    while start < scalars.count {
      let from = min(start + 8_000, scalars.count)
      let end = scalars[from...].firstIndex(of: "\n").map { $0 + 1 } ?? scalars.count
      documents.append(String(String.UnicodeScalarView(scalars[start..<end])))
      start = end
    }
    return documents
  }
}
