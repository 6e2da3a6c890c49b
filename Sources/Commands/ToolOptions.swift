import ArgumentParser
import Corpus
import Foundation
import Generation
import Tokenization
import Tools

/// A tool of the command line.
enum ToolChoice: String, ExpressibleByArgument, CaseIterable {
  case calc, count, search, python
}

/// What the model may call: the same flags wherever it answers.
struct ToolOptions: ParsableArguments {
  @Option(
    name: .customLong("tool"),
    help: "A tool that the model may call: calc, count, search or python. Repeat for more.")
  var tools: [ToolChoice] = []
  @Option(help: "What the search tool searches: a file or folder of text or JSONL.")
  var passages: String?
  @Option(help: "Calls in one answer at most.") var calls = 8
  @Option(help: "Tokens of a tool's result at most.") var resultTokens = 256

  func validate() throws {
    guard (1...1_000).contains(calls), (1...65_536).contains(resultTokens) else {
      throw ValidationError("--calls must lie in 1...1,000, --result-tokens in 1...65,536")
    }
    guard tools.contains(.search) == (passages != nil) else {
      throw ValidationError("--tool search and --passages need each other")
    }
  }

  /// What runs the model's calls; nil where no tool was asked for.
  func host(_ template: ChatTemplate) throws -> ToolHost? {
    guard !tools.isEmpty else { return nil }
    var box: [any Tool] = []
    for choice in ToolChoice.allCases where tools.contains(choice) {
      switch choice {
      case .calc: box.append(Calculator())
      case .count: box.append(LetterCounter())
      case .search: box.append(SearchTool(SearchIndex(try readPassages(passages ?? ""))))
      case .python: box.append(try ProgramTool())
      }
    }
    return try ToolHost(
      Toolbox(box), template: template,
      limits: ToolHost.Limits(calls: calls, resultTokens: resultTokens))
  }

  /// What a run's recipe keeps of the tools: empty where there are none.
  func fingerprint() throws -> String {
    guard !tools.isEmpty else { return "" }
    let found = try passages.map { try readPassages($0) } ?? []
    let texts = tools.map(\.rawValue).sorted() + found.map { $0.source + " " + $0.text }
    return "-tools" + String(Corpus.fingerprint(of: texts), radix: 16) + "-\(calls)-\(resultTokens)"
  }
}

/// The paragraphs of the documents of a file or folder, named by where they stand: "a.txt#2".
private func readPassages(_ path: String) throws -> [Passage] {
  let root = place(path).path
  return try readDocuments(place(path)).flatMap { document in
    let name =
      document.source.hasPrefix(root + "/")
      ? String(document.source.dropFirst(root.count + 1))
      : String(document.source.split(separator: "/").last ?? "")
    let paragraphs = document.text.split(separator: "\n\n").map {
      $0.trimmingCharacters(in: .whitespacesAndNewlines)
    }.filter { !$0.isEmpty }
    return paragraphs.enumerated().map { i, text in
      Passage(source: paragraphs.count > 1 ? "\(name)#\(i + 1)" : name, text: text)
    }
  }
}
