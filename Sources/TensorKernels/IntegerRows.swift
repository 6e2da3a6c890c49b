import SIMDMath

/// Rows as signed bytes. Value k of row r is `scales[r][k / 32] · values[r][k]`.
struct IntegerRows {
  let values: UnsafeMutablePointer<Int8>
  let scales: UnsafeMutablePointer<Float>
  /// The sum of each block, times its scale.
  let sums: UnsafeMutablePointer<Float>
  /// Eight times the sum of each block.
  let centres: UnsafeMutablePointer<Int32>
  let columns: Int

  static func floats(m: Int, k: Int) -> Int { m * k / 4 + 3 * m * (k / PackedForm.blockTerms) }

  init(_ workspace: UnsafeMutablePointer<Float>, m: Int, k: Int) {
    let blocks = m * (k / PackedForm.blockTerms)
    scales = workspace
    sums = workspace + blocks
    centres = UnsafeMutableRawPointer(workspace + 2 * blocks).assumingMemoryBound(to: Int32.self)
    values = UnsafeMutableRawPointer(workspace + 3 * blocks).assumingMemoryBound(to: Int8.self)
    columns = k
  }

  @inline(__always)
  var blocks: Int { columns / PackedForm.blockTerms }

  /// The rows from `row` on.
  @inline(__always)
  func from(_ row: Int) -> IntegerRows {
    IntegerRows(
      values: values + row * columns, scales: scales + row * blocks, sums: sums + row * blocks,
      centres: centres + row * blocks, columns: columns)
  }

  private init(
    values: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    sums: UnsafeMutablePointer<Float>, centres: UnsafeMutablePointer<Int32>, columns: Int
  ) {
    (self.values, self.scales, self.sums) = (values, scales, sums)
    (self.centres, self.columns) = (centres, columns)
  }

  /// Rounds row `r` of `a`, to the nearest and to even.
  func round(_ r: Int, _ a: UnsafePointer<Float>) {
    for block in 0..<blocks {
      let x = a + r * columns + block * PackedForm.blockTerms
      let (x0, x1, x2, x3) = (load8(x), load8(x + 8), load8(x + 16), load8(x + 24))
      let top = laneMax(
        largest(largest(size(x0), size(x1)), largest(size(x2), size(x3))))
      let factor = Float8(repeating: top > 0 ? 127 / top : 0)
      let (q0, q1) = (nearest(x0 * factor), nearest(x1 * factor))
      let (q2, q3) = (nearest(x2 * factor), nearest(x3 * factor))
      let out = UnsafeMutableRawPointer(values + r * columns + block * PackedForm.blockTerms)
      out.storeBytes(of: SIMD8<Int8>(truncatingIfNeeded: q0), as: SIMD8<Int8>.self)
      (out + 8).storeBytes(of: SIMD8<Int8>(truncatingIfNeeded: q1), as: SIMD8<Int8>.self)
      (out + 16).storeBytes(of: SIMD8<Int8>(truncatingIfNeeded: q2), as: SIMD8<Int8>.self)
      (out + 24).storeBytes(of: SIMD8<Int8>(truncatingIfNeeded: q3), as: SIMD8<Int8>.self)
      let sum = (q0 &+ q1 &+ q2 &+ q3).wrappedSum()
      let scale = top / 127
      scales[r * blocks + block] = scale
      sums[r * blocks + block] = scale * Float(sum)
      centres[r * blocks + block] = 8 &* sum
    }
  }

  @inline(__always)
  private func size(_ x: Float8) -> Float8 { largest(x, -x) }

  /// The nearest integers of values far below 2²²; the sum's last bits are the integer.
  @inline(__always)
  private func nearest(_ x: Float8) -> Words8 {
    unsafeBitCast(x + Float8(repeating: 12_582_912), to: Words8.self)
      &- Words8(repeating: 0x4B40_0000)
  }
}
