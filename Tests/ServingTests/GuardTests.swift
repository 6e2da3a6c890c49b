import HTTPTypes
import Testing

@testable import Serving

/// Which Host, Origin and Sec-Fetch-Site may ask.
@Suite struct GuardTests {
  private func verdict(
    _ host: String?, _ headers: HTTPFields = [:], method: HTTPRequest.Method = .get,
    _ change: (inout ServerSettings) -> Void = { _ in }
  ) throws -> String {
    var settings = ServerSettings()
    change(&settings)
    let head = HTTPRequest(
      method: method, scheme: "http", authority: host, path: "/v1/models", headerFields: headers)
    do {
      try Guard(settings).check(head, isPublic: false)
      return "ok"
    } catch let error as APIError {
      return error.code ?? ""
    }
  }

  @Test(
    "hosts that are this machine",
    arguments: [
      "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:8080",
    ]) func known(_ host: String) throws
  { #expect(try verdict(host) == "ok") }

  @Test(
    "hosts that are not",
    arguments: [
      nil, "", ":8080", "localhost", "localhost:80", "127.0.0.1", "localhost.evil.com:8080",
      "127.0.0.1.nip.io:8080", "2130706433:8080", "0x7f.1:8080", "[::ffff:127.0.0.1]:8080",
      "localhost.:8080", "user@localhost:8080", "evil.com", "evil.com:8080", "0.0.0.0:8080",
      "127.0.0.2:8080", "localhost:8080@evil.com", "localhost:8080.evil.com", "localhost:08080",
      "127.1:8080", "[::1]:8081",
    ]) func unknown(_ host: String?) throws
  { #expect(try verdict(host) == "host_not_allowed") }

  @Test("a second Host header is refused") func twice() throws {
    #expect(
      try verdict("localhost:8080", [HTTPField.Name("Host") ?? .server: "evil.com"])
        == "host_not_allowed")
  }

  @Test(
    "only pages of this server may ask",
    arguments: [
      ("http://localhost:8080", "ok"), ("null", "origin_not_allowed"),
      ("https://localhost:8080", "origin_not_allowed"),
      ("http://localhost:3000", "origin_not_allowed"), ("http://localhost", "origin_not_allowed"),
      ("http://127.0.0.1:8080", "origin_not_allowed"), ("http://evil.com", "origin_not_allowed"),
      ("", "origin_not_allowed"), ("http://localhost:8080/", "origin_not_allowed"),
      ("http://localhost:8080.evil.com", "origin_not_allowed"),
    ]) func origins(_ origin: String, _ expected: String) throws
  {
    #expect(try verdict("localhost:8080", [.origin: origin], method: .post) == expected)
  }

  @Test(
    "a page of another site cannot even look",
    arguments: [
      ("cross-site", "cross_site"), ("same-origin", "ok"), ("none", "ok"), ("same-site", "ok"),
    ]) func sites(_ site: String, _ expected: String) throws
  {
    let name = try #require(HTTPField.Name("Sec-Fetch-Site"))
    #expect(try verdict("localhost:8080", [name: site]) == expected)
  }

  @Test("names and origins that were allowed may ask") func allowed() throws {
    let change: (inout ServerSettings) -> Void = {
      $0.hostNames = ["lab.example"]
      $0.origins = ["http://localhost:3000"]
    }
    #expect(try verdict("lab.example:8080", [:], change) == "ok")
    #expect(try verdict("localhost:8080", [.origin: "http://localhost:3000"], change) == "ok")
  }

  @Test("a key is asked for where one is set") func keys() throws {
    let change: (inout ServerSettings) -> Void = { $0.apiKey = "secret" }
    #expect(try verdict("localhost:8080", [:], change) == "invalid_api_key")
    for (header, expected) in [
      ("Bearer secret", "ok"), ("bearer secret", "ok"), ("Bearer secre", "invalid_api_key"),
      ("Bearer secrets", "invalid_api_key"), ("secret", "invalid_api_key"),
      ("Basic secret", "invalid_api_key"),
    ] {
      #expect(try verdict("localhost:8080", [.authorization: header], change) == expected)
    }
  }

  @Test("beyond loopback, a key is a must") func loopback() {
    var settings = ServerSettings()
    #expect(settings.problem == nil)
    settings.host = "0.0.0.0"
    #expect(settings.problem != nil)
    settings.apiKey = "secret"
    #expect(settings.problem == nil)
  }
}
