import Foundation
import Testing

@testable import Claims

@Suite("The report's page")
struct ReportPageTests {
  @Test("the page is well formed and shows every claim, chart and sample")
  func wellFormed() throws {
    let page = ExamplePage.make()
    let html = page.html()
    try checkTags(html)
    for claim in page.report.claims {
      #expect(html.contains(claim.statement) && html.contains(claim.verdict.rawValue))
    }
    for title in ["The ladder", "Reading", "Practising", "tries, k", "How long the answers are"] {
      #expect(html.contains(title))
    }
    if let path = ProcessInfo.processInfo.environment["LYCEUM_EXAMPLE_PAGE"] {
      try page.write(to: URL(fileURLWithPath: path))
    }
  }

  @Test("hostile text stays text wherever it goes")
  func escaped() throws {
    let html = ExamplePage.make(hostile: "</pre><script>alert('x')</script>\"&\u{0}\u{1B}").html()
    try checkTags(html)
    #expect(html.range(of: "<script") == nil)
    #expect(!html.contains("\u{0}") && !html.contains("\u{1B}"))
    #expect(html.contains("&lt;script&gt;alert(&#39;x&#39;)"))
  }

  @Test("the page asks for nothing from outside and runs nothing")
  func selfContained() {
    let html = ExamplePage.make().html()
    for word in [
      "http:", "https:", "url(", "@import", "<link", "<img", "src=", "<script", "onload",
    ] {
      #expect(!html.contains(word), "the page holds \(word)")
    }
    #expect(html.contains("prefers-color-scheme:dark") && html.contains("@media print"))
  }

  @Test("every chart has a name and its numbers for those who do not see it")
  func accessible() {
    let html = ExamplePage.make().html()
    let figures = html.components(separatedBy: "<figure>").dropFirst()
    #expect(figures.count == 5)
    for figure in figures {
      #expect(figure.contains("role=\"img\" aria-label=\""))
      #expect(figure.contains("<summary>Numbers</summary>"))
    }
  }

  @Test("backquotes mark code, and an odd one is only itself")
  func prose() {
    var markup = Markup()
    markup.prose("run `a<b` now")
    markup.prose(" `")
    #expect(markup.text == "run <code>a&lt;b</code> now `")
  }

  @Test("a report without claims or a chart without points is still a page")
  func empty() throws {
    let report = Report(claims: [], seconds: 0, machine: "m", commit: "c", command: "x")
    let page = ReportPage(
      title: "t", lead: "l", report: report,
      sections: [
        .init(
          id: "a", heading: "h", talk: "",
          blocks: [
            .lines(LineChart(title: "t", x: Axis("x"), y: Axis("y"), series: [.init("s", [])])),
            .lines(
              LineChart(
                title: "t", x: Axis("x", scale: .log10), y: Axis("y"),
                series: [.init("s", [.init(0, .nan), .init(5, 2), .init(.infinity, 1)])])),
            .bars(BarChart(title: "t", axis: Axis("x"), rows: ["a"], series: [.init("", [nil])])),
            .bars(
              BarChart(title: "t", axis: Axis("x"), rows: ["a"], series: [.init("", [.unknown])])),
            .histogram(Histogram(title: "t", x: Axis("x"), series: [.init("s", [])])),
            .samples([]),
          ], reproduce: "", doesNotShow: [])
      ])
    let html = page.html()
    try checkTags(html)
    #expect(!html.contains("nan") && !html.contains("inf\""))
  }

