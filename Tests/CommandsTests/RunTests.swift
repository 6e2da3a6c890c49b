import Foundation
import ModelFiles
import Testing

@testable import Commands

/// What the verbs do to folders of runs: their own, and ones that something happened to.
@Suite("Runs of the verbs", .serialized)
struct RunTests {
  private static func pretrain(
    _ place: Workplace, _ out: String, steps: Int = 12, _ more: String...
  )
    -> [String]
  {
    [
      "pretrain", "--data", place["books"], "--out", place[out], "--depth", "1", "--vocab", "280",
      "--context", "32", "--batch", "2", "--steps", "\(steps)",
    ] + more
  }

  private func bytes(_ place: Workplace, _ name: String) throws -> Data {
    try Data(contentsOf: place.url.appendingPathComponent(name))
  }

  @Test("Ctrl-C saves and ends with 130; the same command then ends in the same bytes")
  func interrupted() async throws {
    let place = try Workplace()
    try place.fill()
    try run(Self.pretrain(place, "whole", steps: 400))
    let arguments = Self.pretrain(place, "stopped", steps: 400)
    let log = place["stopped/log.jsonl"]
    await #expect(processExitsWith: .exitCode(130)) {
      [arguments = arguments as [String], log = log as String] in
      Thread.detachNewThread {
        while ((try? Data(contentsOf: URL(fileURLWithPath: log))) ?? Data()).isEmpty { usleep(500) }
        kill(getpid(), SIGINT)
      }
      do { try run(arguments) } catch { exit(ExitStatus.of(error, in: Lyceum.self).rawValue) }
    }
    let steps = CheckpointStore(place.url.appendingPathComponent("stopped/checkpoints")).newestStep
    #expect(steps > 0 && steps < 400)
    #expect(!place.has("stopped/model"))
    #expect(failure(["complete", place["stopped"], "a"]).0.contains("holds no model yet"))
    try run(arguments + ["--threads", "1"])
    for name in [
      "model/model.safetensors", "log.jsonl", "samples.jsonl",
      "checkpoints/step-400/optimizer.safetensors", "checkpoints/step-400/state.json",
    ] {
      #expect(try bytes(place, "stopped/\(name)") == bytes(place, "whole/\(name)"), "\(name)")
    }
  }

  @Test("--json ends with one line of JSON on standard output, and nothing else is there")
  func json() async throws {
    let place = try Workplace()
    try place.fill()
    let arguments = Self.pretrain(place, "run") + ["--json"]
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]
    ) { [arguments = arguments as [String]] in
      try run(arguments)
    }
    let output = try #require(result)
    // The test runner has a line of its own on some systems.
    let lines = output.standardOutputContent.split(separator: UInt8(ascii: "\n"))
    let last = try #require(lines.last)
    struct Line: Decodable {
      var steps: Int
      var training_tokens: Int
      var validation_bits_per_byte: Double
    }
    let line = try JSONDecoder().decode(Line.self, from: Data(last))
    #expect(line.steps == 12 && line.training_tokens == 12 * 2 * 32)
    #expect(line.validation_bits_per_byte > 1 && line.validation_bits_per_byte < 8)
    let news = String(decoding: output.standardErrorContent, as: UTF8.self)
    #expect(news.contains("of memory") && news.contains("kept for validation"))
    #expect(news.contains("bits a byte") && news.contains("step 12:"))
  }

  @Test("a folder that is another run, in use, newer, damaged or a model is said in a sentence")
  func folders() throws {
    let place = try Workplace()
    try place.fill()
    try run(Self.pretrain(place, "run"))
    func again(_ more: String...) -> String { failure(Self.pretrain(place, "run") + more).0 }
    #expect(again("--seed", "2").contains("seed is 1 there and 2 now"))
    #expect(again("--vocab", "290").contains("a vocabulary of 280, not 290"))
    #expect(again("--depth", "2").contains("model.num_hidden_layers is 1 there and 2 now"))
    #expect(again("--data", place["text.txt"]).contains("data is"))
    do {
      let held = try RunFolder(place.url.appendingPathComponent("run"), create: false)
      #expect(again().contains("in use by another process"))
      withExtendedLifetime(held) {}
    }
    let inside = failure([
      "sft", "--model", place["run"], "--data", place["chats.jsonl"], "--out", place["run/model"],
    ])
    #expect(inside.0.contains("is a model: choose another folder"))

    let recipe = place.url.appendingPathComponent("run/recipe.json")
    let before = try Data(contentsOf: recipe)
    let newer = String(decoding: before, as: UTF8.self)
      .replacingOccurrences(of: "\"format\" : 1", with: "\"format\" : 2")
    try Data(newer.utf8).write(to: recipe)
    #expect(again().contains("another version (format 2)"))
    try before.dropLast(20).write(to: recipe)
    #expect(again().contains("recipe.json is not a recipe"))
    try before.write(to: recipe)

    let weights = place.url.appendingPathComponent("run/checkpoints/step-12/model.safetensors")
    var flipped = try Data(contentsOf: weights)
    flipped[flipped.count - 9] ^= 1
    try flipped.write(to: weights)
    let model = try bytes(place, "run/model/model.safetensors")
    // From the checkpoint before: the same steps again, the same bytes.
    try run(Self.pretrain(place, "run"))
    #expect(try bytes(place, "run/model/model.safetensors") == model)
    #expect(try Data(contentsOf: weights) != flipped)
  }

  @Test(
    "a run that may not write any more says so, loses nothing, and goes on once it may",
    arguments: [2_000, 100_000, 150_000])
  func failedWrite(bytes limit: Int) async throws {
    let place = try Workplace()
    try place.fill()
    let arguments = Self.pretrain(place, "run")
    let result = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) { [arguments = arguments as [String], limit = limit as Int] in
      // Files may not grow past the limit: the tokenizer, the weights or the moments do.
      limitFiles(to: limit)
      do { try run(arguments) } catch { Lyceum.finish(with: error) }
    }
    let news = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(news.contains("Error: cannot write \(place["run"])"), "\(news)")
    try run(arguments)
    try run(Self.pretrain(place, "whole"))
    for name in ["model/model.safetensors", "log.jsonl", "samples.jsonl"] {
      #expect(try bytes(place, "run/\(name)") == bytes(place, "whole/\(name)"), "\(name)")
    }
  }

  @Test("one long text is cut, so that some of it is kept for validation")
  func oneText() throws {
    let place = try Workplace()
    try place.fill()
    try place.write("long.txt", (0..<3_000).map { "Line \($0) of a long book.\n\n" }.joined())
    try run(Self.pretrain(place, "run") + ["--data", place["long.txt"]])
    let log = String(decoding: try bytes(place, "run/log.jsonl"), as: UTF8.self)
    #expect(log.contains("validation_bits_per_byte"))
  }

  @Test("problems that cannot be checked or answered are refused before anything is computed")
  func problems() throws {
    let place = try Workplace()
    try place.fill()
    try run(Self.pretrain(place, "run", steps: 1))
    try place.write(
      "words.jsonl",
      "{\"prompt\": \"a\", \"answer\": \"1\"}\n{\"prompt\": \"a\", \"answer\": \"b\"}")
    let long = String(repeating: "7 ", count: 100)
    try place.write("long.jsonl", "{\"prompt\": \"\(long)\", \"answer\": \"1\"}")
    for verb in ["rl", "eval"] {
      let end = verb == "rl" ? ["--out", place["rl"]] : []
      func found(_ task: String, _ more: String...) -> String {
        failure([verb, "--model", place["run"], "--task", place[task]] + end + more).0
      }
      #expect(found("words.jsonl").contains("problem 2: the answer \"b\" holds no number"))
      #expect(found("long.jsonl").contains("problem 1: its "))
      #expect(found("long.jsonl").contains("leave no room for an answer"))
      #expect(found("none.jsonl").contains("cannot be read"))
    }
    #expect(!place.has("rl"))
  }

  @Test("numbers that no machine can mean are usage errors, not crashes")
  func absurd() throws {
    let huge = "\(Int.max)"
    let cases = [
      ["pretrain", "--data", "d", "--batch", huge], ["pretrain", "--data", "d", "--steps", huge],
      ["sft", "--model", "m", "--data", "d", "--out", "o", "--epochs", "1e300"],
      ["sft", "--model", "m", "--data", "d", "--out", "o", "--batch", huge],
      ["rl", "--model", "m", "--task", "t", "--out", "o", "--problems", huge],
      ["rl", "--model", "m", "--task", "t", "--out", "o", "--samples", huge],
      ["rl", "--model", "m", "--task", "t", "--out", "o", "--rate", "inf"],
      ["eval", "--model", "m", "--task", "t", "--samples", huge],
      ["eval", "--model", "m", "--task", "t", "--temperature", "nan"],
    ]
    for arguments in cases {
      #expect(failure(arguments).1 == .usage, "\(arguments)")
    }
  }
}

/// No file may grow past `bytes` from here on: writing more fails, as it does on a full disk.
private func limitFiles(to bytes: Int) {
  var limits = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
  #if canImport(Glibc)
  setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
  #else
  setrlimit(RLIMIT_FSIZE, &limits)
  #endif
  signal(SIGXFSZ, SIG_IGN)
}
