/// Level bars with error bars, one row for each thing that is compared: the ladder.
public struct BarChart: Sendable {
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
    let valueWidth = size.isNarrow ? 62.0 : 148
    let right = size.width - valueWidth - 12
    let bottom = height(size) - 44
    func across(_ value: Double) -> Double { left + layout.position(value) * (right - left) }

    for tick in layout.ticks {
      let x = px(across(tick))
      svg.empty("path", ["d": "M\(x) 0V\(px(bottom))", "class": "grid"])
      svg.element(
        "text", ["x": x, "y": px(bottom + 17), "class": "tick middle"], text: layout.text(tick))
    }
    for (i, row) in rows.enumerated() {
      var y = Double(i) * rowHeight(size) + 8
      if size.isNarrow {
        svg.element("text", ["x": px(left), "y": px(y + 10), "class": "row"], text: row)
        y += 17
      } else {
        let middle = y + (rowHeight(size) - 16) / 2 + 2
        svg.element(
          "text", ["x": px(left - 12), "y": px(middle), "class": "row end"], text: row)
      }
      for (index, series) in series.enumerated() {
        if let estimate = series.values[i] {
          drawBar(&svg, estimate, index, y: y, across: across)
          let text =
            size.isNarrow ? axis.unit.text(estimate.value) : axis.unit.text(estimate)
          svg.element(
            "text", ["x": px(right + 12), "y": px(y + 12), "class": "value"], text: text)
        }
        y += Self.barHeight + Self.barGap
      }
    }
    svg.empty("path", ["d": "M\(px(across(0))) 0V\(px(bottom))", "class": "axis"])
    for reference in references {
      svg.empty(
        "path", ["d": "M\(px(across(reference.value))) 0V\(px(bottom))", "class": "reference"])
    }
    svg.element(
      "text", ["x": px(right), "y": px(bottom + 36), "class": "name end"], text: axis.label)
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
