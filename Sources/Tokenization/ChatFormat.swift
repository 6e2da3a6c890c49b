import TemplateLanguage

/// How a model's texts and conversations become tokens: our own format, or the template that a
/// published model came with.
public struct ChatFormat: Sendable {
  public let tokenizer: Tokenizer
  /// Nil for published models.
  public let own: ChatTemplate?
  private let published: PublishedTemplate?
  /// Why there are no conversations, in a sentence.
  private let problem: String?

  public init(_ own: ChatTemplate) {
    (tokenizer, self.own, published, problem) = (own.tokenizer, own, nil, nil)
  }

  /// The format of a published model, with the source of its template. A template that cannot be read
  /// is no error until a conversation needs it.
  public init(template: String?, tokenizer: Tokenizer, clock: TemplateClock? = nil) {
    (self.tokenizer, own) = (tokenizer, nil)
    guard let template else {
      published = nil
      problem =
        "this model has no chat template: it continues texts (`lyceum complete`), it was not made "
        + "for conversations"
      return
    }
    do {
      (published, problem) = (
        try PublishedTemplate(template, tokenizer: tokenizer, clock: clock), nil
      )
    } catch {
      (published, problem) = (nil, "this model's chat template cannot be used: \(error)")
    }
  }

  /// The template for other programs; nil where there is none.
  public var source: String? { own?.jinja ?? published?.template.source }

  /// Tokens that begin every text.
  public var opening: [Int32] {
    if let own { return [own.bos] }
    let markers = tokenizer.markers
    return markers.addsBOS ? markers.bos.map { [$0] } ?? [] : []
  }

  /// A token from which the first of a text can be predicted: the opening, or what ends the text
  /// before.
  public var before: [Int32] {
    let markers = tokenizer.markers
    return opening.isEmpty ? (markers.bos ?? markers.eos).map { [$0] } ?? [] : opening
  }

  /// Tokens that end a turn or a text.
  public var ends: Set<Int32> { own.map { [$0.end] } ?? tokenizer.markers.ends }

  /// A whole text.
  public func document(_ text: String) -> [Int32] {
    if let own { return own.document(text) }
    return opening + tokenizer.encode(text) + (tokenizer.markers.eos.map { [$0] } ?? [])
  }

  /// A conversation that it is the assistant's turn to continue.
  public func prompt(_ messages: [Message]) throws -> [Int32] {
    if let own { return own.prompt(messages) }
    return try template().prompt(messages)
  }

  /// The same, with `tools` as OpenAI's API lists them and what else a published template knows. Our
  /// own format has no place for it: models that were made here know their tools by heart.
  public func prompt(_ messages: [Message], extra: [(key: String, value: JSONValue)]) throws
    -> [Int32]
  {
    if let own { return own.prompt(messages) }
    return try template().prompt(messages, extra: extra)
  }

  /// `isTrained` is true for what the assistant wrote and the end of its turns.
  public func render(_ messages: [Message]) throws -> (tokens: [Int32], isTrained: [Bool]) {
    if let own { return own.render(messages) }
    return try template().render(messages)
  }

  /// What is wrong with messages for this model, in a sentence; nil where nothing is.
  public func problem(with messages: [Message]) -> String? {
    own.map { $0.problem(with: messages) } ?? messages.toolProblem
  }

  /// What the assistant said in a continuation of ``prompt(_:)``, without the token that ended it.
  public func text(_ tokens: some Sequence<Int32>) -> String {
    let ends = ends
    return tokenizer.decode(tokens.prefix { !ends.contains($0) })
  }

  private func template() throws -> PublishedTemplate {
    guard let published else { throw ChatFormatError(description: problem ?? "no template") }
    return published
  }
}

/// Why a conversation cannot become tokens.
public struct ChatFormatError: Error, CustomStringConvertible, Equatable {
  public let description: String
}
