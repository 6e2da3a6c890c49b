import Foundation
import TemplateLanguage
import Testing

@testable import Serving

/// What only shows on a real connection.
@Suite(.serialized) struct SocketTests {
  private static let long =
    #"{"model":"base","prompt":"a","max_tokens":400,"ignore_eos":true,"stream":true}"#

  private func health(_ port: Int) async throws -> Bool {
    let client = try Client(port: port)
    await client.send(request("GET", "/health", port: port))
    return await client.receive(until: "}").hasPrefix("HTTP/1.1 200")
  }

  @Test("what is no HTTP, or too much of it, is refused and harms nobody")
  func hostile() async throws {
    try await withServer { port, _ in
      let host = "Host: localhost:\(port)\r\n"
      let json = "Content-Type: application/json\r\n"
      let cases: [(String, String, [String])] = [
        ("no HTTP", "hello\r\n\r\n", ["400"]),
        ("another version", "GET /health HTTP/9.9\r\n\(host)\r\n", ["400"]),
        (
          "a large header",
          "GET /health HTTP/1.1\r\n\(host)X: \(String(repeating: "a", count: 100_000))\r\n\r\n",
          ["431", "400"]
        ),
        (
          "many headers",
          "GET /health HTTP/1.1\r\n\(host)\((0..<1001).map { "X\($0): a\r\n" }.joined())\r\n",
          ["431", "400"]
        ),
        (
          "two lengths",
          "POST /v1/completions HTTP/1.1\r\n\(host)\(json)Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
          ["400"]
        ),
        (
          "length and chunks",
          "POST /v1/completions HTTP/1.1\r\n\(host)\(json)Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          ["400"]
        ),
        (
          "a negative length",
          "POST /v1/completions HTTP/1.1\r\n\(host)\(json)Content-Length: -1\r\n\r\n", ["400"]
        ),
        ("an unknown method", "BREW /health HTTP/1.1\r\n\(host)\r\n", ["405", "400"]),
        ("no host", "GET /health HTTP/1.1\r\n\r\n", ["403", "400"]),
        ("a blank in a header's name", "GET /health HTTP/1.1\r\n\(host)A B: c\r\n\r\n", ["400"]),
        (
          "too long a body by its header",
          "POST /v1/completions HTTP/1.1\r\n\(host)\(json)Content-Length: 2097153\r\n\r\n", ["413"]
        ),
        (
          "no JSON by its header",
          "POST /v1/completions HTTP/1.1\r\n\(host)Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
          ["415"]
        ),
        (
          "invalid UTF-8",
          "POST /v1/completions HTTP/1.1\r\n\(host)\(json)Content-Length: 6\r\n\r\n{\"a\u{0}\"}",
          ["400"]
        ),
      ]
      for (name, text, statuses) in cases {
        let client = try Client(port: port)
        await client.send(text)
        let answer = await client.receive(until: "}}")
        let status = String(answer.split(separator: " ").dropFirst().first ?? "none")
        #expect(statuses.contains(status), "\(name): \(answer.prefix(300))")
        #expect(answer.contains("\"message\""), "\(name): \(answer.prefix(300))")
        #expect(try await health(port), "after \(name)")
      }
    }
  }

  @Test("chunks without end are cut off at the limit of a body")
  func endless() async throws {
    try await withServer { port, _ in
      let client = try Client(port: port)
      await client.send(
        request(
          "POST", "/v1/completions", port: port,
          headers: ["Content-Type: application/json", "Transfer-Encoding: chunked"]))
      let chunk = "10000\r\n" + String(repeating: "a", count: 0x10000) + "\r\n"
      async let answer = client.receive(until: "}}")
      for _ in 0..<40 { await client.send(chunk) }
      #expect(await answer.contains("413"))
      #expect(try await health(port))
    }
  }

