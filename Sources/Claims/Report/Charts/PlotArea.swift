/// The rectangle between the axes: draws the grid and both axes, and places values.
struct PlotArea {
  let x: AxisLayout
  let y: AxisLayout
  let left: Double
  let right: Double
  let top: Double
  let bottom: Double

  init(
    x: Axis, y: Axis, xs: [Double], ys: [Double], size: ChartSize, rightMargin: Double = 18
  ) {
    self.x = AxisLayout(x, values: xs, tickCount: size.isNarrow ? 4 : 8, isSnug: true)
    let upward = AxisLayout(y, values: ys, tickCount: 5)
    self.y = upward
    let longest = upward.ticks.map { upward.text($0).count }.max() ?? 0
    left = Double(longest) * 6.6 + 12
    right = size.width - rightMargin
    top = 30
    bottom = size.height - 44
  }

  func px(_ value: Double) -> Double { left + x.position(value) * (right - left) }

  func py(_ value: Double) -> Double { bottom - y.position(value) * (bottom - top) }

  func drawAxes(_ svg: inout Markup) {
    for tick in y.ticks {
      let height = py(tick)
      svg.empty("path", ["d": line(left, height, right, height), "class": "grid"])
      svg.element(
        "text",
        ["x": Claims.px(left - 8), "y": Claims.px(height + 4), "class": "tick end"],
        text: y.text(tick))
    }
    svg.empty("path", ["d": line(left, bottom, right, bottom), "class": "axis"])
    for tick in x.ticks {
      let across = px(tick)
      svg.empty("path", ["d": line(across, bottom, across, bottom + 5), "class": "axis"])
      svg.element(
        "text",
        ["x": Claims.px(across), "y": Claims.px(bottom + 19), "class": "tick middle"],
        text: x.text(tick))
    }
    // The name of the upward axis stands level, over it: nobody reads sideways.
    svg.element("text", ["x": "0", "y": "13", "class": "name"], text: y.axis.label)
    svg.element(
      "text",
      ["x": Claims.px(right), "y": Claims.px(bottom + 38), "class": "name end"],
      text: x.axis.label)
  }

  func line(_ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double) -> String {
    "M\(Claims.px(x0)) \(Claims.px(y0))L\(Claims.px(x1)) \(Claims.px(y1))"
  }

  func path(_ points: [(x: Double, y: Double)]) -> String {
    var text = ""
    for (i, point) in points.enumerated() {
      text += (i == 0 ? "M" : "L") + Claims.px(point.x) + " " + Claims.px(point.y)
    }
    return text
  }
}
