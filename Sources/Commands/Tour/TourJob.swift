import ArgumentParser
import Claims
import Foundation

/// One experiment on one seed: what a worker does.
struct TourJob {
  let experiment: any Experiment
  let seed: UInt64
  /// Its own folder, within the tour's.
  let folder: URL
  /// How lines of progress name it: `e2`, or `seed 8 e2`.
  let label: String

  var id: String { type(of: experiment).id }

  /// Whether an earlier run finished it, so that it is only read.
  var isFinished: Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent("finding.json").path)
  }

  /// Seconds on one quick core, by the experiment's own plan.
  var plannedSeconds: Double { experiment.plan.reduce(0) { $0 + $1.seconds } }

  /// The jobs of a tour: those of the first seed in the tour's folder, those of the others each in
  /// `seed-K` within it.
  static func all(
    _ options: TourOptions, _ experiments: (TourLength, UInt64) -> [any Experiment]
  ) throws -> [TourJob] {
    let root = URL(fileURLWithPath: options.out)
    return try (0..<UInt64(options.seeds)).flatMap { index -> [TourJob] in
      let seed = options.seed + index
      let home = index == 0 ? root : root.appendingPathComponent("seed-\(seed)")
      let all = experiments(options.length, seed)
      return try chosen(options.only, of: all, extras: options.long).map { experiment in
        let id = type(of: experiment).id
        return TourJob(
          experiment: experiment, seed: seed, folder: home.appendingPathComponent(id),
          label: index == 0 ? id : "seed \(seed) \(id)")
      }
    }
  }

  /// The experiments that `--only` names, in the order of the tour; without it all, `extras` where they
  /// are wanted.
  static func chosen(
    _ only: String?, of all: [any Experiment], extras: Bool
  ) throws -> [any Experiment] {
    guard let only else { return all.filter { extras || !type(of: $0).isExtra } }
    let ids = only.split(separator: ",")
      .map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
    let known = all.flatMap { type(of: $0).ids }
    for id in ids where !known.contains(id) {
      throw ValidationError(
        "there is no experiment \(id): choose from \(known.joined(separator: ", "))")
    }
    guard !ids.isEmpty else {
      throw ValidationError("--only names nothing: choose from \(known.joined(separator: ", "))")
    }
    return all.filter { type(of: $0).ids.contains(where: ids.contains) }
  }
}
