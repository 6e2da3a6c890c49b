import Environments
import Foundation
import Testing
import Training

@testable import Claims

@Suite("Taste and its gaming", .serialized)
struct TasteTests {
  @Test("best of n is the mean over all ways to draw n of N")
  func bestOf() {
    let scores = [0.3, -1, 2, 0.9, 0.3, 1.5]
    let values = [1.0, 7, -2, 4, 3, 0.5]
    for n in 1...6 {
      var total = 0.0
      var draws = 0.0
      for mask in 0..<64 where mask.nonzeroBitCount == n {
        let chosen = (0..<6).filter { mask >> $0 & 1 == 1 }
        let best = chosen.map { scores[$0] }.max() ?? 0
        let tied = chosen.filter { scores[$0] == best }
        total += tied.reduce(0) { $0 + values[$1] } / Double(tied.count)
        draws += 1
      }
      #expect(abs(bestOfN(n, scores: scores, values: values) - total / draws) < 1e-12, "n \(n)")
    }
    #expect(bestOfNDivergence(1) == 0)
    #expect(abs(bestOfNDivergence(256) - 4.549) < 1e-3)
  }

  @Test("the fits find the curves that they are made of")
  func fits() throws {
    let points = (1...20).map { i -> (d: Double, gain: Double) in
      let d = Double(i) / 5
      return (d, d * (1.5 - 0.4 * log(d)))
    }
    let fit = try #require(GaoFit(.practice, points))
    #expect(abs(fit.a - 1.5) < 1e-9 && abs(fit.b - 0.4) < 1e-9)
    let other = try #require(GaoFit(.bestOfN, points.map { ($0.d, $0.d * (2 - 0.3 * $0.d)) }))
    #expect(abs(other.a - 2) < 1e-9 && abs(other.b - 0.3) < 1e-9)
    #expect(GaoFit(.practice, []) == nil)
  }

  @Test("the peak is chosen on one half and measured on the other; few labels find a stop near it")
  func peak() throws {
    func point(_ step: Double, _ even: Double, _ odd: Double, wins: Int) -> TastePoint {
      TastePoint(
        step: step, n: 400, gold: [even, odd], goldDeviation: 1, proxy: [step, step],
        proxyDeviation: 1, divergence: step, formed: 1, repeated: 0, labels: 30, wins: wins)
    }
    let arm = TasteArm(
      points: [
        point(0, 0, 0, wins: 15), point(5, 0.5, 0.4, wins: 20), point(10, 1.2, 1, wins: 25),
        point(15, 1, 1.1, wins: 26), point(20, -1, -1, wins: 9), point(25, -2, -2, wins: 3),
      ], gallery: [])
    #expect(arm.peak?.step == 10)
    #expect(abs(arm.rise.value - 1) < 1e-12 && abs(arm.fall.value + 3) < 1e-12)
    let half = 1.96 * (2.0 / 400).squareRoot()
    #expect(abs(arm.fall.interval.high - (-3 + half)) < 1e-12)
    #expect(arm.stop.map { (5...10).contains($0.step) } == true)
    #expect(arm.saved.value > 2)
  }

  @Test("an interrupted run ends with the finding of one that was not")
  func resume() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent(
      "lyceum-taste-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    var recipe = TasteRecipe.quick(seed: 5)
    recipe.jokes = 400
    recipe.steps = 4
    recipe.trueSteps = 6
    recipe.rankings = 40
    let experiment = TasteExperiment(recipe)
    func run(_ name: String, stopAfter limit: Int = .max) throws -> TasteFinding {
      var asked = 0
      let observer = ExperimentObserver(
        begin: { _, _, _ in }, update: { _, _ in }, end: {}, warn: { _ in },
        shouldStop: {
          asked += 1
          return asked > limit
        })
      let folder = root.appendingPathComponent(name)
      let result = try experiment.run(in: folder, observer: observer, command: "lyceum tour")
      #expect(result.claims.map(\.id) == result.section.claims && result.claims.count >= 6)
      #expect(Set(result.claims.map(\.id)).count == result.claims.count)
      let data = try Data(contentsOf: folder.appendingPathComponent("finding.json"))
      return try JSONDecoder().decode(TasteFinding.self, from: data)
    }
    func bytes(_ finding: TasteFinding) throws -> Data {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return try encoder.encode(finding)
    }
    let whole = try run("whole")
    #expect(whole.rewardModels.count == 2 && whole.rounds.count == 1)
    for limit in [3, 20, 30] {
      #expect(throws: (any Error).self) { _ = try run("s\(limit)", stopAfter: limit) }
      #expect(try bytes(try run("s\(limit)")) == bytes(whole))
    }
  }
}
