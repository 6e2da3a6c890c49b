import ArgumentParser
import Foundation
import Testing
import Tokenization
import Training

@testable import Commands

/// A folder of its own, where the verbs do what a user would do.
final class Workplace {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("lyceum-verbs-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  subscript(_ name: String) -> String { url.appendingPathComponent(name).path }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: url.appendingPathComponent(name))
  }

  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: self[name]) }

  /// Small text, conversations and problems.
  func fill() throws {
    let text = (0..<400).map { "\($0 % 50) and \($0 % 9) make \($0 % 50 + $0 % 9). " }.joined()
    try write("text.txt", text)
    try FileManager.default.createDirectory(
      at: url.appendingPathComponent("books"), withIntermediateDirectories: true)
    for i in 0..<40 {
      try write("books/\(i).txt", "Book \(i). " + text.dropFirst(i * 100).prefix(900))
    }
    let chats = (0..<60).map { "{\"prompt\": \"\($0 % 9)?\", \"completion\": \"\($0 % 9)\"}" }
    try write("chats.jsonl", chats.joined(separator: "\n"))
    let task = (0..<9).map { "{\"prompt\": \"\($0)?\", \"answer\": \"\($0)\"}" }
    try write("task.jsonl", task.joined(separator: "\n"))
  }
}

func run(_ arguments: [String]) throws {
  var command = try Lyceum.parseAsRoot(arguments)
  try command.run()
}

/// The sentence that a command ends in, and its exit status.
func failure(_ arguments: [String]) -> (String, Commands.ExitStatus) {
  do {
    try run(arguments)
    return ("no error", .success)
  } catch {
    return (Lyceum.fullMessage(for: error), Commands.ExitStatus.of(error, in: Lyceum.self))
  }
}

