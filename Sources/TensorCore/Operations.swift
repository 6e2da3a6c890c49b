import TensorKernels

// Operations beside their derivatives. Shapes in comments: N tokens, D width.

extension Tensor {
  /// x (N, K) · Wᵀ + bias + residual, for W (M, K): (N, M).
  public func linear(_ weight: Tensor, bias: Tensor? = nil, residual: Tensor? = nil) -> Tensor {
    let (n, k, m) = (rows, columns, weight.rows)
    precondition(weight.columns == k, "linear: x \(shape), weight \(weight.shape)")
    let out = Buffer(n * m)
    weight.multiply(
      out.values, values, rows: n, start: residual.map { .residual($0.values) } ?? .zero,
      bias: bias?.values)
    let inputs = [self, weight] + [bias, residual].compactMap { $0 }
    return .result([n, m], out, inputs: inputs) { [self] dOut in
      if let (dx, start) = gradientToMultiplyInto() {
        weight.multiplyBackward(dx, dOut.reading, rows: n, start: start)
      }
      if let dWeight = weight.gradientToAdd() {
        addProduct(dWeight.values, dOut.reading, values, m: m, n: k, k: n)
      }
      if let dBias = bias?.gradientToAdd() {
        addColumnSums(dBias.values, dOut: dOut.reading, width: m)
      }
      residual?.donateGradient(dOut)
    }
  }

  /// The rows `ids` of this table (V, D): (ids.count, D).
  public func rows(_ ids: [Int32]) -> Tensor {
    let width = columns
    let out = Buffer(ids.count * width)
    ids.withUnsafeBufferPointer { ids in
      if let packedWeights {
        packedWeights.lookUp(out.values, ids)
      } else {
        embedding(out.values, table: values, ids: ids, width: width)
      }
    }
    return .result([ids.count, width], out, inputs: [self]) { [self] dOut in
      guard let gradient = gradientToAdd() else { return }
      ids.withUnsafeBufferPointer {
        embeddingBackward(gradient.values, dOut: dOut.reading, ids: $0, width: width)
      }
    }
  }

  /// x / √(mean x² + ε) · (weight + offset), by row (Zhang and Sennrich 2019, arXiv:1910.07467).
  public func rmsNorm(weight: Tensor?, epsilon: Float, offset: Float = 0) -> Tensor {
    let (n, width) = (rows, columns)
    let factor = weight?.shifted(by: offset)
    let out = Buffer(count)
    let inverse = Buffer(n)
    TensorKernels.rmsNorm(
      out.values, inverse: inverse.values, x: values, weight: factor?.reading, width: width,
      epsilon: epsilon)
    return .result(shape, out, inputs: [self] + [weight].compactMap { $0 }) { [self] dOut in
      let workspace = Buffer(rmsNormWorkspace(rows: n, width: width))
      rmsNormBackward(
        dx: gradientToAdd()?.values, dWeight: weight?.gradientToAdd()?.values,
        dOut: dOut.reading, x: values, weight: factor?.reading, inverse: inverse.reading,
        width: width, workspace: workspace.values)
    }
  }

  /// The values plus `offset`, without a record; the values themselves for 0.
  func shifted(by offset: Float) -> Buffer {
    guard offset != 0 else { return buffer }
    let out = Buffer(count)
    for i in 0..<count { out.values[i] = values[i] + offset }
    return out
  }

  /// Every value times `factor`.
  public func scaled(by factor: Float) -> Tensor {
    let out = Buffer(count)
    TensorKernels.scaled(out.values, values, by: factor)
    return .result(shape, out, inputs: [self]) { [self] dOut in
      guard let gradient = gradientToAdd() else { return }
      accumulate(gradient.values, dOut.reading, scaledBy: factor)
    }
  }

