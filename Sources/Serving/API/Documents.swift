import Foundation
import Hummingbird
import TemplateLanguage

// GET /docs, made of openapi.json, which is one of the embedded files.

extension Endpoints {
  private struct Line {
    var method: String
    var path: String
    var summary: String
    var fields: [(key: String, value: JSONValue)]
    var required: Set<String>
  }

  func docs(_ call: Call) -> Response {
    let text = webFiles.first { $0.path == "/openapi.json" }?.text ?? "{}"
    let document = (try? JSONValue(text.utf8)) ?? .object([])
    let parts = lines(document).map { line in
      let fields = line.fields.map { key, value in
        "<li><code>\(key)</code>\(line.required.contains(key) ? " (required)" : "") "
          + "\(WebPages.escaped(kind(value)))</li>"
      }
      return """
        <section><h2><code>\(line.method) \(WebPages.escaped(line.path))</code></h2>
        <p>\(WebPages.escaped(line.summary))</p><ul>\(fields.joined())</ul></section>
        """
    }
    return WebPages.page(
      "API",
      "<p>As OpenAPI: <a href=\"/openapi.json\">/openapi.json</a>. What clients rely on, tried on this "
        + "server: <a href=\"/conformance\">/conformance</a>.</p>" + parts.joined(separator: "\n"))
  }

  private func lines(_ document: JSONValue) -> [Line] {
    (document["paths"]?.members ?? []).flatMap { path, item in
      (item.members ?? []).map { method, operation in
        let reference =
          operation["requestBody"]?["content"]?["application/json"]?["schema"]?["$ref"]?.string
        let name = reference?.split(separator: "/").last.map(String.init) ?? ""
        let schema = document.at("components.schemas")?[name]
        let query = (operation["parameters"]?.array ?? []).compactMap { parameter in
          parameter["name"]?.string.map { (key: $0, value: parameter["schema"] ?? .null) }
        }
        return Line(
          method: method.uppercased(), path: path, summary: operation["summary"]?.string ?? "",
          fields: query + (schema?["properties"]?.members ?? []),
          required: Set((schema?["required"]?.array ?? []).compactMap(\.string)))
      }
    }
  }

  /// A schema in a few words.
  private func kind(_ schema: JSONValue) -> String {
    if let choices = (schema["anyOf"] ?? schema["oneOf"])?.array {
      return choices.filter { $0["type"]?.string != "null" }.map(kind).joined(separator: ", or ")
    }
    if let values = schema["enum"]?.array { return values.map(\.text).joined(separator: " | ") }
    var text = schema["type"]?.string ?? "any"
    if let inner = schema["items"] { text = "list of " + kind(inner) }
    if let low = schema["minimum"]?.number { text += " from \(low.formatted())" }
    if let high = schema["maximum"]?.number { text += " to \(high.formatted())" }
    return text
  }
}
