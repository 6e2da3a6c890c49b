import Foundation
import LanguageModel
import ModelFiles

/// The models of the places that the server was given: looked for anew now and then, since runs write
/// checkpoints and people move files.
struct ModelCatalogue: Sendable {
  /// Model folders, GGUF files, runs, or folders of any of these.
  let places: [URL]

  /// All that can be served, by id. Files are read only as far as that needs.
  func scan() -> [ModelEntry] {
    var entries: [ModelEntry] = []
    for place in places { entries += self.entries(of: place) }
    var seen: Set<String> = []
    return entries.filter { seen.insert($0.id).inserted }
  }

  private func entries(of place: URL) -> [ModelEntry] {
    if place.pathExtension.lowercased() == "gguf" {
      return Self.gguf(place, id: place.deletingPathExtension().lastPathComponent).map { [$0] }
        ?? []
    }
    let place = place.standardizedFileURL
    // A folder of runs names none of its models; a run or a model gives them its own name.
    let isContainer = !Self.isModelOrRun(place)
    return RunScan(root: place).entries(
      in: place, path: isContainer ? [] : [place.lastPathComponent])
  }

  private static func isModelOrRun(_ url: URL) -> Bool {
    ["config.json", "checkpoints", "model", "e1", "recipe.json"].contains {
      FileManager.default.fileExists(atPath: url.appendingPathComponent($0).path)
    }
  }

  static func gguf(_ url: URL, id: String) -> ModelEntry? {
    guard GGUFFile.isOne(url), let file = try? GGUFFile(url) else { return nil }
    let hasTemplate = ((try? file.string("tokenizer.chat_template")) ?? nil) != nil
    return ModelEntry(
      id: id, source: .gguf(url), kind: hasTemplate ? .chat : .base,
      created: RunScan.written(url), bytes: file.byteCount)
  }
}

/// Finds the models in a tree of folders.
private struct RunScan {
  let root: URL
  private let files = FileManager.default

  init(root: URL) { self.root = root }

  /// - Parameter path: the names that the ids of `folder`'s models begin with.
  func entries(in folder: URL, path: [String], depth: Int = 0) -> [ModelEntry] {
    let names = ((try? files.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    var out: [ModelEntry] = []
    let stage = self.stage(folder)
    let isServed = stage.map(Self.isServed) ?? true
    if isServed, !path.isEmpty {
      if names.contains("checkpoints") {
        out += checkpoints(folder, path: path, stage: stage)
      }
      if names.contains("config.json"), names.contains("tokenizer.json") {
        out += model(folder, path: path, stage: stage)
      } else if names.contains("model"), !names.contains("checkpoints") || out.isEmpty {
        out += model(folder.appendingPathComponent("model"), path: path, stage: stage)
      }
    }
    for name in names where name.lowercased().hasSuffix(".gguf") {
      let id = Self.id(path + [String(name.dropLast(5))])
      let url = folder.appendingPathComponent(name)
      out += ModelCatalogue.gguf(url, id: id).map { [$0] } ?? []
    }
    guard depth < 4, isServed else { return out }
    let inner = names.filter { name in
      let isOther = ["model", "checkpoints", "snapshots", "exams"].contains(name)
      return !isOther && !name.hasPrefix(".") && isFolder(folder.appendingPathComponent(name))
    }
    for name in inner {
      out += entries(
        in: folder.appendingPathComponent(name), path: path + [name], depth: depth + 1)
    }
    return out
  }

  /// Stages whose models continue or answer texts.
  private static func isServed(_ stage: String) -> Bool {
    stage != "reward" && stage != "stream" && !stage.hasPrefix("game")
  }

  /// The ladder's models are the tour's: what it read, imitated and practised.
  private static func id(_ path: [String]) -> String {
    var path = path
    if path.count > 1, path[1] == "e1" { path.remove(at: 1) }
    if path.count > 1, path[path.count - 1] == "pretrain" { path[path.count - 1] = "base" }
    return path.joined(separator: "/")
  }

  private func model(_ folder: URL, path: [String], stage: String?) -> [ModelEntry] {
    let config = folder.appendingPathComponent("config.json")
    guard files.fileExists(atPath: config.path) else { return [] }
    let own = ["tokenizer_config.json", "chat_template.jinja"].contains { name in
      let text = try? String(
        contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      return name.hasSuffix(".jinja") ? text != nil : text?.contains("\"chat_template\"") == true
    }
    return [
      ModelEntry(
        id: Self.id(path), source: .folder(folder),
        kind: own && stage != "pretrain" ? .chat : .base, created: Self.written(config),
        bytes: size(folder))
    ]
  }

  /// The newest checkpoint under the id of the run, and every one under `id@step-N`.
  private func checkpoints(_ run: URL, path: [String], stage: String?) -> [ModelEntry] {
    guard let tokenizer = tokenizer(of: run) else { return [] }
    let folder = run.appendingPathComponent("checkpoints")
    let names = (try? files.contentsOfDirectory(atPath: folder.path)) ?? []
    let steps = names.compactMap { $0.hasPrefix("step-") ? Int($0.dropFirst(5)) : nil }.sorted()
    let kind: ModelEntry.Kind = stage == "pretrain" ? .base : .chat
    var out: [ModelEntry] = []
    for step in steps {
      let url = folder.appendingPathComponent("step-\(step)")
      let weights = url.appendingPathComponent("model.safetensors")
      guard files.fileExists(atPath: weights.path) else { continue }
      out.append(
        ModelEntry(
          id: "\(Self.id(path))@step-\(step)", source: .checkpoint(url, tokenizer: tokenizer),
          kind: kind, created: Self.written(weights), bytes: size(url)))
    }
    guard var newest = out.last else { return [] }
    newest.id = Self.id(path)
    let whole = run.appendingPathComponent("model/config.json")
    if files.fileExists(atPath: whole.path) {
      newest.source = .folder(run.appendingPathComponent("model"))
    }
    return [newest] + out
  }

  private func tokenizer(of run: URL) -> URL? {
    let up = run.deletingLastPathComponent()
    return [
      run.appendingPathComponent("tokenizer.json"),
      run.appendingPathComponent("model/tokenizer.json"),
      up.appendingPathComponent("tokenizer.json"),
    ].first { files.fileExists(atPath: $0.path) }
  }

  private struct Recipe: Decodable {
    struct Inner: Decodable { var stage: String? }
    var recipe: Inner
  }

  /// The stage that made the run of a folder; nil where no recipe says it.
  private func stage(_ folder: URL) -> String? {
    let url = folder.appendingPathComponent("recipe.json")
    guard let data = try? Data(contentsOf: url) else { return nil }
    return (try? JSONDecoder().decode(Recipe.self, from: data))?.recipe.stage
  }

  private func isFolder(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return files.fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue
  }

  private func size(_ folder: URL) -> Int {
    let names = (try? files.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".safetensors") && $0 != "optimizer.safetensors" }
      .reduce(0) { total, name in
        let path = folder.appendingPathComponent(name).path
        return total + (((try? files.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0)
      }
  }

  static func written(_ url: URL) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    return Int((attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0)
  }
}