  /// (x − mean) / √(variance + ε) · weight + bias, by row (Ba et al. 2016, arXiv:1607.06450).
  public func layerNorm(weight: Tensor, bias: Tensor, epsilon: Float) -> Tensor {
    let (n, width) = (rows, columns)
    let out = Buffer(count)
    let (mean, inverse) = (Buffer(n), Buffer(n))
    TensorKernels.layerNorm(
      out.values, mean: mean.values, inverse: inverse.values, x: values, weight: weight.values,
      bias: bias.values, width: width, epsilon: epsilon)
    return .result(shape, out, inputs: [self, weight, bias]) { [self] dOut in
      let workspace = Buffer(layerNormWorkspace(rows: n, width: width))
      // The kernel writes both; a frozen weight's share goes nowhere.
      let dWeight = weight.gradientToAdd() ?? Buffer(width, zeroed: true)
      let dBias = bias.gradientToAdd() ?? Buffer(width, zeroed: true)
      layerNormBackward(
        dx: gradientToAdd()?.values, dWeight: dWeight.values, dBias: dBias.values,
        dOut: dOut.reading, x: values, weight: weight.values, mean: mean.reading,
        inverse: inverse.reading, width: width, workspace: workspace.values)
    }
  }

  /// silu(gate) · up for rows [gate, up] (Shazeer 2020, arXiv:2002.05202): (N, 2F) to (N, F).
  public func swiGLU() -> Tensor {
    let (n, width) = (rows, columns / 2)
    let out = Buffer(n * width)
    TensorKernels.swiGLU(out.values, gateUp: values, width: width)
    return .result([n, width], out, inputs: [self]) { [self] dOut in
      guard let gradient = gradientToAdd() else { return }
      swiGLUBackward(
        dGateUp: gradient.values, dOut: dOut.reading, gateUp: values, width: width)
    }
  }

  /// gelu(gate) · up for rows [gate, up], with GELU by tanh: (N, 2F) to (N, F).
  public func geGLU() -> Tensor {
    let (n, width) = (rows, columns / 2)
    let out = Buffer(n * width)
    TensorKernels.geGLU(out.values, gateUp: values, width: width)
    return .result([n, width], out, inputs: [self]) { [self] dOut in
      guard let gradient = gradientToAdd() else { return }
      geGLUBackward(dGateUp: gradient.values, dOut: dOut.reading, gateUp: values, width: width)
    }
  }

  /// The activation of each value.
  public func activated(_ kind: Activation) -> Tensor {
    let out = Buffer(count)
    activate(out.values, x: values, kind)
    return .result(shape, out, inputs: [self]) { [self] dOut in
      guard let gradient = gradientToAdd() else { return }
      activateBackward(dx: gradient.values, dOut: dOut.reading, x: values, kind)
    }
  }

  /// The sum of two tensors of one shape.
  public func adding(_ other: Tensor) -> Tensor {
    precondition(shape == other.shape, "adding \(other.shape) to \(shape)")
    let out = Buffer(count)
    add(out.values, values, other.values)
    return .result(shape, out, inputs: [self, other]) { [self] dOut in
      if let gradient = gradientToAdd() { accumulate(gradient.values, dOut.reading) }
      other.donateGradient(dOut)
    }
  }
}

/// c (m, n) += aᵀ·b for a (k, m), b (k, n), with scratch from the pool.
func addProduct(_ c: MutableFloats, _ a: Floats, _ b: Floats, m: Int, n: Int, k: Int) {
  let workspace = Buffer(transposedWorkspace(m: m, n: n, k: k))
  matmulTransposed(c: c, a: a, b: b, m: m, n: n, k: k, workspace: workspace.values)
}

extension Tensor {
  /// Copies of the rows `indices`, without a record.
  public func selecting(_ indices: [Int]) -> Tensor {
    let width = columns
    let out = Buffer(indices.count * width)
    for (i, row) in indices.enumerated() {
      _ = MutableFloats(rebasing: out.values[i * width..<(i + 1) * width])
        .update(fromContentsOf: values[row * width..<(row + 1) * width])
    }
    return Tensor([indices.count, width], buffer: out)
  }
}
