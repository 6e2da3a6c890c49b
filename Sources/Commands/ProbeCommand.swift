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
      are as right. A response is right that is one of them, but for case, a full stop, an article or
      "It is" before it. Every question is asked several times: known if all answers are right, unknown
      if none is. The folder gets map.jsonl, and sft.jsonl, which teaches the model to answer what it
      knows and to refuse what it does not:  lyceum sft --data runs/probe/sft.jsonl …
      With --endpoint and --judge-model, a model behind an OpenAI-compatible API judges the answers,
      whole sentences too, and, with --data, writes the questions about your text. Run again, it goes
      on where it was.
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
    let passages = try data.map(passages) ?? []
    let folder = try runFolder(out)
    let loaded = try LoadedModel.load(place(model))
    let asked = { (items: [ProbeQuestion]) in items.map { Problem(prompt: $0.question, answer: "") }
    }
    try checkRoom(asked(items), loaded, questions ?? "")
    let run = try RunFolder(folder, create: true)
    try run.bindRecipe(recipe(loaded, items, passages))
    if let data, let examiner {
      items = try written(
        passages, examiner, keptIn: folder.appendingPathComponent("questions.jsonl"))
      try checkRoom(asked(items), loaded, data)
    }
    let results = try results(items, loaded, run, examiner)
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

  /// Everything that the map depends on.
  private struct Recipe: Encodable {
    var stage = "probe"
    var samples: Int
    var temperature: Float
    var max_tokens: Int
    var seed: UInt64
    /// Questions to write; nil where they are given.
    var count: Int?
    var judge: String?
    var data: String
  }

  private func recipe(_ loaded: LoadedModel, _ items: [ProbeQuestion], _ passages: [String])
    -> Recipe
  {
    let texts = items.flatMap { [$0.question, $0.answer] + ($0.accept ?? []) } + passages
    return Recipe(
      samples: samples, temperature: temperature, max_tokens: maxTokens, seed: seed,
      count: data == nil ? nil : count, judge: judgeModel,
      data: loaded.tokenizer.fingerprint + "-" + loaded.model.fingerprint + "-"
        + String(fingerprint(of: texts), radix: 16))
  }

  /// Asks what an earlier run did not ask, each result kept as soon as it is there.
  private func results(
    _ items: [ProbeQuestion], _ loaded: LoadedModel, _ run: RunFolder,
    _ examiner: EndpointExaminer?
  ) throws -> [ProbeResult] {
    let map = try run.log("map.jsonl")
    let before = try resultsBefore(items, run.url.appendingPathComponent("map.jsonl"), map)
    guard before.count < items.count else { return before }
    var count = before.count
    let after = try watch(items.count, from: count, unit: "questions") { update in
      try probe(
        Array(items[count...]), loaded, samples: samples,
        settings: SamplingSettings(temperature: temperature, maxTokens: maxTokens), seed: seed,
        onResult: { result in
          try map.append(result)
          try map.flush()
          count += 1
          update(count)
        }
      ) { question, response in
        try Interrupt.check()
        return try examiner?.judge(question, response) ?? question.isMet(by: response)
      }
    }
    return before + after
  }

  /// The lines of the map that are results of the first questions; what follows them is cut off.
  private func resultsBefore(_ items: [ProbeQuestion], _ url: URL, _ map: AppendLog) throws
    -> [ProbeResult]
  {
    var (results, bytes) = ([ProbeResult](), 0)
    let data = try Data(contentsOf: url)
    for (line, item) in zip(data.split(separator: 0x0A, omittingEmptySubsequences: false), items) {
      guard let result = try? JSONDecoder().decode(ProbeResult.self, from: Data(line)),
        result.question == item.question, result.right.count == samples
      else { break }
      results.append(result)
      bytes += line.count + 1
    }
    try map.rewind(to: bytes)
    return results
  }

  private func passages(_ path: String) throws -> [String] {
    let passages = try readPassages(path).map(\.text).filter { $0.count >= 40 }
    guard !passages.isEmpty else {
      throw EnvironmentError("\(path) holds no paragraph of 40 characters to ask about")
    }
    return passages
  }

  /// Questions about passages, spread over them: those that an earlier run kept, for to write them
  /// again would cost as much again, or new ones.
  private func written(_ passages: [String], _ examiner: EndpointExaminer, keptIn url: URL) throws
    -> [ProbeQuestion]
  {
    if let data = try? Data(contentsOf: url) {
      return try ProbeQuestion.read(data, name: url.path)
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
    try save(written, to: url)
    return written
  }

  private func save(_ lines: [some Encodable], to url: URL) throws {
    var data = Data()
    for line in lines { data += try JSONLine.encode(line) + Data("\n".utf8) }
    try writeAtomically(data, to: url)
  }

  /// Shows progress. Ctrl-C stops; what was written and asked is kept.
  private func watch<Measured>(
    _ steps: Int, from: Int = 0, unit: String, _ body: ((Int) -> Void) throws -> Measured
  ) throws -> Measured {
    Interrupt.install()
    let bar = ProgressBar()
    bar.begin("probe", steps: steps, from: from, unit: unit)
    defer { bar.end() }
    return try body { bar.update(step: $0) }
  }
}
