import Foundation
import HTTPTypes
import Hummingbird
import Synchronization

/// The table of what clients rely on, run against the server itself.
struct Conformance: Sendable {
  struct Row: Sendable {
    /// As in docs/API.md.
    var id: String
    var title: String
    var check: @Sendable (Probe) async throws -> Void

    init(
      _ id: String, _ title: String, _ check: @escaping @Sendable (Probe) async throws -> Void
    ) {
      (self.id, self.title, self.check) = (id, title, check)
    }
  }

  enum Verdict: String, Encodable, Sendable { case passed, failed, skipped }

  struct Result: Encodable, Sendable {
    var id: String
    var title: String
    var verdict: Verdict
    @Nullable var note: String?
    var seconds: Double
  }

  static var rows: [Row] {
    transportRows + modelRows + completionRows + chatRows + toolRows + responsesRows + tokenRows
  }

  static func run(_ row: Row, _ probe: Probe) async -> Result {
    let begun = ContinuousClock.now
    var (verdict, note): (Verdict, String?) = (.passed, nil)
    do {
      try await row.check(probe)
    } catch let skipped as Probe.Skipped {
      (verdict, note) = (.skipped, skipped.reason)
    } catch {
      (verdict, note) = (.failed, "\(error)")
    }
    return Result(
      id: row.id, title: row.title, verdict: verdict, note: note,
      seconds: (ContinuousClock.now - begun) / .seconds(1))
  }
}

/// The site that answers, for a route that asks it: set once it is made.
final class SiteBox: Sendable {
  private let box = Mutex<Site?>(nil)
  var site: Site? { box.withLock { $0 } }
  func set(_ site: Site) { box.withLock { $0 = site } }
}

extension Endpoints {
  /// Runs the table: a page, or JSON for programs (`?format=json`).
  func conformance(_ call: Call) async throws -> Response {
    struct Report: Encodable {
      var base: String?
      var chat: String?
      var passed: Int
      var failed: Int
      var skipped: Int
      var rows: [Conformance.Result]
    }
    guard let site = siteBox.site else { throw APIError.shuttingDown }
    let probe = Probe(
      site: site, base: await smallest(.base, call.query["base"]),
      chat: await smallest(.chat, call.query["chat"]))
    var results: [Conformance.Result] = []
    for row in Conformance.rows { results.append(await Conformance.run(row, probe)) }
    func count(_ verdict: Conformance.Verdict) -> Int {
      results.count { $0.verdict == verdict }
    }
    if call.query["format"] == "json" {
      return try reply(
        Report(
          base: probe.base, chat: probe.chat, passed: count(.passed), failed: count(.failed),
          skipped: count(.skipped), rows: results))
    }
    let lines = results.map { result in
      let cells = [result.id, result.title, result.verdict.rawValue, result.note ?? ""].map {
        "<td>\(WebPages.escaped($0))</td>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    return WebPages.page(
      "Conformance",
      """
      <p>\(count(.passed)) of \(results.count) rows passed, \(count(.failed)) failed,
      \(count(.skipped)) were skipped. Asked just now of this server, with the models
      \(WebPages.escaped([probe.base, probe.chat].compactMap(\.self).joined(separator: " and "))).
      <a href="?format=json">As JSON</a></p>
      <table><thead><tr><th>Row</th><th>What</th><th>Verdict</th><th>Note</th></tr></thead>
      <tbody>\(lines.joined(separator: "\n"))</tbody></table>
      """)
  }

  /// The model of a kind with the smallest files, unless one is `named`.
  private func smallest(_ kind: ModelEntry.Kind, _ named: String?) async -> String? {
    if let named, !named.isEmpty { return named }
    return await pool.models().filter { $0.kind == kind }.min { $0.bytes < $1.bytes }?.id
  }
}
