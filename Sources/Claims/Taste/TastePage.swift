import Foundation

struct TasteSection {
  let result: TasteFinding

  func section(_ command: String) -> ReportPage.Section {
    ReportPage.Section(
      id: "e7", heading: "Taste", claims: [], talk: "", blocks: [], reproduce: command,
      doesNotShow: [])
  }
}
