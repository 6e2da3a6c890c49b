/// What was wrong with a template or with what it was given, in one sentence.
public enum TemplateError: Error, Equatable, CustomStringConvertible {
  /// The template is not written in the language: the line, and what was met.
  case syntax(line: Int, what: String)
  /// A statement, filter, test or function that is not known here.
  case unknown(line: Int, what: String)
  /// An operation on a value that does not have it.
  case type(line: Int, what: String)
  /// The template refused the conversation, in its own words.
  case raised(String)
  /// It went on too long, too deep, or wrote too much.
  case limit(what: String)

  public var description: String {
    switch self {
    case .syntax(let line, let what):
      "the chat template is broken in line \(line): \(what)" + Self.remedy
    case .unknown(let line, let what):
      "the chat template uses \(what) in line \(line), which is not known here" + Self.remedy
    case .type(let line, let what):
      "the chat template cannot go on in line \(line): \(what)" + Self.remedy
    case .raised(let message): "the chat template refuses this conversation: \(message)"
    case .limit(let what): "the chat template \(what)" + Self.remedy
    }
  }

  private static let remedy = "; write another one to a file and give it with --template FILE"
}
