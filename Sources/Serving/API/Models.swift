import Foundation
import Hummingbird

// GET /v1/models and /api/models.

struct ModelCard: Encodable, Sendable {
  /// By llama.cpp's names.
  struct Meta: Encodable, Sendable {
    var n_vocab: Int
    var n_ctx_train: Int
    var n_embd: Int
    var n_params: Int
    var size: Int
  }

  var id: String
  var object = "model"
  var created: Int
  var owned_by = "lyceum"
  var type: String
  var display_name: String
  var context_length: Int?
  var meta: Meta?
}

private struct ModelList: Encodable {
  var object = "list"
  var data: [ModelCard]
}

/// A model as the pages know it.
private struct ModelLine: Encodable {
  var id: String
  var kind: ModelEntry.Kind
  var context: Int
  var vocabulary: Int
  var parameters: Int
  var family: String
  @Nullable var quantisation: String?
  var tokenizer: String
  var loaded: Bool
}

private struct ModelLines: Encodable { var models: [ModelLine] }

extension Endpoints {
  func models(_ call: Call) async throws -> Response {
    var cards: [ModelCard] = []
    for entry in await pool.models() { cards.append(await card(entry)) }
    return try reply(ModelList(data: cards))
  }

  /// Ids have slashes: all that follows is one.
  func model(_ call: Call) async throws -> Response {
    try reply(await card(try await pool.entry(call.rest(after: "/v1/models/"))))
  }

  private func card(_ entry: ModelEntry) async -> ModelCard {
    // A model that cannot be read is listed all the same: asking for it says why.
    let known = try? await pool.description(of: entry)
    return ModelCard(
      id: entry.id, created: entry.created, type: entry.kind.rawValue, display_name: entry.id,
      context_length: known?.config.context,
      meta: known.map {
        ModelCard.Meta(
          n_vocab: $0.config.vocabularySize, n_ctx_train: $0.config.context,
          n_embd: $0.config.width, n_params: $0.config.parameterCount, size: entry.bytes)
      })
  }

  /// The same for the pages, without what cannot be read.
  func modelLines(_ call: Call) async throws -> Response {
    var lines: [ModelLine] = []
    for entry in await pool.models() {
      guard let known = try? await pool.description(of: entry) else { continue }
      lines.append(
        ModelLine(
          id: entry.id, kind: entry.kind, context: known.config.context,
          vocabulary: known.config.vocabularySize, parameters: known.config.parameterCount,
          family: known.config.modelType, quantisation: known.quantisation,
          tokenizer: known.tokenizerHash, loaded: await pool.isLoaded(entry.id)))
    }
    return try reply(ModelLines(models: lines))
  }
}
