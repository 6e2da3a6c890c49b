import Tokenization

extension ChatTemplate {
  /// The messages of an assistant's turn from its tokens: text and calls of the assistant, results of
  /// tools. Rendered again they give the same text. A call that was cut off is left out.
  public func messages(ofTurn tokens: some Sequence<Int32>) -> [Message] {
    var turn = ToolTurn(self)
    var messages: [Message] = []
    var text: [Int32] = []
    for token in tokens {
      switch turn.accept(token) {
      case .text: text.append(token)
      case .call, .result, .ends: break
      case .calls(let call):
        let id = "call_\(turn.calls)"
        var call = ToolCall(text: tokenizer.decode(call))
        call.id = id
        messages.append(
          Message(role: .assistant, content: tokenizer.decode(text), toolCalls: [call]))
        text = []
      case .results(let result):
        messages.append(
          Message(
            role: .tool, content: tokenizer.decode(result), toolCallID: "call_\(turn.calls)"))
      }
    }
    if !text.isEmpty || messages.last?.role != .assistant {
      messages.append(Message(role: .assistant, content: tokenizer.decode(text)))
    }
    return messages
  }

  /// What the assistant said in a continuation of ``prompt(_:)``: see ``spoken(_:)``.
  public func response(_ continuation: Continuation) -> String { spoken(continuation.tokens) }

  /// What the assistant said in a turn: its text, without calls and without what tools answered. This
  /// is what a verifier sees: an answer that only a tool gave is not the assistant's.
  public func spoken(_ tokens: some Sequence<Int32>) -> String {
    var turn = ToolTurn(self)
    var text: [Int32] = []
    for token in tokens {
      switch turn.accept(token) {
      case .text: text.append(token)
      case .results: text += tokenizer.encode(" ")
      case .call, .result, .calls, .ends: break
      }
    }
    return tokenizer.decode(text)
  }
}
