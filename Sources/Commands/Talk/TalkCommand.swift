import ArgumentParser
import Claims
import Foundation
import Training

/// `talk`: what the talk shows, on a real model.
struct TalkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "talk", abstract: "Put the talk's demonstrations to a model.",
    discussion: """
      Example:  lyceum talk smollm2.gguf
      Five demonstrations of the talk, each asked in two ways: invented people, letters in words by token
      and spelled out, a problem answered at once and step by step, facts from memory and from a passage,
      products with and without a calculator. A table with intervals, and two answers to each. With
      --endpoint the model of that name behind an OpenAI-compatible API is asked:
        lyceum talk gpt-oss --endpoint http://localhost:8080/v1
      A base model is asked as a text that goes on.
      """)

  @Argument(help: "A GGUF file, a model folder or a run; with --endpoint the model's name there.")
  var model: String
  @Option(help: "An OpenAI-compatible API: http://localhost:8080/v1") var endpoint: String?
  @Option(help: "Questions of a kind.") var items = 20
  @Option(help: "Seed of the questions and the draws.") var seed: UInt64 = 1
  @Option(help: "A file for every question and answer, as JSONL.") var out: String?
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var model: String
    var endpoint: String?
    var seed: UInt64
    var results: [TalkResult]
  }

  func validate() throws {
    guard (1...10_000).contains(items) else {
      throw ValidationError("--items must lie in 1...10,000")
    }
  }

  func run() throws {
    compute.apply()
    let demonstrations = Demonstration.all(items: items, seed: seed)
    let results =
      if let endpoint {
        try ask(
          RemoteSpeaker(endpoint: Endpoint(endpoint, model: model), seed: seed), demonstrations)
      } else {
        try ask(
          LocalSpeaker(loaded: LoadedModel.load(place(model)), seed: seed), demonstrations)
      }
    if let out {
      let lines = try results.flatMap { result in
        try result.samples.map { try JSONLine.encode(Line(result, $0)) }
      }
      try Data(lines.joined(separator: Data("\n".utf8)) + Data("\n".utf8)).write(to: place(out))
    }
    if compute.json {
      return try JSONLine.print(
        Result(model: model, endpoint: endpoint, seed: seed, results: results))
    }
    show(results)
  }

  /// A line of the file with all answers.
  private struct Line: Encodable {
    var demonstration: String
    var arm: String
    var prompt: String
    var answer: String
    var counted: Bool

    init(_ result: TalkResult, _ sample: TalkResult.Sample) {
      (demonstration, arm) = (result.demonstration, result.arm)
      (prompt, answer, counted) = (sample.prompt, sample.answer, sample.counted)
    }
  }

  private func ask(_ speaker: some Speaker, _ demonstrations: [Demonstration]) throws
    -> [TalkResult]
  {
    Interrupt.install(announced: false)
    let bar = ProgressBar()
    bar.begin("talk", steps: demonstrations.reduce(0) { $0 + $1.arms.count }, unit: "ways")
    defer { bar.end() }
    var done = 0
    return try demonstrations.enumerated().flatMap { index, demonstration in
      try demonstration.run(speaker, stream: UInt64(index)) {
        done += 1
        bar.update(step: done, note: demonstration.name)
      }
    }
  }

  private func show(_ results: [TalkResult]) {
    var table = TextTable([
      .init("demonstration"), .init("asked"), .init("counted"), .init("n", .right),
      .init("share [95 %]", .right), .init("p", .right),
    ])
    for result in results {
      table.add([
        result.demonstration, result.arm, result.measure, String(result.n),
        Unit.share.text(result.share), result.p.map { Format.number($0) } ?? "",
      ])
    }
    print(table.text)
    for result in results {
      print("\n\(result.demonstration), \(result.arm):")
      for sample in result.samples.prefix(2) {
        print("  > \(short(sample.prompt, 160))")
        print(
          "  \(sample.counted ? result.measure : "not \(result.measure)"): \(short(sample.answer, 240))"
        )
      }
    }
  }

  /// A text on one line.
  private func short(_ text: String, _ limit: Int) -> String {
    let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return line.count > limit ? line.prefix(limit) + "…" : line
  }
}