  /// Every tag that opens closes, in order; quotes of attributes are balanced; no stray angle bracket.
  private func checkTags(_ html: String) throws {
    var open: [Substring] = []
    var rest = html[...]
    rest.removeFirst("<!DOCTYPE html>".count)
    while let start = rest.firstIndex(of: "<") {
      let between = rest[..<start]
      // The style sheet is ours, and its selectors hold ">".
      if open.last != "style" { #expect(!between.contains(">"), "stray bracket in \(between)") }
      let end = try #require(rest[start...].firstIndex(of: ">"))
      let tag = rest[rest.index(after: start)..<end]
      #expect(!tag.contains("<") && tag.filter { $0 == "\"" }.count % 2 == 0, "tag \(tag)")
      let name = tag.drop { $0 == "/" }.prefix { $0 != " " && $0 != "/" }
      if tag.hasPrefix("/") {
        try #require(open.popLast() == name, "</\(name)> closes another element")
      } else if !tag.hasSuffix("/") {
        open.append(name)
      }
      rest = rest[rest.index(after: end)...]
    }
    #expect(open.isEmpty, "never closed: \(open)")
  }
}

@Suite("Charts")
struct ChartTests {
  @Test("ticks are round numbers that cover the data, with as many decimals as they need")
  func ticks() {
    let loss = AxisLayout(Axis("loss"), values: [1.63, 6.9], tickCount: 5)
    #expect(loss.ticks.map(loss.text) == ["0", "2", "4", "6", "8"])
    let share = AxisLayout(Axis("x", unit: .share, range: 0...1), values: [0.3], tickCount: 5)
    #expect(share.ticks.map(share.text) == ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
    let fine = AxisLayout(Axis("x"), values: [0.01, 0.034], tickCount: 5)
    #expect(fine.ticks.map(fine.text) == ["0.010", "0.015", "0.020", "0.025", "0.030", "0.035"])
    let k = AxisLayout(Axis("k", scale: .log2), values: [1, 64], tickCount: 8)
    #expect(k.ticks.map(k.text) == ["1", "2", "4", "8", "16", "32", "64"])
    let tokens = AxisLayout(Axis("x"), values: [0, 2_000_000], tickCount: 4)
    #expect(tokens.ticks.map(tokens.text) == ["0", "500 k", "1.0 M", "1.5 M", "2.0 M"])
    let negative = AxisLayout(Axis("x", unit: .points), values: [-0.1, 0.1], tickCount: 4)
    #expect(negative.ticks.map(negative.text) == ["−10", "−5", "0", "+5", "+10"])
  }

  @Test("no value, however wild, stops the drawing")
  func wild() {
    for unit in [Unit.share, .plain, .points] {
      for y in [1e30, -1e30, .infinity, .nan, 0, 1e-300] {
        let points = [LineChart.Point(1, 0.5), .init(2, y, Interval(low: -.infinity, high: y))]
        let chart = LineChart(
          title: "t", x: Axis("x", scale: .log10), y: Axis("y", unit: unit),
          series: [.init("s", points, intervals: .band)], references: [.init("r", y)])
        var markup = Markup()
        chart.draw(&markup, size: .narrow)
        BarChart(
          title: "t", axis: Axis("x", unit: unit), rows: ["a"],
          series: [.init("", [Estimate(y, low: -1e300, high: y)])]
        ).draw(&markup, size: .wide)
        #expect(!markup.text.contains("nan") && !markup.text.contains("inf"))
      }
    }
  }

  @Test("equal steps on a logarithmic axis are equal factors")
  func logarithmic() {
    let layout = AxisLayout(Axis("k", scale: .log2), values: [1, 16], tickCount: 8)
    for (i, value) in [1.0, 2, 4, 8, 16].enumerated() {
      #expect(abs(layout.position(value) - Double(i) / 4) < 1e-12)
    }
  }

  @Test("a spike in a long curve is drawn")
  func spike() {
    var points = (0..<20_000).map { LineChart.Point(Double($0), 1) }
    points[12_345].y = 9
    var markup = Markup()
    LineChart(title: "t", x: Axis("x"), y: Axis("y"), series: [.init("s", points)])
      .draw(&markup, size: .wide)
    // The spike is the highest point: its height is where the value 9 falls.
    let area = PlotArea(
      x: Axis("x"), y: Axis("y"), xs: [0, 19_999], ys: [1, 9], size: .wide)
    #expect(markup.text.contains(" " + px(area.py(9)) + "L"))
    #expect(markup.text.count < 60_000)
  }

  @Test("a histogram's shares sum to one in each series and no value is lost")
  func histogram() {
    let values = (0..<1_000).map { Double($0 * 7 % 53) }
    let chart = Histogram(title: "t", x: Axis("x"), series: [.init("a", values), .init("b", [52])])
    let bins = chart.bins
    for shares in bins.shares { #expect(abs(shares.reduce(0, +) - 1) < 1e-9) }
    #expect(bins.edges.count == bins.shares[0].count + 1)
    #expect((bins.edges.first ?? 1) <= 0 && (bins.edges.last ?? 0) > 52)
  }
}
