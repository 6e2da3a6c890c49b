/// How often each size occurs, as a share of each series: the lengths of right and of wrong answers.
public struct Histogram: Sendable {
  /// The sizes that one kind of thing has.
  public struct Series: Sendable {
    public var name: String
    public var values: [Double]

    public init(_ name: String, _ values: [Double]) {
      self.name = name
      self.values = values.filter(\.isFinite)
    }
  }

  public var title: String
  public var caption: String
  public var x: Axis
  public var series: [Series]
  public var binCount: Int

  /// - Parameter binCount: about how many bins; their width is a round number.
  public init(
    title: String, caption: String = "", x: Axis, series: [Series], binCount: Int = 20
  ) {
    precondition(binCount > 0, "a histogram needs at least one bin")
    self.title = title
    self.caption = caption
    self.x = x
    self.series = series
    self.binCount = binCount
  }

  /// The bins' edges, common to all series, and the share of each series in each bin.
  var bins: (edges: [Double], shares: [[Double]]) {
    let all = series.flatMap(\.values)
    guard let low = all.min(), let high = all.max() else {
      return ([0, 1], series.map { _ in [0] })
    }
    let step = low == high ? 1 : AxisLayout.niceStep((high - low) / Double(binCount))
    let first = (low / step).rounded(.down)
    let count = Int((high / step).rounded(.down) - first) + 1
    let edges = (0..<(count + 1)).map { (first + Double($0)) * step }
    let shares = series.map { series in
      var counts = [Double](repeating: 0, count: count)
      for value in series.values {
        counts[min(count - 1, Int((value / step).rounded(.down) - first))] += 1
      }
      return counts.map { $0 / Double(max(1, series.values.count)) }
    }
    return (edges, shares)
  }
}

extension Histogram: Chart {
  var legend: [LegendEntry] {
    series.enumerated().map { LegendEntry(name: $1.name, mark: .line($0)) }
  }

  var labelsItself: Bool { false }

  var summary: String {
    let parts = series.map { series in
      series.values.isEmpty
        ? "\(series.name): none."
        : "\(series.name): \(Format.fixed(Double(series.values.count), 0)) values, "
          + "mean \(x.unit.text(mean(series.values)))."
    }
    return (["Shares by \(x.label)."] + parts).joined(separator: " ")
  }

  var table: PageTable {
    let bins = bins
    let rows = bins.edges.indices.dropLast().map { i in
      ["\(x.unit.text(bins.edges[i])) to \(x.unit.text(bins.edges[i + 1]))"]
        + bins.shares.map { Unit.share.text($0[i]) }
    }
    return PageTable(header: [x.label] + series.map(\.name), rows: rows)
  }

  func draw(_ svg: inout Markup, size: ChartSize) {
    let bins = bins
    let area = PlotArea(
      x: x, y: Axis("share", unit: .share), xs: bins.edges, ys: bins.shares.flatMap { $0 } + [0],
      size: size)
    area.drawAxes(&svg)
    for (index, shares) in bins.shares.enumerated() {
      var outline = [(x: area.px(bins.edges[0]), y: area.py(0))]
      for (i, share) in shares.enumerated() {
        outline.append((area.px(bins.edges[i]), area.py(share)))
        outline.append((area.px(bins.edges[i + 1]), area.py(share)))
      }
      outline.append((area.px(bins.edges[shares.count]), area.py(0)))
      svg.empty("path", ["d": area.path(outline) + "z", "class": "band s\(index)"])
      svg.empty("path", ["d": area.path(outline), "class": "series s\(index)"])
    }
  }
}
