import ArgumentParser
import Claims
import Corpus
import Foundation
import LanguageModel
import ModelFiles
import Tokenization
import Training

/// `pretrain`: a base model from the user's own text.
struct PretrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain", abstract: "Read text: train a base model from nothing.",
    discussion: """
      Example:  lyceum pretrain --data books/ --depth 4 --out runs/books
      Text is UTF-8 files, JSONL with "text", or either in .gz. Run again, it goes on where it was.
      """)

  @Option(help: "A file or folder of text.") var data: String
  @Option(help: "Folder of the run.") var out = "runs/base"
  @Option(help: "Layers: the one size dial. The width is 32 times it.") var depth = 4
  @Option(help: "Vocabulary of the tokenizer to train.") var vocab = 4096
  @Option(help: "A tokenizer.json to use instead.") var tokenizer: String?
  @Option(help: "Tokens in a row, and the longest text that the model can see.") var context = 256
  @Option(help: "Rows in a batch.") var batch = 16
  @Option(help: "Parts that a batch is computed in: less memory, the same result.") var parts = 1
  @Option(help: "Steps; 0 for 20 tokens a parameter, at most 4 times through the text.")
  var steps = 0
  @Option(help: "Seed of weights and order.") var seed: UInt64 = 1
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var model: String
    var parameters: Int
    var steps: Int
    var training_tokens: Int
    var validation_bits_per_byte: Double?
  }

  func validate() throws {
    guard (1...Limits.rows).contains(batch), parts >= 1, (0...Limits.steps).contains(steps) else {
      throw ValidationError(
        "--batch must lie in 1...\(Limits.rows), --steps in 0...\(Limits.steps), --parts must be 1 or "
          + "more")
    }
  }

  func run() throws {
    compute.apply()
    // Whatever is wrong with the shape is said before the text is read.
    _ = try DecoderConfig.depth(depth, vocabularySize: max(1, vocab), context: context)
    let folder = try runFolder(out)
    let isNew = !FileManager.default.fileExists(atPath: folder.path)
    do {
      try pretrain(in: folder)
    } catch {
      if isNew { removeUnbegun(folder) }
      throw error
    }
  }

  /// Takes away the folder of a run that failed before it began.
  private func removeUnbegun(_ folder: URL) {
    let recipe = folder.appendingPathComponent("recipe.json")
    guard !FileManager.default.fileExists(atPath: recipe.path) else { return }
    for name in ["tokenizer.json", "lock"] {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
    // Only where nothing else is in it.
    rmdir(folder.path)
  }

  private func pretrain(in folder: URL) throws {
    let documents = try readDocuments(place(data))
    let held = holdOut(documents, share: 0.05)
    let (training, validation) = (held.training, upTo(200_000, held.validation))
    let tokenizer = try tokenizer(training, folder)
    let template = try ChatTemplate(tokenizer: tokenizer)
    let sequences = training.map { TokenSequence(tokens: template.document($0.text)) }
    let tokens = sequences.reduce(0) { $0 + $1.slots }
    guard tokens >= context else {
      throw CorpusError(
        "the text has \(tokens) tokens, less than one context of \(context): give more text, or a "
          + "smaller --context")
    }
    let material = ReadingMaterial(
      training: try PackedCorpus(sequences, length: context, seed: seed),
      validation: packing(validation, template).batches(of: min(batch, 16)),
      validationBytes: validation.reduce(0) { $0 + $1.text.utf8.count })
    let config = try DecoderConfig.depth(
      depth, vocabularySize: tokenizer.vocabularySize, context: context)
    let recipe = recipe(config, material, tokenizer, documents)
    Terminal.note(
      "\(Format.counted(training.count, held.wasCut ? "part" : "document")) "
        + "\(held.wasCut ? "of documents " : "")to read, "
        + "\(held.validation.count) kept for validation; \(Format.count(Double(tokens))) tokens.")
    var plan = StagePlan(
      config: config, rows: (batch + parts - 1) / parts, length: context, steps: recipe.steps,
      stepTokens: batch * context, optimizer: recipe.optimizer)
    // The text, its tokens with their weights, and once more in rows.
    plan.extraBytes = documents.reduce(16 * tokens) { $0 + 2 * $1.text.utf8.count }
    try plan.checkMemory("lower --batch, --context or --depth, or raise --parts")
    try plan.announce(
      "\(Format.counted(config.layers, "layer")), width \(config.width), "
        + "\(Format.count(Double(config.parameterCount))) parameters; "
        + "\(Format.counted(recipe.steps, "step")) of \(batch) x \(context) tokens", in: folder)

    let model = try watchStage("read", steps: recipe.steps) {
      try Training.pretrain(
        recipe, material: material, tokenizer: tokenizer, prompts: prompts(validation + training),
        in: folder, observer: $0)
    }
    try LoadedModel(model: model, tokenizer: tokenizer).save(
      to: folder.appendingPathComponent("model"))
    let bits =
      material.validation.isEmpty
      ? nil : bitsPerByte(model, material.validation, bytes: material.validationBytes)
    if compute.json {
      try JSONLine.print(
        Result(
          model: out, parameters: config.parameterCount, steps: recipe.steps,
          training_tokens: recipe.steps * batch * context, validation_bits_per_byte: bits))
    } else {
      if let bits { print("Validation: \(Format.fixed(bits, 3)) bits a byte") }
      print("Try it:  lyceum complete \(out) \"Once\"")
    }
  }

  private func tokenizer(_ documents: [Document], _ folder: URL) throws -> Tokenizer {
    if let tokenizer { return try loadTokenizer(place(tokenizer)) }
    // Held until the tokenizer is there: two processes must not each make one.
    let run = try RunFolder(folder, create: true)
    defer { withExtendedLifetime(run) {} }
    let kept = folder.appendingPathComponent("tokenizer.json")
    let recipe = folder.appendingPathComponent("recipe.json")
    // Without a recipe the run never began: a tokenizer there may be of other data.
    if let data = try? Data(contentsOf: kept), FileManager.default.fileExists(atPath: recipe.path) {
      let before = try Tokenizer(tokenizerJSON: data)
      guard before.vocabularySize == vocab else {
        throw TrainingError(
          "\(out) holds a run with a vocabulary of \(before.vocabularySize), not \(vocab): give the "
            + "same options to go on with it, or another folder with --out")
      }
      return before
    }
    let trained = try trainTokenizer(
      documents.map(\.text), vocabularySize: vocab, preTokenizer: .cl100k)
    try writeAtomically(try trained.tokenizerJSON(), to: kept)
    return trained
  }

  /// The first of the documents, about that many bytes in all: enough for the third digit.
  private func upTo(_ bytes: Int, _ documents: [Document]) -> [Document] {
    var room = bytes
    var chosen: [Document] = []
    for document in documents where room > 0 {
      let size = document.text.utf8.count
      let text = size <= room ? document.text : String(document.text.prefix(room))
      chosen.append(Document(text: text, source: document.source))
      room -= size
    }
    return chosen
  }

  private func packing(_ documents: [Document], _ template: ChatTemplate) -> Packing {
    Packing(documents.map { TokenSequence(tokens: template.document($0.text)) }, length: context)
  }

  private func recipe(
    _ config: DecoderConfig, _ material: ReadingMaterial, _ tokenizer: Tokenizer,
    _ documents: [Document]
  ) -> PretrainingRecipe {
    // 20 tokens a parameter (Hoffmann et al. 2022, arXiv:2203.15556); text read up to four times is
    // nearly as good as new text (Muennighoff et al. 2023, arXiv:2305.16264).
    let wanted = 20 * config.parameterCount / (batch * context)
    let fourTimes = 4 * material.training.rowsPerEpoch / batch
    let derived = max(1, min(wanted, fourTimes))
    let count = steps > 0 ? steps : derived
    return PretrainingRecipe(
      model: config, length: context, rows: batch, parts: parts, steps: count,
      schedule: Schedule(warmup: min(50, count / 5 + 1), final: 0.05), seed: seed,
      validateEvery: max(1, count / 10),
      data: tokenizer.fingerprint + "-" + corpusFingerprint(documents))
  }

  /// The beginnings of two documents, to be continued as training goes.
  private func prompts(_ documents: [Document]) -> [String] {
    let starts = documents.prefix(2).map { document in
      document.text.prefix(500).split(whereSeparator: \.isWhitespace).prefix(5).joined(
        separator: " ")
    }
    return starts.filter { !$0.isEmpty }
  }
}

/// What the training text is, so that a run is not continued on another.
func corpusFingerprint(_ documents: [Document]) -> String {
  String(fingerprint(of: documents.lazy.map(\.text)), radix: 16)
}
