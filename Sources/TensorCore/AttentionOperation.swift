import TensorKernels

/// How the tokens of a batch stand in rows, and which of them see each other.
public struct SequenceLayout: Sendable {
  public let rows: Int
  /// Tokens in a row.
  public let length: Int
  /// For every token, the first token of its row that it attends to.
  public let starts: [Int32]
  /// For every token, its position within its sequence.
  public let positions: [Int32]

  /// Rows that hold several sequences, told apart by `segments` (rows · length; −1 for padding).
  /// A token attends to those of its own segment only.
  public init(rows: Int, length: Int, segments: [Int32]) {
    precondition(segments.count == rows * length, "\(segments.count) segments")
    (self.rows, self.length) = (rows, length)
    var positions = [Int32](repeating: 0, count: segments.count)
    starts = [Int32](unsafeUninitializedCapacity: segments.count) { buffer, count in
      count = segments.count
      positions.withUnsafeMutableBufferPointer { positions in
        segments.withUnsafeBufferPointer {
          segmentStarts(
            UnsafeMutableBufferPointer(rebasing: buffer[..<count]), positions: positions,
            segments: $0, length: length)
        }
      }
    }
    self.positions = positions
  }

  /// One sequence a row.
  public init(rows: Int, length: Int) {
    self.init(rows: rows, length: length, segments: Array(repeating: 0, count: rows * length))
  }
}

/// What an attention layer does to queries and keys.
public struct AttentionForm {
  public var heads: Int
  public var keyHeads: Int
  public var headWidth: Int
  /// Nil for no rotation.
  public var rotary: RotaryTable?
  /// RMSNorm weights (headWidth) of the heads of queries and keys.
  public var queryNorm: Tensor?
  public var keyNorm: Tensor?
  public var epsilon: Float
  /// What is added to the norms' weights.
  public var normOffset: Float
  /// What scores are multiplied by; nil for 1/√headWidth.
  public var scale: Float?
  /// How many tokens a token sees, itself included; nil for all before it.
  public var window: Int?

  public init(
    heads: Int, keyHeads: Int, headWidth: Int, rotary: RotaryTable? = nil,
    queryNorm: Tensor? = nil, keyNorm: Tensor? = nil, epsilon: Float = 1e-6,
    normOffset: Float = 0, scale: Float? = nil, window: Int? = nil
  ) {
    (self.heads, self.keyHeads, self.headWidth) = (heads, keyHeads, headWidth)
    (self.rotary, self.queryNorm, self.keyNorm) = (rotary, queryNorm, keyNorm)
    (self.epsilon, self.normOffset) = (epsilon, normOffset)
    (self.scale, self.window) = (scale, window)
  }

  /// Columns of the packed queries, keys and values.
  public var columns: Int { (heads + 2 * keyHeads) * headWidth }
  /// Queries and keys only.
  public var rotatedColumns: Int { (heads + keyHeads) * headWidth }

  public func rotaryShape() -> RotaryShape {
    RotaryShape(
      heads: heads, keyHeads: keyHeads, headWidth: headWidth, stride: columns, epsilon: epsilon)
  }

  public func attentionShape(rows: Int, length: Int) -> AttentionShape {
    AttentionShape(
      rows: rows, length: length, heads: heads, keyHeads: keyHeads, headWidth: headWidth,
      scale: scale)
  }

  /// The weights that queries and keys are multiplied by.
  public func normWeights() -> (query: Buffer?, key: Buffer?) {
    (queryNorm?.shifted(by: normOffset), keyNorm?.shifted(by: normOffset))
  }

  /// The first token of its row that each token sees.
  func starts(_ layout: SequenceLayout) -> [Int32] {
    guard let window else { return layout.starts }
    return layout.starts.enumerated().map { at, start in
      max(start, Int32(at % layout.length - window + 1))
    }
  }
}

