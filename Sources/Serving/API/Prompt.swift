import TemplateLanguage
import Tokenization

/// What a completion continues.
struct Prompt: Sendable {
  var tokens: [Int32]
  /// As `echo` gives it back.
  var text: String

  /// The prompts of a request: a string, token ids, or a list of either.
  static func all(
    _ fields: Fields, _ model: ServedModel, name: String = "prompt", most: Int
  ) throws -> [Prompt] {
    guard let value = fields[name] else {
      throw APIError.invalid(
        name, "\(name) is missing: give a string, a list of strings, or token ids.",
        code: "missing_required_parameter")
    }
    let parsesSpecials = try fields.bool("parse_special") ?? false
    func one(_ text: String) -> Prompt {
      Prompt(text, model.format, parsesSpecials: parsesSpecials)
    }
    func one(_ ids: [Int32]) throws -> Prompt {
      guard !ids.isEmpty else { throw fields.wrong(name, "has no tokens") }
      return Prompt(tokens: ids, text: visible(ids, model.tokenizer))
    }
    if let text = value.string { return [one(text)] }
    guard let items = value.array, !items.isEmpty else {
      throw fields.wrong(name, "must be a string, a list of strings, or token ids")
    }
    if items[0].int != nil, let ids = Fields.tokens(items) { return [try one(ids)] }
    guard items.count <= most else {
      throw fields.wrong(name, "has more than \(most) texts: send them in several requests")
    }
    return try items.map { item in
      if let text = item.string { return one(text) }
      if let inner = item.array, let ids = Fields.tokens(inner) { return try one(ids) }
      throw fields.wrong(name, "must be a string, a list of strings, or token ids")
    }
  }

  init(tokens: [Int32], text: String) { (self.tokens, self.text) = (tokens, text) }

  /// A text with what begins every text of the model.
  init(_ text: String, _ format: ChatFormat, parsesSpecials: Bool) {
    let ids =
      parsesSpecials
      ? format.tokenizer.encode(text, allowing: Set(format.tokenizer.specials))
      : format.tokenizer.encode(text)
    let opening = format.opening
    let isOpened = parsesSpecials && !opening.isEmpty && ids.starts(with: opening)
    tokens = (isOpened ? [] : opening) + ids
    // Where nothing was said yet, what ends one text begins the next.
    if tokens.isEmpty { tokens = format.before }
    self.text = text
  }

  /// The text of tokens without the special ones.
  static func visible(_ ids: [Int32], _ tokenizer: Tokenizer) -> String {
    tokenizer.decode(ids.filter { !tokenizer.isSpecial($0) }, fromStart: true)
  }
}
