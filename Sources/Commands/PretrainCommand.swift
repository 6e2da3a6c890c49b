import ArgumentParser
import Claims
import Corpus
import Foundation
import LanguageModel
import ModelFiles
import TensorKernels
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
    if batch < 1 || parts < 1 || steps < 0 {
      throw ValidationError("--batch and --parts must be 1 or more, --steps 0 or more")
    }
  }

  func run() throws {
    compute.apply()
    // Whatever is wrong with the shape is said before the text is read.
    _ = try DecoderConfig.depth(depth, vocabularySize: max(1, vocab), context: context)
    let documents = try readDocuments(place(data))
    let (training, allHeld) = splitDocuments(documents, validationShare: 0.05)
    let held = upTo(200_000, allHeld)
    let folder = place(out)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
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
      validation: validation(held, template).batches(of: batch),
      validationBytes: held.reduce(0) { $0 + $1.text.utf8.count })
    let config = try DecoderConfig.depth(
      depth, vocabularySize: tokenizer.vocabularySize, context: context)
    let recipe = recipe(config, material, tokenizer, documents)
    try announce(recipe, tokens: tokens, documents: (training.count, held.count))

    let model = try watchStage("read", steps: recipe.steps) {
      try pretrain(
        recipe, material: material, tokenizer: tokenizer, prompts: prompts(held + training),
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
    let kept = folder.appendingPathComponent("tokenizer.json")
    if let data = try? Data(contentsOf: kept) { return try Tokenizer(tokenizerJSON: data) }
    let trained = try trainTokenizer(
      documents.map(\.text), vocabularySize: vocab, preTokenizer: .cl100k)
    try writeAtomically(try trained.tokenizerJSON(), to: kept)
    return trained
  }

  /// Whole documents until there are about that many bytes: enough for the third digit.
  private func upTo(_ bytes: Int, _ documents: [Document]) -> [Document] {
    var room = bytes
    return Array(
      documents.prefix { document in
        defer { room -= document.text.utf8.count }
        return room > 0
      })
  }

  private func validation(_ held: [Document], _ template: ChatTemplate) -> Packing {
    Packing(held.map { TokenSequence(tokens: template.document($0.text)) }, length: context)
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

  private func announce(
    _ recipe: PretrainingRecipe, tokens: Int, documents: (training: Int, held: Int)
  ) throws {
    let config = recipe.model
    let bytes = trainingBytes(config, rows: (batch + parts - 1) / parts, length: context)
    let memory = Format.bytes(Double(bytes))
    guard bytes < Machine.memoryBytes else {
      throw TrainingError(
        "this needs about \(memory) of memory and the machine has "
          + "\(Format.bytes(Double(Machine.memoryBytes))): lower --batch, --context or --depth, or "
          + "raise --parts")
    }
    let operations =
      config.trainingOperations(length: context) * Double(recipe.steps * batch * context)
    // A step reaches half of the multiply-adds that the machine can do, at small widths less.
    let share = 0.6 * Double(config.width) / Double(config.width + 100)
    let seconds = operations / (share * multiplyAddsPeak() * Double(kernelThreads))
    Terminal.note(
      "\(documents.training) documents to read, \(documents.held) kept for validation; "
        + "\(Format.count(Double(tokens))) tokens.")
    Terminal.note(
      "\(config.layers) layers, width \(config.width), "
        + "\(Format.count(Double(config.parameterCount))) parameters; \(recipe.steps) steps of "
        + "\(batch) x \(context) tokens: about \(Format.duration(seconds)), \(memory) of memory.")
  }

  /// The beginnings of two documents, to be continued as training goes.
  private func prompts(_ documents: [Document]) -> [String] {
    let starts = documents.prefix(2).map { document in
      document.text.split(whereSeparator: \.isWhitespace).prefix(5).joined(separator: " ")
    }
    return starts.filter { !$0.isEmpty }
  }
}

/// Bytes that training takes at its peak, about: parameters with gradient and moments, and what the
/// backward pass needs of every layer.
func trainingBytes(_ config: DecoderConfig, rows: Int, length: Int) -> Int {
  let perToken =
    config.layers * (12 * config.width + 4 * config.hiddenWidth) + 4 * config.width
  let floats = Double(config.parameterCount) * 4 + Double(rows) * Double(length) * Double(perToken)
  return Int(min(floats * 4, 1e18)) + (60 << 20)
}

/// What the training text is, so that a run is not continued on another.
func corpusFingerprint(_ documents: [Document]) -> String {
  String(fingerprint(of: documents.lazy.map(\.text)), radix: 16)
}
