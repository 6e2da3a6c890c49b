/// One text cut into pieces: characters, bytes, tokens. Strips of the same text stand under each other.
public struct PieceStrip: Sendable {
  /// How it is cut: "tokens".
  public var name: String
  public var pieces: [String]

  public init(name: String, pieces: [String]) { (self.name, self.pieces) = (name, pieces) }

  func write(_ html: inout Markup) {
    html.element("div", ["class": "pieces"]) { html in
      html.element("b", text: "\(name), \(pieces.count)")
      html.element("span") { html in
        for piece in pieces { html.element("code", text: piece) }
      }
    }
  }
}
