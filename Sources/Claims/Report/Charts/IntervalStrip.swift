/// A claim's interval against its threshold in one small strip: the shaded side is where the whole
/// interval has to lie.
struct IntervalStrip {
  let claim: Claim

  func draw(_ html: inout Markup) {
    let known = [claim.interval.low, claim.interval.high, claim.estimate].filter(\.isFinite)
    let (low, high) = (
      (known + [claim.threshold]).min() ?? 0, (known + [claim.threshold]).max() ?? 1
    )
    let margin = high > low ? (high - low) * 0.25 : max(abs(high), 1) * 0.25
    func across(_ value: Double) -> Double {
      2 + (value - low + margin) / (high - low + 2 * margin) * 196
    }
    let threshold = across(claim.threshold)
    let shaded = claim.direction == .above ? (threshold, 198.0) : (2.0, threshold)
    html.element(
      "svg",
      ["class": "strip \(claim.verdict.style)", "viewBox": "0 0 200 20", "aria-hidden": "true"]
    ) { svg in
      svg.empty(
        "rect",
        [
          "x": px(shaded.0), "y": "1", "width": px(shaded.1 - shaded.0), "height": "18",
          "class": "goal",
        ])
      svg.empty("path", ["d": "M\(px(threshold)) 0V20", "class": "reference"])
      if claim.interval.low.isFinite, claim.interval.high.isFinite {
        svg.empty(
          "path",
          [
            "d": "M\(px(across(claim.interval.low))) 10H\(px(across(claim.interval.high)))",
            "class": "reach",
          ])
      }
      if claim.estimate.isFinite {
        svg.empty(
          "circle", ["cx": px(across(claim.estimate)), "cy": "10", "r": "4.5", "class": "point"])
      }
    }
  }
}
