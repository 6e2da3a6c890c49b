extension ReportPage {
  /// The sections by their headings, where there are several to choose from.
  func contents(_ html: inout Markup) {
    guard sections.count > 1 else { return }
    html.element("nav", ["aria-label": "Contents"]) { html in
      html.element("ol") { html in
        for section in sections {
          html.element("li") { html in
            html.element("a", ["href": "#" + section.id]) { $0.prose(section.heading) }
            html.write(" ")
            html.element("small", text: outcome(section))
          }
        }
      }
    }
  }

  /// All claims with their figures, grouped by the sections that decide them.
  func summary(_ html: inout Markup) {
    guard !report.claims.isEmpty else { return }
    // Roles are spelled out because the style sheet turns rows into cards on a phone.
    html.element("table", ["class": "claims", "role": "table"]) { html in
      html.element("caption") { $0.write(caption) }
      for group in groups {
        html.element("tbody", ["role": "rowgroup"]) { html in
          if sections.count > 1, let section = group.section {
            html.element("tr", ["role": "row", "class": "group"]) { html in
              html.element("th", ["colspan": "3", "scope": "rowgroup", "role": "rowheader"]) {
                $0.element("a", ["href": "#" + section.id]) { $0.prose(section.heading) }
              }
            }
          }
          for claim in group.claims {
            html.element("tr", ["role": "row"]) { row(claim, &$0) }
          }
        }
      }
    }
    if let seedTable {
      html.element("h3", text: "Seed by seed")
      seedTable.write(&html)
    }
  }

  func badge(_ verdict: Verdict, _ html: inout Markup) {
    html.element("span", ["class": "badge \(verdict.style)"], text: verdict.rawValue)
  }

  private var caption: String {
    let rule =
      "A claim passes only where its whole 95 % interval lies beyond a threshold that was fixed "
      + "before the run: the shaded side."
    let counts = Set(report.claims.map(\.seeds.count))
    if counts == [1] {
      return rule + " There was one seed: the intervals cover the items of the exams only, not how "
        + "much another seed would differ."
    }
    return counts.contains(1)
      ? rule : rule + " Estimates are means over the seeds, with Student's interval over them."
  }

  /// The claims of each section in the page's order, and last those that no section decides.
  private var groups: [(section: Section?, claims: [Claim])] {
    let sorted = sections.map { section in
      (section: Optional(section), claims: claims(of: section))
    }
    let placed = Set(sections.flatMap(\.claims))
    let others = report.claims.filter { !placed.contains($0.id) }
    return (sorted + [(section: nil, claims: others)]).filter { !$0.claims.isEmpty }
  }

  private func claims(of section: Section) -> [Claim] {
    report.claims.filter { section.claims.contains($0.id) }
  }

  /// `3 of 4 hold`
  private func outcome(_ section: Section) -> String {
    let decided = claims(of: section)
    return "\(decided.count { $0.verdict == .pass }) of \(decided.count) hold"
  }

  private func row(_ claim: Claim, _ html: inout Markup) {
    html.element("th", ["scope": "row", "role": "rowheader"]) { html in
      if let section = sections.first(where: { $0.claims.contains(claim.id) }) {
        html.element("a", ["href": "#" + section.id]) { $0.prose(claim.statement) }
      } else {
        html.prose(claim.statement)
      }
      html.element("small") { html in
        html.prose(claim.metric)
        html.write(
          "; n\u{A0}=\u{A0}\(Format.fixed(Double(claim.n), 0)), "
            + (claim.seeds.count == 1 ? "seed\u{A0}" : "seeds ")
            + claim.seeds.map(String.init).joined(separator: ", "))
      }
    }
    html.element("td", ["role": "cell", "class": "figures"]) { html in
      html.element("b", text: claim.unit.text(claim.estimate))
      html.write(" " + claim.unit.text(claim.interval))
      IntervalStrip(claim: claim).draw(&html)
      html.element("small", text: "needs " + claim.requirement)
    }
    html.element("td", ["role": "cell", "class": "outcome"]) { badge(claim.verdict, &$0) }
  }
}
