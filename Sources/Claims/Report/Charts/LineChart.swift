/// Curves over a common axis: training losses, accuracy over steps, pass@k.
public struct LineChart: Sendable {
  /// A measured value, with its interval where one is known.
  public struct Point: Sendable {
    public var x: Double
    public var y: Double
    public var interval: Interval?

    public init(_ x: Double, _ y: Double, _ interval: Interval? = nil) {
      self.x = x
      self.y = y
      self.interval = interval
    }

    public init(_ x: Double, _ estimate: Estimate) {
      self.init(x, estimate.value, estimate.interval)
    }
  }

  /// How the intervals of a curve are drawn.
  public enum IntervalStyle: Sendable {
    case bars
    case band
  }

  /// One curve, its points in the order of x.
  public struct Series: Sendable {
    public var name: String
    public var points: [Point]
    public var intervals: IntervalStyle

    public init(_ name: String, _ points: [Point], intervals: IntervalStyle = .bars) {
      self.name = name
      self.points = points
      self.intervals = intervals
    }
  }

  /// A level to compare with, such as chance or the teacher's own score.
  public struct Reference: Sendable {
    public var name: String
    public var value: Double

    public init(_ name: String, _ value: Double) {
      self.name = name
      self.value = value
    }
  }

  public var title: String
  public var caption: String
  public var x: Axis
  public var y: Axis
  public var series: [Series]
  public var references: [Reference]

  public init(
    title: String, caption: String = "", x: Axis, y: Axis, series: [Series],
    references: [Reference] = []
  ) {
    self.title = title
    self.caption = caption
    self.x = x
    self.y = y
    self.references = references
    self.series = series.map { series in
      var series = series
      series.points.removeAll { point in
        !point.x.isFinite || !point.y.isFinite || (x.scale != .linear && point.x <= 0)
          || (y.scale != .linear && point.y <= 0)
      }
      return series
    }
  }
}

extension LineChart: Chart {
  var legend: [LegendEntry] {
    series.enumerated().map { LegendEntry(name: $1.name, mark: .line($0)) }
      + references.map { LegendEntry(name: $0.name, mark: .reference) }
  }

  var labelsItself: Bool { legend.allSatisfy { $0.name.count <= 24 } }

  var summary: String {
    let curves = series.compactMap { series -> String? in
      guard let first = series.points.first, let last = series.points.last else { return nil }
      return "\(series.name): from \(y.unit.text(first.y)) at \(x.unit.text(first.x)) "
        + "to \(y.unit.text(last.y)) at \(x.unit.text(last.x))."
    }
    return (["\(y.label) against \(x.label)."] + curves).joined(separator: " ")
  }

  var table: PageTable {
    // One row an x; of long curves, about twenty of them.
    let all = Set(series.flatMap { $0.points.map(\.x) }).sorted()
    let every = max(1, (all.count + 19) / 20)
    let shown = all.indices.filter { $0 % every == 0 || $0 == all.count - 1 }.map { all[$0] }
    let rows = shown.map { value in
      [x.unit.text(value)]
        + series.map { series in
          guard let point = series.points.first(where: { $0.x == value }) else { return "" }
          return y.unit.text(Estimate(point.y, point.interval ?? .unknown))
        }
    }
    return PageTable(header: [x.label] + series.map(\.name), rows: rows)
  }

  func draw(_ svg: inout Markup, size: ChartSize) {
    let named = labelsItself && !size.isNarrow && legend.count > 1
    let longest = legend.map(\.name.count).max() ?? 0
    let points = series.flatMap(\.points)
    let ends = points.flatMap { [$0.interval?.low, $0.interval?.high].compactMap { $0 } }
    let area = PlotArea(
      x: x, y: y, xs: points.map(\.x), ys: points.map(\.y) + ends + references.map(\.value),
      size: size, rightMargin: named ? Double(longest) * 6.7 + 16 : 18)
    area.drawAxes(&svg)
    for reference in references {
      let height = area.py(reference.value)
      svg.empty(
        "path", ["d": area.line(area.left, height, area.right, height), "class": "reference"])
    }
    for (index, series) in series.enumerated() {
      drawIntervals(&svg, series, index, area)
    }
    for (index, series) in series.enumerated() {
      let curve = thinned(series.points.map { (area.px($0.x), area.py($0.y)) })
      svg.empty("path", ["d": area.path(curve), "class": "series s\(index)"])
      if series.points.count <= 24 {
        for point in series.points { marker(&svg, index, x: area.px(point.x), y: area.py(point.y)) }
      }
    }
    if named { drawNames(&svg, area) }
  }

  private func drawIntervals(
    _ svg: inout Markup, _ series: Series, _ index: Int, _ area: PlotArea
  ) {
    let known = series.points.compactMap { point -> (x: Double, low: Double, high: Double)? in
      guard let interval = point.interval, interval.low.isFinite, interval.high.isFinite else {
        return nil
      }
      return (area.px(point.x), area.py(interval.low), area.py(interval.high))
    }
    guard !known.isEmpty else { return }
    switch series.intervals {
    case .bars:
      let bars = known.map { area.line($0.x, $0.low, $0.x, $0.high) }.joined()
      svg.empty("path", ["d": bars, "class": "whisker s\(index)"])
    case .band:
      let outline = known.map { ($0.x, $0.high) } + known.reversed().map { ($0.x, $0.low) }
      svg.empty("path", ["d": area.path(outline) + "z", "class": "band s\(index)"])
    }
  }

  /// Names at the right ends of the lines, moved apart where they would overlap.
  private func drawNames(_ svg: inout Markup, _ area: PlotArea) {
    var names: [(text: String, style: String, y: Double)] = []
    for (index, series) in series.enumerated() {
      guard let last = series.points.last else { continue }
      names.append((series.name, "label s\(index)", area.py(last.y)))
    }
    for reference in references {
      names.append((reference.name, "label", area.py(reference.value)))
    }
    names.sort { $0.y < $1.y }
    let distance = 15.0
    for i in names.indices.dropFirst() { names[i].y = max(names[i].y, names[i - 1].y + distance) }
    // What was pushed under the axis comes back up.
    var limit = area.bottom
    for i in names.indices.reversed() {
      names[i].y = min(names[i].y, limit)
      limit = names[i].y - distance
    }
    for name in names {
      svg.element(
        "text", ["x": px(area.right + 10), "y": px(name.y + 4), "class": name.style],
        text: name.text)
    }
  }

  /// Long curves keep the first, lowest, highest and last point of every pixel column, so that no
  /// spike is lost.
  private func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    guard points.count > 1_000 else { return points }
    var kept: [(x: Double, y: Double)] = []
    var start = 0
    while start < points.count {
      var end = start
      while end < points.count, Int(points[end].x) == Int(points[start].x) { end += 1 }
      let column = start..<end
      let low = column.min { points[$0].y < points[$1].y } ?? start
      let high = column.max { points[$0].y < points[$1].y } ?? start
      kept += Set([start, low, high, end - 1]).sorted().map { points[$0] }
      start = end
    }
    return kept
  }
}
