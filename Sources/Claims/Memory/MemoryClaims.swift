import Foundation

// What E3 claims, with thresholds that were fixed before the runs that judge them.

extension MemoryFinding {
  /// Buckets of people who are written about at most four times.
  private var rare: [Bucket] { buckets.filter { (1...4).contains($0.exposures) } }
  private var most: Bucket? { buckets.max { $0.exposures < $1.exposures } }
  /// The bucket whose open book goes worst.
  private var worstOpen: Bucket? {
    buckets.min { $0.share($0.open).interval.low < $1.share($1.open).interval.low }
  }

  func claims(seed: UInt64) -> [Claim] {
    func right(_ buckets: [Bucket], _ counts: (Bucket) -> [Int]) -> [Double] {
      buckets.flatMap { bucket in counts(bucket).map { Double($0) / Double(bucket.questions) } }
    }
    func items(_ buckets: [Bucket]) -> Int {
      buckets.reduce(0) { $0 + $1.closed.count * $1.questions }
    }
    return [
      Claim(
        id: "e3.recall-grows", statement: "What is read more often is recalled better.",
        metric: "slope of logit accuracy over log₂ exposures, closed book", estimate: fit.slope,
        .above, threshold: 0.4, unit: .plain, n: items(buckets.filter { $0.exposures > 0 }),
        seeds: [seed]),
      Claim(
        id: "e3.often-read-is-known", statement: "What is read often enough is known by heart.",
        metric: "closed book, \(most?.exposures ?? 0) exposures",
        estimate: most.map { $0.share($0.closed) } ?? .unknown, .above, threshold: 0.85,
        unit: .share, n: most.map { items([$0]) } ?? 0, seeds: [seed]),
      Claim(
        id: "e3.open-book", statement: "What stands on the page is answered, however rare.",
        metric: "open book, worst bucket (\(worstOpen?.exposures ?? 0) exposures)",
        estimate: worstOpen.map { $0.share($0.open) } ?? .unknown, .above, threshold: 0.8,
        unit: .share, n: worstOpen.map { items([$0]) } ?? 0, seeds: [seed]),
      Claim(
        id: "e3.page-beats-memory", statement: "For the rarely read, the page is worth far more.",
        metric: "open less closed book, at most 4 exposures",
        // People are drawn again, not questions: those on one person hang together.
        estimate: pairedBootstrap(right(rare, \.open), right(rare, \.closed), seed: seed),
        .above, threshold: 0.7, unit: .points, n: items(rare), seeds: [seed]),
      Claim(
        id: "e3.page-wins", statement: "Where page and memory differ, the page wins.",
        metric: "answers that follow the page, \(most?.exposures ?? 0) exposures",
        estimate: most.map { $0.share($0.contradicted) } ?? .unknown, .above, threshold: 0.7,
        unit: .share, n: most.map { items([$0]) } ?? 0, seeds: [seed]),
    ]
  }
}
