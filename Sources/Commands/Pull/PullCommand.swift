import ArgumentParser
import Claims
import Foundation

/// `pull`: a model from a hub.
struct PullCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Fetch a model from a hub.",
    discussion: """
      Example:  lyceum pull HuggingFaceTB/SmolLM2-135M-Instruct
      Only the files that are read here are fetched: configuration, tokenizer and weights (safetensors),
      or one GGUF file. Each is written aside, compared with the checksum that the hub gives, and
      renamed. Run again, it goes on where it was. A token in HF_TOKEN opens what is not open to all;
      another hub is named by --endpoint or HF_ENDPOINT.
      """)

  @Argument(help: "owner/name, or owner/name@revision.") var repository: String
  @Option(help: "Folder for the files (default: models/NAME).") var out: String?
  @Option(name: .customLong("file"), help: "A file to fetch instead of the usual ones; repeat it.")
  var files: [String] = []
  @Option(help: "The hub (default: https://huggingface.co).") var endpoint: String?
  @Option(help: "Seconds of silence after which a connection counts as cut.") var timeout = 30.0
  @Flag(help: "End with one JSON line.") var json = false

  struct Result: Encodable {
    var out: String
    var commit: String
    var files: [String]
    var bytes: Int
    /// Fetched by this run.
    var fetched: Int
  }

  func validate() throws {
    guard timeout >= 1, timeout <= 86_400 else {
      throw ValidationError("--timeout must lie in 1...86,400 seconds")
    }
    if let odd = files.first(where: { $0.contains("/") || $0.hasPrefix(".") || $0.isEmpty }) {
      throw ValidationError("--file \(odd): files at the top of a repository are fetched")
    }
  }

  func run() throws {
    let address =
      endpoint ?? ProcessInfo.processInfo.environment["HF_ENDPOINT"] ?? "https://huggingface.co"
    var hub = try Hub(repository, endpoint: address)
    hub.http.timeoutSeconds = timeout
    Interrupt.install(announced: false)
    let (commit, listed) = try hub.list()
    let needed = try Hub.needed(listed, wanted: files) { [hub] file in
      try hub.http.data(hub.address(of: file, commit: commit), limit: 64 << 20) { _ in nil }
    }
    let name = hub.repository.split(separator: "/").last.map(String.init) ?? ""
    let folder = place(out ?? "models/\(name)")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw PullError("cannot make the folder \(folder.path): \(error.localizedDescription)")
    }
    let total = needed.reduce(0) { $0 + $1.bytes }
    let fetched = try fetch(needed, hub, commit, folder, total)
    if json {
      return try JSONLine.print(
        Result(
          out: folder.path, commit: commit, files: needed.map(\.name), bytes: total,
          fetched: fetched))
    }
    let isPacked = needed.count == 1 && needed[0].name.hasSuffix(".gguf")
    let model = isPacked ? folder.appendingPathComponent(needed[0].name).path : folder.path
    print("Talk to it:  lyceum chat \(model)")
  }

  /// Brings every file; the number of bytes that were not there before.
  private func fetch(
    _ files: [Hub.File], _ hub: Hub, _ commit: String, _ folder: URL, _ total: Int
  ) throws -> Int {
    let bar = ProgressBar()
    let unit = total < 10_000_000 ? 1_000 : 1_000_000
    bar.begin("pull", steps: max(1, total / unit), unit: unit == 1_000 ? "kB" : "MB")
    defer { bar.end() }
    var (done, fetched) = (0, 0)
    for file in files {
      let download = Download(
        url: hub.address(of: file, commit: commit), file: file,
        target: folder.appendingPathComponent(file.name), http: hub.http,
        onProgress: { [done] bytes in bar.update(step: (done + bytes) / unit, note: file.name) })
      if try !download.isThere() {
        try checkSpace(file, folder)
        try download.run()
        fetched += file.bytes
      }
      done += file.bytes
      bar.update(step: done / unit, note: file.name)
    }
    return fetched
  }

  private func checkSpace(_ file: Hub.File, _ folder: URL) throws {
    let values = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
    guard let free = (values?[.systemFreeSize] as? NSNumber)?.intValue, free < file.bytes else {
      return
    }
    throw PullError(
      "\(file.name) takes \(Format.bytes(Double(file.bytes))), and \(folder.path) has "
        + "\(Format.bytes(Double(free))) left: make room, or choose another --out")
  }
}
