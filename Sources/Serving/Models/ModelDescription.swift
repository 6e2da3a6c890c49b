import LanguageModel
import Tokenization

/// What is known of a model without its parameters: enough for everything that has to do with tokens.
struct ModelDescription: Sendable {
  let id: String
  let kind: ModelEntry.Kind
  let config: DecoderConfig
  let format: ChatFormat
  /// Equal for equal tokenizers.
  let tokenizerHash: String
  let quantisation: String?

  var tokenizer: Tokenizer { format.tokenizer }

  init(_ entry: ModelEntry) throws {
    (id, kind, quantisation) = (entry.id, entry.kind, entry.quantisation)
    (config, format) = try entry.describe()
    tokenizerHash = format.tokenizer.fingerprint
  }
}