@Suite("Verbs", .serialized)
struct VerbTests {
  @Test("read, imitate, practise, measure, talk: each verb takes what the one before made")
  func chain() throws {
    let place = try Workplace()
    try place.fill()
    try run([
      "pretrain", "--data", place["books"], "--out", place["base"], "--depth", "1", "--vocab",
      "280",
      "--context", "64", "--batch", "4", "--steps", "12",
    ])
    #expect(place.has("base/model/model.safetensors") && place.has("base/samples.jsonl"))
    let weights = try Data(contentsOf: URL(fileURLWithPath: place["base/model/model.safetensors"]))
    // A finished run that is run again changes nothing.
    try run([
      "pretrain", "--data", place["books"], "--out", place["base"], "--depth", "1", "--vocab",
      "280",
      "--context", "64", "--batch", "4", "--steps", "12",
    ])
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: place["base/model/model.safetensors"])) == weights)

    try run([
      "sft", "--model", place["base"], "--data", place["chats.jsonl"], "--out", place["sft"],
      "--epochs", "200",
    ])
    try run([
      "rl", "--model", place["sft"], "--task", place["task.jsonl"], "--out", place["rl"], "--steps",
      "3", "--max-tokens", "4", "--problems", "9",
    ])
    #expect(place.has("rl/rollouts.jsonl") && place.has("rl/model/config.json"))
    try run([
      "eval", "--model", place["rl"], "--task", place["task.jsonl"], "--samples", "4", "--json",
    ])
    try run(["eval", "--model", place["base"], "--data", place["text.txt"], "--json"])
    try place.write("short.txt", "4 and 4 make 8.")
    try run(["score", "--model", place["base"], place["short.txt"], "--json"])
    try run(["score", "--model", place["base"], place["short.txt"]])
    try run(["complete", place["base"], "4 and", "--samples", "2", "--max-tokens", "5", "--json"])
    let before = try Data(contentsOf: URL(fileURLWithPath: place["rl/model/model.safetensors"]))
    try run(["nudge", place["rl"], "4 and 4 make", "--toward", " 8"])
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: place["rl/model/model.safetensors"])) == before)
    try run(["tokenizer", "encode", "--tokenizer", place["rl"], "4 and 4"])
    try run(["tokenizer", "decode", "--tokenizer", place["rl"], "52", "53"])

    // Another recipe in the same folder, and a folder of a newer version.
    let other = failure([
      "sft", "--model", place["base"], "--data", place["chats.jsonl"], "--out", place["sft"],
      "--epochs", "200", "--seed", "9",
    ])
    #expect(other.0.contains("seed is 1 there and 9 now") && other.1 == .failure)
    // A text longer than the context; a token that is none.
    #expect(
      failure(["score", "--model", place["base"], place["text.txt"]]).0.contains("context of 64"))
    #expect(
      failure(["tokenizer", "decode", "--tokenizer", place["rl"], "9999"]).0.contains("not a token")
    )
    #expect(failure(["nudge", place["rl"], "a", "--toward", ""]).0.contains("--toward is empty"))
  }

  @Test("a bench that would count nothing is a wrong command line")
  func benches() {
    for wrong in [
      ["train", "--batch", "0"], ["train", "--threads=-3"], ["train", "--kv-heads", "0"],
      ["practice", "--steps", "0"], ["practice", "--samples", "9", "--prompts", "1000000"],
      ["games", "--games=-1"], ["generate", "--repeats", "0"], ["matmul", "--threads=-1"],
      ["tokenizer", "--data", "x", "--megabytes", "0"],
      ["tokenizer", "--data", "x", "--vocab", "0"],
    ] { #expect(failure(["bench"] + wrong).1 == .usage, "\(wrong)") }
  }

  @Test("what failed before it began leaves no folder")
  func nothingLeft() throws {
    let place = try Workplace()
    try place.fill()
    for wrong in [["--vocab", "60000"], ["--vocab", "300", "--batch", "900000"]] {
      let outcome = failure(["pretrain", "--data", place["books"], "--out", place["run"]] + wrong)
      #expect(outcome.1 == .failure && !place.has("run"), "\(outcome.0)")
    }
    let outcome = failure(["tour", "--quick", "--out", place["text.txt"] + "/x"])
    #expect(outcome.0.contains("text.txt is a file, not a folder"))
  }

  @Test("a chat keeps its turns, forgets the oldest when full, and saves what sft reads")
  func chat() throws {
    let place = try Workplace()
    try place.fill()
    try run([
      "pretrain", "--data", place["text.txt"], "--out", place["base"], "--depth", "1", "--vocab",
      "270", "--context", "64", "--batch", "2", "--steps", "2",
    ])
    let session = try ChatSession(
      LoadedModel.load(URL(fileURLWithPath: place["base"])),
      settings: .init(temperature: 1, maxTokens: 8), seed: 1, system: "Be brief.")
    for i in 0..<12 {
      var shown = ""
      try session.say("What is \(i)?") { shown += $0 }
      #expect(session.messages.last?.content == shown)
      #expect(session.messages.first?.role == .system)
    }
    #expect(session.messages.count < 25)
    session.reset()
    #expect(session.messages.count == 1)
    try session.say("1?") { _ in }
    try session.save(to: URL(fileURLWithPath: place["saved.jsonl"]))
    try run([
      "sft", "--model", place["base"], "--data", place["saved.jsonl"], "--out", place["sft"],
      "--epochs", "1",
    ])
    session.begin(system: nil)
    try session.load(from: URL(fileURLWithPath: place["saved.jsonl"]))
    #expect(session.messages.map(\.content).contains("1?"))
    #expect(session.messages.first?.role == .system)
    #expect(throws: TrainingError.self) {
      try session.load(from: URL(fileURLWithPath: place["text.txt"]))
    }
    #expect(session.set("temperature", "0.5") == "temperature is 0.5")
    #expect(session.set("top-k", "2.5").contains("top-k"))
    #expect(session.shown.contains("temperature is 0.5"))
    #expect(session.set("top-p", "3").contains("top-p"))
    #expect(session.set("temperature", "x").contains("not a number"))
    #expect(session.set("colour", "3").contains("no setting"))
  }

  @Test("a message is a line, lines that end in a backslash, or what stands in three quotes")
  func messages() {
    let lines = [
      "one", "two \\", "three", "\"\"\"four", "", "five\"\"\"", "\"\"\"", "six", "\"\"\"",
      "\"\"\"seven\"\"\"",
      "open \\",
    ]
    var rest = lines[...]
    var reader = MessageReader { _ in rest.popFirst() }
    var found: [String] = []
    while let message = reader.next() { found.append(message) }
    #expect(found == ["one", "two \nthree", "four\n\nfive", "six", "seven", "open "])
  }

  @Test("bad input ends in one sentence and the right status")
  func refusals() throws {
    let place = try Workplace()
    try place.fill()
    try place.write("empty.txt", "")
    try place.write("tiny.txt", "a b a b")
    try Data([0, 1, 2, 255]).write(to: place.url.appendingPathComponent("binary.txt"))
    try place.write("bad.jsonl", "{\"prompt\": \"a\", \"completion\": \"b\"}\nnot json\n")
    try place.write("silent.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"u\"}]}\n")
    try FileManager.default.createDirectory(
      at: place.url.appendingPathComponent("void"), withIntermediateDirectories: true)
    var folders = 0
    func pretrain(_ more: String...) -> (String, Commands.ExitStatus) {
      folders += 1
      return failure(["pretrain", "--out", place["out\(folders)"], "--steps", "1"] + more)
    }
    let cases: [((String, Commands.ExitStatus), String, Commands.ExitStatus)] = [
      (pretrain("--data", place["none"]), "does not exist", .failure),
      (pretrain("--data", place["empty.txt"]), "is empty", .failure),
      (pretrain("--data", place["binary.txt"]), "zero byte", .failure),
      (pretrain("--data", place["void"]), "holds no text", .failure),
      (pretrain("--data", place["text.txt"], "--vocab", "100"), "too small", .failure),
      (pretrain("--data", place["text.txt"], "--vocab", "50000"), "ask for at most", .failure),
      (pretrain("--data", place["text.txt"], "--depth", "0"), "depth of 0", .failure),
      (pretrain("--data", place["text.txt"], "--depth", "1000"), "depth of 1000", .failure),
      (pretrain("--data", place["tiny.txt"], "--vocab", "264"), "less than one context", .failure),
      (
        pretrain(
          "--data", place["books"], "--vocab", "270", "--context", "500", "--batch", "60000"),
        "of memory", .failure
      ),
      (pretrain("--data", place["text.txt"], "--batch", "0"), "--batch", .usage),
      (pretrain(), "--data", .usage),
      (
        failure([
          "sft", "--model", place["none"], "--data", place["chats.jsonl"], "--out", place["o"],
        ]),
        "does not exist", .failure
      ),
      (
        failure([
          "sft", "--model", place["void"], "--data", place["bad.jsonl"], "--out", place["o"],
        ]),
        "bad.jsonl, line 2", .failure
      ),
      (
        failure([
          "sft", "--model", place["void"], "--data", place["silent.jsonl"], "--out", place["o"],
        ]),
        "no assistant turn", .failure
      ),
      (
        failure([
          "rl", "--model", place["void"], "--task", place["chats.jsonl"], "--out", place["o"],
        ]),
        "line 1", .failure
      ),
      (
        failure([
          "rl", "--model", place["void"], "--task", place["task.jsonl"], "--out", place["o"],
        ]),
        "holds no model", .failure
      ),
      (
        failure(["rl", "--model", "m", "--task", "t", "--out", "o", "--samples", "1"]),
        "a group needs 2", .usage
      ),
      (failure(["eval", "--model", "m"]), "either --task", .usage),
      (failure(["complete", "m", "p", "--top-p", "7"]), "top-p is 7", .usage),
      (failure(["complete", "m", "p", "--temperature", "nan"]), "temperature", .usage),
      (failure(["chat", place["none"]]), "does not exist", .failure),
      (failure(["bogus"]), "bogus", .usage),
    ]
    for (at, (found, sentence, status)) in cases.enumerated() {
      #expect(found.0.contains(sentence), "case \(at): \(found.0)")
      #expect(found.1 == status, "case \(at): \(found.0)")
    }
  }

  @Test("every verb has help with an example")
  func help() {
    for verb in Lyceum.configuration.subcommands where verb.configuration.subcommands.isEmpty {
      let text = Lyceum.helpMessage(for: verb)
      let name = verb.configuration.commandName ?? ""
      #expect(text.contains("Example:  lyceum \(name)"), "\(name)")
    }
  }
}
