import Corpus
import Foundation
import Testing
import Training

@testable import Commands

@Suite("reward and rlhf", .serialized)
struct RewardVerbTests {
  private func preferences(_ count: Int, from first: Int = 0) -> String {
    (first..<first + count).map { i in
      i % 3 == 0
        ? "{\"prompt\": \"\(i % 12)?\", \"ranking\": [\"7 7 \(i)\", [\"7 \(i)\", \"\(i) 7\"], \"\(i)\"]}"
        : "{\"prompt\": \"\(i % 12)?\", \"chosen\": \"7 \(i)\", \"rejected\": \"3 \(i)\"}"
    }.joined(separator: "\n")
  }

  private func base(_ place: Workplace, _ name: String = "base", vocabulary: String = "270") throws
  {
    try run([
      "pretrain", "--data", place["text.txt"], "--out", place[name], "--depth", "1", "--vocab",
      vocabulary, "--context", "64", "--batch", "4", "--steps", "6",
    ])
  }

  @Test("votes make a reward model, which practice follows and a watch stops")
  func chain() throws {
    let place = try Workplace()
    try place.fill()
    try base(place)
    try place.write("votes.jsonl", preferences(200))
    try place.write("fresh.jsonl", preferences(40, from: 500))
    try place.write(
      "asks.jsonl", (0..<12).map { "{\"prompt\": \"\($0)?\"}" }.joined(separator: "\n"))
    for json in [[], ["--json"]] {
      try run(
        [
          "reward", "--model", place["base"], "--data", place["votes.jsonl"], "--out",
          place["reward"], "--epochs", "2",
        ] + json)
    }
    let votes = try readPreferences(
      Data(contentsOf: URL(fileURLWithPath: place["votes.jsonl"])), name: "votes")
    let (training, kept) = keepSome(votes)
    #expect(!kept.isEmpty && Set(kept.map(\.prompt)).isDisjoint(with: training.map(\.prompt)))
    #expect(place.has("reward/model/reward.json"))
    let common = [
      "rlhf", "--model", place["base"], "--reward", place["reward"], "--prompts",
      place["asks.jsonl"], "--max-tokens", "6", "--problems", "4", "--samples", "4",
    ]
    try run(common + ["--out", place["plain"], "--steps", "3"])
    #expect(place.has("plain/model/config.json"))
    try run(
      common + [
        "--out", place["labels"], "--steps", "30", "--stop-labels", place["fresh.jsonl"],
        "--every", "1", "--patience", "2", "--json",
      ])
    #expect(place.has("labels/model/config.json"))
    try run(
      common + [
        "--out", place["second"], "--steps", "4", "--stop-reward", place["reward"], "--every", "2",
      ])
    #expect(place.has("second/model/config.json"))
    // A reward model is no language model, and the other way round; another tokenizer is another's.
    #expect(failure(["complete", place["reward"], "a"]).1 == .failure)
    #expect(
      failure(
        [
          "rlhf", "--model", place["base"], "--reward", place["base"], "--prompts",
          place["asks.jsonl"], "--out", place["o1"],
        ]
      ).0.contains("holds no reward model"))
    try base(place, "other", vocabulary: "275")
    #expect(
      failure([
        "rlhf", "--model", place["other"], "--reward", place["reward"], "--prompts",
        place["asks.jsonl"], "--out", place["o2"],
      ]).0.contains("another tokenizer"))
  }

  @Test("preferences that teach nothing are refused in one sentence")
  func refusals() throws {
    let pair = { (chosen: String, rejected: String) in
      "{\"prompt\": \"p\", \"chosen\": \"\(chosen)\", \"rejected\": \"\(rejected)\"}\n"
    }
    for (text, sentence) in [
      ("", "holds no preference"), ("{\"prompt\": \"p\"}", "needs \"chosen\""), ("[]", "line 1"),
      (pair("a", "b") + pair("a", "c"), "one-sided"),
      (pair("a", "b") + pair("b", "a"), "contradicts itself"),
      (pair("a", "a"), "stands in it twice"),
      ("{\"prompt\": \"p\", \"ranking\": [[\"a\", \"b\"]]}", "ties only"),
      ("{\"prompt\": \"p\", \"ranking\": [\"a\"]}", "two answers or more"),
      ("{\"prompt\": \"p\", \"ranking\": [\"a\", 3]}", "line 1"),
    ] {
      let error = #expect(throws: CorpusError.self) {
        try readPreferences(Data(text.utf8), name: "votes.jsonl")
      }
      #expect(error?.description.contains(sentence) == true, "\(text): \(error?.description ?? "")")
    }
    let tied = try readPreferences(
      Data("{\"prompt\": \"p\", \"ranking\": [\"a\", [\"b\", \"c\"]]}".utf8), name: "votes")
    #expect(tied == [Preference(prompt: "p", tiers: [["a"], ["b", "c"]])])
  }

  @Test("options that make no sense are refused")
  func options() {
    let common = ["rlhf", "--model", "m", "--reward", "r", "--prompts", "p", "--out", "o"]
    #expect(failure(common + ["--penalty=-1"]).0.contains("--penalty"))
    #expect(failure(common + ["--samples", "1"]).1 == .usage)
    #expect(failure(common + ["--stop-labels", "a", "--stop-reward", "b"]).0.contains("not both"))
    #expect(
      failure(["reward", "--model", "m", "--data", "d", "--out", "o", "--epochs", "0"]).1 == .usage)
  }
}
