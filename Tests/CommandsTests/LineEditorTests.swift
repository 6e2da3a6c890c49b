import Testing

@testable import Commands

@Suite struct LineEditorTests {
  private func events(_ editor: inout LineEditor, _ keys: String) -> [LineEditor.Event] {
    keys.utf8.map { editor.accept($0) }.filter { $0 != .none }
  }

  @Test("keys edit a line where the cursor stands")
  func editing() {
    var editor = LineEditor()
    #expect(events(&editor, "helo\u{1B}[Dl\r") == [.line("hello")])
    #expect(events(&editor, "b\u{1}a\u{5}c\r") == [.line("abc")])
    #expect(events(&editor, "one two\u{17}three\r") == [.line("one three")])
    #expect(events(&editor, "gone\u{15}kept\u{2}\u{2}\u{B}\r") == [.line("ke")])
    #expect(events(&editor, "é日本😀\u{7F}e\u{301}\r") == [.line("é日本e\u{301}")])
    #expect(events(&editor, "ab\u{1B}[H\u{1B}[3~\u{1B}OF!\r") == [.line("b!")])
    #expect(events(&editor, "x\u{1B}[1;5Cy\u{1B}[200~\r") == [.line("xy")])
    #expect(events(&editor, "typed\u{3}\u{3}\u{4}") == [.interrupt, .end])
    #expect(events(&editor, "ab\u{1}\u{4}\r") == [.line("b")])
  }

  @Test("up and down go through earlier lines, and back to the new one")
  func history() {
    var editor = LineEditor()
    #expect(events(&editor, "one\rtwo\rtwo\r  \r").count == 4)
    #expect(editor.history == ["one", "two"])
    #expect(events(&editor, "new\u{1B}[A\u{1B}[A\u{1B}[A\r") == [.line("one")])
    #expect(events(&editor, "new\u{10}\u{10}\u{E}\u{E}\u{E}er\r") == [.line("newer")])
  }

  @Test("a line that is too wide is seen around its cursor")
  func window() {
    var editor = LineEditor()
    for byte in "abcdefghijklmnopqrstuvwxyz".utf8 { _ = editor.accept(byte) }
    #expect(editor.shown(prompt: "> ", width: 13) == "\r> qrstuvwxyz\u{1B}[K")
    _ = editor.accept(1)
    #expect(editor.shown(prompt: "> ", width: 13) == "\r> abcdefghij\u{1B}[K\u{1B}[10D")
    _ = editor.accept(0x15)
    _ = editor.accept(0x0B)
    for byte in "日本語".utf8 { _ = editor.accept(byte) }
    _ = editor.accept(2)
    #expect(editor.shown(prompt: "> ", width: 40) == "\r> 日本語\u{1B}[K\u{1B}[2D")
  }

  @Test("any bytes can be typed")
  func anything() {
    var editor = LineEditor()
    var state: UInt64 = 1
    for _ in 0..<3_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      _ = editor.accept(UInt8(truncatingIfNeeded: state >> 33))
      #expect(editor.cursor >= 0 && editor.cursor <= editor.text.count)
      _ = editor.shown(prompt: "> ", width: 20)
    }
  }
}
