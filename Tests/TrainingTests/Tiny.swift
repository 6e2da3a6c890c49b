import Corpus
import Environments
import Foundation
import LanguageModel
import TensorCore
import Tokenization
import Training

/// A folder of its own that goes with the test.
final class Scratch {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("lyceum-training-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  subscript(_ name: String) -> URL { url.appendingPathComponent(name) }
}

/// A world small enough to train in a blink.
enum Tiny {
  static let tokenizer: Tokenizer? = try? Tokenizer.train(
    documents: (0..<200).map { "\($0 % 20) + \($0 % 7) = \($0 % 20 + $0 % 7). What follows? " },
    vocabularySize: 272, preTokenizer: .digits)

  static func template() throws -> ChatTemplate {
    guard let tokenizer else { throw TrainingError("no tokenizer") }
    return try ChatTemplate(tokenizer: tokenizer)
  }

  static var config: DecoderConfig {
    DecoderConfig(
      vocabularySize: 272, width: 16, layers: 1, heads: 2, hiddenWidth: 32, context: 64)
  }

  static func model(seed: UInt64 = 1) throws -> Transformer {
    try Transformer(config, source: RandomSource(seed: seed))
  }

  static func documents(_ count: Int = 60) throws -> [TokenSequence] {
    let template = try template()
    return (0..<count).map { i in
      TokenSequence(tokens: template.document("\(i % 20) + \(i % 7) = \(i % 20 + i % 7)."))
    }
  }

  static func conversations(_ count: Int = 40) throws -> [TokenSequence] {
    let template = try template()
    return (0..<count).map { i in
      exampleSequence(
        [
          Message(role: .user, content: "\(i % 5) + 1"),
          Message(role: .assistant, content: "\(i % 5 + 1)"),
        ], template)
    }
  }

  /// The answer is the shortest that anything can be: one that a new model finds by chance.
  struct Short: Verifier {
    func reward(problem: Problem, response: String) -> Double {
      response.utf8.count % 2 == 0 ? 1 : 0
    }
  }

  static func problems(_ step: Int) -> [Problem] {
    (0..<4).map { Problem(prompt: "\(step) + \($0)", answer: "\(step + $0)") }
  }
}

/// Everything that a run leaves behind, by path; times of day aside, nothing else may differ.
func contents(_ folder: URL) throws -> [String: Data] {
  var found: [String: Data] = [:]
  let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
  for name in names ?? [] where !name.hasSuffix("lock") {
    let place = folder.appendingPathComponent(name)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder),
      !isFolder.boolValue
    {
      found[name] = try Data(contentsOf: place)
    }
  }
  return found
}
