import ArgumentParser
import Claims
import Corpus
import Foundation
import ModelFiles
import TemplateLanguage
import Tokenization
import Training

/// `tokenizer`: train one, and look at what it does.
struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Train a tokenizer, encode, decode, and render templates.",
    subcommands: [Train.self, Encode.self, Decode.self, Render.self])

  struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "train", abstract: "Learn a vocabulary from text by byte-pair encoding.",
      discussion: "Example:  lyceum tokenizer train --data books/ --vocab 4096 --out tokenizer.json"
    )

    enum Cut: String, ExpressibleByArgument, CaseIterable {
      case gpt2, gpt4, digits, formulas
      var preTokenizer: PreTokenizer {
        switch self {
        case .gpt2: .gpt2
        case .gpt4: .cl100k
        case .digits: .digits
        case .formulas: .formulas
        }
      }
    }

    @Option(help: "A file or folder of text.") var data: String
    @Option(help: "Tokens in the vocabulary, special ones included.") var vocab = 4096
    @Option(help: "Where to write it; .tiktoken writes a rank file.") var out = "tokenizer.json"
    @Option(help: "How text is cut before merging: gpt2, gpt4, digits or formulas.")
    var pre = Cut.gpt4
    @Flag(help: "End with one JSON line.") var json = false

    struct Result: Encodable {
      var tokenizer: String
      var vocabulary: Int
      var bytes: Int
      var bytes_per_token: Double
    }

    func run() throws {
      let documents = try readDocuments(place(data))
      let trained = try trainTokenizer(
        documents.map(\.text), vocabularySize: vocab, preTokenizer: pre.preTokenizer)
      try writeAtomically(
        out.hasSuffix(".tiktoken") ? trained.tiktokenRanks() : try trained.tokenizerJSON(),
        to: place(out))
      let bytes = documents.reduce(0) { $0 + $1.text.utf8.count }
      // The first megabyte says enough.
      var (read, tokens) = (0, 0)
      for document in documents where read < 1 << 20 {
        tokens += trained.encode(document.text).count
        read += document.text.utf8.count
      }
      let result = Result(
        tokenizer: out, vocabulary: trained.vocabularySize, bytes: bytes,
        bytes_per_token: Double(read) / Double(max(1, tokens)))
      if json { return try JSONLine.print(result) }
      print(
        "\(out): \(result.vocabulary) tokens, \(Format.fixed(result.bytes_per_token, 2)) bytes a "
          + "token on this text")
    }
  }

  struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "encode", abstract: "Show the tokens of a text.",
      discussion: "Example:  lyceum tokenizer encode --tokenizer runs/tour \"C2H6O is an alcohol\"")

    @Option(help: "A tokenizer.json, a model folder, a GGUF or a .tiktoken file.") var tokenizer:
      String
    @Argument(help: "The text; absent or - for standard input.") var text: String?
    @Flag(help: "Read special tokens in the text as such.") var allowSpecial = false
    @Flag(help: "Read a JSON string a line from standard input, and print its ids on one line.")
    var lines = false
    @Flag(help: "End with one JSON line.") var json = false

    struct Result: Encodable {
      struct Token: Encodable {
        var id: Int32
        var text: String
      }
      var tokens: [Token]
      var bytes: Int
    }

    func run() throws {
      let tokenizer = try loadTokenizer(place(tokenizer))
      if lines { return try encodeLines(tokenizer) }
      var input = text ?? "-"
      if input == "-" {
        let data = FileHandle.standardInput.readDataToEndOfFile()
        guard let read = String(validating: data, as: UTF8.self) else {
          throw CorpusError("standard input is not UTF-8 text")
        }
        input = read
      }
      let ids =
        allowSpecial
        ? tokenizer.encode(input, allowing: Set(tokenizer.specials)) : tokenizer.encode(input)
      if json {
        return try JSONLine.print(
          Result(
            tokens: ids.map { .init(id: $0, text: tokenizer.decode([$0])) }, bytes: input.utf8.count
          ))
      }
      for id in ids { print("\(id)\t\(String(reflecting: tokenizer.decode([id])))") }
      Terminal.note(
        Format.counted(ids.count, "token") + ", " + Format.counted(input.utf8.count, "byte"))
    }

    private func encodeLines(_ tokenizer: Tokenizer) throws {
      let allowed = allowSpecial ? Set(tokenizer.specials) : []
      while let line = readLine() {
        guard case .string(let text)? = try? JSONValue(line.utf8) else {
          throw CorpusError("a line of standard input is no JSON string")
        }
        let ids = tokenizer.encode(text, allowing: allowed)
        print(ids.map(String.init).joined(separator: " "))
      }
    }
  }

  struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "decode", abstract: "The text of token ids.",
      discussion: "Example:  lyceum tokenizer decode --tokenizer runs/tour 72 101 108")

    @Option(help: "A tokenizer.json, a model folder, a GGUF or a .tiktoken file.") var tokenizer:
      String
    @Argument(help: "The ids.") var ids: [Int32]

    func run() throws {
      let tokenizer = try loadTokenizer(place(tokenizer))
      if let odd = ids.first(where: { $0 < 0 || Int($0) >= tokenizer.vocabularySize }) {
        throw CorpusError(
          "\(odd) is not a token: this vocabulary has 0 to \(tokenizer.vocabularySize - 1)")
      }
      print(tokenizer.decode(ids))
    }
  }

  struct Render: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "render", abstract: "The text that a chat template makes of conversations.",
      discussion: """
        Example:  echo '{"messages": [{"role": "user", "content": "Hi"}]}' \\
                    | lyceum tokenizer render --template chat_template.jinja
        A line of standard input is an object with messages and what else the template knows: tools,
        add_generation_prompt, bos_token. For each, one JSON string is printed, or an object with
        the error.
        """)

    @Option(help: "A file with a chat template (Jinja).") var template: String

    func run() throws {
      let template = try Template(String(decoding: try readFile(template), as: UTF8.self))
      let now = Calendar.current.dateComponents(
        [.year, .month, .day, .hour, .minute, .second], from: Date())
      let clock = TemplateClock(
        year: now.year ?? 1970, month: now.month ?? 1, day: now.day ?? 1, hour: now.hour ?? 0,
        minute: now.minute ?? 0, second: now.second ?? 0)
      while let line = readLine() {
        do {
          guard case .map(let variables) = Value(try JSONValue(line.utf8), .input) else {
            throw CorpusError("a line of standard input is no JSON object")
          }
          try JSONLine.print(try template.render(variables, clock: clock).string)
        } catch let error as TemplateError {
          try JSONLine.print(["error": error.description])
        }
      }
    }
  }
}
