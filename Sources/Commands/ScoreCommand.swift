import ArgumentParser
import Claims
import Foundation
import Tokenization
import Training

/// `score`: how surprised a model is by each token of a text.
struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score", abstract: "The log-probability of every token of a text.",
    discussion: "Example:  lyceum score --model runs/tour page.txt --json")

  @Option(help: "A GGUF file, a model folder, or the folder of a run.") var model: String
  @Argument(help: "A text file; - for standard input.") var file: String
  @OptionGroup var weights: WeightOptions
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    struct Token: Encodable {
      var id: Int32
      var text: String
      var logprob: Double?

      private enum CodingKeys: String, CodingKey { case id, text, logprob }

      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(text, forKey: .text)
        // The first token has no probability: null, never absent.
        try container.encode(logprob, forKey: .logprob)
      }
    }
    var tokens: [Token]
    var logprob: Double
    var bits_per_byte: Double
  }

  func run() throws {
    compute.apply()
    let loaded = try LoadedModel.open(place(model), arithmetic: weights.arithmetic)
    let data = file == "-" ? FileHandle.standardInput.readDataToEndOfFile() : try readFile(file)
    guard let text = String(validating: data, as: UTF8.self) else {
      throw TrainingError("\(file) is not UTF-8 text")
    }
    let ids = loaded.format.before + loaded.tokenizer.encode(text)
    let context = loaded.model.config.context
    guard ids.count > 1 else { throw TrainingError("\(file) is empty: there is nothing to score") }
    guard ids.count <= context + 1 else {
      throw TrainingError(
        "\(file) has \(ids.count) tokens, more than the context of \(context): score a part of it, "
          + "or use `lyceum eval --data` for bits a byte")
    }
    let scores = loaded.model.score(ids)
    let total = scores.reduce(0) { $0 + Double($1 ?? 0) }
    let result = Result(
      tokens: zip(ids, scores).map { id, score in
        Result.Token(id: id, text: loaded.tokenizer.decode([id]), logprob: score.map(Double.init))
      }, logprob: total, bits_per_byte: -total / 0.693_147_180_559_945_3 / Double(text.utf8.count))
    if compute.json { return try JSONLine.print(result) }
    var table = TextTable([
      .init("id", .right), .init("token"), .init("log p", .right), .init("p", .right),
    ])
    for token in result.tokens {
      table.add([
        String(token.id), String(reflecting: token.text),
        token.logprob.map { Format.fixed($0, 3) } ?? "–",
        token.logprob.map { Format.fixed(100 * exp($0), 1) + " %" } ?? "–",
      ])
    }
    print(table.text)
    print("\(Format.fixed(result.bits_per_byte, 4)) bits a byte, log p \(Format.fixed(total, 2))")
  }
}
