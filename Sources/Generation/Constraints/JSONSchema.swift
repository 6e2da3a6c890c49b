import TemplateLanguage

/// What a JSON text must look like: the part of JSON Schema (draft 2020-12) that can be enforced
/// while a text is written.
///
/// Known: `type` (one or several), `properties`, `required`, `additionalProperties`, `items`,
/// `minItems`, `maxItems`, `minLength`, `maxLength`, `enum`, `const`, `anyOf`, `allOf` of one, and
/// `$ref` into the same schema. Anything else that would restrict a text is an error that names it.
///
/// Objects are written with their properties in the order of the schema and, where some are declared,
/// without others; numbers have up to 15 digits; values nest up to 64 levels deep. That is stricter
/// than the schema, so what is written always fits it.
public struct JSONSchema: Sendable {
  let automaton: GrammarAutomaton

  /// - Throws: ``GenerationError`` where `text` is no JSON, or no schema that can be enforced.
  public init(_ text: String) throws {
    let root: JSONValue
    do {
      root = try JSONValue(text.utf8)
    } catch {
      throw GenerationError("the JSON schema is no JSON: \(error.what) at byte \(error.byte)")
    }
    var reader = JSONSchemaReader(root)
    try self.init(reader.grammar())
  }

  private init(_ grammar: ByteGrammar) throws {
    var grammar = grammar
    grammar.close()
    guard grammar.needs[Int(grammar.start)] <= Self.depthLimit else {
      throw GenerationError(
        "no JSON text fits the schema: what it demands has no end, or nests too deep")
    }
    automaton = GrammarAutomaton(grammar, depthLimit: Self.depthLimit)
  }

  /// Calls of rules: a level of JSON costs one, a string in it one, a character of that one.
  private static let depthLimit: Int32 = 67

  /// Any JSON object.
  public static let object: JSONSchema = {
    var pieces = JSONGrammar()
    let start = pieces.grammar.state()
    pieces.grammar.start = start
    pieces.grammar.end(pieces.object(from: start) { $0.value(from: $1) })
    do {
      return try JSONSchema(pieces.grammar)
    } catch {
      preconditionFailure("any object: \(error)")
    }
  }()
}

/// Holds a text to a schema.
public struct JSONConstraint: TokenConstraint {
  private let automaton: GrammarAutomaton
  private let trie: TokenTrie
  private let ends: Set<Int32>
  private var position: GrammarAutomaton.Position
  public private(set) var isFinished = false

  /// - Parameter ends: tokens that may follow once the text is complete: the stop tokens of the job.
  public init(_ schema: JSONSchema, _ trie: TokenTrie, ends: Set<Int32>) {
    (automaton, self.trie, self.ends) = (schema.automaton, trie, ends)
    position = automaton.start
  }

  public func allowed() -> TokenMask {
    var mask =
      position.isOver
      ? TokenMask(vocabulary: trie.vocabulary) : automaton.mask(position, trie)
    if position.isComplete { for end in ends { mask.insert(end) } }
    return mask
  }

  public mutating func accept(_ token: Int32) {
    guard !ends.contains(token), let next = automaton.advance(position, by: trie.spelling(token))
    else {
      isFinished = true
      return
    }
    position = next
    isFinished = position.isOver && ends.isEmpty
  }
}
