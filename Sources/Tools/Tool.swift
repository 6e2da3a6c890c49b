import Foundation

/// Something that the model can ask the host to do. The argument is a line or more of text that the
/// model wrote: it may be anything.
public protocol Tool: Sendable {
  /// One word, by which it is called.
  var name: String { get }
  /// Throws ``ToolError``, whose sentence becomes the result that the model sees.
  func call(_ argument: String) throws -> String
}

/// Why a tool has no result, in a sentence for the model.
public struct ToolError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// The tools at hand, by name.
public struct Toolbox: Sendable {
  public let tools: [any Tool]

  public init(_ tools: [any Tool]) { self.tools = tools }

  public var names: [String] { tools.map(\.name) }

  /// What calling `name` gives: its result, or a sentence that begins with "error:". Never fails, so
  /// that no call a model can think of ends a run.
  ///
  /// `argument` may be the text itself or, as OpenAI's messages have it, a JSON object with that text
  /// as its only value.
  public func result(of name: String, _ argument: String) -> String {
    guard let tool = tools.first(where: { $0.name == name }) else {
      return "error: there is no tool \(name.prefix(40)), only \(names.joined(separator: ", "))"
    }
    do {
      return try tool.call(Self.text(of: argument))
    } catch let error as ToolError {
      return "error: " + error.description
    } catch {
      return "error: \(name) failed"
    }
  }

  /// The text of an argument.
  static func text(of argument: String) -> String {
    guard argument.utf8.first == UInt8(ascii: "{"),
      let object = try? JSONDecoder().decode([String: String].self, from: Data(argument.utf8)),
      object.count == 1, let text = object.values.first
    else { return argument }
    return text
  }
}
