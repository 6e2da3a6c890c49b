import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import TemplateLanguage

/// Asks the server's own routes, as a client would, without a connection.
struct Probe: Sendable {
  let site: Site
  /// A model that continues texts, and one that answers in conversations; nil where none is served.
  let base: String?
  let chat: String?

  struct Answer: Sendable {
    var status: Int
    var headers: HTTPFields
    var body: Data

    /// The body, or what `data:` says in each event but the last, `[DONE]`.
    var json: JSONValue {
      get throws {
        do {
          return try JSONValue(body)
        } catch {
          throw Failure("the body is no JSON: \(text.prefix(200))")
        }
      }
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    var data: [String] {
      text.components(separatedBy: "\n\n").compactMap { event in
        event.split(separator: "\n").first { $0.hasPrefix("data: ") }.map {
          String($0.dropFirst(6))
        }
      }
    }

    var events: [JSONValue] {
      get throws { try data.filter { $0 != "[DONE]" }.map { try JSONValue($0.utf8) } }
    }
  }

  /// What a row of the table found wrong.
  struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  func get(_ path: String) async throws -> Answer { try await send(.get, path, nil) }

  /// - Parameter fields: JSON members, without the braces; `$base` and `$chat` stand for models.
  func post(_ path: String, _ fields: String) async throws -> Answer {
    try await send(.post, path, "{\(fields)}")
  }

  func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: String?, headers: HTTPFields = [:]
  ) async throws -> Answer {
    var text = body ?? ""
    if text.contains("$base") {
      guard let base else { throw Skipped("no base model is served") }
      text = text.replacing("$base", with: base)
    }
    if text.contains("$chat") {
      guard let chat else { throw Skipped("no chat model is served") }
      text = text.replacing("$chat", with: chat)
    }
    var fields = headers
    if method == .post, fields[.contentType] == nil { fields[.contentType] = "application/json" }
    if let key = site.settings.apiKey, fields[.authorization] == nil {
      fields[.authorization] = "Bearer \(key)"
    }
    let head = HTTPRequest(
      method: method, scheme: "http", authority: site.guardian.authority, path: path,
      headerFields: fields)
    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: text)))
    let response = await site.respond(to: request, Connection())
    let collected = Collected()
    try await response.body.write(Collector(into: collected))
    return Answer(
      status: response.status.code, headers: response.headers, body: collected.data)
  }

  /// A row that says nothing on this server.
  struct Skipped: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }
}

/// The bytes of a reply. One task writes them, and reads them afterwards.
private final class Collected: @unchecked Sendable { var data = Data() }

private struct Collector: ResponseBodyWriter {
  let collected: Collected
  init(into collected: Collected) { self.collected = collected }

  mutating func write(_ buffer: ByteBuffer) async throws {
    collected.data += Data(buffer.readableBytesView)
  }

  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

extension JSONValue {
  /// What stands at a path like "choices.0.text"; nil where nothing does.
  func at(_ path: String) -> JSONValue? {
    var value = self
    for part in path.split(separator: ".") {
      if let index = Int(part), let items = value.array {
        guard items.indices.contains(index) else { return nil }
        value = items[index]
      } else {
        guard let next = value[String(part)] else { return nil }
        value = next
      }
    }
    return value
  }

  var number: Double? {
    switch self {
    case .int(let number): Double(number)
    case .double(let number): number
    default: nil
    }
  }
}

/// Throws a failure that says what was expected.
func expect(_ condition: Bool, _ what: @autoclosure () -> String) throws {
  guard condition else { throw Probe.Failure(what()) }
}
