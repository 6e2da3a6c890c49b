import Dispatch
import Foundation
import Synchronization

@testable import Serving

#if canImport(Glibc)
import Glibc
#endif

/// A server that listens, for as long as `body` runs.
func withServer<Value: Sendable>(
  _ change: (inout ServerSettings) -> Void = { _ in },
  _ body:
    @escaping @Sendable (_ port: Int, _ stop: @escaping @Sendable () -> Void) async throws ->
    Value
) async throws -> Value {
  let server = try Fixture.server(change)
  let (ports, found) = AsyncStream.makeStream(of: Int.self)
  let task = Task {
    try await server.run(stopsOnSignals: false) { found.yield($0) }
    found.finish()
  }
  defer { task.cancel() }
  for await port in ports {
    return try await body(port) { task.cancel() }
  }
  throw ServerError("the server did not begin")
}

/// A connection that sends what it is told, valid or not.
final class Client: Sendable {
  private let socket: Int32

  init(port: Int) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw ServerError("cannot connect: errno \(errno)") }
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(socket) }

  func send(_ text: String) async {
    await onAThread { socket in
      let bytes = Array(text.utf8)
      var at = 0
      while at < bytes.count {
        let sent = bytes[at...].withUnsafeBytes {
          Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent > 0 else { return }
        at += sent
      }
    }
  }

  /// What comes until `mark`, the end, or for 20 seconds.
  func receive(until mark: String? = nil) async -> String {
    await onAThread { socket in
      var data: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { break }
        data += buffer[..<count]
        if let mark, String(decoding: data, as: UTF8.self).contains(mark) { break }
      }
      return String(decoding: data, as: UTF8.self)
    }
  }

  /// Closes without a word, as a client that dies does.
  func hangUp() { shutdown(socket, Int32(SHUT_RDWR)) }

  /// Blocking calls must not hold up the threads of the server under test.
  private func onAThread<Value: Sendable>(_ body: @escaping @Sendable (Int32) -> Value) async
    -> Value
  {
    await withCheckedContinuation { done in
      DispatchQueue.global().async { [socket] in done.resume(returning: body(socket)) }
    }
  }
}

/// A whole request.
func request(
  _ method: String = "POST", _ path: String, port: Int, _ body: String = "",
  headers: [String] = []
) -> String {
  let lines =
    ["\(method) \(path) HTTP/1.1", "Host: localhost:\(port)"] + headers
    + (body.isEmpty
      ? [] : ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"])
  return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
}
