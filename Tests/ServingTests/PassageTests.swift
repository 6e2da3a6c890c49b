import Foundation
import Generation
import Testing
import Tokenization

@testable import Serving

@Suite struct PassageTests {
  /// A token a byte, so that everything straddles tokens.
  private func tokenizer() throws -> Tokenizer {
    try Tokenizer.train(documents: ["abcabc"], vocabularySize: 264, preTokenizer: .gpt2)
  }

  /// What is sent, token by token, and at the end.
  private func pieces(_ text: String, stops: [String] = []) throws -> [String] {
    let tokenizer = try tokenizer()
    var passage = Passage(tokenizer, stops: stops)
    var out: [String] = []
    for byte in text.utf8 {
      let piece = passage.accept(
        TokenScore(
          token: Int32(byte), logProbability: -1, rank: 0, entropy: 0, kept: 1, alternatives: []))
      out.append(piece.text)
      if passage.isStopped { return out }
    }
    return out + [passage.finish().text]
  }

  @Test("text that could become a stop string waits until it cannot")
  func straddles() throws {
    #expect(try pieces("abSTOPcd", stops: ["STOP"]) == ["a", "b", "", "", "", ""])
    #expect(try pieces("abSTxy", stops: ["STOP"]) == ["a", "b", "", "", "STx", "y", ""])
    #expect(try pieces("aab", stops: ["ab"]) == ["", "a", ""])
    #expect(try pieces("ST", stops: ["STOP"]) == ["", "", "ST"])
    #expect(try pieces("a\n\nb", stops: ["\n\n", "x"]) == ["a", "", ""])
  }

  @Test("the first of several stop strings counts")
  func several() throws {
    #expect(try pieces("abcd", stops: ["d", "bc"]).joined() == "a")
    #expect(try pieces("xabab!", stops: ["abab!", "ba"]).joined() == "xa")
  }

  @Test("a character is sent whole, and what never becomes one as U+FFFD")
  func characters() throws {
    #expect(try pieces("é😀") == ["", "é", "", "", "", "😀", ""])
    let tokenizer = try tokenizer()
    var passage = Passage(tokenizer)
    func accept(_ byte: Int32) -> String {
      passage.accept(
        TokenScore(
          token: byte, logProbability: 0, rank: 0, entropy: 0, kept: 1, alternatives: [])
      ).text
    }
    #expect(accept(0xF0) == "" && accept(0x41) == "\u{FFFD}A")
    #expect(accept(0xC3) == "" && passage.finish().text == "\u{FFFD}")
  }

  @Test("tokens come with the piece that holds the last of their text")
  func tokens() throws {
    var passage = Passage(try tokenizer(), stops: ["bc"])
    var counts: [Int] = []
    for byte in "abac".utf8 {
      counts.append(
        passage.accept(
          TokenScore(
            token: Int32(byte), logProbability: 0, rank: 0, entropy: 0, kept: 1, alternatives: [])
        ).tokens.count)
    }
    #expect(counts == [1, 0, 2, 1])
  }
}

@Suite struct AnswerReaderTests {
  private let tools = ChatTools(
    tools: [], choice: .auto, allowsSeveral: true, syntax: .tagged, isTemplated: true)

  private func read(_ pieces: [String], tools: ChatTools?, thoughts: Bool = false) -> [String] {
    var reader = AnswerReader(tools, splitsThoughts: thoughts)
    var parts: [AnswerReader.Part] = []
    for piece in pieces { parts += reader.accept(piece) }
    return (parts + reader.finish()).map { part in
      switch part {
      case .said(let text): "said \(text)"
      case .thought(let text): "thought \(text)"
      case .called(let call): "called \(call.name) \(call.arguments)"
      }
    }
  }

  @Test("a call is taken out of the text, however it is cut")
  func calls() {
    let text = "Well <tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}}</tool_call> done"
    let whole = read([text], tools: tools)
    #expect(whole == ["said Well ", "called f {\"a\":1}", "said  done"])
    let letters = read(text.map { String($0) }, tools: tools)
    #expect(letters.filter { $0.hasPrefix("called") } == ["called f {\"a\":1}"])
    #expect(
      letters.filter { $0.hasPrefix("said") }.map { $0.dropFirst(5) }.joined() == "Well  done")
  }

  @Test("what only looks like a call stays text")
  func noCalls() {
    #expect(read(["a <tool", "> b"], tools: tools).joined() == "said a said <tool> b")
    #expect(read(["<tool_call>x</tool_call>"], tools: tools) == ["said x"])
    #expect(read(["<tool_call>"], tools: nil) == ["said <tool_call>"])
  }

  @Test("thoughts are told apart") func thoughts() {
    #expect(
      read(["<thi", "nk>hm", "</think>", "yes"], tools: nil, thoughts: true)
        == ["thought hm", "said yes"])
    #expect(read(["<b>", "x"], tools: nil, thoughts: true) == ["said <b>", "said x"])
  }
}
