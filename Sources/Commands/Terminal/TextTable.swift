/// A table for standard output: columns aligned by spaces, numbers to the right.
public struct TextTable: Sendable {
  public enum Alignment: Sendable {
    case left
    case right
  }

  public struct Column: Sendable {
    var title: String
    var alignment: Alignment

    public init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  public init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row with one cell a column.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    rows.append(cells)
  }

  /// The header, a rule and the rows, without spaces at the ends of lines or a last newline.
  public var text: String {
    let titles = columns.map(\.title)
    let widths = columns.indices.map { i in ([titles] + rows).map { $0[i].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      var text = ""
      for (i, cell) in cells.enumerated() {
        let padding = String(repeating: " ", count: widths[i] - cell.count)
        let gap = i == 0 ? "" : "  "
        text += gap + (columns[i].alignment == .left ? cell + padding : padding + cell)
      }
      while text.last == " " { text.removeLast() }
      return text
    }
    let rule = widths.map { String(repeating: "─", count: $0) }
    return ([titles, rule] + rows).map(line).joined(separator: "\n")
  }
}
