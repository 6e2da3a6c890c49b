import Environments
import Foundation

// E6 as a person reads it.

struct GameSection {
  let finding: GameFinding
  let folder: URL

  func section(_ command: String) throws -> ReportPage.Section {
    ReportPage.Section(
      id: "e6", heading: "Imitation has a ceiling", claims: finding.claims.map(\.id), talk: "",
      blocks: [.table(table())], reproduce: command, doesNotShow: [])
  }

  private func table() -> PageTable {
    var rows: [[String]] = []
    for arm in [finding.expert] + finding.imitators + [finding.practice] {
      for decoding in GameDecoding.allCases where arm.match(.expert, decoding) != nil {
        rows.append(
          ["\(arm.name), \(decoding.rawValue)"]
            + GameOpponent.allCases.map { Unit.share.text(finding.score(arm, $0, decoding)) }
            + [
              Unit.share.text(
                arm.positions.telling.estimate(decoding, seed: finding.recipe.seed)),
              Unit.share.text(
                arm.positions.blindSpots.estimate(decoding, seed: finding.recipe.seed)),
              Unit.share.text(arm.match(.expert, decoding)?.diagonalWins ?? .nan),
              Unit.share.text(arm.positions.illegal),
            ])
      }
    }
    return PageTable(
      header: ["player"] + GameOpponent.allCases.map { "against \($0.rawValue)" }
        + ["right moves", "in blind spots", "diagonal wins", "illegal"], rows: rows)
  }
}
