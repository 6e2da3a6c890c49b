import TensorKernels

/// Float32 values in row-major order, and the record of how they came about.
///
/// Every operation whose inputs want gradients hangs a node on its output. ``backward()`` walks the
/// nodes from a loss in reverse order of their making and drops each one as it goes, so that the
/// memory of the forward pass returns to the pool during the backward pass.
public final class Tensor {
  /// Rows and columns, or one length.
  public let shape: [Int]
  public let buffer: Buffer
  /// Whether ``backward()`` is to compute a gradient for this tensor.
  public let wantsGradient: Bool
  /// ∂loss/∂self, of the same shape. A parameter keeps it from step to step; ``backward()`` frees
  /// that of any other tensor once it was used.
  public var gradient: Buffer?

  /// The values of a matrix that is not trained and keeps the form of its file; ``buffer`` is empty
  /// then.
  public let packedWeights: PackedWeights?

  var node: Node?
  private var packed: (forward: Buffer?, backward: Buffer?) = (nil, nil)

  public init(_ shape: [Int], buffer: Buffer, wantsGradient: Bool = false) {
    precondition(
      shape.reduce(1, *) == buffer.count, "\(buffer.count) values for the shape \(shape)")
    (self.shape, self.buffer, self.wantsGradient) = (shape, buffer, wantsGradient)
    packedWeights = nil
  }

  /// A matrix in packed form.
  public init(_ weights: PackedWeights) {
    shape = [weights.rows, weights.columns]
    (buffer, wantsGradient, packedWeights) = (Buffer(0), false, weights)
  }

  /// A tensor of given values.
  public convenience init(
    _ shape: [Int], _ values: some Collection<Float>, wantsGradient: Bool = false
  ) {
    self.init(shape, buffer: Buffer(values), wantsGradient: wantsGradient)
  }

  public var count: Int { packedWeights.map { $0.rows * $0.columns } ?? buffer.count }
  /// The length of the last dimension.
  public var columns: Int { shape.last ?? 1 }
  /// The product of the other dimensions.
  public var rows: Int { shape.dropLast().reduce(1, *) }
  public var values: Floats {
    precondition(packedWeights == nil, "a packed matrix has no Floats to read")
    return buffer.reading
  }
  public var array: [Float] { Array(buffer.values) }
  /// The value of a tensor that holds one.
  public var item: Float {
    precondition(count == 1, "item of a tensor of shape \(shape)")
    return values[0]
  }

  /// Says that the values changed in place: what was derived from them is dropped.
  public func valuesChanged() { packed = (nil, nil) }

  /// This matrix (n, k) as the packed right factor of x·Wᵀ. Kept until ``valuesChanged()``.
  public func packedForward() -> Floats {
    if let forward = packed.forward { return forward.reading }
    let buffer = Buffer(packedCount(k: columns, n: rows))
    packMatrix(
      buffer.values, b: Matrix(values, rows: columns, columns: rows, isTransposed: true),
      k: columns, n: rows)
    packed.forward = buffer
    return buffer.reading
  }

  /// This matrix (k, n) as the packed right factor of dy·W. Kept until ``valuesChanged()``.
  func packedBackward() -> Floats {
    if let backward = packed.backward { return backward.reading }
    let buffer = Buffer(packedCount(k: rows, n: columns))
    packMatrix(
      buffer.values, b: Matrix(values, rows: rows, columns: columns), k: rows, n: columns)
    packed.backward = buffer
    return buffer.reading
  }
}

/// How a tensor came about.
final class Node {
  let order: Int
  let inputs: [Tensor]
  /// Adds to the gradients of the inputs, given that of the output.
  let backward: (Buffer) -> Void

  init(order: Int, inputs: [Tensor], backward: @escaping (Buffer) -> Void) {
    (self.order, self.inputs, self.backward) = (order, inputs, backward)
  }
}

/// Whether operations are recorded.
public enum Tape {
  @TaskLocal static var isRecording = true

  /// Runs `body` without recording: for evaluation.
  public static func paused<Result>(_ body: () throws -> Result) rethrows -> Result {
    try $isRecording.withValue(false, operation: body)
  }
}

extension Tensor {
  /// The result of an operation on `inputs`. `backward` gets the gradient of the result.
  static func result(
    _ shape: [Int], _ buffer: Buffer, inputs: [Tensor], backward: @escaping (Buffer) -> Void
  ) -> Tensor {
    let records = Tape.isRecording && inputs.contains(where: \.wantsGradient)
    let output = Tensor(shape, buffer: buffer, wantsGradient: records)
    if records {
      // Later than any input: so descending order visits an output before its inputs.
      let order = 1 + (inputs.compactMap { $0.node?.order }.max() ?? 0)
      output.node = Node(order: order, inputs: inputs, backward: backward)
    }
    return output
  }

  /// The gradient to add to, zeros at first; nil where none is wanted.
  func gradientToAdd() -> Buffer? {
    guard wantsGradient else { return nil }
    if let gradient { return gradient }
    let fresh = Buffer(count, zeroed: true)
    gradient = fresh
    return fresh
  }

  /// The gradient as the target of a product: whether to overwrite it or to add to it.
  func gradientToMultiplyInto() -> (MutableFloats, MatmulStart)? {
    guard wantsGradient else { return nil }
    if let gradient { return (gradient.values, .output) }
    let fresh = Buffer(count)
    gradient = fresh
    return (fresh.values, .zero)
  }

  /// Adds `contribution`, or takes it over where it is the first. The giver must be done with it.
  func donateGradient(_ contribution: Buffer) {
    guard wantsGradient else { return }
    if let gradient {
      accumulate(gradient.values, contribution.reading)
    } else {
      gradient = contribution
    }
  }

  /// Computes ∂self/∂x for every x that wants it, and takes the recorded operations apart.
  public func backward() {
    precondition(count == 1, "backward of a tensor of shape \(shape), not of one value")
    guard let root = node else { return }
    var visited: Set<ObjectIdentifier> = [ObjectIdentifier(self)]
    var pending: [(order: Int, tensor: Tensor)] = [(root.order, self)]
    var next = 0
    while next < pending.count {
      for input in pending[next].tensor.node?.inputs ?? [] {
        if let node = input.node, visited.insert(ObjectIdentifier(input)).inserted {
          pending.append((node.order, input))
        }
      }
      next += 1
    }
    pending.sort { $0.order < $1.order }
    gradient = Buffer([1])
    while let (_, tensor) = pending.popLast() {
      if let gradient = tensor.gradient {
        tensor.gradient = nil
        tensor.node?.backward(gradient)
      }
      tensor.node = nil
    }
  }
}
