/// HTML or SVG under construction. Text and attributes are escaped and every element that is opened
/// is closed, so a page built with it is well formed whatever a model has written into it.
struct Markup {
  private(set) var text = ""

  /// An element with what `content` puts into it.
  mutating func element(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:],
    _ content: (inout Markup) -> Void
  ) {
    open(name, attributes)
    text += ">"
    content(&self)
    text += "</\(name)>"
  }

  /// An element that holds only text.
  mutating func element(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], text content: String
  ) {
    element(name, attributes) { $0.write(content) }
  }

  /// An element without content.
  mutating func empty(_ name: String, _ attributes: KeyValuePairs<String, String> = [:]) {
    open(name, attributes)
    text += "/>"
  }

  mutating func write(_ content: String) { text += Self.escape(content) }

  /// A sentence in which `backquotes` mark code.
  mutating func prose(_ content: String) {
    let parts = content.split(separator: "`", omittingEmptySubsequences: false)
    // An odd backquote is only a backquote.
    guard parts.count % 2 == 1 else { return write(content) }
    for (i, part) in parts.enumerated() {
      if i % 2 == 0 { write(String(part)) } else { element("code", text: String(part)) }
    }
  }

  /// Text of our own that is markup already.
  mutating func trusted(_ markup: String) { text += markup }

  private mutating func open(_ name: String, _ attributes: KeyValuePairs<String, String>) {
    text += "<" + name
    for (key, value) in attributes { text += " \(key)=\"\(Self.escape(value))\"" }
  }

  /// `text` as it may stand between tags and inside quotes. Control characters become their visible
  /// pictures: in HTML they are errors, and models emit them.
  static func escape(_ text: String) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
      case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
      case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
      case "'": escaped.append(contentsOf: "&#39;".unicodeScalars)
      case "\n", "\t": escaped.append(scalar)
      case "\u{0}"..."\u{1F}":
        escaped.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
      case "\u{7F}": escaped.append("\u{2421}")
      case "\u{80}"..."\u{9F}": escaped.append("\u{FFFD}")
      default: escaped.append(scalar)
      }
    }
    return String(escaped)
  }
}
