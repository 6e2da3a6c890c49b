import TensorCore
import TensorKernels
import TestSupport
import Testing

private func leaf(_ shape: [Int], _ values: [Float]) -> Tensor {
  Tensor(shape, buffer: Buffer(values), wantsGradient: true)
}

private func gradient(_ x: Tensor) -> [Float] { x.gradient.map { Array($0.values) } ?? [] }

/// −log softmax(x·headᵀ)[0] summed over rows: a scalar to begin backward from.
private func loss(_ x: Tensor, _ head: Tensor) -> Tensor {
  x.crossEntropy(
    head: head, targets: Array(repeating: 0, count: x.rows),
    weights: Array(repeating: 1, count: x.rows), normaliser: 1
  ).loss
}

@Suite struct TapeTests {
  private let head = leaf([3, 4], [1, 0.5, -1, 0.25, 0, 1, 0.5, -0.5, 0.75, -0.25, 1, 0])

  /// The op's gradients against differences of its own forward pass, in steps that Float can take.
  private func check(_ inputs: [Tensor], _ op: ([Tensor]) -> Tensor) {
    loss(op(inputs), head).backward()
    for (i, input) in inputs.enumerated() {
      let found = gradient(input)
      let numeric = input.array.indices.map { at -> Double in
        func moved(_ by: Float) -> Double {
          let copies = inputs.enumerated().map { j, other in
            var values = other.array
            if i == j { values[at] += by }
            return leaf(other.shape, values)
          }
          return Tape.paused { Double(loss(op(copies), head).item) }
        }
        return (moved(1e-2) - moved(-1e-2)) / 2e-2
      }
      #expect(relativeError(found, numeric) < 5e-3)
    }
  }

  private func random(_ shape: [Int], seed: UInt64) -> Tensor {
    var random = TestRandom(seed: seed)
    return leaf(shape, random.normals(shape.reduce(1, *), scale: 0.7))
  }

  @Test("linear with bias and residual")
  func linear() {
    check(
      [
        random([5, 3], seed: 1), random([4, 3], seed: 2), random([4], seed: 3),
        random([5, 4], seed: 4),
      ]
    ) { $0[0].linear($0[1], bias: $0[2], residual: $0[3]) }
  }

  @Test("norms, activations, sums and selections")
  func others() {
    check([random([5, 4], seed: 1), random([4], seed: 2)]) {
      $0[0].rmsNorm(weight: $0[1], epsilon: 1e-5)
    }
    check([random([5, 4], seed: 1), random([4], seed: 2), random([4], seed: 3)]) {
      $0[0].layerNorm(weight: $0[1], bias: $0[2], epsilon: 1e-5)
    }
    check([random([5, 8], seed: 4)]) { $0[0].swiGLU() }
    for kind in Activation.allCases { check([random([5, 4], seed: 5)]) { $0[0].activated(kind) } }
    check([random([5, 4], seed: 6), random([5, 4], seed: 7)]) { $0[0].adding($0[1]) }
    check([random([6, 4], seed: 8)]) { $0[0].rows([2, 5, 2]) }
  }

  @Test("a tensor that is used twice gets both gradients")
  func diamond() {
    let x = random([2, 4], seed: 3)
    loss(x.adding(x), head).backward()
    let twice = gradient(x)
    let y = leaf([2, 4], x.array.map { 2 * $0 })
    loss(y, head).backward()
    #expect(relativeError(twice, gradient(y).map { 2 * Double($0) }) < 1e-6)
  }

  @Test("backward adds to what is there")
  func accumulates() {
    let x = random([2, 4], seed: 3)
    loss(x, head).backward()
    let once = gradient(x)
    loss(x, head).backward()
    #expect(relativeError(gradient(x), once.map { 2 * Double($0) }) < 1e-6)
  }

  @Test("while the tape is paused nothing is recorded")
  func paused() {
    let x = random([2, 4], seed: 3)
    let y = Tape.paused { x.adding(x) }
    #expect(!y.wantsGradient && x.gradient == nil)
  }
}

@Suite struct OptimizerTests {
  private func parameter(_ name: String, _ values: [Float]) throws -> Parameter {
    struct Given: ParameterSource {
      let given: [Float]
      func fill(
        _ values: MutableFloats, name: String, rows: Int, columns: Int, isTransposed: Bool,
        isVector: Bool, initial: Initial
      ) { _ = values.update(from: given) }
    }
    let scope = ParameterScope(source: Given(given: values))
    _ = try scope.vector(name, parts: [(name, values.count)], initial: .constant(0))
    return try #require(scope.parameters.first)
  }

  private func give(_ parameter: Parameter, _ gradient: [Float]) {
    parameter.tensor.gradient = Buffer(gradient)
  }

  @Test("a gradient longer than the clip is scaled to it, a shorter one is not")
  func clipping() throws {
    // The first AdamW update is the sign of the gradient, so clipping shows in the moments.
    for (gradient, expected) in [
      ([30, 40] as [Float], [0.6, 0.8] as [Float]), ([0.3, 0.4], [0.3, 0.4]),
    ] {
      let parameter = try parameter("a", [1, 1])
      let optimizer = Optimizer(
        [parameter], OptimizerSettings(rate: 0.1, beta1: 0.9, decay: 0, clip: 1))
      give(parameter, gradient)
      optimizer.step(scale: 1, norm: optimizer.gradientNorm())
      let first = try #require(optimizer.state.first { $0.name == "a.first" })
      #expect(relativeError(Array(first.values), expected.map { 0.1 * Double($0) }) < 1e-4)
    }
  }

  @Test("the norm is that of all parameters, and a value that is not finite is named")
  func norm() throws {
    let (a, b) = (try parameter("a", [0, 0]), try parameter("b", [0]))
    let optimizer = Optimizer([a, b], OptimizerSettings(rate: 0.1))
    give(a, [3, 0])
    give(b, [4])
    #expect(abs(optimizer.gradientNorm() - 5) < 1e-9)
    #expect(optimizer.nonFiniteGradient() == nil)
    give(b, [.nan])
    #expect(optimizer.nonFiniteGradient() == "b")
    #expect(!optimizer.gradientNorm().isFinite)
  }

  @Test("a step clears the gradients and keeps the parameter's memory")
  func inPlace() throws {
    let parameter = try parameter("a", [1, 2, 3])
    let optimizer = Optimizer([parameter], OptimizerSettings(rate: 0.1))
    let address = parameter.tensor.buffer.values.baseAddress
    give(parameter, [1, 1, 1])
    optimizer.step(scale: 1, norm: 1)
    #expect(parameter.tensor.buffer.values.baseAddress == address)
    #expect(gradient(parameter.tensor).allSatisfy { $0 == 0 })
    #expect(parameter.tensor.array.allSatisfy { $0 < 3 })
  }
}
