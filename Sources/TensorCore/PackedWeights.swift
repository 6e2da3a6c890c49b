import TensorKernels

/// How rows are multiplied with packed weights.
public enum PackedArithmetic: String, Sendable, CaseIterable {
  /// In Float, with the bits of the same weights expanded at loading.
  case float
  /// In integers, after rounding each 32 values of a row to eight bits: faster, and a little off.
  case integer
}

/// A matrix in the form of its file, for use and not for training: one or several blocks of rows, each
/// packed in its own form.
public final class PackedWeights {
  /// How weights that are loaded are to be packed, and nil where they are to be Floats.
  @TaskLocal public static var loading: PackedArithmetic?

  public let rows: Int
  public let columns: Int
  public let arithmetic: PackedArithmetic
  private let blocks: [(view: PackedView, memory: Buffer)]

  /// Rows of one form. `fill` writes panel after panel of 16 rows, each of
  /// ``TensorKernels/PackedView/panelBytes(_:columns:)`` bytes, zeros beyond the last row.
  public struct Block {
    public var form: PackedForm
    public var rows: Int
    public var fill: (UnsafeMutableRawPointer) throws -> Void

    public init(
      form: PackedForm, rows: Int, fill: @escaping (UnsafeMutableRawPointer) throws -> Void
    ) {
      (self.form, self.rows, self.fill) = (form, rows, fill)
    }
  }

  public init(_ blocks: [Block], columns: Int, arithmetic: PackedArithmetic) throws {
    let rows = blocks.reduce(0) { $0 + $1.rows }
    (self.rows, self.columns, self.arithmetic) = (rows, columns, arithmetic)
    var first = 0
    self.blocks = try blocks.map { block in
      let bytes = PackedView.byteCount(block.form, rows: block.rows, columns: columns)
      let memory = Buffer((bytes + 3) / 4)
      let base = UnsafeMutableRawPointer(memory.values.base)
      try block.fill(base)
      defer { first += block.rows }
      return (
        PackedView(
          block.form, UnsafeRawPointer(base), rows: block.rows, columns: columns,
          outputs: (first, rows)), memory
      )
    }
  }

  /// Floats in the smallest plain form that holds each of them exactly.
  convenience init(_ values: Floats, columns: Int, arithmetic: PackedArithmetic) throws {
    var (isBrain, isHalf) = (true, true)
    for value in values {
      let (bits, size) = (value.bitPattern, abs(value))
      isBrain = isBrain && bits & 0xFFFF == 0
      isHalf =
        isHalf && bits & 0x1FFF == 0 && (size == 0 || (size >= 0x1p-14 && size <= 65_504))
    }
    let form: PackedForm = isBrain ? .brain : isHalf ? .half : .single
    let rows = values.count / columns
    let block = Block(form: form, rows: rows) { base in
      let panelBytes = PackedView.panelBytes(form, columns: columns)
      if rows % 16 != 0 {
        (base + rows / 16 * panelBytes).initializeMemory(
          as: UInt8.self, repeating: 0, count: panelBytes)
      }
      parallelRanges((rows + 15) / 16, grain: max(1, 65_536 / (16 * columns))) { range in
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: columns) { shorts in
          for row in range.lowerBound * 16..<min(rows, range.upperBound * 16) {
            let (panel, source) = (base + row / 16 * panelBytes, values.base + row * columns)
            guard form != .single else {
              packPlainRow(panel, column: row % 16, source, columns: columns, form)
              continue
            }
            for k in 0..<columns {
              let bits = source[k].bitPattern
              let top = UInt16(truncatingIfNeeded: bits >> 16)
              let exponent = UInt16(truncatingIfNeeded: ((bits & 0x7FFF_FFFF) &- (112 << 23)) >> 13)
              shorts[k] =
                form == .brain ? top : top & 0x8000 | (source[k] == 0 ? 0 : exponent)
            }
            packPlainRow(
              panel, column: row % 16, UnsafeRawPointer(shorts.base), columns: columns, form)
          }
        }
      }
    }
    try self.init([block], columns: columns, arithmetic: arithmetic)
  }

  /// out (n, rows) = start + bias + x (n, columns) · Wᵀ.
  func multiply(
    _ out: MutableFloats, _ x: Floats, rows n: Int, start: MatmulStart, bias: Floats?
  ) {
    for (view, _) in blocks {
      if arithmetic == .integer, view.form.hasIntegers {
        let workspace = Buffer(integerWorkspace(m: n, k: columns))
        matmulIntegers(
          c: out, a: x, weights: view, m: n, start: start, bias: bias, workspace: workspace.values)
      } else {
        let workspace = Buffer(packedWorkspace(m: n, view))
        matmul(
          c: out, a: x, weights: view, m: n, start: start, bias: bias, workspace: workspace.values)
      }
    }
  }

  /// out (ids.count, columns) = the rows `ids`.
  func lookUp(_ out: MutableFloats, _ ids: Integers) {
    if blocks.count == 1 { return packedEmbedding(out, table: blocks[0].view, ids: ids) }
    for (i, id) in ids.enumerated() {
      for (view, _) in blocks
      where (view.outputs.at..<view.outputs.at + view.rows).contains(Int(id)) {
        withUnsafePointer(to: id - Int32(view.outputs.at)) {
          packedEmbedding(
            MutableFloats(rebasing: out[i * columns..<(i + 1) * columns]), table: view,
            ids: Integers(start: $0, count: 1))
        }
      }
    }
  }

  /// Bytes of memory.
  public var byteCount: Int { blocks.reduce(0) { $0 + 4 * $1.memory.count } }

  /// What differs between matrices with other values.
  public func hash(into hasher: (UInt32) -> Void) {
    for (_, memory) in blocks { for value in memory.reading { hasher(value.bitPattern) } }
  }

  /// All values, (rows, columns).
  func expanded() -> Buffer {
    let out = Buffer(rows * columns)
    (0..<Int32(rows)).withContiguousStorage { lookUp(out.values, $0) }
    return out
  }
}

extension Range<Int32> {
  fileprivate func withContiguousStorage(_ body: (Integers) -> Void) {
    Array(self).withUnsafeBufferPointer(body)
  }
}

extension Tensor {
  /// out (n, rows) = start + bias + x (n, columns) · selfᵀ, whatever form this matrix is in.
  func multiply(
    _ out: MutableFloats, _ x: Floats, rows n: Int, start: MatmulStart = .zero,
    bias: Floats? = nil
  ) {
    if let packedWeights {
      return packedWeights.multiply(out, x, rows: n, start: start, bias: bias)
    }
    matmulPacked(
      c: out, a: x, packedB: packedForward(), m: n, n: rows, k: columns, start: start, bias: bias)
  }

  /// dx (n, columns) = start + dOut (n, rows) · self.
  func multiplyBackward(_ dx: MutableFloats, _ dOut: Floats, rows n: Int, start: MatmulStart) {
    guard let packedWeights else {
      return matmulPacked(
        c: dx, a: dOut, packedB: packedBackward(), m: n, n: columns, k: rows, start: start)
    }
    // Only what stands before a frozen matrix asks for this; the Floats are gone right after.
    let wide = Tensor(shape, buffer: packedWeights.expanded())
    matmulPacked(
      c: dx, a: dOut, packedB: wide.packedBackward(), m: n, n: columns, k: rows, start: start)
  }
}
