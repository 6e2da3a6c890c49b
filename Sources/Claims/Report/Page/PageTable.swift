/// A table of the page. The first column names the row; the others are numbers.
public struct PageTable: Sendable {
  public var header: [String]
  public var rows: [[String]]

  public init(header: [String], rows: [[String]]) {
    precondition(
      rows.allSatisfy { $0.count == header.count }, "a row has as many cells as the header")
    self.header = header
    self.rows = rows
  }

  func write(_ html: inout Markup) {
    // Wide tables scroll inside their box, never the page.
    html.element("div", ["class": "scroll", "tabindex": "0"]) { html in
      html.element("table") { html in
        html.element("thead") { html in
          html.element("tr") { html in
            for cell in header { html.element("th", ["scope": "col"], text: cell) }
          }
        }
        html.element("tbody") { html in
          for row in rows {
            html.element("tr") { html in
              for (i, cell) in row.enumerated() {
                if i == 0 {
                  html.element("th", ["scope": "row"], text: cell)
                } else {
                  html.element("td", text: cell)
                }
              }
            }
          }
        }
      }
    }
  }
}
