/// Level bars with error bars, one row for each thing that is compared: the ladder.
public struct BarChart: Sendable {
  /// The bars of one colour: a value for each row, with its interval.
  public struct Series: Sendable {
    public var name: String
    /// One for each row; nil where it was not measured.
    public var values: [Estimate?]

    public init(_ name: String, _ values: [Estimate?]) {
      self.name = name
      self.values = values
    }
  }

  public var title: String
  public var caption: String
  public var axis: Axis
  public var rows: [String]
  public var series: [Series]
  public var references: [LineChart.Reference]

  /// - Parameter series: at most three, each with one value a row.
  public init(
    title: String, caption: String = "", axis: Axis, rows: [String], series: [Series],
    references: [LineChart.Reference] = []
  ) {
    precondition(
      series.count <= 3 && series.allSatisfy { $0.values.count == rows.count },
      "a bar chart takes at most 3 series of \(rows.count) values, one for each row")
    self.title = title
    self.caption = caption
    self.axis = axis
    self.rows = rows
    self.series = series
    self.references = references
  }
}

extension BarChart: Chart {
  private static let barHeight = 15.0
  private static let barGap = 4.0

  var legend: [LegendEntry] {
    series.enumerated().map { LegendEntry(name: $1.name, mark: .bar($0)) }
      + references.map { LegendEntry(name: $0.name, mark: .reference) }
  }

  var labelsItself: Bool { false }

  var summary: String {
    let rows = rows.enumerated().map { i, row in
      let values = series.compactMap { series in
        series.values[i].map {
          (self.series.count > 1 ? series.name + " " : "") + axis.unit.text($0)
        }
      }
      return "\(row): \(values.joined(separator: ", "))."
    }
    return (["\(axis.label)."] + rows).joined(separator: " ")
  }

  var table: PageTable {
    let rows = rows.enumerated().map { i, row in
      [row] + series.map { $0.values[i].map { axis.unit.text($0) } ?? "" }
    }
    return PageTable(
      header: [""] + series.map { $0.name.isEmpty ? axis.label : $0.name }, rows: rows)
  }

  private func rowHeight(_ size: ChartSize) -> Double {
    let bars = Double(series.count) * (Self.barHeight + Self.barGap)
    return bars + (size.isNarrow ? 32 : 16)
  }

  func height(_ size: ChartSize) -> Double {
    Double(rows.count) * rowHeight(size) + 46
  }

  func draw(_ svg: inout Markup, size: ChartSize) {
    let values = series.flatMap { $0.values.compactMap { $0 } }
    let ends = values.flatMap { [$0.value, $0.interval.low, $0.interval.high] }
    let layout = AxisLayout(
      axis, values: ends + references.map(\.value) + [0], tickCount: size.isNarrow ? 4 : 5)
    let longest = Double(rows.map(\.count).max() ?? 0)
    let left = size.isNarrow ? 10 : min(220, longest * 7.2 + 14)
    let right = size.width - (size.isNarrow ? 74 : 160)
    let bottom = height(size) - 44
    func across(_ value: Double) -> Double { left + layout.position(value) * (right - left) }
    func upright(_ value: Double) -> String { "M\(px(across(value))) 0V\(px(bottom))" }

    for tick in layout.ticks {
      svg.empty("path", ["d": upright(tick), "class": "grid"])
      svg.element(
        "text", ["x": px(across(tick)), "y": px(bottom + 17), "class": "tick middle"],
        text: layout.text(tick))
    }
    svg.element(
      "text", ["x": px(right), "y": px(bottom + 36), "class": "name end"], text: axis.label)
    for (row, index, y) in places(size) {
      if let estimate = series[index].values[row] {
        drawBar(&svg, estimate, index, y: y, across: across)
      }
    }
    svg.empty("path", ["d": upright(0), "class": "axis"])
    for reference in references {
      svg.empty("path", ["d": upright(reference.value), "class": "reference"])
    }
    // Text comes last: lines pass under it.
    drawText(&svg, size: size, left: left, right: right)
  }

  /// Where the bar of each row and series begins, downwards.
  private func places(_ size: ChartSize) -> [(row: Int, series: Int, y: Double)] {
    rows.indices.flatMap { row in
      series.indices.map { index in
        let top = Double(row) * rowHeight(size) + (size.isNarrow ? 25 : 8)
        return (row, index, top + Double(index) * (Self.barHeight + Self.barGap))
      }
    }
  }

  /// The rows' names, left of the bars or over them, and the values on the right.
  private func drawText(_ svg: inout Markup, size: ChartSize, left: Double, right: Double) {
    for (i, row) in rows.enumerated() {
      let top = Double(i) * rowHeight(size)
      let (x, y) =
        size.isNarrow ? (left, top + 18) : (left - 12, top + rowHeight(size) / 2 + 2)
      svg.element(
        "text", ["x": px(x), "y": px(y), "class": size.isNarrow ? "row" : "row end"], text: row)
    }
    for (row, index, y) in places(size) {
      guard let estimate = series[index].values[row] else { continue }
      let text = size.isNarrow ? axis.unit.text(estimate.value) : axis.unit.text(estimate)
      svg.element("text", ["x": px(right + 12), "y": px(y + 12), "class": "value"], text: text)
    }
  }

  private func drawBar(
    _ svg: inout Markup, _ estimate: Estimate, _ index: Int, y: Double,
    across: (Double) -> Double
  ) {
    guard estimate.value.isFinite else { return }
    let (from, to) = (across(min(0, estimate.value)), across(max(0, estimate.value)))
    svg.empty(
      "rect",
      [
        "x": px(from), "y": px(y), "width": px(max(1, to - from)), "height": px(Self.barHeight),
        "class": "bar b\(index)",
      ])
    guard estimate.interval.low.isFinite, estimate.interval.high.isFinite else { return }
    let (low, high) = (px(across(estimate.interval.low)), px(across(estimate.interval.high)))
    let middle = px(y + Self.barHeight / 2)
    let (top, end) = (px(y + 3), px(y + Self.barHeight - 3))
    svg.empty(
      "path",
      [
        "d": "M\(low) \(middle)H\(high)M\(low) \(top)V\(end)M\(high) \(top)V\(end)",
        "class": "error",
      ])
  }
}
