import TensorCore

extension Transformer {
  /// A second decoder with a copy of the values.
  public func copy() throws -> Transformer {
    let tensors = Dictionary(namedTensors().map { ($0.name, $0) }) { first, _ in first }
    return try Transformer(config, source: NamedSource { tensors[$0] })
  }
}
