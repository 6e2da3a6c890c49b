import ArgumentParser
import Claims
import Foundation
import Serving

/// Where models are looked for.
struct ShelfOptions: ParsableArguments {
  @Option(name: .customLong("in"), help: "A folder of runs, a model folder or a GGUF file.")
  var places: [String] = []
  @Flag(help: "Print JSON.") var json = false

  var shelf: ModelShelf { ModelShelf((places.isEmpty ? ["runs"] : places).map { place($0) }) }
}

/// `ls`: the models that are there.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "The models that are there.",
    discussion: "Example:  lyceum ls --in runs --in SmolLM2.gguf")

  @OptionGroup var options: ShelfOptions
  @Flag(help: "Show every checkpoint too.") var all = false

  func run() throws {
    let items = options.shelf.items().filter { all || !$0.id.contains("@") }
    if options.json { return try JSONLine.print(items) }
    guard !items.isEmpty else {
      return Terminal.note("No model yet: `lyceum tour` makes some in runs/tour.")
    }
    var table = TextTable([
      TextTable.Column("model"), TextTable.Column("kind"),
      TextTable.Column("parameters", .right), TextTable.Column("context", .right),
      TextTable.Column("size", .right), TextTable.Column("changed"),
    ])
    for item in items {
      table.add([
        item.id, item.kind, item.parameters.map { Format.count(Double($0)) } ?? "?",
        item.context.map { "\($0)" } ?? "?", Format.bytes(Double(item.bytes)),
        Self.day(item.changed),
      ])
    }
    print(table.text)
    for item in items {
      if let problem = item.problem { Terminal.note("\(item.id) cannot be read: \(problem)") }
    }
  }

  static func day(_ seconds: Int) -> String {
    Date(timeIntervalSince1970: Double(seconds)).formatted(
      .iso8601.year().month().day().time(includingFractionalSeconds: false)
        .dateTimeSeparator(.space))
  }
}

/// `show`: what is known of a model.
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "What is known of a model.",
    discussion: "Example:  lyceum show tour/rl")

  @Argument(help: "A name that `lyceum ls` shows.") var model: String
  @OptionGroup var options: ShelfOptions

  func run() throws {
    let item = try options.shelf.item(model)
    if options.json { return try JSONLine.print(item) }
    let lines: [(String, String?)] = [
      ("model", item.id), ("kind", item.kind), ("family", item.family),
      ("parameters", item.parameters.map { "\($0)" }), ("context", item.context.map { "\($0)" }),
      ("vocabulary", item.vocabulary.map { "\($0)" }), ("tokenizer", item.tokenizer),
      ("quantisation", item.quantisation), ("bytes", "\(item.bytes)"),
      ("changed", ListCommand.day(item.changed)), ("files", item.path), ("problem", item.problem),
    ]
    for (name, value) in lines {
      if let value {
        print(name + String(repeating: " ", count: 14 - name.count) + value)
      }
    }
  }
}

/// `rm`: deletes a model.
struct RemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Delete a model.",
    discussion: """
      Example:  lyceum rm tour/rl@step-500
      A stage of a run is deleted with its checkpoints and logs, a checkpoint alone.
      """)

  @Argument(help: "A name that `lyceum ls` shows.") var model: String
  @Flag(help: "Do not ask.") var yes = false
  @OptionGroup var options: ShelfOptions

  func run() throws {
    let shelf = options.shelf
    let path = try shelf.victim(of: model).path
    if !yes {
      guard isatty(STDIN_FILENO) == 1 else {
        throw ValidationError("this deletes \(path): say --yes where nobody can be asked")
      }
      FileHandle.standardError.write(Data("Delete \(path)? [y/N] ".utf8))
      guard readLine()?.lowercased().hasPrefix("y") == true else { return }
    }
    try shelf.remove(model)
    Terminal.note("Deleted \(path).")
  }
}
