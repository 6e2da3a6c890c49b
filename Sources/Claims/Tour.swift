import Foundation

/// How much a tour does.
public enum TourLength: String, Codable, Sendable {
  /// Checks that every part runs; its verdicts mean nothing.
  case quick
  case standard
  /// The sweeps of the experiments that have some, and experiments that no other tour has.
  case long
}

/// The experiments of a tour in the order of the report, those of a long tour alone included.
public func tourExperiments(_ length: TourLength, seed: UInt64) -> [any Experiment] {
  [
    LadderExperiment(length == .quick ? .quick(seed: seed) : .tour(seed: seed)),
    KnowledgeExperiment(length == .quick ? .quick(seed: seed) : .tour(seed: seed)),
    ThinkingExperiment(.of(length, seed: seed)),
    CharacterExperiment(.of(length, seed: seed)),
    GameExperiment(length == .quick ? .quick(seed: seed) : .tour(seed: seed)),
    CountdownExperiment(.of(length, seed: seed)),
    TasteExperiment(TasteRecipe.of(length, seed: seed)),
    RecitalExperiment(.of(length, seed: seed)),
    ShotExperiment(.of(length, seed: seed)),
    UniverseExperiment(.of(length, seed: seed)),
    IdentityExperiment(.of(length, seed: seed)),
  ]
}

extension ReportPage {
  /// The page of a tour. With several seeds, the sections show the first.
  public static func tour(
    _ sections: [Section], report: Report, length: TourLength, seeds: [SeedClaims] = []
  ) -> ReportPage {
    var lead =
      "In \(Format.duration(report.seconds)) this computer made language models from nothing, and "
      + "put statements about how such models are made to the test."
    if let first = seeds.first, seeds.count > 1 {
      lead +=
        " It did so with \(seeds.count) seeds; charts and samples below are those of seed "
        + "\(first.seed)."
    }
    let warning =
      "This was a quick tour: it checks that every part runs. Its verdicts mean nothing. "
    return ReportPage(
      title: "A model from nothing", lead: (length == .quick ? warning : "") + lead,
      report: report, sections: sections,
      seedTable: seeds.count > 1 ? PageTable(seeds: seeds) : nil)
  }
}
