import Foundation
import Synchronization
import Testing

@testable import Commands

#if canImport(Glibc)
import Glibc

/// A server on a free port of this machine whose answers are made from requests.
private final class HubServer: Sendable {
  /// What is sent for a request: bytes, then perhaps silence, then the end of the connection.
  struct Reply: Sendable {
    var bytes: [UInt8]
    var silence = 0.0

    init(_ status: Int, _ fields: [String: String] = [:], body: [UInt8] = [], length: Int? = nil) {
      var head = "HTTP/1.1 \(status) X\r\nConnection: close\r\n"
      for (name, value) in fields { head += "\(name): \(value)\r\n" }
      head += "Content-Length: \(length ?? body.count)\r\n\r\n"
      bytes = Array(head.utf8) + body
    }

    init(_ status: Int, json: String) { self.init(status, body: Array(json.utf8)) }
  }

  struct Request: Sendable {
    var path: String
    var fields: [String: String]
    /// How often this path was asked for before.
    var before: Int
  }

  let port: UInt16
  let requests = Mutex<[Request]>([])
  private let listener: Int32

  init(_ reply: @escaping @Sendable (Request, UInt16) -> Reply) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && listen(listener, 16) == 0
          && getsockname(listener, $0, &size) == 0
      }
    }
    try #require(isOpen)
    (self.listener, port) = (listener, UInt16(bigEndian: address.sin_port))
    Thread { [self] in serve(reply) }.start()
  }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  func asked(_ path: String) -> [Request] {
    requests.withLock { $0.filter { $0.path.hasPrefix(path) } }
  }

  private func serve(_ reply: @escaping @Sendable (Request, UInt16) -> Reply) {
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { return }
      Thread { [self] in
        defer { close(connection) }
        guard let request = read(connection) else { return }
        let answer = reply(request, port)
        var sent = 0
        answer.bytes.withUnsafeBytes { bytes in
          while sent < bytes.count {
            let count = send(
              connection, bytes.baseAddress.map { $0 + sent }, bytes.count - sent,
              Int32(MSG_NOSIGNAL))
            guard count > 0 else { return }
            sent += count
          }
        }
        if answer.silence > 0 { usleep(UInt32(answer.silence * 1e6)) }
      }.start()
    }
  }

  private func read(_ connection: Int32) -> Request? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while !String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") {
      let count = recv(connection, &chunk, chunk.count, 0)
      guard count > 0 else { return nil }
      bytes += chunk[..<count]
    }
    let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
    let path = lines[0].split(separator: " ").dropFirst().first.map(String.init) ?? ""
    var fields: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon].lowercased()] = line[line.index(after: colon)...]
        .trimmingCharacters(in: .whitespaces)
    }
    return requests.withLock { all in
      let request = Request(
        path: path, fields: fields, before: all.count { $0.path == path })
      all.append(request)
      return request
    }
  }
}

@Suite("Pull", .serialized)
struct PullTests {
  private static let weights = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
  private static let config = Array("{\"model_type\": \"llama\"}".utf8)

  private static func sha256(_ bytes: [UInt8]) -> String {
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.hexadecimal()
  }

  private static func listing(sha256: String? = nil, extra: String = "") -> String {
    let blob = config.withUnsafeBytes { SHA1.ofGitBlob($0) }
    return """
      {"sha": "abc123", "siblings": [
        {"rfilename": "README.md", "size": 5, "blobId": "00"},
        {"rfilename": "onnx/model.onnx", "size": 5}, {"rfilename": "../evil.json", "size": 5},
        {"rfilename": "config.json", "size": \(config.count), "blobId": "\(blob)"},
        {"rfilename": "model.safetensors", "size": \(weights.count), "blobId": "11",
         "lfs": {"sha256": "\(sha256 ?? Self.sha256(weights))", "size": \(weights.count)}}\(extra)]}
      """
  }

  /// The hub as it should be; `change` may answer in its place.
  private static func hub(
    _ change: @escaping @Sendable (HubServer.Request, UInt16) -> HubServer.Reply? = { _, _ in nil }
  ) throws -> HubServer {
    try HubServer { request, port in
      if let reply = change(request, port) { return reply }
      switch request.path {
      case "/api/models/a/b/revision/main?blobs=true": return .init(200, json: listing())
      case "/a/b/resolve/abc123/config.json": return .init(200, body: config)
      case "/a/b/resolve/abc123/model.safetensors": return file(request)
      default: return .init(404)
      }
    }
  }

  /// The weights, or the part that a request asks for.
  private static func file(_ request: HubServer.Request, etag: String = "\"v1\"")
    -> HubServer.Reply
  {
    let range = request.fields["range"].flatMap { Int($0.dropFirst(6).dropLast()) }
    guard let start = range, request.fields["if-range"] ?? etag == etag else {
      return .init(200, ["ETag": etag], body: weights)
    }
    guard start < weights.count else { return .init(416) }
    return .init(
      206,
      ["ETag": etag, "Content-Range": "bytes \(start)-\(weights.count - 1)/\(weights.count)"],
      body: Array(weights[start...]))
  }

  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("lyceum-pull-\(UUID().uuidString)")

