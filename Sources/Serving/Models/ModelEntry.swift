import Foundation
import LanguageModel
import ModelFiles
import Tokenization
import TemplateLanguage
import Training

/// A model that could be served: where it is, and what is known of it without loading it.
struct ModelEntry: Sendable, Equatable {
  /// What a model is good for.
  enum Kind: String, Codable, Sendable {
    /// Continues texts.
    case base
    /// Answers in conversations too.
    case chat
  }

  /// Where its parameters and its tokenizer are.
  enum Source: Sendable, Equatable {
    case gguf(URL)
    /// A folder with config.json, weights and tokenizer.json.
    case folder(URL)
    /// A checkpoint of a run, and the tokenizer that the run has.
    case checkpoint(URL, tokenizer: URL)

    /// What must exist for the model to be loaded.
    var url: URL {
      switch self {
      case .gguf(let url), .folder(let url), .checkpoint(let url, _): url
      }
    }
  }

  var id: String
  var source: Source
  var kind: Kind
  /// Seconds since 1970 when its files were written.
  var created: Int
  /// Bytes of its files.
  var bytes: Int

  /// Whether its files are still there.
  var exists: Bool {
    switch source {
    case .gguf(let url): return FileManager.default.fileExists(atPath: url.path)
    case .folder(let url), .checkpoint(let url, _):
      let config = url.appendingPathComponent("config.json")
      return FileManager.default.fileExists(atPath: config.path)
    }
  }

  /// How the numbers of a GGUF file are stored, as its name says by convention; nil where it does not.
  var quantisation: String? {
    guard case .gguf(let url) = source else { return nil }
    let name = url.deletingPathExtension().lastPathComponent.uppercased()
    let parts = name.split { $0 == "-" || $0 == "." }
    return parts.last { part in
      part.wholeMatch(of: /(I?Q[1-8](_[A-Z0-9]+)*)|F16|F32|BF16/) != nil
    }.map(String.init)
  }

  /// What its files say without the parameters: its shape, and how texts become tokens.
  func describe() throws -> (config: DecoderConfig, format: ChatFormat) {
    switch source {
    case .gguf(let url), .folder(let url): return try LoadedModel.describe(url)
    case .checkpoint(let url, let tokenizer):
      let tokenizer = try Tokenizer(tokenizerJSON: Data(contentsOf: tokenizer))
      let config = try Data(contentsOf: url.appendingPathComponent("config.json"))
      return (
        try JSONDecoder().decode(DecoderConfig.self, from: config),
        ChatFormat(try ChatTemplate(tokenizer: tokenizer))
      )
    }
  }

  /// Loads the model. Throws a sentence where something is missing or does not fit.
  func load() throws -> LoadedModel {
    switch source {
    case .gguf(let url), .folder(let url): return try LoadedModel.load(url)
    case .checkpoint(let url, let tokenizer):
      let tokenizer = try Tokenizer(tokenizerJSON: Data(contentsOf: tokenizer))
      let model = try Transformer.load(url)
      guard tokenizer.vocabularySize <= model.config.vocabularySize else {
        throw TrainingError(
          "the tokenizer has \(tokenizer.vocabularySize) tokens, the model only "
            + "\(model.config.vocabularySize)")
      }
      return try LoadedModel(model: model, tokenizer: tokenizer)
    }
  }
}
