/// The size of a drawing in CSS pixels. Each chart is drawn twice, so that its text stays legible on a
/// phone; the style sheet shows one of the two.
struct ChartSize: Sendable {
  var width: Double
  var height: Double

  static let wide = ChartSize(width: 664, height: 320)
  static let narrow = ChartSize(width: 344, height: 260)

  var isNarrow: Bool { width < 500 }
}

/// What the figure around a chart needs of it.
protocol Chart: Sendable {
  var title: String { get }
  /// One or two sentences under the title: what to look at.
  var caption: String { get }
  var legend: [LegendEntry] { get }
  /// Whether the wide drawing names its own lines.
  var labelsItself: Bool { get }
  /// The chart as a sentence, for those who do not see it.
  var summary: String { get }
  /// Its numbers.
  var table: PageTable { get }

  func height(_ size: ChartSize) -> Double
  func draw(_ svg: inout Markup, size: ChartSize)
}

extension Chart {
  func height(_ size: ChartSize) -> Double { size.height }

  /// The chart with its title, legend, and numbers.
  func figure(_ html: inout Markup) {
    html.element("figure") { html in
      html.element("figcaption") { html in
        html.element("strong", text: title)
        if !caption.isEmpty {
          html.write(" ")
          html.prose(caption)
        }
      }
      if legend.count > 1 {
        html.element("ul", ["class": labelsItself ? "legend narrow" : "legend"]) { html in
          for entry in legend {
            html.element("li") { html in
              entry.swatch(&html)
              html.write(entry.name)
            }
          }
        }
      }
      for (size, name) in [(ChartSize.wide, "wide"), (.narrow, "narrow")] {
        html.element(
          "svg",
          [
            "class": name, "viewBox": "0 0 \(px(size.width)) \(px(height(size)))", "role": "img",
            "aria-label": "\(title). \(summary)",
          ]
        ) { draw(&$0, size: size) }
      }
      html.element("details") { html in
        html.element("summary", text: "Numbers")
        table.write(&html)
      }
    }
  }
}

/// One line of a legend: the series is told apart by colour, dash and marker together.
struct LegendEntry: Sendable {
  enum Mark: Sendable {
    case line(Int)
    case reference
    case bar(Int)
  }

  var name: String
  var mark: Mark

  func swatch(_ html: inout Markup) {
    html.element("svg", ["viewBox": "0 0 28 12", "aria-hidden": "true"]) { svg in
      switch mark {
      case .line(let index):
        svg.empty("path", ["d": "M1 6H27", "class": "series s\(index)"])
        marker(&svg, index, x: 14, y: 6)
      case .reference: svg.empty("path", ["d": "M1 6H27", "class": "reference"])
      case .bar(let index):
        svg.empty(
          "rect", ["x": "3", "y": "1", "width": "22", "height": "10", "class": "bar b\(index)"])
      }
    }
  }
}

/// The marker of series `index`: another shape for each, so that none is known by colour alone.
func marker(_ svg: inout Markup, _ index: Int, x: Double, y: Double) {
  let style = "marker s\(index)"
  switch index % 4 {
  case 0: svg.empty("circle", ["cx": px(x), "cy": px(y), "r": "3.5", "class": style])
  case 1:
    svg.empty(
      "rect",
      ["x": px(x - 3.2), "y": px(y - 3.2), "width": "6.4", "height": "6.4", "class": style])
  case 2:
    svg.empty("path", ["d": "M\(px(x)) \(px(y - 4.4))l4.2 7.4h-8.4z", "class": style])
  default:
    svg.empty(
      "path", ["d": "M\(px(x)) \(px(y - 4.6))l4.6 4.6l-4.6 4.6l-4.6 -4.6z", "class": style])
  }
}

/// A coordinate to a tenth of a pixel, as short as possible. What lies far outside stays outside.
func px(_ value: Double) -> String {
  let tenths = (min(max(value.isNaN ? 0 : value, -100_000), 100_000) * 10).rounded()
  if tenths.truncatingRemainder(dividingBy: 10) == 0 { return String(Int(tenths / 10)) }
  return String(tenths / 10)
}
