import Generation
import Tokenization

/// An assistant's turn as a person reads it while it is written: text as it is, a call as
/// "[calc 12*3]" and what the tool answered as "[= 36]", each in a line of its own.
struct TurnView {
  private let template: ChatTemplate
  private var turn: ToolTurn
  private var decoder: IncrementalDecoder
  private var isAtLineStart = true

  init(_ template: ChatTemplate) {
    self.template = template
    turn = ToolTurn(template)
    decoder = IncrementalDecoder(template.tokenizer)
  }

  /// What the next token adds; often nothing.
  mutating func accept(_ token: Int32) -> String {
    switch turn.accept(token) {
    case .text: return shown(decoder.append(token))
    case .calls(let call): return aside(template.tokenizer.decode(call))
    case .results(let result): return aside("= " + template.tokenizer.decode(result))
    case .call, .result, .ends: return ""
    }
  }

  /// What is left at the end.
  mutating func finish() -> String { shown(decoder.finish()) }

  private mutating func aside(_ text: String) -> String {
    let start = shown(decoder.finish())
    let line = (isAtLineStart ? "" : "\n") + "[\(text)]\n"
    isAtLineStart = true
    return start + line
  }

  private mutating func shown(_ text: String) -> String {
    if let last = text.last { isAtLineStart = last == "\n" }
    return text
  }
}
