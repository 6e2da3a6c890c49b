import Foundation
import ModelFiles
import Training

/// One claim of the talk, or a few that one experiment decides.
///
/// An experiment is a recipe, a measurement and a way to show it. The measurement trains what it needs
/// in a folder, goes on where it was killed, and ends in the same bits; claims and section are
/// functions of what was measured.
public protocol Experiment {
  /// Every value that the finding depends on, the seed among them.
  associatedtype Recipe: Codable, Equatable
  /// What was measured: everything that claims and section are made of.
  associatedtype Finding: Codable

  /// Short and stable, as `--only` takes it: "e1". Also the name of the folder within a tour's.
  static var id: String { get }
  /// All ids that `--only` takes for it: more than one where its claims have several.
  static var ids: [String] { get }
  /// A few words for tables and progress: "the ladder".
  static var title: String { get }
  /// Whether it is part of a long tour only, or asked for by its id.
  static var isExtra: Bool { get }
  var recipe: Recipe { get }
  /// The stages to come and their seconds on one quick core, for the time left at first.
  var plan: [PlannedWork] { get }

  /// Does what is left to do in `folder`.
  func measure(in folder: URL, observer: ExperimentObserver) throws -> Finding
  /// Verdicts by thresholds that are fixed in the code.
  func claims(_ finding: Finding) -> [Claim]
  /// What a person reads. `command` repeats the experiment.
  func section(_ finding: Finding, in folder: URL, command: String) throws -> ReportPage.Section
  /// The same for an experiment with several sections.
  func sections(_ finding: Finding, in folder: URL, command: String) throws -> [ReportPage.Section]
}

/// A stage that an experiment will have, and what it takes.
public struct PlannedWork: Sendable, Equatable {
  public var stage: String
  public var seconds: Double

  public init(_ stage: String, seconds: Double) { (self.stage, self.seconds) = (stage, seconds) }
}

/// What an experiment found, ready to be shown.
public struct ExperimentResult: Sendable {
  public var claims: [Claim]
  public var sections: [ReportPage.Section]

  public init(claims: [Claim], sections: [ReportPage.Section]) {
    (self.claims, self.sections) = (claims, sections)
  }

  /// The first section: the only one of most experiments.
  public var section: ReportPage.Section { sections[0] }
}

extension Experiment {
  public static var ids: [String] { [id] }
  public static var isExtra: Bool { false }

  public func sections(_ finding: Finding, in folder: URL, command: String) throws
    -> [ReportPage.Section]
  {
    [try section(finding, in: folder, command: command)]
  }

  /// Runs what is left of the experiment in `folder`. A finished one is only read.
  ///
  /// - Throws: ``ExperimentStopped`` or ``StageStopped`` where the observer asked for it, and a
  ///   sentence where the folder was begun with another recipe.
  public func run(in folder: URL, observer: ExperimentObserver, command: String) throws
    -> ExperimentResult
  {
    let run = try RunFolder(folder, create: true)
    try run.bindRecipe(recipe)
    let place = folder.appendingPathComponent("finding.json")
    let finding: Finding
    if let data = try? Data(contentsOf: place) {
      finding = try JSONDecoder().decode(Finding.self, from: data)
    } else {
      finding = try measure(in: folder, observer: observer)
      try writeAtomically(try JSONEncoder().encode(finding), to: place)
    }
    return ExperimentResult(
      claims: claims(finding), sections: try sections(finding, in: folder, command: command))
  }
}

/// Thrown where the caller stopped between stages: what was finished is saved.
public struct ExperimentStopped: Error, CustomStringConvertible {
  public init() {}
  public var description: String { "stopped; run the same command to go on" }
}

/// How the caller of an experiment watches and stops it.
public struct ExperimentObserver {
  /// A stage begins: its name, how many steps it has, and how many an earlier run took.
  public var begin: (_ stage: String, _ steps: Int, _ from: Int) -> Void
  public var update: (_ step: Int, _ note: String) -> Void
  public var end: () -> Void
  public var warn: (String) -> Void
  public var shouldStop: () -> Bool

  public init(
    begin: @escaping (String, Int, Int) -> Void, update: @escaping (Int, String) -> Void,
    end: @escaping () -> Void, warn: @escaping (String) -> Void,
    shouldStop: @escaping () -> Bool
  ) {
    (self.begin, self.update, self.end) = (begin, update, end)
    (self.warn, self.shouldStop) = (warn, shouldStop)
  }

  /// Runs a training stage under a name. One that an earlier run finished says nothing.
  func watch<Result>(
    _ name: String, _ steps: Int, _ body: (StageObserver) throws -> Result
  ) throws -> Result {
    var hasBegun = false
    defer { if hasBegun { end() } }
    return try body(
      StageObserver(
        onProgress: { progress in
          if !hasBegun { begin(name, steps, progress.step) }
          hasBegun = true
          update(progress.step, progress.note)
        }, shouldStop: shouldStop, onWarning: warn))
  }

  /// Measures something once: the value is kept in the file `place` and read from it ever after.
  /// `body` says how far it is, of `steps`, and asks ``shouldStop`` now and then.
  func once<Value: Codable>(
    _ name: String, steps: Int, at place: URL,
    _ body: (_ update: @escaping (Int) -> Void) throws -> Value
  ) throws -> Value {
    if let data = try? Data(contentsOf: place) {
      return try JSONDecoder().decode(Value.self, from: data)
    }
    begin(name, steps, 0)
    defer { end() }
    let value = try body { step in update(step, "") }
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try writeAtomically(try JSONEncoder().encode(value), to: place)
    return value
  }
}
