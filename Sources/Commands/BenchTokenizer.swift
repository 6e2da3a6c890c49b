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
  @Flag(help: "End with one JSON line.") var json = false

  struct Result: Encodable {
    var train_mb_per_second: Double?
    var encode_mb_per_second: Double
    var tokens: Int
    var bytes: Int
    /// FNV-1a over the ids, to compare with another encoder.
    var ids_hash: String
  }

  func run() throws {
    let texts = try readDocuments(place(data)).map(\.text)
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
    var (count, hash) = (0, UInt64(0xCBF2_9CE4_8422_2325))
    for round in 0..<max(1, repeats) {
      let start = ContinuousClock.now
      let ids = texts.map { used.encode($0) }
      best = min(best, (ContinuousClock.now - start) / .seconds(1))
      guard round == 0 else { continue }
      count = ids.reduce(0) { $0 + $1.count }
      for id in ids.joined() { hash = (hash ^ UInt64(UInt32(bitPattern: id))) &* 0x100_0000_01B3 }
    }
    let result = Result(
      train_mb_per_second: rate, encode_mb_per_second: Double(bytes) / 1e6 / best, tokens: count,
      bytes: bytes, ids_hash: String(hash, radix: 16))
    if json { return try JSONLine.print(result) }
    if let rate { print("training  \(Format.fixed(rate, 1)) MB/s") }
    print("encoding  \(Format.fixed(result.encode_mb_per_second, 1)) MB/s, \(count) tokens")
  }
}
