import Foundation

extension ReportPage {
  /// The page as one HTML file: inline styles and drawings, no script, nothing loaded.
  public func html() -> String {
    var page = Markup()
    page.trusted("<!DOCTYPE html>\n")
    page.element("html", ["lang": "en"]) { html in
      html.element("head") { html in
        html.empty("meta", ["charset": "utf-8"])
        html.empty(
          "meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        html.empty("meta", ["name": "color-scheme", "content": "light dark"])
        html.element("title", text: title)
        html.element("style") { $0.trusted(StyleSheet.text) }
      }
      html.element("body") { html in
        html.element("main") { html in
          header(&html)
          contents(&html)
          summary(&html)
          for section in sections { write(section, &html) }
          footer(&html)
        }
      }
    }
    return page.text + "\n"
  }

  /// Replaces the file at `url` whole.
  public func write(to url: URL) throws {
    try Data(html().utf8).write(to: url, options: .atomic)
  }

  private func header(_ html: inout Markup) {
    html.element("header") { html in
      html.element("h1", text: title)
      html.element("p", ["class": "lead"]) { $0.prose(lead) }
      html.element("p", ["class": "facts"], text: facts)
    }
  }

  /// `2 of 3 claims pass, 1 inconclusive · 3 min 1 s · AMD …, 2 cores · commit abc123`
  private var facts: String {
    let counts = Verdict.allCases.map { verdict in
      (verdict, report.claims.filter { $0.verdict == verdict }.count)
    }
    let passed = counts.first { $0.0 == .pass }?.1 ?? 0
    var outcome = "\(passed) of \(report.claims.count) claims pass"
    for (verdict, count) in counts where verdict != .pass && count > 0 {
      outcome +=
        ", \(count) " + (verdict == .fail ? (count == 1 ? "fails" : "fail") : verdict.style)
    }
    let parts = [
      outcome, Format.duration(report.seconds), report.machine,
      "commit " + String(report.commit.prefix(12)),
    ]
    return parts.joined(separator: " · ")
  }

  private func write(_ section: Section, _ html: inout Markup) {
    html.element("section", ["id": section.id]) { html in
      html.element("h2", text: section.heading)
      let decided = report.claims.filter { section.claims.contains($0.id) }
      if !decided.isEmpty {
        html.element("ul", ["class": "decided"]) { html in
          for claim in decided {
            html.element("li") { html in
              badge(claim.verdict, &html)
              html.element("span") { $0.prose(claim.statement) }
            }
          }
        }
      }
      if !section.talk.isEmpty {
        html.element("blockquote") { html in
          html.element("small", text: "What the talk says, in our words")
          html.element("p") { $0.prose(section.talk) }
        }
      }
      for block in section.blocks { write(block, &html) }
      if !section.reproduce.isEmpty {
        html.element("h3", text: "Reproduce it")
        html.element("pre") { $0.element("code", text: section.reproduce) }
      }
      if !section.doesNotShow.isEmpty {
        html.element("h3", text: "What this does not show")
        html.element("ul") { html in
          for limit in section.doesNotShow { html.element("li") { $0.prose(limit) } }
        }
      }
    }
  }

  private func write(_ block: Block, _ html: inout Markup) {
    switch block {
    case .paragraph(let text): html.element("p") { $0.prose(text) }
    case .subheading(let text): html.element("h3", text: text)
    case .table(let table): table.write(&html)
    case .lines(let chart): chart.figure(&html)
    case .bars(let chart): chart.figure(&html)
    case .histogram(let chart): chart.figure(&html)
    case .strips(let strips):
      html.element("div", ["class": "strips"]) { html in
        for strip in strips { strip.write(&html) }
      }
    case .boards(let boards):
      html.element("div", ["class": "boards"]) { html in
        for board in boards { board.figure(&html) }
      }
    case .samples(let samples):
      html.element("div", ["class": "samples"]) { html in
        for sample in samples { write(sample, &html) }
      }
    }
  }

  private func write(_ sample: Sample, _ html: inout Markup) {
    html.element("article", ["class": "sample \(sample.outcome.rawValue)"]) { html in
      html.element("header") { html in
        if sample.outcome != .open { html.element("b", text: sample.outcome.rawValue) }
        html.element("span") { $0.prose(sample.note) }
      }
      // Models write any script: each text finds its own direction and keeps it to itself.
      html.element("pre", ["class": "prompt", "dir": "auto"], text: sample.prompt)
      html.element("pre", ["class": "response", "dir": "auto"], text: sample.response)
    }
  }

  private func footer(_ html: inout Markup) {
    html.element("footer") { html in
      if !report.stages.isEmpty {
        let parts = timesByExperiment.map { "\($0.name) \(Format.duration($0.seconds))" }
        html.element("p", text: "Where the time went: " + parts.joined(separator: ", ") + ".")
      }
      html.element("p") { html in
        html.write("Made by ")
        html.element("code", text: report.command)
        html.write(". The same numbers for programs are in ")
        html.element("code", text: "report.json")
        html.write(" beside this page.")
      }
    }
  }

  /// The seconds of the stages. Where there are several sections, of each section's stages together,
  /// over all seeds; a stage's name then begins with the section's: `e1 read`, `seed 8 e1 read`.
  private var timesByExperiment: [Report.Stage] {
    guard sections.count > 1 else { return report.stages }
    var times: [Report.Stage] = []
    for stage in report.stages {
      let words = stage.name.split(separator: " ").map(String.init)
      let name = words.first { word in sections.contains { $0.id == word } } ?? stage.name
      if let index = times.firstIndex(where: { $0.name == name }) {
        times[index].seconds += stage.seconds
      } else {
        times.append(Report.Stage(name: name, seconds: stage.seconds))
      }
    }
    return times
  }
}