  @Test("one connection serves many requests")
  func keepsAlive() async throws {
    try await withServer { port, _ in
      let client = try Client(port: port)
      for _ in 0..<3 {
        await client.send(
          request(
            "POST", "/v1/completions", port: port,
            #"{"model":"base","prompt":"a","max_tokens":2}"#))
        #expect(await client.receive(until: "total_tokens").contains("200 OK"))
      }
    }
  }

  @Test("a client that goes away, in a stream or waiting for an answer, frees its slot at once")
  func goesAway() async throws {
    try await withServer { port, _ in
      for body in [Self.long, Self.long.replacing(",\"stream\":true", with: "")] {
        for _ in 0..<6 {
          let client = try Client(port: port)
          await client.send(request("POST", "/v1/completions", port: port, body))
          if body.contains("stream") { _ = await client.receive(until: "data:") }
          client.hangUp()
        }
        var isFree = false
        for _ in 0..<100 where !isFree {
          let client = try Client(port: port)
          await client.send(request("GET", "/slots", port: port))
          isFree = await client.receive(until: "]").contains("\"requests\":0")
          if !isFree { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(isFree)
      }
      let client = try Client(port: port)
      await client.send(request("GET", "/metrics", port: port))
      let metrics = await client.receive(until: "_count")
      #expect(!metrics.contains("lyceum_disconnected_total 0\n"))
    }
  }

  @Test("a full queue says when to come again")
  func overload() async throws {
    try await withServer({ ($0.slots, $0.queue) = (1, 1) }) { port, _ in
      let statuses = try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<8 {
          group.addTask {
            let client = try Client(port: port)
            await client.send(
              request(
                "POST", "/v1/completions", port: port,
                Self.long.replacing(",\"stream\":true", with: "")))
            return await client.receive(until: "\r\n\r\n")
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let refused = statuses.filter { $0.contains(" 429 ") }
      #expect(!refused.isEmpty)
      #expect(refused.allSatisfy { $0.lowercased().contains("retry-after:") })
      #expect(statuses.allSatisfy { $0.contains(" 429 ") || $0.contains(" 200 ") })
    }
  }

  @Test("the same seed gives the same bits alone and in company, streamed or not")
  func company() async throws {
    try await withServer { port, _ in
      let body =
        #"{"model":"base","prompt":"ab","max_tokens":40,"seed":11,"logprobs":2,"ignore_eos":true}"#
      func ask(_ body: String) async throws -> String {
        let client = try Client(port: port)
        await client.send(request("POST", "/v1/completions", port: port, body))
        let answer = await client.receive(until: "total_tokens")
        return String(
          answer.split(separator: "\"choices\":").last?.prefix { $0 != "}" } ?? "")
      }
      let alone = try await ask(body)
      let all = try await withThrowingTaskGroup(of: (Int, String).self) { group in
        for i in 0..<8 {
          let other = i % 2 == 0 ? body : body.replacing("11", with: "\(100 + i)")
          group.addTask { (i, try await ask(other)) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(alone.contains("logprobs"))
      for (i, answer) in all where i % 2 == 0 { #expect(answer == alone) }
      for (i, answer) in all where i % 2 == 1 { #expect(answer != alone) }
    }
  }

  @Test("a key is asked for on every route but health and the pages")
  func keys() async throws {
    try await withServer({ $0.apiKey = "secret" }) { port, _ in
      for (path, status) in [
        ("/v1/models", "401"), ("/metrics", "401"), ("/health", "200"), ("/", "200"),
      ] {
        let client = try Client(port: port)
        await client.send(request("GET", path, port: port))
        #expect(await client.receive(until: "\r\n\r\n").contains(" \(status) "), "\(path)")
      }
      let client = try Client(port: port)
      await client.send(
        request("GET", "/v1/models", port: port, headers: ["Authorization: Bearer secret"]))
      #expect(await client.receive(until: "\r\n\r\n").contains(" 200 "))
    }
  }

  @Test("pages come with their type, a tag and a strict policy")
  func pages() async throws {
    try await withServer { port, _ in
      let client = try Client(port: port)
      await client.send(request("GET", "/js/api.js", port: port))
      let head = await client.receive(until: "\r\n\r\n")
      #expect(head.contains("text/javascript") && head.contains("default-src 'none'"))
      let tag = try #require(head.firstMatch(of: /ETag: ("[0-9a-f]+")/.ignoresCase())?.1)
      let again = try Client(port: port)
      await again.send(
        request("GET", "/js/api.js", port: port, headers: ["If-None-Match: \(tag)"]))
      #expect(await again.receive(until: "\r\n\r\n").contains(" 304 "))
    }
  }

  @Test("told to stop, it cuts streams with an event that says so")
  func stops() async throws {
    try await withServer({ $0.drainSeconds = 0 }) { port, stop in
      let client = try Client(port: port)
      await client.send(
        request("POST", "/v1/completions", port: port, Self.long.replacing("400", with: "500")))
      _ = await client.receive(until: "data:")
      stop()
      let rest = await client.receive()
      #expect(rest.contains("shutting_down"), "\(rest.suffix(300))")
    }
  }

  @Test("a port in use is told in a sentence")
  func inUse() async throws {
    try await withServer { port, _ in
      let second = try Fixture.server { $0.port = port }
      await #expect(throws: ServerError.self) {
        try await second.run(stopsOnSignals: false) { _ in }
      }
    }
  }

  @Test("a model whose files go away is gone, and back when they are")
  func disappears() async throws {
    let folder = try Fixture.folder.get()
    let own = folder.deletingLastPathComponent().appendingPathComponent("lyceum-gone-\(getpid())")
    try FileManager.default.copyItem(at: folder, to: own)
    defer { try? FileManager.default.removeItem(at: own) }
    var settings = ServerSettings()
    settings.slots = 2
    let probe = Probe(site: Server(settings, places: [own]).site, base: "base", chat: "talk")
    let ask = #""model":"$base","prompt":"a","max_tokens":1"#
    #expect(try await probe.post("/v1/completions", ask).status == 200)
    let (config, aside) = (
      own.appendingPathComponent("base/model/config.json"), own.appendingPathComponent("aside")
    )
    try FileManager.default.moveItem(at: config, to: aside)
    let gone = try await probe.post("/v1/completions", ask)
    #expect(gone.status == 404 && isError(gone), "\(gone.text)")
    #expect(!gone.text.contains(own.path))
    try FileManager.default.moveItem(at: aside, to: config)
    #expect(try await probe.post("/v1/completions", ask).status == 200)
  }
}
