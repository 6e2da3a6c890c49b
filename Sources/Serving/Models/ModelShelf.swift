import Foundation
import ModelFiles

/// The models of some places, for commands: what is there, and taking it away.
public struct ModelShelf: Sendable {
  /// A model and what is known of it without loading it.
  public struct Item: Encodable, Sendable {
    public var id: String
    public var kind: String
    public var parameters: Int?
    public var context: Int?
    public var vocabulary: Int?
    public var family: String?
    public var quantisation: String?
    public var tokenizer: String?
    public var bytes: Int
    /// Seconds since 1970.
    public var changed: Int
    public var path: String
    /// Why it cannot be read, in a sentence; nil where it can.
    public var problem: String?
  }

  private let catalogue: ModelCatalogue

  public init(_ places: [URL]) { catalogue = ModelCatalogue(places: places) }

  public func items() -> [Item] { catalogue.scan().map(item) }

  public func item(_ id: String) throws -> Item { item(try entry(id)) }

  private func entry(_ id: String) throws -> ModelEntry {
    guard let entry = catalogue.scan().first(where: { $0.id == id }) else {
      throw ServerError("there is no model '\(id)': `lyceum ls` shows those that are")
    }
    return entry
  }

  private func item(_ entry: ModelEntry) -> Item {
    var item = Item(
      id: entry.id, kind: entry.kind.rawValue, quantisation: entry.quantisation,
      bytes: entry.bytes, changed: entry.created, path: entry.source.url.path)
    do {
      let known = try ModelDescription(entry)
      (item.parameters, item.context) = (known.config.parameterCount, known.config.context)
      (item.vocabulary, item.family) = (known.config.vocabularySize, known.config.modelType)
      item.tokenizer = known.tokenizerHash
    } catch {
      item.problem = "\(error)"
    }
    return item
  }

  /// What is deleted with a model: a GGUF file, a checkpoint, or a whole folder.
  public func victim(of id: String) throws -> URL {
    let entry = try entry(id)
    switch entry.source {
    case .gguf(let url): return url
    case .checkpoint(let url, _):
      return entry.id.contains("@")
        ? url : url.deletingLastPathComponent().deletingLastPathComponent()
    case .folder(let url):
      // A run keeps its model in a folder of its own.
      let up = url.deletingLastPathComponent()
      let recipe = up.appendingPathComponent("recipe.json")
      let isRun =
        url.lastPathComponent == "model"
        && FileManager.default.fileExists(atPath: recipe.path)
      return isRun ? up : url
    }
  }

  /// Deletes a model's files. Throws where a process works on the run that they belong to.
  public func remove(_ id: String) throws {
    let url = try victim(of: id)
    let run = [url, url.deletingLastPathComponent().deletingLastPathComponent()].first {
      FileManager.default.fileExists(atPath: $0.appendingPathComponent("lock").path)
    }
    // Held until all is gone, so that nobody begins to write in it.
    let held = try run.map { try RunFolder($0, create: false) }
    try withExtendedLifetime(held) { try FileManager.default.removeItem(at: url) }
  }
}
