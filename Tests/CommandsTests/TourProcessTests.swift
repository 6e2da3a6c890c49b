import Claims
import Foundation
import Testing

@testable import Commands

/// Whole tours of experiments that only count (Tests/TourRehearsal), in processes of their own.
@Suite("Tours", .serialized)
struct TourProcessTests {
  /// A tour that has been started.
  final class Tour {
    let process = Process()
    private let place: Workplace
    private let name: String

    init(_ place: Workplace, _ out: String, _ more: String...) throws {
      self.place = place
      name = "\(out)-\(UUID().uuidString)"
      let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      process.executableURL = URL(fileURLWithPath: tests).deletingLastPathComponent()
        .appendingPathComponent("tour-rehearsal")
      process.arguments = ["--out", place[out], "--seed", "3", "--threads", "2"] + more
      for (stream, handle) in [("out", \Process.standardOutput), ("err", \.standardError)] {
        try place.write("\(name).\(stream)", "")
        process[keyPath: handle] = FileHandle(forWritingAtPath: place["\(name).\(stream)"])
      }
      process.standardInput = FileHandle.nullDevice
      try process.run()
    }

    deinit { if process.isRunning { process.terminate() } }

    func end() -> Int32 {
      process.waitUntilExit()
      return process.terminationStatus
    }

    var output: String { read("out") }
    var news: String { read("err") }

    private func read(_ stream: String) -> String {
      (try? String(contentsOfFile: place["\(name).\(stream)"], encoding: .utf8)) ?? ""
    }
  }

  /// Waits until `id` has counted to `count`, and says who counts.
  private func wait(_ place: Workplace, _ out: String, _ id: String, count: Int) -> Int32 {
    let folder = place.url.appendingPathComponent(out).appendingPathComponent(id)
    for _ in 0..<2_000 {
      usleep(5_000)
      let data = try? Data(contentsOf: folder.appendingPathComponent("count.json"))
      guard let data, let values = try? JSONDecoder().decode([Double].self, from: data),
        values.count >= count
      else { continue }
      let holder = try? String(contentsOf: folder.appendingPathComponent("lock"), encoding: .utf8)
      return holder?.split(whereSeparator: { $0 == " " || $0 == "\n" }).last.flatMap { Int32($0) }
        ?? 0
    }
    return 0
  }

  private func claims(_ place: Workplace, _ out: String) throws -> Data {
    let report = try Report(contentsOf: place.url.appendingPathComponent("\(out)/report.json"))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try encoder.encode(report.claims)
      + Data(contentsOf: place.url.appendingPathComponent("\(out)/seeds.json"))
  }

  @Test("killed in any way and started again, a tour ends in the same claims")
  func killed() throws {
    let place = try Workplace()
    let whole = try Tour(place, "whole")
    #expect(whole.end() == 0)
    #expect(whole.news.contains("A tour of 3 experiments, 2 side by side"))
    #expect(whole.news.contains("e1 count: 40 steps in") && !whole.news.contains("\u{1B}"))
    #expect(whole.output.contains("e2  counting: 1 of 1 hold"))
    #expect(whole.output.contains("3 of 3 claims hold. Seed 3: the intervals cover its items only"))
    let expected = try claims(place, "whole")

    // On one core, in one process.
    #expect(try Tour(place, "one", "--threads", "1").end() == 0)
    #expect(try claims(place, "one") == expected)

    // Ctrl-C, as a terminal sends it to the tour alone or to all of its processes.
    for reachesAll in [false, true] {
      let stopped = try Tour(place, "stopped-\(reachesAll)")
      let worker = wait(place, "stopped-\(reachesAll)", "e2", count: 3)
      #expect(worker > 0 && worker != stopped.process.processIdentifier)
      if reachesAll { kill(worker, SIGINT) }
      stopped.process.interrupt()
      #expect(stopped.end() == 130)
      #expect(stopped.news.contains("the same command goes on from here"))
      #expect(!place.has("stopped-\(reachesAll)/report.json"))
      #expect(try Tour(place, "stopped-\(reachesAll)").end() == 0)
      #expect(try claims(place, "stopped-\(reachesAll)") == expected)
    }

    // kill -9 of the tour: its workers stop by themselves, and a restart waits for them.
    let orphaned = try Tour(place, "orphaned")
    #expect(wait(place, "orphaned", "e1", count: 3) > 0)
    kill(orphaned.process.processIdentifier, SIGKILL)
    _ = orphaned.end()
    #expect(try Tour(place, "orphaned").end() == 0)
    #expect(try claims(place, "orphaned") == expected)

    // kill -9 of a worker: the others are finished, and one sentence says what to do.
    let maimed = try Tour(place, "maimed")
    kill(wait(place, "maimed", "e2", count: 3), SIGKILL)
    #expect(maimed.end() == 1)
    #expect(maimed.news.contains("e2 could not be finished: its process was ended by signal 9"))
    #expect(maimed.news.contains("the same command goes on with e2."))
    #expect(place.has("maimed/e1/finding.json") && place.has("maimed/e3/finding.json"))
    #expect(try Tour(place, "maimed").end() == 0)
    #expect(try claims(place, "maimed") == expected)
  }

  @Test("an experiment that fails says why, beside others or alone; the others are finished")
  func failed() throws {
    let place = try Workplace()
    try FileManager.default.createDirectory(
      at: place.url.appendingPathComponent("run"), withIntermediateDirectories: true)
    try place.write("run/break-e1", "throw")
    for more in [[], ["--only", "e1"]] {
      let tour = try more.isEmpty ? Tour(place, "run") : Tour(place, "run", "--only", "e1")
      #expect(tour.end() == 1)
      #expect(
        tour.news.contains("e1 could not be finished: the count was broken off on purpose"))
      #expect(place.has("run/e2/finding.json") && place.has("run/e3/finding.json"))
    }
    try FileManager.default.removeItem(at: place.url.appendingPathComponent("run/break-e1"))
    let again = try Tour(place, "run", "--json")
    #expect(again.end() == 0)
    let line = try #require(again.output.split(separator: "\n").last)
    #expect(try JSONDecoder().decode(Report.self, from: Data(line.utf8)).claims.count == 3)
  }

  @Test("several seeds: each in its folder, claims over all of them; wrong use ends in 2")
  func seeds() throws {
    let place = try Workplace()
    #expect(try Tour(place, "run", "--only", "e3").end() == 0)
    let tour = try Tour(place, "run", "--only", "e3", "--seeds", "3")
    #expect(tour.end() == 0)
    #expect(tour.news.contains("seed 5 e3 count") && !tour.news.contains("\ne3 count"))
    #expect(place.has("run/seed-4/e3/finding.json") && place.has("run/e3/finding.json"))
    let report = try Report(contentsOf: place.url.appendingPathComponent("run/report.json"))
    #expect(report.claims.map(\.seeds) == [[3, 4, 5]] && report.claims[0].n == 60)
    #expect(report.command.contains("--seed 3 --seeds 3 --only e3"))
    let page = try String(contentsOfFile: place["run/report.html"], encoding: .utf8)
    #expect(page.contains("Seed by seed") && page.contains("seed 5"))
    for wrong in [["--only", "e9"], ["--seeds", "0"], ["--quick", "--long"]] {
      let tour = try Tour(place, "other", wrong[0], wrong.count > 1 ? wrong[1] : "--json")
      #expect(tour.end() == 2, "\(wrong)")
    }
    #expect(!place.has("other"))
  }
}
