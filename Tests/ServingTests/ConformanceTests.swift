import TemplateLanguage
import Testing

@testable import Serving

@Suite struct ConformanceTests {
  @Test("each row of the table", arguments: Conformance.rows)
  func row(_ row: Conformance.Row) async throws {
    let result = await Conformance.run(row, try Fixture.aProbe())
    #expect(result.verdict == .passed, "\(row.id) \(row.title): \(result.note ?? "")")
  }

  @Test("every route but the pages is in openapi.json, and nothing else is")
  func document() async throws {
    let probe = try Fixture.aProbe()
    let paths = try await probe.get("/openapi.json").json["paths"]?.members ?? []
    let written = Set(
      paths.flatMap { path, item in
        (item.members ?? []).map { "\($0.key.uppercased()) \(path)" }
      })
    let pages = Set(webFiles.map { $0.path.replacing(".html", with: "") })
    let served = Set(
      probe.site.routes.filter {
        !pages.contains($0.path) && !["/", "/docs", "/conformance"].contains($0.path)
      }.map { "\($0.method.rawValue) \($0.path.replacing("*", with: "{id}"))" })
    #expect(written == served, "\(written.symmetricDifference(served).sorted())")
  }

  @Test("the conformance page shows the table")
  func page() async throws {
    let answer = try await Fixture.aProbe().get("/conformance?format=json&base=base&chat=talk")
    let report = try answer.json
    #expect(report["failed"]?.int == 0, "\(answer.text.prefix(2000))")
    #expect(report["passed"]?.int == Conformance.rows.count)
  }
}

extension Conformance.Row: CustomTestStringConvertible {
  public var testDescription: String { "\(id) \(title)" }
}
