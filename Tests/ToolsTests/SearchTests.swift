import Testing

@testable import Tools

@Suite("Search and letters")
struct SearchTests {
  private let index = SearchIndex([
    Passage(source: "people/1", text: "Mara Finch was born in Oslo and paints boats."),
    Passage(source: "people/2", text: "Tom Finch was born in Lima. Tom sells bread in Lima."),
    Passage(source: "places/1", text: "Oslo lies by the sea. It is cold there."),
  ])

  @Test("the passage with the rarer words comes first, with its source")
  func ranks() throws {
    #expect(index.search("Where was Mara Finch born?").first?.passage.source == "people/1")
    #expect(index.search("tom", limit: 3).map(\.passage.source) == ["people/2"])
    #expect(index.search("Oslo sea", limit: 3).map(\.passage.source) == ["places/1", "people/1"])
    let text = try SearchTool(index).call("Mara Finch")
    #expect(text == "[people/1] Mara Finch was born in Oslo and paints boats.")
    #expect(try SearchTool(index, passageCharacters: 4).call("Mara Finch") == "[people/1] Mara")
  }

  @Test("who is not in the index is not found where every word must be")
  func every() throws {
    #expect(index.search("Orson Finch", matching: .every).isEmpty)
    #expect(!index.search("Orson Finch").isEmpty)
    #expect(try SearchTool(index, matching: .every).call("Orson Kovats") == SearchTool.nothing)
    for empty in ["", "  ", "?!", String(repeating: "Oslo ", count: 300)] {
      #expect(index.search(empty).isEmpty)
    }
    #expect(SearchIndex([]).search("Oslo").isEmpty)
  }

  @Test("equal passages come in their order, every time")
  func ties() {
    let twins = SearchIndex((0..<50).map { Passage(source: "\($0)", text: "the same words") })
    for _ in 0..<5 {
      #expect(
        twins.search("same words", limit: 50).map(\.passage.source) == (0..<50).map(String.init))
    }
  }

  @Test("letters are counted as people do")
  func letters() throws {
    let counter = LetterCounter()
    #expect(try counter.call("r strawberry") == "3")
    #expect(try counter.call("R strawberry") == "3")
    #expect(try counter.call(". " + String(repeating: ".", count: 177)) == "177")
    #expect(try counter.call("é café") == "1")
    #expect(try counter.call("z strawberry") == "0")
    for wrong in ["", "r", "rr strawberry", " r strawberry"] {
      #expect(throws: ToolError.self) { try counter.call(wrong) }
    }
  }

  @Test("a toolbox answers every call, also those of tools that do not exist or fail")
  func toolbox() {
    struct Broken: Tool {
      struct Failure: Error {}
      let name = "broken"
      func call(_ argument: String) throws -> String { throw Failure() }
    }
    let box = Toolbox([Calculator(), LetterCounter(), Broken()])
    #expect(box.result(of: "calc", "1+1") == "2")
    #expect(box.result(of: "calc", "{\"expression\": \"1+1\"}") == "2")
    #expect(box.result(of: "calc", "{\"a\": \"1\", \"b\": \"2\"}").hasPrefix("error: "))
    #expect(box.result(of: "calc", "1/0") == "error: division by zero")
    #expect(box.result(of: "broken", "") == "error: broken failed")
    #expect(
      box.result(of: "python", "1") == "error: there is no tool python, only calc, count, broken")
    #expect(box.result(of: String(repeating: "x", count: 9_999), "").count < 120)
  }
}
