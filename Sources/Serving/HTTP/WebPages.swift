import Foundation
import HTTPTypes
import Hummingbird

/// The pages that are compiled into the binary. A path is looked up as it stands: no path leads to the
/// file system.
struct WebPages: Sendable {
  /// Pages run their own scripts and styles, and ask this server alone.
  static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    + "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    + "require-trusted-types-for 'script'"

  static let headers: HTTPFields = {
    var fields: HTTPFields = [.contentSecurityPolicy: policy, .cacheControl: "no-cache"]
    for (name, value) in [
      ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"),
      ("Cross-Origin-Resource-Policy", "same-origin"),
    ] {
      if let name = HTTPField.Name(name) { fields[name] = value }
    }
    return fields
  }()

  /// A route for every file; `page.html` is at `/page`, and `index.html` at `/`.
  static var routes: [Route] {
    webFiles.map { file in
      let body = ByteBuffer(string: file.text)
      let tag = "\"\(String(hash(file.text), radix: 16))\""
      let type = type(of: file.path)
      var path = file.path
      if path.hasSuffix(".html") { path = String(path.dropLast(5)) }
      if path.hasSuffix("/index") { path = String(path.dropLast(5)) }
      return Route(method: .get, path: path, isPublic: true) { call in
        var headers = headers
        headers[.eTag] = tag
        if call.headers[.ifNoneMatch]?.contains(tag) == true {
          return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = type
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
      }
    }
  }

  private static func type(of path: String) -> String {
    switch path.split(separator: ".").last {
    case "html": "text/html; charset=utf-8"
    case "js", "mjs": "text/javascript; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "svg": "image/svg+xml"
    case "json": "application/json; charset=utf-8"
    default: "text/plain; charset=utf-8"
    }
  }

  private static func hash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  /// A page that is made here.
  static func page(_ title: String, _ body: String) -> Response {
    var headers = headers
    headers[.contentType] = "text/html; charset=utf-8"
    let text = """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><title>\(escaped(title)) · Lyceum</title>
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <link rel="icon" href="/icon.svg" type="image/svg+xml">
      <link rel="stylesheet" href="/css/base.css"></head>
      <body><main id="main"><p><a href="/">Lyceum</a></p><h1>\(escaped(title))</h1>
      \(body)
      </main></body></html>
      """
    return Response(
      status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  /// Text for HTML.
  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }
}
