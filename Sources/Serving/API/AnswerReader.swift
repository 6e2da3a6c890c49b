import Generation
import Tokenization

/// Takes an answer apart as it comes: what the assistant says, what it thinks, and what it calls.
struct AnswerReader: Sendable {
  enum Part: Sendable {
    case said(String)
    case thought(String)
    case called(ToolCall)
  }

  private enum Place {
    /// Nothing but white space so far.
    case start
    case saying, thinking, calling
  }

  private let tools: ChatTools?
  private let splitsThoughts: Bool
  private var place = Place.start
  /// Text that could still become a mark, or is inside a call.
  private var held = ""
  private(set) var calls = 0

  private static let (thoughtOpen, thoughtClose) = ("<think>", "</think>")

  /// - Parameter opening: what the answer began with already.
  init(_ tools: ChatTools?, splitsThoughts: Bool, opening: String = "") {
    (self.tools, self.splitsThoughts) = (tools, splitsThoughts)
    _ = accept(opening)
  }

  mutating func accept(_ text: String) -> [Part] {
    held += text
    var parts: [Part] = []
    while let part = step() { parts.append(part) }
    return merged(parts)
  }

  /// What is left when no more text comes.
  mutating func finish() -> [Part] {
    defer { held = "" }
    switch place {
    case .calling:
      if let call = tools?.call(held) { return [counted(call)] }
      // No call after all: what was written is shown.
      return [.said((tools?.syntax == .own ? "" : tools?.syntax.open ?? "") + held)]
    case .thinking: return held.isEmpty ? [] : [.thought(held)]
    case .start, .saying: return held.isEmpty ? [] : [.said(held)]
    }
  }

  private mutating func counted(_ call: ToolCall) -> Part {
    calls += 1
    var call = call
    call.id = newID("call_")
    return .called(call)
  }

  /// The next part of what is held; nil where more must come first.
  private mutating func step() -> Part? {
    guard !held.isEmpty else { return nil }
    switch place {
    case .start:
      let rest = held.drop { $0.isWhitespace }
      if splitsThoughts, rest.isEmpty || Self.thoughtOpen.hasPrefix(rest) { return nil }
      if splitsThoughts, rest.hasPrefix(Self.thoughtOpen) {
        held = String(rest.dropFirst(Self.thoughtOpen.count))
        place = .thinking
      } else {
        place = .saying
      }
      return step()
    case .saying:
      guard let tools, tools.isOn else { return take(upTo: held.endIndex, Part.said) }
      return takeBefore(tools.syntax.open, .calling, Part.said)
    case .thinking: return takeBefore(Self.thoughtClose, .saying, Part.thought)
    case .calling:
      guard let close = tools?.syntax.close, let range = held.firstRange(of: close) else {
        return nil
      }
      let text = String(held[..<range.lowerBound])
      held.removeSubrange(..<range.upperBound)
      place = .saying
      return tools?.call(text).map { counted($0) } ?? .said(text)
    }
  }

  private mutating func take(upTo end: String.Index, _ part: (String) -> Part) -> Part? {
    guard end > held.startIndex else { return nil }
    defer { held.removeSubrange(..<end) }
    return part(String(held[..<end]))
  }

  /// The text before a mark, or what cannot belong to one.
  private mutating func takeBefore(_ mark: String, _ next: Place, _ part: (String) -> Part) -> Part?
  {
    if let range = held.firstRange(of: mark) {
      let text = String(held[..<range.lowerBound])
      held.removeSubrange(..<range.upperBound)
      place = next
      return text.isEmpty ? step() : part(text)
    }
    var end = held.endIndex
    for length in stride(from: min(mark.count - 1, held.count), to: 0, by: -1)
    where mark.hasPrefix(held.suffix(length)) {
      end = held.index(held.endIndex, offsetBy: -length)
      break
    }
    return take(upTo: end, part)
  }

  /// Neighbours of one kind as one.
  private func merged(_ parts: [Part]) -> [Part] {
    var out: [Part] = []
    for part in parts {
      switch (out.last, part) {
      case (.said(let a), .said(let b)): out[out.count - 1] = .said(a + b)
      case (.thought(let a), .thought(let b)): out[out.count - 1] = .thought(a + b)
      default: out.append(part)
      }
    }
    return out
  }
}
