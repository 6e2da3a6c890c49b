import Foundation
import Testing

@testable import Claims

@Suite("Claims over seeds")
struct SeedTests {
  private func seed(
    _ seed: UInt64, _ value: Double, _ low: Double, _ high: Double, unit: Claims.Unit = .plain
  ) -> SeedClaims {
    SeedClaims(
      seed: seed,
      claims: [
        Claim(
          id: "e1.a", statement: "s", metric: "m", estimate: Estimate(value, low: low, high: high),
          .above, threshold: 0, unit: unit, n: 100, seeds: [seed])
      ])
  }

  @Test("one seed keeps its own interval")
  func one() {
    let only = seed(7, 0.5, 0.4, 0.6)
    #expect(Claim.combined([only]) == only.claims)
    #expect(Claim.combined([]).isEmpty)
  }

  @Test("the mean with Student's interval: 1, 2, 3 give 2 ± 4.303/√3; the verdict follows it")
  func student() throws {
    let claim = try #require(
      Claim.combined([seed(7, 1, 0.9, 1.1), seed(8, 2, 1.9, 2.1), seed(9, 3, 2.9, 3.1)]).first)
    #expect(claim.estimate == 2 && claim.n == 300 && claim.seeds == [7, 8, 9])
    #expect(abs(claim.interval.low - (2 - 4.302_653 / 3.0.squareRoot())) < 1e-5)
    #expect(claim.verdict == .inconclusive)
    let close = Claim.combined([
      seed(7, 1, 0.9, 1.1), seed(8, 1.01, 0.9, 1.1), seed(9, 1.02, 0.9, 2),
    ])
    #expect(close[0].verdict == .pass)
  }

  @Test("seeds that agree to the bit keep the spread of their items; a share stays a share")
  func edges() {
    let same = Claim.combined([seed(7, 1, 0.9, 1, unit: .share), seed(8, 1, 0.8, 1, unit: .share)])
    #expect(abs(same[0].interval.low - 0.85) < 1e-12 && same[0].interval.high == 1)
    let wide = Claim.combined([
      seed(7, 1, 0.9, 1, unit: .share), seed(8, 0.9, 0.8, 1, unit: .share),
    ])
    #expect(abs(wide[0].interval.low - (0.95 - 12.706_205 * 0.05)) < 1e-5)
    #expect(wide[0].interval.high == 1)
  }

  @Test("a seed that could not measure leaves the claim open")
  func unmeasured() {
    let open = Claim.combined([seed(7, 1, 0.9, 1.1), seed(8, .nan, .nan, .nan)])
    #expect(open[0].verdict == .inconclusive)
  }

  @Test("the record for logs has a line a claim and reads back")
  func record() throws {
    let place = FileManager.default.temporaryDirectory
      .appendingPathComponent("lyceum-seeds-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: place) }
    let record = SeedRecord([seed(7, 1, 0.9, 1.1), seed(8, -1, -1.5, -0.5)])
    try record.write(to: place)
    let data = try Data(contentsOf: place)
    #expect(try JSONDecoder().decode(SeedRecord.self, from: data) == record)
    #expect(record.claims[0].verdicts == [.pass, .fail])
    #expect(data.split(separator: UInt8(ascii: "\n")).count == 3)
    let table = PageTable(seeds: [seed(7, 1, 0.9, 1.1), seed(8, -1, -1.5, -0.5)])
    #expect(table.rows == [["e1.a", "PASS 1", "FAIL −1", "1 of 2"]])
  }
}
