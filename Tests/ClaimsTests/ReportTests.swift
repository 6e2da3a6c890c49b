import Foundation
import Testing

@testable import Claims

@Suite("Verdict, claim and report")
struct ReportTests {
  @Test("the verdict is judged on the interval's bound, on both sides and at the threshold")
  func verdicts() {
    func judge(_ low: Double, _ high: Double, _ direction: Verdict.Direction) -> Verdict {
      .judge(interval: Interval(low: low, high: high), threshold: 0.5, direction: direction)
    }
    #expect(judge(0.51, 0.9, .above) == .pass)
    #expect(judge(0.4, 0.9, .above) == .inconclusive)
    #expect(judge(0.1, 0.4, .above) == .fail)
    #expect(judge(0.5, 0.9, .above) == .inconclusive)
    #expect(judge(0.5, 0.5, .above) == .fail)
    #expect(judge(0.1, 0.49, .below) == .pass)
    #expect(judge(0.1, 0.6, .below) == .inconclusive)
    #expect(judge(0.6, 0.9, .below) == .fail)
    #expect(judge(.nan, .nan, .above) == .inconclusive)
    #expect(judge(.nan, .nan, .below) == .inconclusive)
  }

  static let claim = Claim(
    id: "e1.sft-beats-base", statement: "SFT beats the base model.",
    metric: "SFT less base, greedy accuracy", estimate: Estimate(0.61, low: 0.58, high: 0.64),
    .above, threshold: 0.2, unit: .points, n: 1_000, seeds: [7, 8])

  @Test("report.json has the keys that scripts rely on, with the interval as an array")
  func keys() throws {
    let report = Report(
      claims: [Self.claim], seconds: 181.5, machine: "a machine", commit: "abc123",
      command: "lyceum tour --seed 7")
    let object = try JSONSerialization.jsonObject(with: report.json())
    let top = try #require(object as? [String: Any])
    #expect(
      Set(top.keys) == ["claims", "seconds", "machine", "commit", "command", "stages"])
    let claim = try #require((top["claims"] as? [[String: Any]])?.first)
    #expect(
      Set(claim.keys) == [
        "id", "statement", "verdict", "metric", "estimate", "interval", "threshold", "direction",
        "unit", "n", "seeds",
      ])
    #expect(claim["verdict"] as? String == "PASS")
    #expect(claim["interval"] as? [Double] == [0.58, 0.64])
    #expect(claim["seeds"] as? [UInt64] == [7, 8])
    #expect(claim["n"] as? Int == 1_000)
    #expect(claim["estimate"] as? Double == 0.61)
  }

  @Test("a report comes back from its file as it was")
  func roundTrip() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("report-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: url) }
    let report = Report(
      claims: [Self.claim], seconds: 181.5, machine: "m", commit: "c", command: "x",
      stages: [.init(name: "read", seconds: 100)])
    try report.write(to: url)
    #expect(try Report(contentsOf: url) == report)
  }

  @Test("what was not measured is null in JSON, NaN again when read, and inconclusive")
  func unmeasured() throws {
    let claim = Claim(
      id: "x", statement: "s", metric: "m", estimate: .unknown, .above, threshold: 0, unit: .share,
      n: 0, seeds: [])
    #expect(claim.verdict == .inconclusive)
    let data = try JSONEncoder().encode(claim)
    let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["estimate"] is NSNull)
    let back = try JSONDecoder().decode(Claim.self, from: data)
    #expect(back.estimate.isNaN && back.interval.low.isNaN && back.interval.high.isNaN)
  }

  @Test("numbers are written for people, the same way everywhere")
  func formats() {
    #expect(Unit.share.text(Estimate(0.8424, low: 0.8186, high: 0.863)) == "84.2 % [81.9, 86.3]")
    #expect(
      Unit.points.text(Estimate(0.123, low: -0.01, high: 0.2)) == "+12.3 points [−1.0, +20.0]")
    #expect(Unit.points.text(0.000_1) == "0.0 points")
    #expect(Unit.plain.text(31.42) == "31.4")
    #expect(Unit.share.text(Estimate.unknown) == "–")
    #expect(Self.claim.requirement == "> +20.0 points")
    #expect(Format.fixed(-0.04, 1) == "0.0")
    #expect(Format.fixed(-1_234_567.25, 1) == "−1,234,567.2")
    #expect(
      [999, 1_000, 999_950, 1_234_567].map(Format.count) == ["999", "1.0 k", "1.0 M", "1.2 M"])
    #expect(Format.bytes(3_400_000_000) == "3.4 GB")
    #expect([0, 1, 2].map { Format.counted($0, "step") } == ["0 steps", "1 step", "2 steps"])
    #expect(
      [0.42, 4, 12.4, 59.7, 200, 3_600, 3_900].map(Format.duration) == [
        "0.4 s", "4 s", "12 s", "1 min", "3 min 20 s", "1 h", "1 h 5 min",
      ])
    #expect(
      [0.0123, 0.5, 3.14159, 31.42, 1_234.4].map(Format.number) == [
        "0.0123", "0.500", "3.14", "31.4", "1,234",
      ])
  }
}
