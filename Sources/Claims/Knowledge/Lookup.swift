import Corpus
import Environments
import Foundation
import Generation
import LanguageModel
import Tokenization
import Tools
import Training

/// Search over the archive: the page on a person, after the name of where it stands.
struct ArchiveSearch: Tool {
  let name = "search"
  static let nothing = " nothing found"
  private let index: SearchIndex

  init(_ index: SearchIndex) { self.index = index }

  func call(_ argument: String) throws -> String {
    guard let hit = index.search(argument, matching: .every).first else { return Self.nothing }
    return " in the \(hit.passage.source): \(hit.passage.text)"
  }
}

/// A question that a tool may help with, and what was made of it.
public struct LookupAnswer: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable, CaseIterable { case rare, invented, known, sum }
  public var kind: Kind
  /// Whether the user said not to search.
  public var isForbidden: Bool
  public var prompt: String
  /// The value, without its source.
  public var answer: String
  /// The calls, each a name and its argument.
  public var calls: [String]
  public var response: String
  public var outcome: RecallOutcome
  /// Whether the answer names the page that it was read from.
  public var citesItsSource: Bool
}

extension KnowledgeData {
  static let request = " do not search."
  /// Words that only tools need; those that begin a call stand without a space before them.
  static let lookupWords = Archive.sources + ["says", "nothing", "found", "search"]
  static let callWords = ["search", "calc"]

  func source(_ name: String) -> String {
    Archive.sources[Int(stableHash("source " + name) % UInt64(Archive.sources.count))]
  }

  func searchIndex() -> SearchIndex {
    SearchIndex(
      archive.people.map { person in
        var random = SplitMix64(seed: recipe.seed, stream: "index " + person.name)
        return Passage(source: source(person.name), text: archive.page(person, &random))
      })
  }

  func toolbox() -> Toolbox { Toolbox([ArchiveSearch(searchIndex()), Calculator()]) }

  /// The turns that show how a question is to be handled.
  private func conversation(
    _ question: String, call: ToolCall?, toolbox: Toolbox, answer: String
  ) -> TokenSequence {
    var messages = [script.message(.user, question)]
    if let call {
      messages.append(Message(role: .assistant, content: "", toolCalls: [call]))
      messages.append(
        Message(role: .tool, content: toolbox.result(of: call.name, call.arguments)))
    }
    messages.append(script.message(.assistant, answer))
    return exampleSequence(messages, script.template)
  }

  private func search(_ item: RecallItem) -> ToolCall {
    ToolCall(name: "search", arguments: item.name)
  }

  /// Well-known people are answered at once; others are looked up, and refused where nothing is found
  /// or where searching was forbidden. Sums go to the calculator.
  func lookupExamples() -> [TokenSequence] {
    let toolbox = toolbox()
    let count = recipe.lookupQuestions
    var random = SplitMix64(seed: recipe.seed, stream: "lookup")
    let known = interviews
    var rare = items(unknown, .train)
    random.shuffle(&rare)
    let nobody = Array(invented(.train, .max).dropFirst(recipe.refusalQuestions / 3))
    var examples: [TokenSequence] = []
    for i in 0..<count {
      let forbids = i % 4 == 3
      func ask(_ item: RecallItem) -> String { item.prompt + (forbids ? Self.request : "") }
      switch i % 10 {
      case 0, 1:
        let item = random.pick(known)
        examples.append(
          conversation(ask(item), call: nil, toolbox: toolbox, answer: item.answer))
      case 2, 3, 4, 5:
        guard !rare.isEmpty else { continue }
        let item = rare[i % rare.count]
        examples.append(
          conversation(
            ask(item), call: forbids ? nil : search(item), toolbox: toolbox,
            answer: forbids
              ? Archive.refusal : "\(item.answer), says the \(source(item.name))"))
      case 6, 7:
        guard !nobody.isEmpty else { continue }
        let item = nobody[i % nobody.count]
        examples.append(
          conversation(
            ask(item), call: forbids ? nil : search(item), toolbox: toolbox,
            answer: Archive.refusal))
      default:
        let sum = Sum(&random)
        examples.append(
          conversation(
            sum.question, call: ToolCall(name: "calc", arguments: sum.expression),
            toolbox: toolbox, answer: sum.answer))
      }
    }
    return examples + replay(count / 3)
  }

