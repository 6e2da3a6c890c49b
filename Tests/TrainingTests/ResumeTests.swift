import Corpus
import Foundation
import LanguageModel
import TensorCore
import TensorKernels
import Testing
import Tokenization
import Training

/// The three stages, each as a function of a folder and an observer.
private enum StageKind: String, CaseIterable, Sendable {
  case reading, imitation, practice

  @discardableResult
  func run(in folder: URL, _ observer: StageObserver = StageObserver()) throws -> Transformer {
    let tokenizer = try #require(Tiny.tokenizer)
    switch self {
    case .reading:
      let documents = try Tiny.documents()
      let material = ReadingMaterial(
        training: try PackedCorpus(documents, length: 32, seed: 1),
        validation: Packing(try Tiny.documents(8), length: 32).batches(of: 4), validationBytes: 100)
      return try pretrain(
        PretrainingRecipe(
          model: Tiny.config, length: 32, rows: 4, steps: 12, schedule: Schedule(warmup: 3),
          seed: 1, validateEvery: 4, data: "x"), material: material, tokenizer: tokenizer,
        prompts: ["1 +"], in: folder, observer: observer)
    case .imitation:
      return try imitate(
        ImitationRecipe(
          length: 64, rows: 3, steps: 12, schedule: Schedule(warmup: 3), seed: 1, data: "x"),
        examples: try Tiny.conversations(), start: { try Tiny.model() }, in: folder,
        observer: observer)
    case .practice:
      return try practise(
        PracticeRecipe(
          problems: 4, samples: 4, maxTokens: 6, length: 64, steps: 12, seed: 1, data: "x"),
        problems: Tiny.problems, verifier: Tiny.Short(), start: { try Tiny.model() },
        tokenizer: tokenizer, in: folder, observer: observer)
    }
  }
}

@Suite(.serialized) struct ResumeTests {
  @Test(
    "stopped anywhere and gone on, a stage ends in the same bytes", arguments: StageKind.allCases)
  fileprivate func stop(_ stage: StageKind) throws {
    let scratch = try Scratch()
    try stage.run(in: scratch["whole"])
    let whole = try contents(scratch["whole"])
    #expect(whole.keys.contains { $0.hasSuffix("optimizer.safetensors") })
    for limit in [1, 5, 11] {
      let folder = scratch["stopped-\(limit)"]
      var asked = 0
      let stopping = StageObserver(shouldStop: {
        asked += 1
        return asked > limit
      })
      #expect(throws: StageStopped.self) { try stage.run(in: folder, stopping) }
      try stage.run(in: folder)
      let found = try contents(folder)
      // A stopped run keeps another older checkpoint; the last one and the logs are the same.
      for (name, data) in whole where !name.contains("step-0/") {
        #expect(found[name] == data, "\(stage): \(name), stopped at \(limit)")
      }
    }
  }

  @Test(
    "killed at any moment and gone on, a stage ends in the same bytes",
    arguments: StageKind.allCases)
  fileprivate func kill(_ stage: StageKind) throws {
    let scratch = try Scratch()
    try stage.run(in: scratch["whole"])
    let whole = try contents(scratch["whole"])
    for limit in [0, 4, 9] {
      // What a SIGKILL leaves: the folder as it is in the middle of a step, logs ahead of the
      // checkpoint, half a checkpoint aside.
      let (folder, killed) = (scratch["k\(limit)"], scratch["killed\(limit)"])
      let observer = StageObserver(onProgress: { progress in
        guard progress.step == limit else { return }
        try? FileManager.default.copyItem(at: folder, to: killed)
      })
      try stage.run(in: folder, observer)
      let log = killed.appendingPathComponent("log.jsonl")
      let handle = try FileHandle(forWritingTo: log)
      try handle.seekToEnd()
      try handle.write(contentsOf: Data("{\"step\": 99, \"torn".utf8))
      try handle.close()
      let aside = killed.appendingPathComponent("checkpoints/step-7.tmp")
      try FileManager.default.createDirectory(at: aside, withIntermediateDirectories: true)
      try Data("half".utf8).write(to: aside.appendingPathComponent("model.safetensors"))
      try stage.run(in: killed)
      let found = try contents(killed)
      for (name, data) in whole where !name.contains("step-0/") {
        #expect(found[name] == data, "\(stage): \(name), killed at \(limit)")
      }
    }
  }

  @Test("the number of threads changes nothing", arguments: StageKind.allCases)
  fileprivate func threads(_ stage: StageKind) throws {
    let before = kernelThreads
    defer { kernelThreads = before }
    let scratch = try Scratch()
    let found = try [1, 2, 3].map { threads in
      kernelThreads = threads
      try stage.run(in: scratch["t\(threads)"])
      return try contents(scratch["t\(threads)"])
    }
    #expect(found[1] == found[0] && found[2] == found[0])
  }

  @Test("a damaged newest checkpoint is passed over for the one before, with a warning")
  func damaged() throws {
    let scratch = try Scratch()
    let folder = scratch["run"]
    var asked = 0
    let stopping = StageObserver(shouldStop: {
      asked += 1
      return asked > 5
    })
    #expect(throws: StageStopped.self) { try StageKind.imitation.run(in: folder, stopping) }
    let newest = folder.appendingPathComponent("checkpoints/step-5/model.safetensors")
    var data = try Data(contentsOf: newest)
    data[data.count / 2] ^= 4
    try data.write(to: newest)
    var warnings: [String] = []
    try StageKind.imitation.run(in: folder, StageObserver(onWarning: { warnings.append($0) }))
    #expect(warnings.contains { $0.contains("step-5") })
    try StageKind.imitation.run(in: scratch["whole"])
    let (a, b) = (try contents(folder), try contents(scratch["whole"]))
    #expect(a["log.jsonl"] == b["log.jsonl"])
    let name = "checkpoints/step-12/model.safetensors"
    #expect(a[name] == b[name])
  }

  @Test("a run with another recipe is refused, and names what differs")
  func otherRecipe() throws {
    let scratch = try Scratch()
    try StageKind.imitation.run(in: scratch["run"])
    let other = ImitationRecipe(
      length: 64, rows: 5, steps: 12, schedule: Schedule(warmup: 3), seed: 1, data: "x")
    let error = #expect(throws: (any Error).self) {
      try imitate(
        other, examples: try Tiny.conversations(), start: { try Tiny.model() }, in: scratch["run"],
        observer: StageObserver())
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("rows is 3 there and 5 now"))
  }
}
