import Foundation
import HTTPTypes
import Hummingbird

/// A request that passed the checks, with its whole body.
struct Call: Sendable {
  let method: HTTPRequest.Method
  /// Without a slash at the end, percent-decoded.
  let path: String
  let query: [String: String]
  let headers: HTTPFields
  let body: [UInt8]
  let connection: Connection
  /// As `x-request-id` says.
  let id: String

  /// Whose jobs wait for one another: those of a connection.
  var client: String { "\(ObjectIdentifier(connection))" }

  /// The fields of a JSON body.
  func fields() throws -> Fields { try Fields(body: body) }

  /// What comes after `prefix` in the path.
  func rest(after prefix: String) -> String { String(path.dropFirst(prefix.count)) }

  /// The decoded parts of a query.
  static func parameters(_ query: Substring?) -> [String: String] {
    var out: [String: String] = [:]
    for part in (query ?? "").split(separator: "&").prefix(64) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let texts = pair.map { text in
        String(text.replacing("+", with: " ")).removingPercentEncoding ?? String(text)
      }
      out[texts[0]] = texts.count > 1 ? texts[1] : ""
    }
    return out
  }
}

/// A reply of JSON.
func reply(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
  Response(
    status: status, headers: [.contentType: "application/json; charset=utf-8"],
    body: ResponseBody(byteBuffer: ByteBuffer(bytes: try json(value))))
}

/// A reply of text.
func reply(_ text: String, type: String) -> Response {
  Response(
    status: .ok, headers: [.contentType: type],
    body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
}

/// Something short that differs between requests.
func newID(_ prefix: String) -> String {
  let letters = Array("0123456789abcdefghijklmnopqrstuvwxyz")
  return prefix + String((0..<24).map { _ in letters.randomElement() ?? "0" })
}

/// Seconds since 1970.
func now() -> Int { Int(Date().timeIntervalSince1970) }
