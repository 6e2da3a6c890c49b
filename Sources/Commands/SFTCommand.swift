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
      the assistant wrote is learned, its "tool_calls" included; a message of the role "tool" holds
      what a tool answered.
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
    guard (1...Limits.rows).contains(batch), epochs > 0, epochs <= 10_000 else {
      throw ValidationError(
        "--batch must lie in 1...\(Limits.rows), --epochs be above 0 and at most 10,000")
    }
  }

  func run() throws {
    compute.apply()
    let folder = try runFolder(out)
    let conversations = try readConversations(place(data))
    let start = try LoadedModel.load(place(model))
    let length = start.model.config.context
    for (i, conversation) in conversations.enumerated() {
      if let problem = start.template.problem(with: conversation) {
        throw CorpusError("conversation \(i + 1) of \(data): \(problem)")
      }
    }
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
        + String(
          fingerprint(
            of: conversations.lazy.flatMap { $0 }.flatMap {
              [$0.content] + $0.toolCalls.map { "call " + $0.text }
            }), radix: 16))
    let plan = StagePlan(
      config: start.model.config, rows: batch, length: length, steps: steps,
      stepTokens: batch * length, optimizer: recipe.optimizer)
    try plan.checkMemory("lower --batch")
    try plan.announce(
      "\(conversations.count) conversations, \(steps) steps of \(batch) rows", in: folder)
    let trained = try watchStage("sft", steps: steps) {
      try imitate(recipe, examples: examples, start: { start.model }, in: folder, observer: $0)
    }
    try LoadedModel(model: trained, tokenizer: start.tokenizer).save(
      to: folder.appendingPathComponent("model"))
    if compute.json {
      try JSONLine.print(
        Result(
          model: out, conversations: conversations.count, steps: steps,
          loss_last: StageLog.last("loss", in: folder)))
    } else {
      print("Talk to it:  lyceum chat \(out)")
    }
  }
}
