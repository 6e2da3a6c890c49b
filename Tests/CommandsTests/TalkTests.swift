import Foundation
import Synchronization
import Testing
import Tokenization
import Tools

@testable import Commands

/// Answers by a rule, and keeps what it was asked.
private final class Scripted: Speaker {
  let rule: (String) -> String
  private(set) var asked: [[Message]] = []

  init(_ rule: @escaping (String) -> String) { self.rule = rule }

  func answers(
    _ conversations: [[Message]], temperature: Float, maxTokens: Int, stream: UInt64
  ) throws -> [String] {
    asked += conversations
    return conversations.map { rule($0[$0.count - 1].content) }
  }
}

@Suite("Talk") struct TalkTests {
  private func results(_ speaker: Scripted, items: Int = 6) throws -> [TalkResult] {
    try Demonstration.all(items: items, seed: 1).enumerated().flatMap { index, demonstration in
      try demonstration.run(speaker, stream: UInt64(index)) {}
    }
  }

  @Test("a model that knows nothing invents nothing and is right nowhere")
  func silent() throws {
    let results = try results(Scripted { _ in "I don't know." })
    #expect(results.count == 10)
    #expect(results.allSatisfy { $0.counted == 0 && $0.share.interval.low == 0 })
    #expect(results[0].n == 15 && results[2].n == 6)
    #expect(results[1].p == 1 && results[0].p == nil)
  }

  @Test("a calculator is called, and its result is told")
  func calls() throws {
    let speaker = Scripted { text in
      if let result = text.split(separator: ":").last, text.hasPrefix("The calculator says") {
        return "It is \(result.split(separator: ".")[0].dropFirst())."
      }
      let numbers = text.split { !$0.isNumber }
      return numbers.count == 2 ? "Let me see. CALC(\(numbers[0])*\(numbers[1])) = 7" : "12"
    }
    let results = try results(speaker)
    let arms = results.filter { $0.demonstration == "a large product" }
    #expect(arms.map(\.counted) == [0, 6])
    #expect(arms[1].samples[0].answer.contains("→"))
    #expect(!arms[1].samples[0].answer.contains("= 7"))
    #expect((arms[1].p ?? 1) < 0.05)
  }

  @Test("a passage is read, a list of letters counted")
  func readers() throws {
    let results = try results(
      Scripted { text in
        if let list = text.range(of: "this list: ") {
          let letter = text.components(separatedBy: "letter ")[1].prefix(1)
          let letters = text[list.upperBound...].split(separator: "?")[0].components(
            separatedBy: ", ")
          return "There are \(letters.count { $0 == letter })."
        }
        return text.contains("\n\n") ? String(text.split(separator: "\n")[0]) : "Nobody knows."
      })
    func counted(_ name: String) -> [Int] {
      results.filter { $0.demonstration == name }.map(\.counted)
    }
    #expect(counted("letters of a word") == [0, 6])
    #expect(counted("a fact about a person") == [0, 6])
  }

  @Test("answers are counted by rules that can be read")
  func grading() {
    for text in [
      "I don't know.", "I’m not sure who that is.", "As an AI I am unable to say.", "", "…",
      "There is no information about him.", "Could you provide more context?",
    ] { #expect(TalkGrading.admits(text), "\(text)") }
    for text in ["Orson Kovats is a writer.", "He was born in 1931."] {
      #expect(!TalkGrading.admits(text), "\(text)")
    }
    for (text, number) in [
      ("3", 3), ("There are three.", 3), ("2 + 2 = 4", 4), ("Answer: 5 dollars, not 6", 5),
      ("12,345", 12_345), ("The answer is 7. Answer: 8", 8), ("none", nil), ("3rd", nil),
    ] as [(String, Int?)] { #expect(TalkGrading.number(text) == number, "\(text)") }
    #expect(TalkGrading.says("Oslo", "In oslo.") && !TalkGrading.says("Oslo", "Oslofjord"))
    #expect(Demonstration.Arm.call(in: "a CALC((1+2)*3) b")?.expression == "(1+2)*3")
    for text in ["CALC(1", "CALC 1", "", "CALC(1\n)"] {
      #expect(Demonstration.Arm.call(in: text) == nil)
    }
  }

  @Test("questions are a function of the seed")
  func seeds() throws {
    func asked(_ seed: UInt64) throws -> [[Message]] {
      let speaker = Scripted { _ in "" }
      for demonstration in Demonstration.all(items: 5, seed: seed) {
        _ = try demonstration.run(speaker, stream: 0) {}
      }
      return speaker.asked
    }
    #expect(try asked(1) == asked(1))
    #expect(try asked(1) != asked(2))
  }
}
