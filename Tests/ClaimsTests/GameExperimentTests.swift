import Claims
import Foundation
import Testing

@Suite("E6", .serialized)
struct GameExperimentTests {
  private var recipe: GameRecipe {
    var recipe = GameRecipe.quick(seed: 3)
    recipe.width = 16
    recipe.heads = 2
    recipe.imitated = [30, 60]
    recipe.imitationSteps = 4
    recipe.positionGames = 8
    recipe.examOpenings = 4
    return recipe
  }

  private func observer(stopAfter limit: Int = .max) -> ExperimentObserver {
    var asked = 0
    return ExperimentObserver(
      begin: { _, _, _ in }, update: { _, _ in }, end: {}, warn: { _ in },
      shouldStop: {
        asked += 1
        return asked > limit
      })
  }

  private func scratch() -> URL {
    FileManager.default.temporaryDirectory.appendingPathComponent("lyceum-e6-\(UUID().uuidString)")
  }

  @Test("stopped in any stage and gone on, it finds the same; the page holds its claims and boards")
  func resume() throws {
    let folder = scratch()
    defer { try? FileManager.default.removeItem(at: folder) }
    let experiment = GameExperiment(recipe)
    let whole = try experiment.measure(
      in: folder.appendingPathComponent("whole"), observer: observer())
    for limit in [2, 9, 13, 30] {
      let place = folder.appendingPathComponent("\(limit)")
      #expect(throws: (any Error).self) {
        try experiment.measure(in: place, observer: observer(stopAfter: limit))
      }
      #expect(try experiment.measure(in: place, observer: observer()) == whole)
    }
    let result = try experiment.run(
      in: folder.appendingPathComponent("whole"), observer: observer(), command: "lyceum tour")
    #expect(result.claims.count == 7)
    #expect(result.section.claims == result.claims.map(\.id))
    let page = ReportPage(
      title: "t", lead: "l",
      report: Report(
        claims: result.claims, seconds: 1, machine: "m", commit: "c", command: "x", stages: []),
      sections: [result.section]
    ).html()
    #expect(page.contains("class=\"board\""))
  }
}