  /// An addition or subtraction with an answer above zero.
  struct Sum {
    let expression: String
    let answer: String
    var question: String { "what is \(expression)?" }

    init(_ random: inout SplitMix64) {
      let (a, b) = (random.within(100...999), random.within(10...99))
      let adds = random.below(2) == 0
      expression = "\(a)\(adds ? "+" : "-")\(b)"
      answer = String(adds ? a + b : a - b)
    }
  }

  /// What is asked in the end: rare and invented people and well-known ones of the test portion, each
  /// plainly and with a request not to search; and sums.
  func lookupQuestions() -> [LookupAnswer] {
    var questions: [LookupAnswer] = []
    func add(_ kind: LookupAnswer.Kind, _ prompt: String, _ answer: String, forbids: Bool) {
      questions.append(
        LookupAnswer(
          kind: kind, isForbidden: forbids, prompt: prompt + (forbids ? Self.request : ""),
          answer: answer, calls: [], response: "", outcome: .wrong, citesItsSource: false))
    }
    let count = recipe.lookupItems
    for (kind, items) in [
      (LookupAnswer.Kind.rare, oneEach(unknown, .test)), (.invented, invented(.test, count)),
      (.known, items(known, .test)),
    ] {
      for item in items.prefix(count) {
        for forbids in [false, true] {
          add(kind, item.prompt, kind == .invented ? "" : item.answer, forbids: forbids)
        }
      }
    }
    var random = SplitMix64(seed: recipe.seed, stream: "lookup sums of the exam")
    for _ in 0..<count {
      let sum = Sum(&random)
      add(.sum, sum.question, sum.answer, forbids: false)
    }
    return questions
  }

  /// Answers the questions with the tools at hand.
  func lookUp(
    _ model: Transformer, _ questions: [LookupAnswer], progress: (Int) -> Void,
    shouldStop: () -> Bool
  ) throws -> [LookupAnswer] {
    let host = try ToolHost(
      toolbox(), template: script.template, limits: .init(calls: 2, resultTokens: 64))
    let generator = Generator(
      model, settings: .greedy(maxTokens: 24), stops: [script.template.end], host: host, seed: 0)
    var answers: [LookupAnswer] = []
    for start in stride(from: 0, to: questions.count, by: 128) {
      if shouldStop() { throw ExperimentStopped() }
      let part = questions[start..<min(questions.count, start + 128)]
      let written = try generator.run(
        part.map { GenerationRequest(prompt: script.prompt($0.prompt), stream: 0) })
      answers += zip(part, written).map { grade($0, $1[0]) }
      progress(answers.count)
    }
    return answers
  }

  private func grade(_ question: LookupAnswer, _ written: Continuation) -> LookupAnswer {
    var graded = question
    let turn = written.end == .stop ? Array(written.tokens.dropLast()) : written.tokens
    let messages = script.template.messages(ofTurn: turn)
    graded.calls = messages.flatMap { $0.toolCalls.map(\.text) }
    graded.response = (messages.last?.content ?? "").trimmingCharacters(in: .whitespaces)
    guard written.end == .stop else { return graded }
    if graded.response == Archive.refusal {
      graded.outcome = .refused
    } else {
      let parts = graded.response.components(separatedBy: ", says the ")
      if !question.answer.isEmpty, parts[0] == question.answer { graded.outcome = .right }
      let read = messages.last { $0.role == .tool }?.content ?? ""
      graded.citesItsSource = parts.count == 2 && read.hasPrefix(" in the \(parts[1]):")
    }
    return graded
  }
}
