import Foundation
import HTTPTypes
import Hummingbird

/// Server-sent events to a client, one at a time: writing waits until the client has room.
struct EventStream {
  private let write: (ByteBuffer) async throws -> Void

  init(_ write: @escaping (ByteBuffer) async throws -> Void) { self.write = write }

  /// `data:` with a value as JSON.
  func send(_ value: some Encodable) async throws {
    var buffer = ByteBuffer(string: "data: ")
    buffer.writeBytes(try json(value))
    buffer.writeString("\n\n")
    try await write(buffer)
  }

  /// As ``send(_:)``, with the name of the event.
  func send(_ name: String, _ value: some Encodable) async throws {
    var buffer = ByteBuffer(string: "event: \(name)\ndata: ")
    buffer.writeBytes(try json(value))
    buffer.writeString("\n\n")
    try await write(buffer)
  }

  /// A comment that keeps proxies from closing a silent connection.
  func ping() async throws { try await write(ByteBuffer(string: ": ping\n\n")) }

  func done() async throws { try await write(ByteBuffer(string: "data: [DONE]\n\n")) }
}

/// A reply of events. What goes wrong in `body` becomes an event of its own, since the status is sent
/// already.
///
/// - Parameter endsWithDone: whether `[DONE]` is the last event.
func events(
  endsWithDone: Bool = true, _ body: @escaping @Sendable (EventStream) async throws -> Void
) -> Response {
  let headers: HTTPFields = [
    .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache",
    HTTPField.Name("X-Accel-Buffering") ?? .via: "no",
  ]
  return Response(
    status: .ok, headers: headers,
    body: ResponseBody { writer in
      // The writer is used by this task alone, one write after another.
      let box = WriterBox(writer)
      let stream = EventStream { try await box.writer.write($0) }
      do {
        try await body(stream)
      } catch is CancellationError {
        return try await writer.finish(nil)
      } catch let error as APIError {
        try await stream.send(error.body)
      }
      if endsWithDone { try await stream.done() }
      try await writer.finish(nil)
    })
}

private final class WriterBox {
  var writer: any ResponseBodyWriter
  init(_ writer: any ResponseBodyWriter) { self.writer = writer }
}
