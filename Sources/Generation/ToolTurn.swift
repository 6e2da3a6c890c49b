import Tokenization
import Tools

/// Follows an assistant's turn token by token: text, a call, a result, text again, the end. It is the
/// one reading of the format of tools: sampling, chat, rollouts and examples all go through it.
public struct ToolTurn: Sendable {
  /// What a token means where it stands.
  public enum Event: Sendable, Equatable {
    /// A token of the answer, or one of a call or result that is not over.
    case text, call, result
    /// A call is complete. Only this runs a tool, so a call that is cut off never does.
    case calls([Int32])
    /// A result is complete.
    case results([Int32])
    /// The turn is over.
    case ends
  }

  private enum Place: Sendable { case text, call, result }

  private let tokens: ToolTokens?
  private let end: Int32
  private var place = Place.text
  private var inside: [Int32] = []
  /// Calls that were completed.
  public private(set) var calls = 0

  public init(_ template: ChatTemplate) {
    (tokens, end) = (template.toolTokens, template.end)
  }

  public mutating func accept(_ token: Int32) -> Event {
    switch place {
    case .text:
      if token == end { return .ends }
      if token == tokens?.call { return begin(.call) }
      if token == tokens?.result { return begin(.result) }
      return .text
    case .call:
      guard token == end else { return add(token, .call) }
      calls += 1
      return .calls(finish())
    case .result:
      return token == tokens?.endResult ? .results(finish()) : add(token, .result)
    }
  }

  /// Whether a call has begun and is not complete.
  public var isCalling: Bool { place == .call }

  private mutating func begin(_ next: Place) -> Event {
    place = next
    inside = []
    return next == .call ? .call : .result
  }

  private mutating func add(_ token: Int32, _ event: Event) -> Event {
    inside.append(token)
    return event
  }

  private mutating func finish() -> [Int32] {
    place = .text
    return inside
  }
}

/// Runs the tools that a model calls while it writes.
public struct ToolHost: Sendable {
  public struct Limits: Codable, Sendable, Equatable {
    /// Calls in a turn; after them the call token cannot be sampled.
    public var calls: Int
    /// Tokens of a result; the rest is cut off.
    public var resultTokens: Int

    public init(calls: Int = 8, resultTokens: Int = 256) {
      precondition(calls >= 0 && resultTokens >= 1, "\(calls) calls, \(resultTokens) tokens")
      (self.calls, self.resultTokens) = (calls, resultTokens)
    }
  }

  public let toolbox: Toolbox
  public let template: ChatTemplate
  public let limits: Limits
  private let tokens: ToolTokens
  /// A result is cut to this many bytes before it becomes tokens.
  private let resultBytes = 65_536

  /// Throws ``GenerationError`` where the tokenizer has no tokens for tools.
  public init(_ toolbox: Toolbox, template: ChatTemplate, limits: Limits = Limits()) throws {
    guard let tokens = template.toolTokens else {
      throw GenerationError(
        "this model's tokenizer has no tokens for tools: train a model with this version, or leave "
          + "the tools out")
    }
    (self.toolbox, self.template, self.limits) = (toolbox, template, limits)
    self.tokens = tokens
  }

  /// Runs a call and gives the tokens to put behind it: `<|result|>` text `<|end_result|>`. Whatever
  /// the text looks like, it holds no other special token.
  public func result(of call: [Int32]) -> [Int32] {
    let call = ToolCall(text: template.tokenizer.decode(call))
    let text = toolbox.result(of: call.name, call.arguments)
    var found = template.tokenizer.encode(
      String(decoding: text.utf8.prefix(resultBytes), as: UTF8.self))
    if found.count > limits.resultTokens {
      found = Array(found.prefix(limits.resultTokens))
      // A character is not cut in half.
      while !found.isEmpty,
        String(validating: template.tokenizer.bytes(of: found), as: UTF8.self) == nil
      {
        found.removeLast()
      }
    }
    return tokens.result(found)
  }

  /// Tokens that a turn can grow by beyond what the model writes.
  var injectedLimit: Int { limits.calls * (limits.resultTokens + 2) }

  /// What may not be sampled next: what only the host writes, and a call within a call or beyond the
  /// limit.
  func forbidden(_ turn: ToolTurn) -> [Int32] {
    template.hostTokens + (turn.isCalling || turn.calls >= limits.calls ? [tokens.call] : [])
  }
}
