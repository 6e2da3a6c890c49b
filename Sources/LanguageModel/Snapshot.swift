import TensorCore

extension Transformer {
  /// A second decoder with a copy of the values.
  public func copy() throws -> Transformer {
    let tensors = Dictionary(namedTensors().map { ($0.name, $0) }) { first, _ in first }
    return try Transformer(config, source: NamedSource { tensors[$0] })
  }
}

extension Transformer {
  /// Takes over the values of another source, in place.
  public func load(from source: NamedSource) throws {
    let loaded = try Transformer(config, source: source)
    for (mine, theirs) in zip(parameters, loaded.parameters) {
      _ = mine.tensor.buffer.values.update(fromContentsOf: theirs.tensor.values)
      mine.tensor.valuesChanged()
    }
  }
}
