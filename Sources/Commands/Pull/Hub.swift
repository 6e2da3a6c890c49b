import Foundation
import ModelFiles

/// A repository of a model hub, as Hugging Face's is: a list of files at a commit, and the files.
struct Hub: Sendable {
  /// A file of a repository.
  struct File: Sendable, Equatable {
    var name: String
    var bytes: Int
    /// SHA-256 of large files, or the id that git has for small ones; nil where the hub says neither.
    var checksum: Checksum?
  }

  enum Checksum: Sendable, Equatable {
    case sha256(String)
    /// SHA-1 of "blob SIZE\0" and the bytes.
    case gitBlob(String)
  }

  let endpoint: URL
  let repository: String
  let revision: String
  var http = HTTPFetch()

  /// - Parameters:
  ///   - name: "owner/name" or "owner/name@revision".
  /// - Throws: ``PullError`` for what is neither, or no address.
  init(_ name: String, endpoint: String) throws {
    let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let words = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    func isPlain(_ text: Substring) -> Bool {
      !text.isEmpty && text.utf8.count <= 96 && !text.hasPrefix(".") && !text.contains("..")
        && text.utf8.allSatisfy {
          ($0 | 0x20) &- UInt8(ascii: "a") < 26 || $0 &- UInt8(ascii: "0") < 10
            || "-_.".utf8.contains($0)
        }
    }
    guard words.count == 2, words.allSatisfy(isPlain),
      parts.count == 1 || parts[1].split(separator: "/").allSatisfy(isPlain) && parts[1] != ""
    else {
      throw PullError(
        "\"\(name)\" names no repository: give owner/name, or owner/name@revision")
    }
    guard let url = URL(string: endpoint), let scheme = url.scheme,
      ["http", "https"].contains(scheme), url.host?.isEmpty == false
    else { throw PullError("\"\(endpoint)\" is no address of a hub: give https://…") }
    self.endpoint = url
    repository = String(parts[0])
    revision = parts.count > 1 ? String(parts[1]) : "main"
  }

  private struct Listing: Decodable {
    struct Entry: Decodable {
      struct Large: Decodable {
        var sha256: String?
        var size: Int?
      }
      var rfilename: String
      var size: Int?
      var blobId: String?
      var lfs: Large?
    }
    var sha: String?
    var siblings: [Entry]
  }

  /// The commit that the revision stands for, and the files at its top.
  func list() throws -> (commit: String, files: [File]) {
    let url = address("api/models/\(repository)/revision/\(revision)", query: "blobs=true")
    // Nothing is lost yet: whoever mistyped an address is not kept waiting.
    var http = http
    http.attempts = min(3, http.attempts)
    let data = try http.data(url, limit: 64 << 20) { status in
      switch status {
      case 401, 403:
        "\(repository) is not open to everyone, or does not exist: put a token of yours in HF_TOKEN"
      case 404: "\(endpoint.absoluteString) has no \(repository) with a revision \(revision)"
      default: nil
      }
    }
    guard let listing = try? JSONDecoder().decode(Listing.self, from: data) else {
      throw PullError("\(url.absoluteString) does not answer as a model hub does")
    }
    let commit = listing.sha ?? revision
    guard commit.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "?") }) else {
      throw PullError("\(url.absoluteString) names a commit that is none")
    }
    let files = listing.siblings.compactMap { entry -> File? in
      // What lies in folders is not needed, and a name is never taken for a path.
      guard !entry.rfilename.contains("/"), !entry.rfilename.contains("\0"),
        !entry.rfilename.hasPrefix("."), let size = entry.lfs?.size ?? entry.size, size >= 0
      else { return nil }
      let checksum =
        entry.lfs?.sha256.map { Checksum.sha256($0.lowercased()) }
        ?? entry.blobId.map { .gitBlob($0.lowercased()) }
      return File(name: entry.rfilename, bytes: size, checksum: checksum)
    }
    return (commit, files)
  }

  func address(of file: File, commit: String) -> URL {
    address("\(repository)/resolve/\(commit)/\(file.name)")
  }

  private func address(_ path: String, query: String? = nil) -> URL {
    var url = endpoint
    for part in path.split(separator: "/") { url.appendPathComponent(String(part)) }
    guard let query, var parts = URLComponents(url: url, resolvingAgainstBaseURL: false) else {
      return url
    }
    parts.query = query
    return parts.url ?? url
  }

  /// The files that this program reads: configuration, tokenizer and weights, or one GGUF file.
  ///
  /// - Parameters:
  ///   - wanted: the names that the caller asks for; empty to choose.
  ///   - index: the text of model.safetensors.index.json, where the weights are in parts.
  static func needed(_ files: [File], wanted: [String], index: (File) throws -> Data) throws
    -> [File]
  {
    func find(_ name: String) -> File? { files.first { $0.name == name } }
    if !wanted.isEmpty {
      return try wanted.map { name in
        guard let file = find(name) else {
          throw PullError("there is no \(name), only \(names(files))")
        }
        return file
      }
    }
    var chosen = [
      "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
      "special_tokens_map.json", "chat_template.jinja",
    ].compactMap(find)
    if let weights = find("model.safetensors") {
      chosen.append(weights)
    } else if let parts = find("model.safetensors.index.json") {
      chosen.append(parts)
      for name in try shards(index(parts)) {
        guard let file = find(name) else {
          throw PullError("the index names \(name), which is not there")
        }
        chosen.append(file)
      }
    } else {
      let packed = files.filter { $0.name.lowercased().hasSuffix(".gguf") }
      guard packed.count <= 1 else {
        throw PullError("there are several GGUF files: choose one with --file, \(names(packed))")
      }
      guard let file = packed.first else {
        throw PullError(
          "there are no weights that are read here (model.safetensors or .gguf), only "
            + names(files))
      }
      return [file]
    }
    guard find("config.json") != nil else {
      throw PullError("there is no config.json beside the weights: this is no model folder")
    }
    return chosen
  }

  /// The files of an index. A name that leaves the folder is refused.
  private static func shards(_ index: Data) throws -> [String] {
    struct Index: Decodable { var weight_map: [String: String] }
    guard let map = try? JSONDecoder().decode(Index.self, from: index).weight_map else {
      throw PullError("model.safetensors.index.json is no index of weights")
    }
    return Set(map.values).sorted()
  }

  private static func names(_ files: [File]) -> String {
    let shown = files.map(\.name).sorted().prefix(12).joined(separator: ", ")
    return files.count > 12 ? shown + " …" : shown.isEmpty ? "no file at all" : shown
  }
}

/// Why nothing, or not all, was fetched, in a sentence.
struct PullError: Error, CustomStringConvertible, Equatable {
  let description: String
  init(_ description: String) { self.description = description }
}
