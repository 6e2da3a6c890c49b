import Foundation
import LanguageModel
import TensorCore
import TemplateLanguage
import Tokenization
import Training

@testable import Serving

/// A base and a chat model with random parameters, small enough to answer in a blink.
enum Fixture {
  static let folder = Result { try makeModels() }

  private static func makeModels() throws -> URL {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lyceum-serving-\(ProcessInfo.processInfo.processIdentifier)")
    let words = (0..<200).map { "\($0 % 20) + \($0 % 7) is the sum, and 由 é 😀 \"{}[],:. \($0)" }
    let tokenizer = try Tokenizer.train(
      documents: words, vocabularySize: 290, preTokenizer: .digits)
    let config = DecoderConfig(
      vocabularySize: 290, width: 32, layers: 2, heads: 2, hiddenWidth: 64, context: 512,
      tiesHead: true)
    for (name, stage, seed) in [("base", "pretrain", UInt64(1)), ("talk", "sft", 2)] {
      let run = folder.appendingPathComponent(name)
      let model = try Transformer(config, source: RandomSource(seed: seed))
      try LoadedModel(model: model, tokenizer: tokenizer).save(
        to: run.appendingPathComponent("model"))
      try Data(#"{"format":1,"recipe":{"stage":"\#(stage)"}}"#.utf8).write(
        to: run.appendingPathComponent("recipe.json"))
    }
    return folder
  }

  static func server(_ change: (inout ServerSettings) -> Void = { _ in }) throws -> Server {
    let folder = try folder.get()
    var settings = ServerSettings()
    settings.port = 0
    (settings.slots, settings.drainSeconds) = (4, 2)
    change(&settings)
    return Server(settings, places: [folder])
  }

  /// The routes of a server without a socket.
  private static let probe = Result {
    Probe(site: try server().site, base: "base", chat: "talk")
  }

  static func aProbe() throws -> Probe { try probe.get() }
}

/// Whether a reply is an error of the API: all four keys, and a message.
func isError(_ answer: Probe.Answer) -> Bool {
  guard let error = (try? answer.json)?["error"] else { return false }
  return Set((error.members ?? []).map(\.key)) == ["message", "type", "param", "code"]
    && error["message"]?.string?.isEmpty == false
}
