/// A position of a board game as a small drawing: discs of two sides, and cells that are pointed at.
public struct BoardDrawing: Sendable {
  public struct Disc: Sendable {
    public var column: Int
    /// From the bottom.
    public var row: Int
    /// 0 or 1: filled, or tinted.
    public var side: Int
    /// A character or two: the number of the move.
    public var label: String

    public init(column: Int, row: Int, side: Int, label: String = "") {
      (self.column, self.row, self.side, self.label) = (column, row, side, label)
    }
  }

  /// An empty cell with a character in it.
  public struct Mark: Sendable {
    public var column: Int
    public var row: Int
    public var label: String
    /// Whether it stands out.
    public var isStrong: Bool

    public init(column: Int, row: Int, label: String, isStrong: Bool) {
      (self.column, self.row, self.label, self.isStrong) = (column, row, label, isStrong)
    }
  }

  public var title: String
  public var caption: String
  public var columns: Int
  public var rows: Int
  public var discs: [Disc]
  public var marks: [Mark]

  public init(
    title: String, caption: String, columns: Int, rows: Int, discs: [Disc], marks: [Mark] = []
  ) {
    (self.title, self.caption, self.columns, self.rows) = (title, caption, columns, rows)
    (self.discs, self.marks) = (discs, marks)
  }

  func figure(_ html: inout Markup) {
    html.element("figure", ["class": "board"]) { html in
      let size = 32.0
      let (width, height) = (Double(columns) * size, Double(rows) * size)
      func centre(_ column: Int, _ row: Int) -> (x: Double, y: Double) {
        ((Double(column) + 0.5) * size, height - (Double(row) + 0.5) * size)
      }
      html.element(
        "svg",
        [
          "viewBox": "0 0 \(px(width)) \(px(height))", "role": "img",
          "aria-label": title + ". " + caption,
        ]
      ) { svg in
        for column in 0..<columns {
          for row in 0..<rows { circle(&svg, centre(column, row), "grid") }
        }
        for disc in discs {
          let place = centre(disc.column, disc.row)
          circle(&svg, place, "bar b\(disc.side)")
          text(&svg, place, disc.label, disc.side == 0 ? "middle inside" : "middle value")
        }
        for mark in marks {
          let place = centre(mark.column, mark.row)
          circle(&svg, place, mark.isStrong ? "series s2" : "reference")
          text(&svg, place, mark.label, "middle value")
        }
      }
      html.element("figcaption") { html in
        html.element("strong", text: title)
        html.prose(caption)
      }
    }
  }

  private func circle(_ svg: inout Markup, _ at: (x: Double, y: Double), _ style: String) {
    svg.empty("circle", ["cx": px(at.x), "cy": px(at.y), "r": "13", "class": style])
  }

  private func text(
    _ svg: inout Markup, _ at: (x: Double, y: Double), _ label: String, _ style: String
  ) {
    guard !label.isEmpty else { return }
    svg.element("text", ["x": px(at.x), "y": px(at.y + 4.2), "class": style], text: label)
  }
}
