import Foundation
import HTTPTypes
import Hummingbird
import Synchronization

/// Checks every request before anything else looks at it. A page of another site that the user has
/// open, or one whose name was made to point here (DNS rebinding), must be able neither to read nor
/// to do anything.
final class Guard: Sendable {
  private let settings: ServerSettings
  /// The port once it is known.
  private let port: Atomic<Int>

  init(_ settings: ServerSettings) {
    self.settings = settings
    port = Atomic(settings.port)
  }

  func listening(on port: Int) { self.port.store(port, ordering: .relaxed) }

  /// Throws where the request must not be answered.
  ///
  /// - Parameter isPublic: whether it needs no key.
  func check(_ request: HTTPRequest, isPublic: Bool) throws {
    guard let host = request.authority?.lowercased(), isKnown(host),
      request.headerFields[Self.host] == nil
    else {
      throw APIError(
        .forbidden,
        "The Host header names another server. Ask for \(origin), or start the server with "
          + "--host-name.", type: "permission_error", code: "host_not_allowed")
    }
    if let origin = request.headerFields[.origin], !isAllowed(origin: origin, host: host) {
      throw APIError(
        .forbidden, "Pages of another origin may not ask. Start the server with --allow-origin.",
        type: "permission_error", code: "origin_not_allowed")
    }
    if request.headerFields[Self.site] == "cross-site", request.headerFields[.origin] == nil {
      throw APIError(
        .forbidden, "Pages of another site may not ask.", type: "permission_error",
        code: "cross_site")
    }
    if !isPublic { try checkKey(request) }
  }

  private static let host = HTTPField.Name("Host") ?? .server
  private static let site = HTTPField.Name("Sec-Fetch-Site") ?? .server

  /// Where pages of this server come from.
  private var origin: String {
    "http://\(settings.host.contains(":") ? "[\(settings.host)]" : settings.host):"
      + "\(port.load(ordering: .relaxed))"
  }

  /// A Host header that passes.
  var authority: String { String(origin.dropFirst(7)) }

  private func isKnown(_ host: String) -> Bool {
    let port = port.load(ordering: .relaxed)
    let own = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
    let names =
      ["localhost", "127.0.0.1", "[::1]", own.lowercased()]
      + settings.hostNames.map { $0.lowercased() }
    return names.contains { host == "\($0):\(port)" || (port == 80 && host == $0) }
      || settings.hostNames.contains { host == $0.lowercased() }
  }

  private func isAllowed(origin: String, host: String) -> Bool {
    origin == "http://\(host)" || settings.origins.contains(origin)
  }

  /// Headers for a page of another origin that may ask; none for others.
  func sharing(_ request: HTTPRequest) -> HTTPFields {
    guard let origin = request.headerFields[.origin], settings.origins.contains(origin) else {
      return [:]
    }
    return [
      .accessControlAllowOrigin: origin, .vary: "Origin",
      .accessControlAllowMethods: "GET, POST",
      .accessControlAllowHeaders:
        "authorization, content-type", .accessControlMaxAge: "600",
    ]
  }

  private func checkKey(_ request: HTTPRequest) throws {
    guard let key = settings.apiKey else { return }
    let header = request.headerFields[.authorization] ?? ""
    let given = header.lowercased().hasPrefix("bearer ") ? header.dropFirst(7) : ""
    guard Self.areEqual(given.trimmingCharacters(in: .whitespaces), key) else {
      throw APIError(
        .unauthorized, "The API key is missing or wrong: send it as Authorization: Bearer KEY.",
        type: "authentication_error", code: "invalid_api_key")
    }
  }

  /// Compares in a time that does not depend on where the texts differ.
  private static func areEqual(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    var difference = UInt(a.count ^ b.count)
    for i in 0..<max(a.count, b.count, 256) {
      difference |= UInt((i < a.count ? a[i] : 0) ^ (i < b.count ? b[i] : 0))
    }
    return difference == 0
  }
}