extension Tensor {
  /// Causal attention of packed rows [queries, keys, values] (N, columns): (N, heads·headWidth).
  public func attention(_ form: AttentionForm, _ layout: SequenceLayout) -> Tensor {
    let tokens = layout.rows * layout.length
    precondition(shape == [tokens, form.columns], "attention of \(shape) for \(tokens) tokens")
    let width = form.heads * form.headWidth
    let shape = form.attentionShape(rows: layout.rows, length: layout.length)
    let (queryNorm, keyNorm) = form.normWeights()
    let starts = form.starts(layout)
    let rotated = form.rotary.map { _ in Buffer(tokens * form.rotatedColumns) }
    let inverse = form.queryNorm.map { _ in Buffer(tokens * (form.heads + form.keyHeads)) }
    if let rotated, let rotary = form.rotary {
      layout.positions.withUnsafeBufferPointer {
        rotateHeads(
          rotated.values, inverse: inverse?.values, qkv: values,
          queryNorm: queryNorm?.reading, keyNorm: keyNorm?.reading, positions: $0,
          table: rotary.covering($0).reading, form.rotaryShape())
      }
    }
    let out = Buffer(tokens * width)
    let logSum = Buffer(tokens * form.heads)
    let (q, k, v) = views(form, rotated, tokens)
    do {
      let workspace = Buffer(attentionScratch(shape) * kernelThreads)
      starts.withUnsafeBufferPointer {
        TensorKernels.attention(
          out.values, logSum: logSum.values, q: q, k: k, v: v, starts: $0, shape,
          workspace: workspace.values)
      }
    }
    let inputs = [self] + [form.queryNorm, form.keyNorm].compactMap { $0 }
    return .result([tokens, width], out, inputs: inputs) { [self] dOut in
      guard let dqkv = gradientToAdd() else { return }
      let dRotated = rotated.map { Buffer($0.count, zeroed: true) }
      let (q, k, v) = views(form, rotated, tokens)
      let (dq, dk, dv) = gradientViews(form, dqkv, dRotated, tokens)
      let workspace = Buffer(attentionBackwardScratch(shape) * kernelThreads)
      starts.withUnsafeBufferPointer {
        attentionBackward(
          dq: dq, dk: dk, dv: dv, dOut: dOut.reading, out: out.reading, logSum: logSum.reading,
          q: q, k: k, v: v, starts: $0, shape, workspace: workspace.values)
      }
      guard let dRotated, let rotary = form.rotary else { return }
      let sums = Buffer(rotateHeadsWorkspace(tokens: tokens, form.rotaryShape()))
      layout.positions.withUnsafeBufferPointer {
        rotateHeadsBackward(
          dqkv: dqkv.values, dQueryNorm: form.queryNorm?.gradientToAdd()?.values,
          dKeyNorm: form.keyNorm?.gradientToAdd()?.values, dOut: dRotated.reading, qkv: values,
          inverse: inverse?.reading, queryNorm: queryNorm?.reading, keyNorm: keyNorm?.reading,
          positions: $0, table: rotary.covering($0).reading, form.rotaryShape(),
          workspace: sums.values)
      }
    }
  }

  /// Queries, keys and values: the first two out of `rotated` where there is one.
  private func views(_ form: AttentionForm, _ rotated: Buffer?, _ tokens: Int) -> (
    Heads, Heads, Heads
  ) {
    let queries = form.heads * form.headWidth
    let keys = form.keyHeads * form.headWidth
    let source = rotated?.reading ?? values
    let stride = rotated == nil ? form.columns : form.rotatedColumns
    return (
      Heads(source, tokens: tokens, stride: stride, offset: 0, width: queries),
      Heads(source, tokens: tokens, stride: stride, offset: queries, width: keys),
      Heads(values, tokens: tokens, stride: form.columns, offset: queries + keys, width: keys)
    )
  }

  private func gradientViews(
    _ form: AttentionForm, _ dqkv: Buffer, _ dRotated: Buffer?, _ tokens: Int
  ) -> (MutableHeads, MutableHeads, MutableHeads) {
    let queries = form.heads * form.headWidth
    let keys = form.keyHeads * form.headWidth
    let target = (dRotated ?? dqkv).values
    let stride = dRotated == nil ? form.columns : form.rotatedColumns
    return (
      MutableHeads(target, tokens: tokens, stride: stride, offset: 0, width: queries),
      MutableHeads(target, tokens: tokens, stride: stride, offset: queries, width: keys),
      MutableHeads(
        dqkv.values, tokens: tokens, stride: form.columns, offset: queries + keys, width: keys)
    )
  }
}