  /// Runs the verb; the sentence of its error, empty for none.
  private func pull(_ server: HubServer, _ name: String = "a/b", _ more: [String] = []) -> String {
    do {
      let command = try PullCommand.parse(
        [
          name, "--endpoint", "http://127.0.0.1:\(server.port)", "--out", folder.path, "--timeout",
          "1", "--json",
        ] + more)
      try command.run()
      return ""
    } catch {
      return PullCommand.message(for: error)
    }
  }

  private func content(_ name: String) -> [UInt8]? {
    (try? Data(contentsOf: folder.appendingPathComponent(name))).map { Array($0) }
  }

  private func names() -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
  }

  private func isWhole() -> Bool {
    content("model.safetensors") == Self.weights && content("config.json") == Self.config
      && names() == ["config.json", "model.safetensors"]
  }

  @Test("what is needed is fetched, and not again")
  func whole() throws {
    let server = try Self.hub()
    defer { server.stop() }
    #expect(pull(server).isEmpty)
    #expect(isWhole())
    #expect(pull(server).isEmpty)
    #expect(server.asked("/a/b/resolve").count == 2)
    // A file that was changed is fetched again.
    try Data(Self.config.reversed()).write(to: folder.appendingPathComponent("config.json"))
    #expect(pull(server).isEmpty)
    #expect(isWhole() && server.asked("/a/b/resolve").count == 3)
  }

  @Test("a connection that is cut goes on where it was")
  func cut() throws {
    let server = try Self.hub { request, _ in
      guard request.path.hasSuffix("model.safetensors"), request.before < 3 else { return nil }
      let start = request.fields["range"].flatMap { Int($0.dropFirst(6).dropLast()) } ?? 0
      let fields = [
        "ETag": "\"v1\"",
        "Content-Range": "bytes \(start)-\(Self.weights.count - 1)/\(Self.weights.count)",
      ]
      return .init(
        start == 0 ? 200 : 206, fields, body: Array(Self.weights[start..<start + 50_000]),
        length: Self.weights.count - start)
    }
    defer { server.stop() }
    #expect(pull(server).isEmpty)
    #expect(isWhole())
    let asked = server.asked("/a/b/resolve/abc123/model.safetensors")
    #expect(
      asked.map { $0.fields["range"] ?? "" } == [
        "", "bytes=50000-", "bytes=100000-", "bytes=150000-",
      ])
    #expect(asked[1].fields["if-range"] == "\"v1\"")
  }

  @Test("what an earlier run left is gone on from, or dropped where the file is another by now")
  func resumed() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let part = folder.appendingPathComponent("model.safetensors.part")
    let mark = folder.appendingPathComponent("model.safetensors.part.etag")
    for etag in ["\"v1\"", "\"v0\""] {
      try Data(Self.weights[..<70_000]).write(to: part)
      try Data(etag.utf8).write(to: mark)
      let server = try Self.hub()
      defer { server.stop() }
      #expect(pull(server).isEmpty)
      #expect(isWhole())
      #expect(
        server.asked("/a/b/resolve/abc123/model")[0].fields["range"] == "bytes=70000-")
      try FileManager.default.removeItem(at: folder.appendingPathComponent("model.safetensors"))
    }
    // Longer than the file, and as long with other bytes.
    for length in [Self.weights.count + 9, Self.weights.count] {
      try Data(repeating: 7, count: length).write(to: part)
      let server = try Self.hub()
      defer { server.stop() }
      let first = pull(server)
      #expect(length > Self.weights.count ? first.isEmpty : first.contains("other bytes"))
      #expect(pull(server).isEmpty && isWhole())
      try FileManager.default.removeItem(at: folder.appendingPathComponent("model.safetensors"))
    }
  }

  @Test("a server that refuses to go on is asked for the whole")
  func refusedRange() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(Self.weights[..<70_000]).write(
      to: folder.appendingPathComponent("model.safetensors.part"))
    let server = try Self.hub { request, _ in
      request.path.hasSuffix("safetensors") && request.fields["range"] != nil ? .init(416) : nil
    }
    defer { server.stop() }
    #expect(pull(server).isEmpty && isWhole())
  }

  @Test("other bytes than the hub says are not kept")
  func checksum() throws {
    let server = try Self.hub { request, _ in
      request.path.hasPrefix("/api")
        ? .init(200, json: Self.listing(sha256: Self.sha256(Self.config))) : nil
    }
    defer { server.stop() }
    #expect(pull(server).contains("model.safetensors came with other bytes"))
    #expect(names() == ["config.json"])
  }

  @Test("a redirect is followed, and the token does not go with it")
  func redirects() throws {
    let other = try HubServer { request, _ in Self.file(request) }
    let server = try Self.hub { request, _ in
      request.path.hasSuffix("safetensors")
        ? .init(302, ["Location": "http://localhost:\(other.port)/blob"]) : nil
    }
    defer {
      server.stop()
      other.stop()
    }
    setenv("HF_TOKEN", "secret", 1)
    defer { unsetenv("HF_TOKEN") }
    #expect(pull(server).isEmpty && isWhole())
    #expect(server.asked("/a/b").allSatisfy { $0.fields["authorization"] == "Bearer secret" })
    #expect(other.asked("/blob").count == 1)
    #expect(other.asked("/blob").allSatisfy { $0.fields["authorization"] == nil })
  }

  @Test("a server that falls silent is asked again")
  func slow() throws {
    let server = try Self.hub { request, _ in
      guard request.path.hasSuffix("safetensors"), request.before == 0 else { return nil }
      var reply = HubServer.Reply(
        200, ["ETag": "\"v1\""], body: Array(Self.weights[..<9_000]), length: Self.weights.count)
      reply.silence = 4
      return reply
    }
    defer { server.stop() }
    #expect(pull(server).isEmpty && isWhole())
    #expect(server.asked("/a/b/resolve/abc123/model").count == 2)
  }

  @Test(
    "what a hub refuses is one sentence",
    arguments: [
      (401, "HF_TOKEN"), (403, "HF_TOKEN"), (404, "has no a/b with a revision main"),
      (500, "500 (3 attempts)"), (200, "does not answer as a model hub"),
    ])
  func refusals(status: Int, sentence: String) throws {
    let server = try HubServer { _, _ in .init(status, json: "<html>") }
    defer { server.stop() }
    var hub = try Hub("a/b", endpoint: "http://127.0.0.1:\(server.port)")
    hub.http.pauseSeconds = 0.01
    let error = #expect(throws: PullError.self) { try hub.list() }
    #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
  }

  @Test("a file that is listed and not there, or longer than listed, is named")
  func missing() throws {
    let long = try Self.hub { request, _ in
      request.path.hasSuffix("config.json") ? .init(200, body: Self.config + [1, 2, 3]) : nil
    }
    defer { long.stop() }
    #expect(pull(long).contains("config.json is longer than"))
    let gone = try Self.hub { request, _ in
      request.path.hasSuffix("safetensors") ? .init(404) : nil
    }
    defer { gone.stop() }
    #expect(pull(gone).contains("model.safetensors is listed but not there"))
  }

  @Test("the files that are needed are chosen by what there is")
  func choice() throws {
    func files(_ names: String...) -> [Hub.File] { names.map { Hub.File(name: $0, bytes: 1) } }
    func chosen(_ files: [Hub.File], _ wanted: [String] = [], index: String = "{}") throws
      -> [String]
    {
      try Hub.needed(files, wanted: wanted) { _ in Data(index.utf8) }.map(\.name)
    }
    #expect(
      try chosen(files("README.md", "tokenizer.json", "model.safetensors", "config.json", "a.gguf"))
        == ["config.json", "tokenizer.json", "model.safetensors"])
    let parts = files(
      "config.json", "model.safetensors.index.json", "x-1.safetensors", "x-2.safetensors")
    let index = "{\"weight_map\": {\"a\": \"x-1.safetensors\", \"b\": \"x-2.safetensors\"}}"
    #expect(
      try chosen(parts, index: index) == [
        "config.json", "model.safetensors.index.json", "x-1.safetensors", "x-2.safetensors",
      ])
    #expect(try chosen(files("m.gguf", "README.md")) == ["m.gguf"])
    #expect(try chosen(files("m.gguf", "n.gguf"), ["n.gguf"]) == ["n.gguf"])
    #expect(throws: PullError.self) { try chosen(files("m.gguf", "n.gguf")) }
    #expect(throws: PullError.self) { try chosen(files("pytorch_model.bin", "config.json")) }
    #expect(throws: PullError.self) { try chosen(files("model.safetensors")) }
    #expect(throws: PullError.self) { try chosen(parts, index: "[]") }
    #expect(throws: PullError.self) {
      try chosen(parts, index: "{\"weight_map\": {\"a\": \"../x.safetensors\"}}")
    }
    for odd in ["a", "a/b/c", "a/", "/b", "../b", "a/..", "a/b@", "a/b c", "a/b@../x", "a/.b"] {
      #expect(throws: PullError.self, "\(odd)") { try Hub(odd, endpoint: "http://h") }
    }
    #expect(throws: PullError.self) { try Hub("a/b", endpoint: "ftp://h") }
    #expect(try Hub("a/b@refs/pr/1", endpoint: "https://h").revision == "refs/pr/1")
  }

  @Test("checksums are those of the standards")
  func checksums() {
    #expect(
      Self.sha256(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(
      Self.sha256(million) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    var piecewise = SHA256()
    for part in stride(from: 0, to: million.count, by: 777) {
      million[part..<min(million.count, part + 777)].withUnsafeBytes { piecewise.update($0) }
    }
    #expect(piecewise.hexadecimal() == Self.sha256(million))
    // `printf abc | git hash-object --stdin`
    #expect(
      Array("abc".utf8).withUnsafeBytes { SHA1.ofGitBlob($0) }
        == "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f")
    #expect(
      [UInt8]().withUnsafeBytes { SHA1.ofGitBlob($0) }
        == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
  }
}
#endif
