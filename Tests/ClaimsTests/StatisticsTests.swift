import Environments
import Foundation
import Testing

@testable import Claims

@Suite("Statistics")
struct StatisticsTests {
  @Test(
    "Wilson's interval equals the values published by Newcombe (1998)",
    arguments: [
      (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611),
      (1, 29, 0.0061, 0.1718),
    ])
  func wilsonKnown(successes: Int, n: Int, low: Double, high: Double) {
    let interval = wilson(successes: successes, of: n)
    #expect(abs(interval.low - low) < 6e-5)
    #expect(abs(interval.high - high) < 6e-5)
    let mirrored = wilson(successes: n - successes, of: n)
    #expect(abs(mirrored.low - (1 - interval.high)) < 1e-12)
  }

  @Test("Wilson's interval of nothing is everything, and its ends are exact")
  func wilsonEnds() {
    #expect(wilson(successes: 0, of: 0) == Interval(low: 0, high: 1))
    #expect(wilson(successes: 0, of: 7).low == 0)
    #expect(wilson(successes: 7, of: 7).high == 1)
  }

  @Test("Wilson's interval covers the true share at about its level", arguments: [0.03, 0.3, 0.5])
  func wilsonCoverage(share: Double) {
    var random = SplitMix64(seed: 5)
    let trials = 2_000
    var covered = 0
    for _ in 0..<trials {
      var hits = 0
      for _ in 0..<100 where Double.random(in: 0..<1, using: &random) < share { hits += 1 }
      if wilson(successes: hits, of: 100).contains(share) { covered += 1 }
    }
    #expect(Double(covered) / Double(trials) > 0.93)
    #expect(Double(covered) / Double(trials) < 0.975)
  }

  @Test("quantiles of the normal and of Student's t equal the tables")
  func quantiles() {
    #expect(abs(normalQuantile(0.975) - 1.959_963_984_540_054) < 1e-12)
    #expect(abs(normalQuantile(1e-10) + 6.361_340_902_404_056) < 1e-10)
    #expect(abs(normalQuantile(0.5)) < 1e-15)
    #expect(normalQuantile(0) == -.infinity && normalQuantile(1) == .infinity)
    for (degrees, t) in [(1, 12.706_204_736), (2, 4.302_652_730), (9, 2.262_157_163)] {
      #expect(abs(studentQuantile(0.975, degrees: degrees) - t) < 1e-8)
      #expect(abs(studentQuantile(0.025, degrees: degrees) + t) < 1e-8)
    }
    #expect(abs(studentQuantile(0.975, degrees: 1_000_000) - normalQuantile(0.975)) < 1e-5)
  }

  @Test("McNemar's exact p equals binomial sums done by hand")
  func mcNemarKnown() {
    #expect(abs(mcNemar(b: 0, c: 5) - 0.0625) < 1e-12)
    #expect(abs(mcNemar(b: 9, c: 1) - 22.0 / 1_024) < 1e-12)
    #expect(mcNemar(b: 4, c: 4) == 1)
    #expect(mcNemar(b: 0, c: 0) == 1)
    #expect(mcNemar(b: 400, c: 100) < 1e-40 && mcNemar(b: 400, c: 100) > 0)
  }

  @Test("pass@k equals the count over all draws of k samples")
  func passAtKEnumerated() {
    let n = 6
    for correct in 0...n {
      for k in 1...n {
        // Samples 0..<correct are right; a draw fails when it holds none of them.
        var draws = 0
        var solved = 0
        for set in 0..<(1 << n) where set.nonzeroBitCount == k {
          draws += 1
          if set & ((1 << correct) - 1) != 0 { solved += 1 }
        }
        let expected = Double(solved) / Double(draws)
        #expect(abs(passAtK(n: n, correct: correct, k: k) - expected) < 1e-12)
      }
    }
    let mean = passAtK(n: 6, correct: [0, 6], k: 3, resamples: 200, seed: 1)
    #expect(mean.value == 0.5)
    #expect(mean.interval == Interval(low: 0, high: 1))
  }

  @Test("the bootstrap is a function of its seed, and centres on the mean")
  func bootstrapSeeded() {
    let values = (0..<50).map { Double($0 % 7) }
    let first = bootstrapMean(values, resamples: 500, seed: 3)
    #expect(first == bootstrapMean(values, resamples: 500, seed: 3))
    #expect(first != bootstrapMean(values, resamples: 500, seed: 4))
    #expect(first.value == values.reduce(0, +) / 50)
    #expect(first.interval.contains(first.value))
    let constant = bootstrapMean([2, 2, 2], resamples: 50, seed: 1)
    #expect(constant == Estimate(2, low: 2, high: 2))
    #expect(bootstrapMean([], seed: 1).value.isNaN)
  }

  @Test("the paired bootstrap is narrower than the spread of two unpaired models")
  func pairedNarrower() {
    // Both models fail the hard half; the second also fails every tenth item.
    let a = (0..<200).map { $0 % 2 == 0 }
    let b = (0..<200).map { $0 % 2 == 0 && $0 % 10 != 0 }
    let paired = pairedBootstrap(a, b, resamples: 1_000, seed: 9)
    #expect(abs(paired.value - 0.1) < 1e-12)
    #expect(paired.interval.low > 0.04 && paired.interval.high < 0.16)
  }

  @Test("the bootstrap interval of a mean covers the truth at about its level")
  func bootstrapCoverage() {
    var random = SplitMix64(seed: 17)
    let trials = 250
    var covered = 0
    for trial in 0..<trials {
      let sample = (0..<60).map { _ in
        Double.random(in: 0..<1, using: &random) < 0.3 ? 1.0 : 0.0
      }
      let estimate = bootstrapMean(sample, resamples: 300, seed: UInt64(trial))
      if estimate.interval.contains(0.3) { covered += 1 }
    }
    let share = Double(covered) / Double(trials)
    #expect(share > 0.90 && share < 0.985)
  }

  @Test("Student's interval covers the mean of a few seeds")
  func fewSeeds() {
    var random = SplitMix64(seed: 23)
    var student = 0
    let trials = 500
    for _ in 0..<trials {
      let means = (0..<3).map { _ in
        (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
      }
      if studentInterval(means).interval.contains(0) { student += 1 }
    }
    #expect(Double(student) / Double(trials) > 0.92)
  }
}
