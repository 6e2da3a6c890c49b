import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Where a request comes from.
struct Arrival: InitializableFromSource, Sendable {
  let channel: any Channel
  let logger: Logger

  init(source: ApplicationRequestContextSource) {
    (channel, logger) = (source.channel, source.logger)
  }
}

/// What a path answers to.
struct Route: Sendable {
  let method: HTTPRequest.Method
  /// As it is in requests; a `*` at the end stands for any rest.
  let path: String
  /// Whether it is answered without a key.
  var isPublic = false
  let answer: @Sendable (Call) async throws -> Response

  func matches(_ path: String) -> Bool {
    self.path.hasSuffix("*")
      ? path.hasPrefix(self.path.dropLast()) && path.utf8.count >= self.path.utf8.count
      : path == self.path
  }
}

/// All that the server answers: checks, routes, and what every reply has.
struct Site: HTTPResponder {
  let settings: ServerSettings
  let routes: [Route]
  let guardian: Guard
  let metrics: Metrics
  let drain: Drain

  func respond(to request: Request, context: Arrival) async throws -> Response {
    await respond(to: request, try await connection(context.channel), context.logger)
  }

  /// - Parameter connection: whose going away ends what is under way.
  func respond(to request: Request, _ connection: Connection, _ logger: Logger? = nil) async
    -> Response
  {
    let begun = ContinuousClock.now
    let id = newID("req-")
    let active = ActiveRequest(metrics)
    var route: Route?
    var response: Response
    do {
      response = try await answer(request, connection, id: id, route: &route)
    } catch {
      if !(error is APIError), !(error is CancellationError) { logger?.error("\(id): \(error)") }
      response = APIError(error).response
    }
    response.headers[Self.requestID] = id
    response.headers[.xContentTypeOptions] = "nosniff"
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    for field in guardian.sharing(request.head) { response.headers.append(field) }
    if request.head.method == .head { response = response.createHeadResponse() }
    return finish(response, active, route: route?.path ?? "none", begun)
  }

  private static let requestID = HTTPField.Name("x-request-id") ?? .server

  /// Counts the request, a stream once it has ended.
  private func finish(
    _ response: Response, _ active: ActiveRequest, route: String,
    _ begun: ContinuousClock.Instant
  ) -> Response {
    let (status, metrics) = (response.status.code, metrics)
    let count = { @Sendable in
      metrics.answered(
        route: route, status: status, seconds: (ContinuousClock.now - begun) / .seconds(1))
    }
    let body = response.body
    guard body.contentLength == nil else {
      count()
      return response
    }
    var response = response
    response.body = ResponseBody { writer in
      defer {
        withExtendedLifetime(active) {}
        count()
      }
      try await body.write(writer)
    }
    return response
  }

  private func answer(
    _ request: Request, _ connection: Connection, id: String, route: inout Route?
  ) async throws -> Response {
    let parts = (request.head.path ?? "/").split(
      separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let decoded = String(parts[0]).removingPercentEncoding, decoded.hasPrefix("/"),
      !decoded.unicodeScalars.contains(where: { $0.value < 0x20 })
    else { throw APIError(.badRequest, "The path is not valid.", code: "invalid_path") }
    let path = decoded.count > 1 && decoded.hasSuffix("/") ? String(decoded.dropLast()) : decoded
    let method = request.head.method == .head ? .get : request.head.method
    let matching = routes.filter { $0.matches(path) }
    route = matching.first { $0.method == method }
    try await closing {
      try guardian.check(request.head, isPublic: route?.isPublic ?? matching.isEmpty)
    }
    if method == .options { return preflight(request, matching) }
    guard let route else {
      guard !matching.isEmpty else {
        throw APIError(.notFound, "There is nothing at \(path.prefix(200)).", code: "not_found")
      }
      let methods = Set(matching.map(\.method.rawValue)).sorted().joined(separator: ", ")
      throw APIError(
        .methodNotAllowed, "\(path.prefix(200)) answers only to \(methods).",
        code: "method_not_allowed", allow: methods)
    }
    let body = try await closing {
      if drain.isDraining, method == .post { throw APIError.shuttingDown }
      return try await readBody(request)
    }
    let call = Call(
      method: method, path: path,
      query: Call.parameters(parts.count > 1 ? parts[1] : nil), headers: request.headers,
      body: body, connection: connection, id: id)
    return try await route.answer(call)
  }

  /// What a browser asks before a page of another origin may send.
  private func preflight(_ request: Request, _ routes: [Route]) -> Response {
    let methods = Set(routes.map(\.method.rawValue)).sorted().joined(separator: ", ")
    return Response(status: .noContent, headers: [.allow: methods], body: ResponseBody())
  }

  /// The whole body, if it is JSON, not too long, and here in time.
  private func readBody(_ request: Request) async throws -> [UInt8] {
    guard request.head.method == .post || request.head.method == .delete else { return [] }
    let type = request.headers[.contentType]?.lowercased() ?? ""
    let kind = type.split(separator: ";").first?.trimmingCharacters(in: .whitespaces)
    guard kind == "application/json" else {
      throw APIError(
        .unsupportedMediaType, "Send JSON, with Content-Type: application/json.",
        code: "unsupported_media_type")
    }
    let limit = settings.bodyBytes
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
      throw tooLarge(limit)
    }
    return try await withThrowingTaskGroup(of: [UInt8].self) { group in
      group.addTask {
        var bytes: [UInt8] = []
        for try await part in request.body {
          bytes += part.readableBytesView
          if bytes.count > limit { throw tooLarge(limit) }
        }
        return bytes
      }
      group.addTask {
        try await Task.sleep(for: .seconds(settings.bodySeconds))
        throw APIError.timedOut
      }
      defer { group.cancelAll() }
      return try await group.next() ?? []
    }
  }

  private func tooLarge(_ limit: Int) -> APIError {
    APIError(
      .contentTooLarge, "The body has more than the \(limit) bytes that this server takes.",
      code: "request_too_large")
  }

  /// Runs `body`, before the request's own body was read: after an error nobody reads it any more.
  private func closing<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
      return try await body()
    } catch var error as APIError {
      error.closes = true
      throw error
    }
  }

  private func connection(_ channel: any Channel) async throws -> Connection {
    try await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self).connection
    }.get()
  }
}

/// A request under way, counted for as long as anything holds it.
final class ActiveRequest: Sendable {
  private let metrics: Metrics

  init(_ metrics: Metrics) {
    self.metrics = metrics
    metrics.began()
  }

  deinit { metrics.ended() }
}
