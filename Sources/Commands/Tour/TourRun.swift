import ArgumentParser
import Claims
import Foundation
import ModelFiles
import TensorKernels
import Training

/// A tour: experiments side by side, then their table and their report.
///
/// ```swift
/// try TourRun(options, program: ["tour"], experiments: tourExperiments).run()
/// ```
public struct TourRun {
  public typealias Experiments = (TourLength, _ seed: UInt64) -> [any Experiment]

  private let options: TourOptions
  private let program: [String]
  private let experiments: Experiments

  /// - Parameters:
  ///   - program: the words after this program's name that lead to this command again, for workers.
  ///   - experiments: those of a tour, in the order of its report.
  public init(_ options: TourOptions, program: [String], experiments: @escaping Experiments) {
    (self.options, self.program, self.experiments) = (options, program, experiments)
  }

  public func run() throws {
    let jobs = try TourJob.all(options, experiments)
    if options.worker != nil {
      guard let job = jobs.first, jobs.count == 1 else {
        throw ValidationError("--worker takes the id of one experiment")
      }
      return try TourWorker(job: job).run(threads: options.threads)
    }
    let folder = URL(fileURLWithPath: options.out)
    let run = try RunFolder(folder, create: true)
    try run.bindRecipe(Recipe(length: options.length, seed: options.seed))
    Interrupt.install()
    // A worker that dies while it is spoken to must not take the tour with it.
    signal(SIGPIPE, SIG_IGN)
    if options.threads > 0 { kernelThreads = options.threads }
    let clock = TourClock(folder: folder)
    let left = jobs.filter { !$0.isFinished }.sorted { $0.plannedSeconds > $1.plannedSeconds }
    let workers = max(1, min(kernelThreads, left.count))
    let estimate = TourEstimate(
      jobs: left.map { ($0.label, $0.experiment.plan) }, workers: workers,
      guess: options.quick ? 0.1 : 1)
    if !left.isEmpty {
      announce(left.count, workers, clock, seconds: estimate.remaining(time: 0))
      let progress = TourProgress(estimate, before: clock.seconds)
      let schedule = TourSchedule(
        jobs: left, cores: kernelThreads, progress: progress, clock: clock, worker: arguments)
      let failures = try schedule.run()
      guard failures.isEmpty else { throw TourFailure(failures: failures) }
    }
    try withExtendedLifetime(run) { try report(jobs, in: folder, clock) }
  }

  private struct Recipe: Codable {
    var length: TourLength
    var seed: UInt64
  }

  /// The command line of the worker for `job`.
  private func arguments(_ job: TourJob, threads: Int) -> [String] {
    program + [
      "--worker", job.id, "--only", job.id, "--seed", "\(job.seed)", "--threads", "\(threads)",
      "--out", job.folder.deletingLastPathComponent().path,
    ] + (options.quick ? ["--quick"] : []) + (options.long ? ["--long"] : [])
  }

  private func announce(_ count: Int, _ workers: Int, _ clock: TourClock, seconds: Double) {
    if clock.seconds > 0 {
      Terminal.note("\(options.out): going on after \(Format.duration(clock.seconds)) of work.")
    }
    // Measured on two cores of 118 GFLOP/s each; the time left is corrected as the work goes.
    let memory = Format.bytes(Double(workers) * 0.8e9)
    let what = count == 1 ? "1 experiment" : "\(count) experiments"
    let how = workers > 1 ? ", \(workers) side by side" : ""
    Terminal.note(
      options.quick
        ? "A quick tour of \(what)\(how): under 90 seconds, \(memory) of memory. It checks that "
          + "every part runs; its verdicts mean nothing."
        : "A tour of \(what)\(how): about \(Format.duration((seconds / 10).rounded(.up) * 10)) on "
          + "quick cores, \(memory) of memory. Ctrl-C saves.")
  }

  // MARK: The end

  /// Reads what was found and writes table and report.
  private func report(_ jobs: [TourJob], in folder: URL, _ clock: TourClock) throws {
    let results = try jobs.map { job in
      try job.experiment.run(
        in: job.folder, observer: .silent,
        command: options.command(only: job.id, seed: job.seed, out: options.out))
    }
    let seeds = (0..<UInt64(options.seeds)).map { options.seed + $0 }
    let bySeed = seeds.map { seed in
      SeedClaims(
        seed: seed, claims: zip(jobs, results).filter { $0.0.seed == seed }.flatMap(\.1.claims))
    }
    try keepModel(folder)
    let report = Report(
      claims: Claim.combined(bySeed), seconds: clock.seconds, machine: Machine.describe(),
      commit: SourceCommit.current,
      command: options.command(
        only: options.only, seed: options.seed, seeds: options.seeds, out: options.out),
      stages: clock.stages(of: jobs.map(\.label)))
    try report.write(to: folder.appendingPathComponent("report.json"))
    try SeedRecord(bySeed).write(to: folder.appendingPathComponent("seeds.json"))
    let sections = zip(jobs, results).filter { $0.0.seed == options.seed }.flatMap(\.1.sections)
    try ReportPage.tour(sections, report: report, length: options.length, seeds: bySeed)
      .write(to: folder.appendingPathComponent("report.html"))
    if options.json {
      try JSONLine.print(report)
    } else {
      show(report, jobs.filter { $0.seed == options.seed }, hasModel: hasModel(folder))
    }
  }

  /// The model that practised, where `lyceum chat` looks for it.
  private func keepModel(_ folder: URL) throws {
    let made = folder.appendingPathComponent("e1/model")
    guard FileManager.default.fileExists(atPath: made.path) else { return }
    try LoadedModel.load(made).save(to: folder.appendingPathComponent("model"))
  }

  private func hasModel(_ folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent("model").path)
  }

  private func show(_ report: Report, _ jobs: [TourJob], hasModel: Bool) {
    let groups = jobs.map { job in
      // An experiment may decide the claims of two: e2 and e3 share a base.
      let ids = type(of: job.experiment).ids
      return ClaimTable.Group(
        title: "\(ids.joined(separator: ", "))  \(type(of: job.experiment).title)",
        claims: report.claims.filter { claim in
          ids.contains { claim.id.hasPrefix($0 + ".") }
        })
    }
    print(ClaimTable(groups).text(on: .standardOutput), "", separator: "\n")
    if options.quick {
      print("A quick tour checks that every part runs; its verdicts mean nothing.")
    }
    print("The report, with charts and samples:  \(options.out)/report.html")
    if hasModel { print("Talk to the result:                   lyceum chat \(options.out)") }
  }
}

/// Experiments that could not be finished.
struct TourFailure: Error, CustomStringConvertible {
  /// What stopped each, by its label.
  var failures: [(label: String, complaint: String)]

  var description: String {
    failures.map { "\($0.label) could not be finished: \($0.complaint)" }.joined(separator: "\n")
      + "\nEverything else is kept: the same command goes on with "
      + failures.map(\.label).joined(separator: " and ") + "."
  }
}

extension ExperimentObserver {
  /// For experiments that are only read.
  static var silent: ExperimentObserver {
    ExperimentObserver(
      begin: { _, _, _ in }, update: { _, _ in }, end: {}, warn: { _ in },
      shouldStop: { Interrupt.isRequested })
  }
}
