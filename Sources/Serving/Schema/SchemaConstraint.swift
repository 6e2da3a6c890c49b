import Generation
import TemplateLanguage
import Tokenization

/// Holds an answer to a JSON schema: only tokens may follow that some text of the schema begins with.
struct SchemaConstraint: TokenConstraint {
  private let machine: GrammarMachine
  private let vocabulary: SortedVocabulary
  private let tokenizer: Tokenizer
  private let stops: Set<Int32>
  private var state: Int32
  private var isOver = false

  /// The constraint of a schema.
  ///
  /// - Parameters:
  ///   - param: the field of the request that the schema stands in.
  ///   - ignoresUnknown: whether keywords that are not known here are passed over; otherwise they are
  ///     an error, since the answer would not be held to them.
  static func make(
    _ schema: JSONValue, _ model: ServedModel, param: String, ignoresUnknown: Bool = true
  ) throws -> SchemaConstraint {
    var compiler = SchemaCompiler(schema, param: param, ignoresUnknown: ignoresUnknown)
    let root = try compiler.compile()
    return SchemaConstraint(
      GrammarMachine(compiler.grammar, root: root), model.vocabulary, model.tokenizer,
      stops: model.format.ends)
  }

  init(
    _ machine: GrammarMachine, _ vocabulary: SortedVocabulary, _ tokenizer: Tokenizer,
    stops: Set<Int32>
  ) {
    (self.machine, self.vocabulary, self.tokenizer) = (machine, vocabulary, tokenizer)
    self.stops = stops
    state = machine.start
  }

  var isFinished: Bool { isOver || machine.isLast(state) }

  mutating func allowed() -> TokenMask {
    var mask = machine.mask(state, vocabulary)
    // A vocabulary that lacks a byte of what must follow leaves nothing but the end.
    if machine.isEnd(state) || mask.isEmpty { for stop in stops { mask.insert(stop) } }
    return mask
  }

  mutating func accept(_ token: Int32) {
    if stops.contains(token) {
      isOver = true
      return
    }
    for byte in tokenizer.bytes(of: token) { state = machine.step(state, byte) }
  }
}
