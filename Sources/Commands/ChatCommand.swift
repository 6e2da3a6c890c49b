import ArgumentParser
import Claims
import Foundation
import Generation
import ModelFiles
import Tokenization
import Training

/// `chat`: a conversation in the terminal.
struct ChatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat", abstract: "Talk to a model.",
    discussion: """
      Example:  lyceum chat runs/tour --temperature 0
                lyceum chat runs/mine --tool calc --tool search --passages books/
      A line that ends in \\ goes on. Type /help for what else there is. Without a terminal, every
      line of standard input is a message.
      """)

  @Argument(help: "A GGUF file, a model folder, or the folder of a run.") var model: String
  @Option(help: "A system message to begin with.") var system: String?
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var tools: ToolOptions

  func run() throws {
    let loaded = try LoadedModel.load(place(model))
    let session = ChatSession(
      loaded, settings: sampling.settings, seed: sampling.seed, system: system,
      tools: try tools.host(loaded))
    Interrupt.install()
    let isTTY = Terminal.standardError.isTTY && isatty(STDIN_FILENO) == 1
    if isTTY { Terminal.note("\(model): \(session.summary). /help says what you can type.") }
    while let message = readMessage(prompt: isTTY ? "> " : nil) {
      if message.hasPrefix("/") {
        guard try obey(message, session) else { break }
        continue
      }
      guard !message.allSatisfy(\.isWhitespace) else { continue }
      do {
        try session.say(message) { piece in
          FileHandle.standardOutput.write(Data(piece.utf8))
        }
        FileHandle.standardOutput.write(Data("\n".utf8))
      } catch let error as GenerationError {
        // One message that does not fit ends no conversation.
        Terminal.note(error.description)
      }
      if Interrupt.isRequested {
        Terminal.note("(stopped; Ctrl-C again ends)")
        Interrupt.install()
      }
    }
  }

  /// A message of one line or, each ending in a backslash, several. Nil at the end of input.
  private func readMessage(prompt: String?) -> String? {
    var lines: [String] = []
    while true {
      if let prompt { FileHandle.standardError.write(Data((lines.isEmpty ? prompt : "| ").utf8)) }
      guard let line = readLine() else {
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
      }
      guard line.hasSuffix("\\") else { return (lines + [line]).joined(separator: "\n") }
      lines.append(String(line.dropLast()))
    }
  }

  /// False where the conversation is to end.
  private func obey(_ line: String, _ session: ChatSession) throws -> Bool {
    let words = line.split(separator: " ", maxSplits: 2).map(String.init)
    switch (words[0], words.count) {
    case ("/quit", _), ("/exit", _): return false
    case ("/reset", _):
      session.reset()
      Terminal.note("A new conversation.")
    case ("/save", 2):
      try session.save(to: place(words[1]))
      Terminal.note("Saved as a line of \(words[1]), as `lyceum sft` reads it.")
    case ("/set", 3): Terminal.note(session.set(words[1], words[2]))
    case ("/help", _):
      Terminal.note(
        """
        /reset             begin a new conversation
        /set NAME VALUE    temperature, top-k, top-p, min-p, max-tokens or seed
        /save FILE         add the conversation to a JSONL file
        /quit              end (so does Ctrl-D)
        """)
    default: Terminal.note("\(line): /help says what there is")
    }
    return true
  }
}

/// A conversation under way.
final class ChatSession {
  private let loaded: LoadedModel
  private let start: [Message]
  private(set) var messages: [Message]
  private(set) var settings: SamplingSettings
  private var seed: UInt64
  private let tools: ToolHost?
  private var turn: UInt64 = 0

  init(
    _ loaded: LoadedModel, settings: SamplingSettings, seed: UInt64, system: String?,
    tools: ToolHost? = nil
  ) {
    (self.loaded, self.settings, self.seed, self.tools) = (loaded, settings, seed, tools)
    start = system.map { [Message(role: .system, content: $0)] } ?? []
    messages = start
  }

  var summary: String {
    let config = loaded.model.config
    return "\(Format.counted(config.layers, "layer")), width \(config.width), "
      + "context \(config.context)"
  }

  func reset() { messages = start }

  /// Answers a message, in whole characters as they come. Ctrl-C ends the answer; what was written
  /// stays in the conversation. Calls and what tools answered are shown in lines of their own.
  func say(_ text: String, write: (String) -> Void) throws {
    var next = messages + [Message(role: .user, content: text)]
    let context = loaded.model.config.context
    // The oldest turns go first; the system message and the new one stay.
    var dropped = 0
    while try loaded.format.prompt(next).count + min(settings.maxTokens, context / 4) > context,
      next.count > start.count + 1
    {
      next.remove(at: start.count)
      dropped += 1
      // Calls and results go with the question that they belong to.
      while next.count > start.count + 1, next[start.count].role != .user {
        next.remove(at: start.count)
        dropped += 1
      }
    }
    if dropped > 0 {
      let turns = Format.counted(dropped, "old turn")
      Terminal.note("(the context of \(context) tokens is full: \(turns) forgotten)")
    }
    turn += 1
    var view = TurnView(loaded.format)
    let continuation = try withoutActuallyEscaping(write) { write in
      let generator = Generator(
        loaded.model, settings: settings, stops: loaded.format.ends,
        forbidden: loaded.format.own?.hostTokens ?? [], host: tools, seed: seed, slots: 1)
      return try generator.run([
        GenerationRequest(prompt: try loaded.format.prompt(next), stream: turn)
      ]) { _, _, token in
        let piece = view.accept(token)
        if !piece.isEmpty { write(piece) }
        return !Interrupt.isRequested
      }[0][0]
    }
    let rest = view.finish()
    if !rest.isEmpty { write(rest) }
    messages =
      next
      + (loaded.format.own?.messages(ofTurn: continuation.tokens)
        ?? [Message(role: .assistant, content: loaded.format.text(continuation.tokens))])
  }

  /// Changes a setting; the answer says what it is now, or what was wrong.
  func set(_ name: String, _ value: String) -> String {
    var changed = settings
    let number = Float(value)
    switch (name, number) {
    case ("temperature", let number?): changed.temperature = number
    case ("top-p", let number?): changed.topP = number
    case ("min-p", let number?): changed.minP = number
    case ("top-k", _?): changed.topK = Int(value) ?? -1
    case ("max-tokens", _?): changed.maxTokens = Int(value) ?? 0
    case ("seed", _?):
      guard let whole = UInt64(value) else { return "a seed is a whole number from 0 up" }
      seed = whole
    case (_, nil): return "\(value) is not a number"
    default:
      return "there is no setting \(name): temperature, top-k, top-p, min-p, max-tokens, seed"
    }
    if let problem = changed.problem { return problem }
    settings = changed
    return "\(name) is \(value)"
  }

  /// Appends the conversation to a JSONL file.
  func save(to url: URL) throws {
    struct Line: Encodable { var messages: [Message] }
    var data = (try? Data(contentsOf: url)) ?? Data()
    data += try JSONEncoder().encode(Line(messages: messages)) + Data("\n".utf8)
    try writeAtomically(data, to: url)
  }
}
