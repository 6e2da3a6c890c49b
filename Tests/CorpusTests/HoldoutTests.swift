import Testing

@testable import Corpus

@Suite("What is kept for validation")
struct HoldoutTests {
  private func documents(_ texts: [String]) -> [Document] {
    texts.enumerated().map { Document(text: $1, source: "\($0)") }
  }

  private func size(_ documents: [Document]) -> Int {
    documents.reduce(0) { $0 + $1.text.utf8.count }
  }

  @Test("many documents are dealt whole")
  func many() {
    let all = documents((0..<500).map { "Document \($0)." })
    let held = holdOut(all, share: 0.05)
    #expect(!held.wasCut && !held.validation.isEmpty)
    #expect(held.training.count + held.validation.count == 500)
  }

  @Test("one long document is cut, and about the share of it is kept")
  func one() {
    let text = (0..<20_000).map { "Paragraph \($0) says that.\n\n" }.joined()
    let held = holdOut(documents([text]), share: 0.05)
    #expect(held.wasCut)
    let share = Double(size(held.validation)) / Double(text.utf8.count)
    #expect(share > 0.005 && share < 0.2)
    #expect(size(held.training) + size(held.validation) == text.utf8.count)
    let seen = Set(held.training.map(\.text))
    #expect(!held.validation.contains { seen.contains($0.text) })
  }

  @Test("a document that is most of the text is never kept whole")
  func lopsided() throws {
    // A long document whose hash falls to validation, beside a short one.
    let lines = (0..<4_000).map { "Line \($0).\n\n" }.joined()
    let long = try #require(
      (0..<2_000).lazy.map { "Book \($0).\n\n" + lines }.first {
        splitDocuments(documents([$0, "Short."]), validationShare: 0.05).validation.count == 1
      })
    let held = holdOut(documents([long, "Short."]), share: 0.05)
    #expect(held.wasCut && size(held.training) > size(held.validation))
  }

  @Test("a text too short to share is all for training")
  func short() {
    let held = holdOut(documents(["Only this."]), share: 0.05)
    #expect(held.training.count == 1 && held.validation.isEmpty && !held.wasCut)
  }

  @Test("the parts of a text are the text, and end where it pauses", arguments: [1, 7, 100])
  func parts(size: Int) {
    let texts = [
      "", "a", "é", "one line\n\nanother\n\nlast", String(repeating: "日本語", count: 50),
      String(repeating: "words of a line ", count: 30), "a\n\n\n\nb\r\n\r\nc",
    ]
    for text in texts {
      let parts = cut(text, near: size)
      #expect(parts.joined() == text)
      #expect(parts.allSatisfy { $0.utf8.count <= 2 * size + 3 && !$0.isEmpty })
    }
    #expect(
      cut("first\n\nsecond one\n\nthird", near: 6) == ["first\n\n", "second one\n\n", "third"])
  }
}
