import ArgumentParser
import Foundation
import Generation
import Tokenization
import Training

/// `chat`: a conversation in the terminal.
struct ChatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat", abstract: "Talk to a model.",
    discussion: """
      Example:  lyceum chat runs/tour --temperature 0
                lyceum chat runs/mine --tool calc --tool search --passages books/
      A line that ends in \\ goes on, and so does what begins with \"\"\" until the next \"\"\". \
      Ctrl-C stops an answer. Type /help for what else there is. Without a terminal, every line of \
      standard input is a message.
      """)

  @Argument(help: "A GGUF file, a model folder, or the folder of a run.") var model: String
  @Option(help: "A system message to begin with.") var system: String?
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var tools: ToolOptions
  @OptionGroup var weights: WeightOptions

  func run() throws {
    let loaded = try LoadedModel.open(place(model), arithmetic: weights.arithmetic)
    let session = try ChatSession(
      loaded, settings: sampling.settings, seed: sampling.seed, system: system,
      tools: try tools.host(loaded))
    Interrupt.install(announced: false)
    let isTTY = Terminal.standardError.isTTY && isatty(STDIN_FILENO) == 1
    if isTTY { Terminal.note("\(model): \(session.summary). /help says what you can type.") }
    let lines = LineReader()
    var reader = MessageReader { isFirst in
      isTTY ? lines.read(prompt: isFirst ? "> " : "| ") : readLine()
    }
    while let message = reader.next() {
      if message.hasPrefix("/") {
        guard try obey(message, session) else { break }
        continue
      }
      guard !message.allSatisfy(\.isWhitespace) else { continue }
      do {
        // A Ctrl-C from before this message counts for nothing.
        Interrupt.install(announced: false)
        let show = { FileHandle.standardOutput.write(Data(($0 as String).utf8)) }
        try session.say(message, write: show)
        show("\n")
        if isTTY, let speed = session.speed { Terminal.note(speed) }
      } catch let error as GenerationError {
        // One message that does not fit ends no conversation.
        Terminal.note(error.description)
      }
      if Interrupt.isRequested { Terminal.note("(stopped; /quit ends)") }
      Interrupt.install(announced: false)
    }
  }

  /// False where the conversation is to end.
  private func obey(_ line: String, _ session: ChatSession) throws -> Bool {
    let words = line.split(separator: " ", maxSplits: 2).map(String.init)
    let rest = line.split(separator: " ", maxSplits: 1).dropFirst().first.map(String.init)
    switch (words[0], words.count) {
    case ("/quit", _), ("/exit", _), ("/bye", _): return false
    case ("/reset", _), ("/clear", _):
      session.reset()
      Terminal.note("A new conversation.")
    case ("/system", _):
      session.begin(system: rest)
      Terminal.note(
        rest == nil
          ? "A new conversation without a system message." : "A new conversation, with that.")
    case ("/save", 2...):
      report("Saved as a line of \(rest ?? ""), as `lyceum sft` reads it.") {
        try session.save(to: place(rest ?? ""))
      }
    case ("/load", 2...):
      report("The last conversation of \(rest ?? "") goes on.") {
        try session.load(from: place(rest ?? ""))
      }
    case ("/history", _):
      for message in session.messages {
        Terminal.note("\(message.role.rawValue): \(message.content)")
      }
    case ("/set", 1): Terminal.note(session.shown)
    case ("/set", 3): Terminal.note(session.set(words[1], words[2]))
    case ("/help", _), ("/?", _):
      Terminal.note(
        """
        /set               show the settings
        /set NAME VALUE    change \(SamplingSettings.names.joined(separator: ", ")) or seed
        /system TEXT       begin a new conversation with this system message
        /reset             begin a new conversation with the same one
        /history           show the conversation
        /save FILE         add the conversation to a JSONL file
        /load FILE         go on with the last conversation of such a file
        /quit              end (so does Ctrl-D)
        \"\"\" begins and ends a message of several lines; a line that ends in \\ goes on.
        Ctrl-C stops an answer; what was written stays.
        """)
    default: Terminal.note("\(line): /help says what there is")
    }
    return true
  }

  /// Does what may fail, and says how it went: a wrong file ends no conversation.
  private func report(_ done: String, _ body: () throws -> Void) {
    do {
      try body()
      Terminal.note(done)
    } catch {
      Terminal.note("\(error)")
    }
  }
}

/// Puts messages together from lines: one, several that end in a backslash, or what stands between
/// two `"""`.
struct MessageReader {
  /// The next line; told whether it begins a message.
  private let line: (Bool) -> String?

  init(line: @escaping (Bool) -> String?) { self.line = line }

  /// The next message; nil at the end of input.
  mutating func next() -> String? {
    var lines: [String] = []
    var isQuoted = false
    while true {
      guard var line = line(lines.isEmpty && !isQuoted) else {
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
      }
      if !isQuoted, lines.isEmpty, line.hasPrefix("\"\"\"") {
        isQuoted = true
        line.removeFirst(3)
        if line.isEmpty { continue }
      }
      if isQuoted {
        guard line.hasSuffix("\"\"\"") else {
          lines.append(line)
          continue
        }
        line.removeLast(3)
        return (lines + (line.isEmpty ? [] : [line])).joined(separator: "\n")
      }
      guard line.hasSuffix("\\") else { return (lines + [line]).joined(separator: "\n") }
      lines.append(String(line.dropLast()))
    }
  }
}
