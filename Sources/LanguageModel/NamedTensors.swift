import TensorCore
import TensorKernels

/// Parameter values under the names and in the shapes of files.
public struct NamedTensor {
  public let name: String
  public let shape: [Int]
  public let values: [Float]

  public init(name: String, shape: [Int], values: [Float]) {
    (self.name, self.shape, self.values) = (name, shape, values)
  }
}

extension Transformer {
  /// Every parameter as a checkpoint holds it.
  public func namedTensors() -> [NamedTensor] {
    parameters.flatMap { named($0, values: $0.tensor.values) }
  }

  /// The adapter's parameters as PEFT's files hold them.
  public func adapterTensors() -> [NamedTensor] {
    adapter.flatMap { named($0, values: $0.tensor.values) }
  }

  /// The gradients of what is trained, as a checkpoint would hold them; zeros where there is none.
  public func gradientTensors() -> [NamedTensor] {
    trained.flatMap { parameter in
      let zeros = Buffer(parameter.tensor.count, zeroed: true)
      return named(parameter, values: (parameter.tensor.gradient ?? zeros).reading)
    }
  }

  func named(_ parameter: Parameter, values: Floats) -> [NamedTensor] {
    let isVector = parameter.kind == .vector
    let columns = isVector ? 1 : parameter.tensor.columns
    return parameter.parts.map { part in
      let rows = part.rows.count
      let slice = Array(
        values[part.rows.lowerBound * columns..<part.rows.upperBound * columns])
      if isVector { return NamedTensor(name: part.name, shape: [rows], values: slice) }
      return part.isTransposed
        ? NamedTensor(
          name: part.name, shape: [columns, rows],
          values: transposed(slice, rows: rows, columns: columns))
        : NamedTensor(name: part.name, shape: [rows, columns], values: slice)
    }
  }
}

/// Parameters by name, from a file or from memory. `lookup` gives a tensor's shape and values.
public struct NamedSource: ParameterSource {
  private let lookup: (String) throws -> NamedTensor?

  public init(lookup: @escaping (String) throws -> NamedTensor?) { self.lookup = lookup }

  /// What the source has under a name.
  public func tensor(_ name: String) throws -> NamedTensor? { try lookup(name) }

  public func fill(
    _ values: MutableFloats, name: String, rows: Int, columns: Int, isTransposed: Bool,
    isVector: Bool, initial: Initial
  ) throws {
    guard let found = try lookup(name) else {
      throw DecoderError("the weights lack \"\(name)\", which config.json asks for")
    }
    let shape = isVector ? [rows] : isTransposed ? [columns, rows] : [rows, columns]
    guard found.shape == shape, found.values.count == values.count else {
      throw DecoderError(
        "\"\(name)\" has the shape \(found.shape) where config.json asks for \(shape)")
    }
    let source =
      isTransposed && !isVector
      ? transposed(found.values, rows: columns, columns: rows) : found.values
    _ = values.update(from: source)
  }
}

private func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
  var out = [Float](repeating: 0, count: values.count)
  for i in 0..<rows {
    for j in 0..<columns { out[j * rows + i] = values[i * columns + j] }
  }
  return out
}
