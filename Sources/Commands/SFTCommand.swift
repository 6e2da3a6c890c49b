import ArgumentParser
import Claims
import Corpus
import Foundation
import TensorCore
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
      A published model (a GGUF file or a folder) sees the conversations through its own chat template.
      With --lora an adapter is trained, in a fraction of the memory; the run then keeps it in the folder
      "adapter", as PEFT reads it, and the model stays where it is:
        lyceum sft --model smollm2.gguf --data chats.jsonl --lora 16 --out runs/manners
        lyceum chat runs/manners
        lyceum merge smollm2.gguf runs/manners --out merged
      """)

  @Option(help: "The model to start from: a run, a model folder or a GGUF file.") var model: String
  @Option(help: "Conversations, as JSONL.") var data: String
  @Option(help: "Folder of the run.") var out: String
  @Option(help: "Passes over the conversations.") var epochs = 3.0
  @Option(help: "Rows in a batch.") var batch = 8
  @Option(help: "The learning rate of AdamW (default: by what is trained).") var rate: Float?
  @Option(help: "Tokens in a row (default: the context, but at most what the examples need).")
  var length: Int?
  @Option(help: "Seed of the order.") var seed: UInt64 = 1
  @OptionGroup var adapter: AdapterOptions
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
    if let rate, !(rate > 0 && rate <= 1) { throw ValidationError("--rate must lie in 0...1") }
    if let length, length < 1 { throw ValidationError("--length must be 1 or more") }
  }

  func run() throws {
    compute.apply()
    let folder = try runFolder(out)
    let conversations = try readConversations(place(data))
    let settings = adapter.settings
    let start = try LoadedModel.load(place(model), plan: settings?.plan(seed: seed))
    try adapter.check(start.model)
    if settings == nil { try start.checkSaving() }
    let examples = try examples(conversations, start)
    let length = try rowLength(examples, start)
    let rows = Packing(examples, length: length).rows.count
    let steps = max(1, Int((Double(rows) * epochs / Double(batch)).rounded(.up)))
    let recipe = ImitationRecipe(
      length: length, rows: batch, steps: steps, optimizer: optimizer(start),
      schedule: Schedule(warmup: min(20, steps / 5 + 1)), seed: seed,
      data: start.tokenizer.fingerprint + "-" + start.model.fingerprint + "-"
        + String(
          fingerprint(
            of: conversations.lazy.flatMap { $0 }.flatMap {
              [$0.content] + $0.toolCalls.map { "call " + $0.text }
            }), radix: 16),
      adapter: settings)
    var plan = StagePlan(
      config: start.model.config, rows: batch, length: length, steps: steps,
      stepTokens: batch * length, optimizer: recipe.optimizer)
    if settings != nil {
      plan.adapterParameters = start.model.adapter.reduce(0) { $0 + $1.tensor.count }
    }
    try plan.checkMemory(
      "lower --batch" + (settings == nil ? ", or train an adapter (--lora)" : ""))
    try plan.announce(
      "\(Format.counted(conversations.count, "conversation")), \(Format.counted(steps, "step")) of "
        + Format.counted(batch, "row"), in: folder)
    let trained = try watchStage("sft", steps: steps) {
      try imitate(recipe, examples: examples, start: { start.model }, in: folder, observer: $0)
    }
    if let settings {
      try Adapter.save(
        trained, settings, base: place(model).path, to: folder.appendingPathComponent("adapter"))
    } else {
      try start.with(trained).save(to: folder.appendingPathComponent("model"))
    }
    if compute.json {
      try JSONLine.print(
        Result(
          model: out, conversations: conversations.count, steps: steps,
          loss_last: StageLog.last("loss", in: folder)))
    } else {
      print("Talk to it:  lyceum chat \(out)")
    }
  }

  private func examples(_ conversations: [[Message]], _ start: LoadedModel) throws
    -> [TokenSequence]
  {
    for (i, conversation) in conversations.enumerated() {
      if let problem = start.format.problem(with: conversation) {
        throw CorpusError("conversation \(i + 1) of \(data): \(problem)")
      }
    }
    return try conversations.map { try exampleSequence($0, start.format) }
  }

  /// Tokens in a row: no more than the model can see, and of a long context no more than is of use.
  private func rowLength(_ examples: [TokenSequence], _ start: LoadedModel) throws -> Int {
    let context = start.model.config.context
    let longest = examples.map(\.slots).max() ?? 1
    let length = min(context, self.length ?? max(512, (longest + 63) / 64 * 64))
    if let long = examples.firstIndex(where: { $0.slots > length }) {
      throw CorpusError(
        "conversation \(long + 1) of \(data) has \(examples[long].slots) tokens, more than "
          + (length == context ? "the model's context of \(length)" : "--length \(length)")
          + ": shorten it")
    }
    return length
  }

  /// What was made here learns fast; what was published is moved with care; an adapter begins at zero.
  private func optimizer(_ start: LoadedModel) -> OptimizerSettings {
    var settings: OptimizerSettings =
      if adapter.lora != nil {
        OptimizerSettings(rate: 5e-4, decay: 0)
      } else {
        start.format.own != nil ? .imitation : OptimizerSettings(rate: 2e-5)
      }
    if let rate { settings.rate = rate }
    return settings
  }
}
