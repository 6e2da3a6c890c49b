import Claims
import Foundation
import Generation
import LanguageModel
import ModelFiles
import Tokenization
import Training

/// A conversation under way.
final class ChatSession {
  private let format: ChatFormat
  private let engine: Engine
  private var start: [Message]
  private(set) var messages: [Message]
  private(set) var settings: SamplingSettings
  private var seed: UInt64
  private let tools: ToolHost?
  private var turn: UInt64 = 0
  /// How the last answer was worked on: prompt, reused, seconds of the prompt, tokens, their seconds.
  private var times: (report: PromptReport, tokens: Int, seconds: Double)?

  /// The model is the session's from here on: an engine computes with it, which keeps what it knows of
  /// the conversation, so that each turn costs only what is new.
  ///
  /// - Throws: ``GenerationError`` where the settings make no sense.
  init(
    _ loaded: LoadedModel, settings: SamplingSettings, seed: UInt64, system: String?,
    tools: ToolHost? = nil
  ) throws {
    (format, self.settings, self.seed, self.tools) = (loaded.format, settings, seed, tools)
    let config = loaded.model.config
    engine = try Engine(
      loaded.model, slots: 1,
      cacheBytes: KeyValueCache.bytes(config, slots: 1, capacity: config.context))
    start = system.map { [Message(role: .system, content: $0)] } ?? []
    messages = start
  }

  var summary: String {
    "\(Format.counted(engine.config.layers, "layer")), width \(engine.config.width), "
      + "context \(engine.config.context)"
  }

  func reset() { messages = start }

  /// Begins a new conversation with a system message, or without one.
  func begin(system: String?) {
    start = system.map { [Message(role: .system, content: $0)] } ?? []
    reset()
  }

  /// Answers a message, in whole characters as they come. Ctrl-C ends the answer; what was written
  /// stays in the conversation. Calls and what tools answered are shown in lines of their own.
  func say(_ text: String, write: (String) -> Void) throws {
    let next = try fitted(messages + [Message(role: .user, content: text)])
    turn += 1
    var view = TurnView(format)
    var written: [Int32] = []
    var failure: GenerationError?
    var first = ContinuousClock.now
    times = nil
    let job = GenerationJob(
      prompt: try format.prompt(next), settings: settings, stops: format.ends,
      forbidden: format.own?.hostTokens ?? [], seed: seed, stream: turn, host: tools)
    try engine.run([job], isCancelled: { Interrupt.isRequested }) { _, event in
      switch event {
      case .started(let report):
        times = (report, 0, 0)
        first = .now
      case .token(let score):
        written.append(score.token)
        let piece = view.accept(score.token)
        if !piece.isEmpty { write(piece) }
      case .failed(let error): failure = error
      case .prompt, .end: break
      }
    }
    if let failure { throw failure }
    let rest = view.finish()
    if !rest.isEmpty { write(rest) }
    times?.tokens = written.count
    times?.seconds = (ContinuousClock.now - first) / .seconds(1)
    messages =
      next
      + (format.own?.messages(ofTurn: written)
        ?? [Message(role: .assistant, content: format.text(written))])
  }

  /// The conversation without its oldest turns, as far as the context demands; the system message and
  /// the last one stay.
  private func fitted(_ messages: [Message]) throws -> [Message] {
    var next = messages
    let context = engine.config.context
    var dropped = 0
    while try format.prompt(next).count + min(settings.maxTokens, context / 4) > context,
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
    return next
  }

  /// What the last answer cost, in a line.
  var speed: String? {
    guard let times else { return nil }
    let (report, fresh) = (times.report, times.report.tokens - times.report.reused)
    // The first token comes with the prompt.
    let rate =
      times.tokens > 1
      ? ", " + Format.fixed(Double(times.tokens - 1) / max(times.seconds, 1e-6), 0) + " a second"
      : ""
    return "(\(report.tokens) tokens read, \(fresh) of them new, in "
      + "\(Format.fixed(report.secondsComputing, 2)) s; \(times.tokens) written\(rate))"
  }

  /// The settings, one a line.
  var shown: String {
    (SamplingSettings.names.map { "\($0) is \(settings.value(of: $0))" } + ["seed is \(seed)"])
      .joined(separator: "\n")
  }

  /// Changes a setting; the answer says what it is now, or what was wrong.
  func set(_ name: String, _ value: String) -> String {
    if name == "seed" {
      guard let whole = UInt64(value) else { return "a seed is a whole number from 0 up" }
      seed = whole
      return "seed is \(value)"
    }
    guard SamplingSettings.names.contains(name) else {
      return "there is no setting \(name): "
        + (SamplingSettings.names + ["seed"]).joined(separator: ", ")
    }
    guard let number = Float(value) else { return "\(value) is not a number" }
    var changed = settings
    changed.set(name, number)
    if let problem = changed.problem { return problem }
    settings = changed
    return "\(name) is \(value)"
  }

  private struct Line: Codable { var messages: [Message] }

  /// Appends the conversation to a JSONL file.
  func save(to url: URL) throws {
    var data = (try? Data(contentsOf: url)) ?? Data()
    data += try JSONEncoder().encode(Line(messages: messages)) + Data("\n".utf8)
    try writeAtomically(data, to: url)
  }

  /// Goes on with the last conversation of such a file. Throws ``TrainingError`` where there is none.
  func load(from url: URL) throws {
    guard let data = try? Data(contentsOf: url) else {
      throw TrainingError("\(url.path) cannot be read: does it exist?")
    }
    guard let last = data.split(separator: UInt8(ascii: "\n")).last,
      let line = try? JSONDecoder().decode(Line.self, from: Data(last)), !line.messages.isEmpty
    else { throw TrainingError("\(url.path) holds no conversation, as /save writes them") }
    if let problem = format.problem(with: line.messages) { throw TrainingError(problem) }
    start = Array(line.messages.prefix { $0.role == .system })
    messages = line.messages
  }
}

extension SamplingSettings {
  /// The settings by the names that a person types.
  static let names = [
    "temperature", "top-k", "top-p", "min-p", "repetition-penalty", "frequency-penalty",
    "presence-penalty", "max-tokens",
  ]

  func value(of name: String) -> String {
    switch name {
    case "temperature": "\(temperature)"
    case "top-k": "\(topK)"
    case "top-p": "\(topP)"
    case "min-p": "\(minP)"
    case "repetition-penalty": "\(repetitionPenalty)"
    case "frequency-penalty": "\(frequencyPenalty)"
    case "presence-penalty": "\(presencePenalty)"
    default: "\(maxTokens)"
    }
  }

  /// Changes what `name` stands for; a value that is not whole where it must be becomes one that
  /// ``problem`` refuses.
  mutating func set(_ name: String, _ value: Float) {
    let whole = Int(exactly: value) ?? -1
    switch name {
    case "temperature": temperature = value
    case "top-k": topK = whole
    case "top-p": topP = value
    case "min-p": minP = value
    case "repetition-penalty": repetitionPenalty = value
    case "frequency-penalty": frequencyPenalty = value
    case "presence-penalty": presencePenalty = value
    default: maxTokens = whole
    }
  }
}
