import ArgumentParser
import Claims
import Corpus
import Foundation
import Tokenization
import Training

/// `sft`: imitation of conversations.
struct SFTCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sft", abstract: "Imitate conversations: supervised fine-tuning.",
    discussion: """
      Example:  lyceum sft --model runs/books --data chats.jsonl --out runs/books-sft
      Each line holds "messages" (a list of {role, content}), or "prompt" and "completion". Only what
      the assistant wrote is learned.
      """)

  @Option(help: "The model to start from.") var model: String
  @Option(help: "Conversations, as JSONL.") var data: String
  @Option(help: "Folder of the run.") var out: String
  @Option(help: "Passes over the conversations.") var epochs = 3.0
  @Option(help: "Rows in a batch.") var batch = 8
  @Option(help: "Seed of the order.") var seed: UInt64 = 1
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var model: String
    var conversations: Int
    var steps: Int
    var loss_last: Double?
  }

  func validate() throws {
    if batch < 1 || !(epochs > 0 && epochs.isFinite) {
      throw ValidationError("--batch and --epochs must be above 0")
    }
  }

  func run() throws {
    compute.apply()
    let conversations = try readConversations(place(data))
    let start = try LoadedModel.load(place(model))
    let length = start.model.config.context
    let examples = conversations.map { exampleSequence($0, start.template) }
    if let long = examples.firstIndex(where: { $0.slots > length }) {
      throw CorpusError(
        "conversation \(long + 1) of \(data) has \(examples[long].slots) tokens, more than the "
          + "model's context of \(length): shorten it")
    }
    let rows = Packing(examples, length: length).rows.count
    let steps = max(1, Int((Double(rows) * epochs / Double(batch)).rounded(.up)))
    let recipe = ImitationRecipe(
      length: length, rows: batch, steps: steps, schedule: Schedule(warmup: min(20, steps / 5 + 1)),
      seed: seed,
      data: start.tokenizer.fingerprint + "-" + start.model.fingerprint + "-"
        + String(fingerprint(of: conversations.lazy.flatMap { $0 }.map(\.content)), radix: 16))
    Terminal.note("\(conversations.count) conversations, \(steps) steps of \(batch) rows.")
    let folder = place(out)
    var last: String?
    let trained = try watchStage("sft", steps: steps) { observer in
      var observer = observer
      let show = observer.onProgress
      observer.onProgress = { progress in
        last = progress.note
        show(progress)
      }
      return try imitate(
        recipe, examples: examples, start: { start.model }, in: folder, observer: observer)
    }
    try LoadedModel(model: trained, tokenizer: start.tokenizer).save(
      to: folder.appendingPathComponent("model"))
    if compute.json {
      try JSONLine.print(
        Result(
          model: out, conversations: conversations.count, steps: steps,
          loss_last: last.flatMap { Double($0.split(separator: " ").last ?? "") }))
    } else {
      print("Talk to it:  lyceum chat \(out)")
    }
  }
}
