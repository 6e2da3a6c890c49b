import Dispatch
import Foundation
import ModelFiles
import Tokenization
import Training

/// The models in memory: loaded when they are first asked for, and unloaded, the longest unused first,
/// where memory is short.
actor ModelPool {
  private let catalogue: ModelCatalogue
  private let settings: EngineSettings
  /// How many models may be in memory.
  private let limit: Int
  private var entries: [ModelEntry] = []
  private var scanned: ContinuousClock.Instant?
  /// By id, the longest unused first.
  private var loaded: [ServedModel] = []
  private var loading: [String: Task<ServedModel, any Error>] = [:]
  private var described: [String: (entry: ModelEntry, description: ModelDescription)] = [:]

  init(_ catalogue: ModelCatalogue, settings: EngineSettings, limit: Int) {
    (self.catalogue, self.settings, self.limit) = (catalogue, settings, max(1, limit))
  }

  /// What can be served now.
  func models(freshly: Bool = false) -> [ModelEntry] {
    let now = ContinuousClock.now
    if freshly || scanned.map({ now - $0 > .seconds(2) }) ?? true {
      (entries, scanned) = (catalogue.scan(), now)
    }
    return entries
  }

  func loadedModels() -> [ServedModel] { loaded }

  func isLoaded(_ id: String) -> Bool { loaded.contains { $0.id == id } }

  func entry(_ id: String) throws -> ModelEntry {
    if let entry = models().first(where: { $0.id == id }) { return entry }
    guard let entry = models(freshly: true).first(where: { $0.id == id }) else {
      throw APIError(
        .notFound,
        "The model '\(id.prefix(200))' does not exist: GET /v1/models lists those that do.",
        param: "model", code: "model_not_found")
    }
    return entry
  }

  /// What is known of a model without its parameters.
  func description(_ id: String) async throws -> ModelDescription {
    try await description(of: try entry(id))
  }

  func description(of entry: ModelEntry) async throws -> ModelDescription {
    if let known = described[entry.id], known.entry == entry { return known.description }
    do {
      let description = try await Self.onItsOwnThread { try ModelDescription(entry) }
      described[entry.id] = (entry, description)
      return description
    } catch {
      throw refused(entry, "\(error)")
    }
  }

  /// The model of an id, loaded if it is not yet.
  func model(_ id: String) async throws -> ServedModel {
    let entry = try entry(id)
    guard entry.exists else {
      loaded.removeAll { $0.id == id }
      throw APIError(
        .notFound,
        "The files of the model '\(id)' are gone: put them back, or choose another of /v1/models.",
        param: "model", code: "model_not_found")
    }
    if let at = loaded.firstIndex(where: { $0.id == id }) {
      let model = loaded.remove(at: at)
      // A run that goes on has written a newer checkpoint.
      if model.entry == entry {
        loaded.append(model)
        return model
      }
    }
    let task = loading[id] ?? Task { try await load(entry) }
    loading[id] = task
    defer { loading[id] = nil }
    let model = try await task.value
    if !loaded.contains(where: { $0 === model }) {
      loaded.removeAll { $0.id == id }
      loaded.append(model)
    }
    return model
  }

  private func load(_ entry: ModelEntry) async throws -> ServedModel {
    makeRoom(for: entry)
    do {
      return try await read(entry)
    } catch let error as ModelFileError {
      // Memory was shorter than it seemed.
      guard unloadOldest() else { throw refused(entry, error.description) }
      do {
        return try await read(entry)
      } catch {
        throw refused(entry, "\(error)")
      }
    } catch let error as APIError {
      throw error
    } catch {
      throw refused(entry, "\(error)")
    }
  }

  private func read(_ entry: ModelEntry) async throws -> ServedModel {
    let settings = settings
    return try await Self.onItsOwnThread {
      try ServedModel(entry, try entry.load(), settings: settings)
    }
  }

  /// Reading files takes up to seconds, and requests go on meanwhile.
  private static func onItsOwnThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global(qos: .userInitiated).async {
        continuation.resume(with: Result { try body() })
      }
    }
  }

  private func refused(_ entry: ModelEntry, _ why: String) -> APIError {
    // Where the file lies is nothing that clients need to know.
    let place = entry.source.url.deletingLastPathComponent().path + "/"
    return APIError(
      .serviceUnavailable,
      "The model '\(entry.id)' could not be loaded: "
        + why.replacing(place, with: ""), type: "server_error", param: "model",
      code: "model_not_loaded")
  }

  /// Unloads what is idle until a model of such files should fit: its numbers take up to eight bytes
  /// each, in our order and in that of the kernels.
  private func makeRoom(for entry: ModelEntry) {
    while loaded.count >= limit, unloadOldest() {}
    let needed = 2 * entry.bytes * (entry.quantisation == nil ? 1 : 4)
    while let free = availableMemory(), free < needed, unloadOldest() {}
  }

  /// Unloads the model that was not used for the longest time and is not in use; false without one.
  private func unloadOldest() -> Bool {
    guard let at = loaded.firstIndex(where: { $0.users == 0 }) else { return false }
    loaded.remove(at: at)
    return true
  }
}
