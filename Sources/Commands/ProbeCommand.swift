import ArgumentParser
import Claims
import Corpus
import Environments
import Foundation
import Generation
import ModelFiles
import Tokenization
import Training

/// `probe`: what a model knows and what it does not.
struct ProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probe", abstract: "Find out what a model knows.",
    discussion: """
      Example:  lyceum probe --model runs/books-sft --questions people.jsonl --out runs/probe
      Each line of the questions holds "question", "answer" and perhaps "accept", a list of answers that
      are as right. Every question is asked several times: known if all answers are right, unknown if
      none is. The folder gets map.jsonl, and sft.jsonl, which teaches the model to answer what it
      knows and to refuse what it does not:  lyceum sft --data runs/probe/sft.jsonl …
      With --endpoint and --judge-model, a model behind an OpenAI-compatible API judges the answers
      and, with --data, writes the questions about your text.
      """)

  @Option(help: "The model.") var model: String
  @Option(help: "Questions with their answers, as JSONL.") var questions: String?
  @Option(help: "Text to have questions written about.") var data: String?
  @Option(help: "Folder for the map and the examples.") var out: String
  @Option(help: "Times that each question is asked.") var samples = 4
  @Option(help: "Temperature of the answers.") var temperature: Float = 1
  @Option(help: "Tokens in an answer at most.") var maxTokens = 64
  @Option(help: "Seed of the draws.") var seed: UInt64 = 1
  @Option(help: "Questions to write at most.") var count = 200
  @Option(help: "An OpenAI-compatible API that judges: http://localhost:8080/v1") var endpoint:
    String?
  @Option(help: "The model behind the endpoint.") var judgeModel: String?
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var model: String
    var n: Int
    var known: Estimate
    var maybe: Estimate
    var unknown: Estimate
    var examples: Int
  }

  func validate() throws {
    guard (questions == nil) != (data == nil) else {
      throw ValidationError("give either --questions, or --data to have questions written about")
    }
    guard (endpoint == nil) == (judgeModel == nil), data == nil || endpoint != nil else {
      throw ValidationError("--endpoint and --judge-model need each other, and --data needs both")
    }
    guard (1...1_024).contains(samples), (1...1_000_000).contains(count), maxTokens >= 1 else {
      throw ValidationError(
        "--samples must lie in 1...1,024, --count in 1...1,000,000, --max-tokens be 1 or more")
    }
    guard temperature >= 0, temperature.isFinite else {
      throw ValidationError("--temperature must be 0 or more")
    }
  }

  func run() throws {
    compute.apply()
    let examiner = try endpoint.map {
      EndpointExaminer(endpoint: try Endpoint($0, model: judgeModel ?? ""))
    }
    var items = try questions.map { try ProbeQuestion.read(try readFile($0), name: $0) } ?? []
    let loaded = try LoadedModel.load(place(model))
    let folder = place(out)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    if let data, let examiner {
      items = try write(data, examiner)
      // Kept before anything else: to write them again would cost as much again.
      try save(items, to: folder.appendingPathComponent("questions.jsonl"))
    }
    try checkRoom(
      items.map { Problem(prompt: $0.question, answer: "") }, loaded, questions ?? data ?? "")
    let settings = SamplingSettings(temperature: temperature, maxTokens: maxTokens)
    let results = try watch(items.count, unit: "questions") { update in
      try probe(
        items, loaded, samples: samples, settings: settings, seed: seed,
        onProgress: update
      ) { question, response in
        try Interrupt.check()
        return try examiner?.judge(question, response) ?? question.isMet(by: response)
      }
    }
    try save(results, to: folder.appendingPathComponent("map.jsonl"))
    struct Line: Encodable { var messages: [Message] }
    let examples = refusalExamples(results).map { Line(messages: $0) }
    try save(examples, to: folder.appendingPathComponent("sft.jsonl"))
    func share(_ knowledge: ProbeResult.Knowledge) -> Estimate {
      Estimate(successes: results.count { $0.knowledge == knowledge }, of: results.count)
    }
    let result = Result(
      model: model, n: results.count, known: share(.known), maybe: share(.maybe),
      unknown: share(.unknown), examples: examples.count)
    if compute.json { return try JSONLine.print(result) }
    print("Known:   \(Unit.share.text(result.known))  n = \(result.n)")
    print("Maybe:   \(Unit.share.text(result.maybe))")
    print("Unknown: \(Unit.share.text(result.unknown))")
    print(
      "Teach it to say so:  lyceum sft --model \(model) --data \(out)/sft.jsonl --out …")
  }

  /// Questions about paragraphs of the text, spread over it.
  private func write(_ path: String, _ examiner: EndpointExaminer) throws -> [ProbeQuestion] {
    let passages = try readPassages(path).map(\.text).filter { $0.count >= 40 }
    guard !passages.isEmpty else {
      throw EnvironmentError("\(path) holds no paragraph of 40 characters to ask about")
    }
    let stride = max(1, passages.count / count)
    let chosen = Array(Swift.stride(from: 0, to: passages.count, by: stride).prefix(count))
    let written = try watch(chosen.count, unit: "questions written") { update in
      try chosen.enumerated().compactMap { i, at in
        try Interrupt.check()
        update(i + 1)
        return try examiner.question(about: String(passages[at].prefix(4_000)))
      }
    }
    guard !written.isEmpty else {
      throw EnvironmentError(
        "\(examiner.endpoint.model) wrote no question as JSON: use another --judge-model")
    }
    return written
  }

  private func save(_ lines: [some Encodable], to url: URL) throws {
    var data = Data()
    for line in lines { data += try JSONLine.encode(line) + Data("\n".utf8) }
    try writeAtomically(data, to: url)
  }

  /// Shows progress. Ctrl-C stops; questions that were written are kept.
  private func watch<Measured>(
    _ steps: Int, unit: String, _ body: ((Int) -> Void) throws -> Measured
  ) throws -> Measured {
    Interrupt.install()
    let bar = ProgressBar()
    bar.begin("probe", steps: steps, unit: unit)
    defer { bar.end() }
    return try body { bar.update(step: $0) }
  }
}
