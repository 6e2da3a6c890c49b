import Claims

/// The verdicts that end a tour, for a terminal of any width: a group for each experiment, the
/// statement first, and the figures below it in columns.
struct ClaimTable {
  struct Group {
    var title: String
    var claims: [Claim]
  }

  private let groups: [Group]
  private var claims: [Claim] { groups.flatMap(\.claims) }

  init(_ groups: [Group]) { self.groups = groups.filter { !$0.claims.isEmpty } }

  /// At most `terminal.width` columns, as far as words allow; without spaces at the ends of lines.
  func text(on terminal: Terminal) -> String {
    let width = max(60, min(terminal.width, 120))
    let margin = (claims.map { $0.verdict.rawValue.count }.max() ?? 0) + 2
    let widths = figureWidths
    let room = width - margin - widths.reduce(0) { $0 + $1 + 2 }
    let columns = Self.aligned(Self.titles, widths)
    let rule = String(repeating: terminal.isUTF8 ? "─" : "-", count: width)
    var lines: [String] = []
    for group in groups {
      let passed = group.claims.count { $0.verdict == .pass }
      let title = "\(group.title): \(passed) of \(group.claims.count) hold"
      let gap = width - title.count - columns.count
      lines += lines.isEmpty ? [] : [""]
      lines.append(terminal.styled(title, .bold))
      // A long title leaves the columns' names a line of their own.
      if gap < 0 { lines.append("") }
      lines[lines.count - 1] += terminal.styled(
        String(repeating: " ", count: gap < 0 ? max(0, width - columns.count) : gap) + columns, .dim
      )
      lines.append(terminal.styled(rule, .dim))
      for claim in group.claims {
        let blank = String(repeating: " ", count: margin)
        let statement = Self.wrapped(claim.statement, width - margin)
        let beside = width - margin - claim.statement.count - claim.id.count
        for (i, part) in statement.enumerated() {
          let id =
            beside >= 2
            ? String(repeating: " ", count: beside) + terminal.styled(claim.id, .dim) : ""
          lines.append((i == 0 ? badge(claim.verdict, margin, terminal) : blank) + part + id)
        }
        let metric = Self.wrapped(
          claim.metric + seeds(claim) + (beside >= 2 ? "" : " (\(claim.id))"), width - margin)
        let figures = Self.aligned(figures(claim), widths)
        if metric.count == 1, metric[0].count <= room {
          let gap = String(repeating: " ", count: room - metric[0].count)
          lines.append(blank + terminal.styled(metric[0], .dim) + gap + figures)
        } else {
          lines += metric.map { blank + terminal.styled($0, .dim) }
          lines.append(blank + String(repeating: " ", count: max(0, room)) + figures)
        }
      }
    }
    return (lines + [""] + Self.wrapped(summary, width)).joined(separator: "\n")
  }

  /// `24 of 30 claims hold, 2 fail, 4 are inconclusive. Seed 7: the intervals cover its items only.`
  private var summary: String {
    func count(_ verdict: Verdict) -> Int { claims.count { $0.verdict == verdict } }
    var text = "\(count(.pass)) of \(claims.count) claims hold"
    let (failed, open) = (count(.fail), count(.inconclusive))
    if failed > 0 { text += ", \(failed) \(failed == 1 ? "fails" : "fail")" }
    if open > 0 { text += ", \(open) \(open == 1 ? "is" : "are") inconclusive" }
    guard let seeds = commonSeeds else { return text + "." }
    let list = seeds.map(String.init).joined(separator: ", ")
    return text
      + (seeds.count == 1
        ? ". Seed \(list): the intervals cover its items only."
        : ". Seeds \(list): the intervals cover the seeds.")
  }

  /// The seeds of all claims, where they are the same.
  private var commonSeeds: [UInt64]? {
    guard let first = claims.first?.seeds else { return nil }
    return claims.allSatisfy { $0.seeds == first } ? first : nil
  }

  private static let titles = ["estimate", "95 % interval", "needed", "n"]

  /// Said with the claim where claims differ in it.
  private func seeds(_ claim: Claim) -> String {
    commonSeeds == nil ? ", seeds " + claim.seeds.map(String.init).joined(separator: " ") : ""
  }

  private func figures(_ claim: Claim) -> [String] {
    [
      claim.unit.text(claim.estimate), claim.unit.text(claim.interval), claim.requirement,
      Format.fixed(Double(claim.n), 0),
    ]
  }

  /// Each column as wide as its widest figure or its title.
  private var figureWidths: [Int] {
    let rows = [Self.titles] + claims.map(figures)
    return (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
  }

  private func badge(_ verdict: Verdict, _ width: Int, _ terminal: Terminal) -> String {
    let style: Terminal.Style =
      switch verdict {
      case .pass: .green
      case .fail: .red
      case .inconclusive: .yellow
      }
    return terminal.styled(verdict.rawValue, style)
      + String(repeating: " ", count: width - verdict.rawValue.count)
  }

  private static func aligned(_ cells: [String], _ widths: [Int]) -> String {
    zip(cells, widths).map { cell, width in
      "  " + String(repeating: " ", count: max(0, width - cell.count)) + cell
    }.joined()
  }

  /// `text` in lines of at most `width` columns, broken between words.
  static func wrapped(_ text: String, _ width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      let last = lines[lines.count - 1]
      if last.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if last.count + 1 + word.count <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
