/// The tokens by which a model knows where texts and turns begin and end.
public struct Markers: Sendable, Equatable {
  /// Begins every text, where ``addsBOS`` says so.
  public var bos: Int32?
  /// Ends a text.
  public var eos: Int32?
  public var padding: Int32?
  /// Every token after which a model has nothing more to say: the end of a text or of a turn.
  public var ends: Set<Int32>
  public var addsBOS: Bool
  public var addsEOS: Bool

  public init(
    bos: Int32? = nil, eos: Int32? = nil, padding: Int32? = nil, ends: Set<Int32> = [],
    addsBOS: Bool = false, addsEOS: Bool = false
  ) {
    (self.bos, self.eos, self.padding) = (bos, eos, padding)
    self.ends = ends.union(eos.map { [$0] } ?? [])
    (self.addsBOS, self.addsEOS) = (addsBOS, addsEOS)
  }

  /// Special tokens that end a turn or a text in the models of the families that are read here.
  static let endNames: Set<String> = [
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|end|>",
    "<end_of_turn>", "<|return|>", "<|call|>",
  ]
}
