import Foundation
import Generation
import LanguageModel
import ModelFiles
import Synchronization
import TensorCore
import Tokenization
import Training

/// A model in memory, with its engine.
final class ServedModel: Sendable {
  let entry: ModelEntry
  let format: ChatFormat
  let config: DecoderConfig
  let engine: Engine
  /// Equal for equal tokenizers.
  let tokenizerHash: String
  private let inUse = Atomic<Int>(0)
  private let tries = Mutex<TokenTrie?>(nil)

  var id: String { entry.id }
  var tokenizer: Tokenizer { format.tokenizer }
  /// How its authors' library calls the family.
  var family: String { config.modelType }

  /// Tokens that a prompt and its answer may have together: the context, or what the cache can hold.
  let longest: Int

  convenience init(_ entry: ModelEntry, _ loaded: LoadedModel, settings: EngineSettings) throws {
    self.init(
      entry, loaded.format, loaded.model.config, try settings.engine(loaded.model))
  }

  private init(
    _ entry: ModelEntry, _ format: ChatFormat, _ config: DecoderConfig, _ engine: Engine
  ) {
    (self.entry, self.format, self.config, self.engine) = (entry, format, config, engine)
    tokenizerHash = format.tokenizer.fingerprint
    longest = engine.status.longest
  }

  /// Requests that use it now.
  var users: Int { inUse.load(ordering: .relaxed) }

  /// Runs `body` with the model marked as in use, so that it is not unloaded meanwhile.
  func used<Value>(_ body: () async throws -> Value) async rethrows -> Value {
    inUse.add(1, ordering: .relaxed)
    defer { inUse.subtract(1, ordering: .relaxed) }
    return try await body()
  }

  /// Tokens that are never drawn: those of the host, and places of the table without a token.
  var forbidden: [Int32] {
    (format.own?.hostTokens ?? [])
      + (tokenizer.vocabularySize..<max(tokenizer.vocabularySize, config.vocabularySize)).map {
        Int32($0)
      }
  }

  /// The tokens by their bytes, made when a schema first needs them.
  var trie: TokenTrie {
    tries.withLock { made in
      let trie = made ?? TokenTrie(tokenizer)
      made = trie
      return trie
    }
  }

  /// Throws where the model holds no conversations.
  func checkChats() throws {
    guard entry.kind == .chat else {
      throw APIError(
        .badRequest,
        "The model '\(id)' continues texts and does not hold conversations: use /v1/completions.",
        param: "model", code: "model_cannot_chat")
    }
  }
}

/// What every model's engine is given.
struct EngineSettings: Sendable {
  /// Sequences at one time.
  var slots = 16
  /// Jobs that may wait.
  var queuedJobs = 64
  /// Tokens that the waiting jobs may ask for together.
  var queuedTokens = 1 << 20

  func engine(_ model: Transformer) throws -> Engine {
    try Engine(
      model, slots: slots, cacheBytes: cacheBytes(model.config),
      queueLimit: QueueLimit(jobs: queuedJobs, tokens: queuedTokens))
  }

  /// Memory for keys and values: the whole context for every slot, where an eighth of what is free
  /// holds that.
  private func cacheBytes(_ config: DecoderConfig) -> Int {
    let wanted = KeyValueCache.bytes(config, slots: slots, capacity: config.context)
    return min(wanted, max(1 << 29, (availableMemory() ?? 8 << 30) / 8))
  }
}
