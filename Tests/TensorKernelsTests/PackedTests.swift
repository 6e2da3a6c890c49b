import TensorKernels
import TestSupport
import Testing

/// A matrix in a packed form, and its values.
private struct Packed {
  let view: PackedView
  private let memory: Memory
  /// (rows, columns), as the form defines them: scale · q + offset, rounded once.
  var values: [Float] = []

  init(_ form: PackedForm, rows: Int, columns: Int, seed: UInt64) {
    var random = TestRandom(seed: seed)
    let bytes = PackedView.byteCount(form, rows: rows, columns: columns)
    memory = Memory([Float](repeating: 0, count: bytes / 4))
    let base = UnsafeMutableRawPointer(memory.values.baseAddress.unsafelyUnwrapped)
    let panelBytes = PackedView.panelBytes(form, columns: columns)
    for row in 0..<rows {
      let panel = base + row / 16 * panelBytes
      if form.isPlain {
        values += Self.plain(panel, row % 16, columns, form, &random)
        continue
      }
      let group = form.groupTerms
      let q = (0..<columns).map { _ in Self.integer(form, &random) }
      // Halves with few digits, so that a product with an integer is exact.
      let scales = (0..<columns / group).map { _ in
        Float(Int.random(in: -1_000...1_000, using: &random)) / 16_384
      }
      let offsets = (0..<columns / group).map { _ in
        form.hasOffset ? Float(Int.random(in: -1_000...1_000, using: &random)) / 4_096 : 0
      }
      q.withUnsafeBufferPointer { q in
        scales.withUnsafeBufferPointer { scales in
          offsets.withUnsafeBufferPointer { offsets in
            packRow(
              panel, column: row % 16,
              UnpackedRow(
                values: q.baseAddress.unsafelyUnwrapped,
                scales: scales.baseAddress.unsafelyUnwrapped,
                offsets: offsets.baseAddress.unsafelyUnwrapped),
              columns: columns, form)
          }
        }
      }
      values += (0..<columns).map { k in
        let centre: Float = form == .centred4 ? 8 : 0
        return scales[k / group] * (Float(q[k]) - centre) + offsets[k / group]
      }
    }
    view = PackedView(form, UnsafeRawPointer(base), rows: rows, columns: columns)
  }

  private static func integer(_ form: PackedForm, _ random: inout TestRandom) -> Int8 {
    switch form {
    case .centred4, .shifted4, .wide4: Int8.random(in: 0...15, using: &random)
    case .shifted8, .wide8: Int8.random(in: 0...31, using: &random)
    // The whole range: a file may hold −128.
    default: Int8.random(in: -128...127, using: &random)
    }
  }

  private static func plain(
    _ panel: UnsafeMutableRawPointer, _ column: Int, _ columns: Int, _ form: PackedForm,
    _ random: inout TestRandom
  ) -> [Float] {
    // Eighths are exact in each of the forms.
    let values = (0..<columns).map { _ in Float(Int.random(in: -15...15, using: &random)) / 8 }
    func pack(_ bits: [some FixedWidthInteger]) {
      bits.withUnsafeBytes {
        packPlainRow(
          panel, column: column, $0.baseAddress.unsafelyUnwrapped, columns: columns, form)
      }
    }
    switch form {
    case .half: pack(values.map(halfBits))
    case .brain: pack(values.map { UInt16($0.bitPattern >> 16) })
    default: pack(values.map(\.bitPattern))
    }
    return values
  }

  /// The half of a value that is one.
  private static func halfBits(_ value: Float) -> UInt16 {
    guard value != 0 else { return 0 }
    let bits = value.bitPattern
    return UInt16(bits >> 16 & 0x8000) | UInt16(((bits & 0x7FFF_FFFF) - (112 << 23)) >> 13)
  }
}

@Suite(.serialized) struct PackedTests {
  static let forms = PackedForm.allCases
  static let shapes = [(1, 32), (17, 64), (48, 352), (70, 704)]

  private func product(
    _ w: PackedView, _ x: [Float], m: Int, integers: Bool, start: [Float], bias: [Float]
  ) -> [Float] {
    let c = Memory(m * w.outputs.of)
    let a = Memory(Array(x[..<(m * w.columns)]))
    let (residual, b) = (Memory(Array(start[..<c.values.count])), Memory(bias))
    if integers {
      let workspace = Memory(integerWorkspace(m: m, k: w.columns))
      matmulIntegers(
        c: c.values, a: a.reading, weights: w, m: m, start: .residual(residual.reading),
        bias: b.reading, workspace: workspace.values)
    } else {
      let workspace = Memory(packedWorkspace(m: m, w))
      matmul(
        c: c.values, a: a.reading, weights: w, m: m, start: .residual(residual.reading),
        bias: b.reading, workspace: workspace.values)
    }
    return c.array
  }

  @Test("rows are looked up as the form defines them", arguments: forms)
  func lookUp(form: PackedForm) {
    for (rows, columns) in Self.shapes {
      let w = Packed(form, rows: rows, columns: columns, seed: 1)
      let ids = (0..<rows).reversed().map { Int32($0) }
      let out = Memory(rows * columns)
      ids.withUnsafeBufferPointer { packedEmbedding(out.values, table: w.view, ids: $0) }
      let expected = ids.flatMap { w.values[Int($0) * columns..<(Int($0) + 1) * columns] }
      #expect(out.array == expected, "\(rows) x \(columns)")
    }
  }

  @Test("a Float product has the bits of the weights expanded first", arguments: forms)
  func floats(form: PackedForm) {
    for (rows, columns) in Self.shapes {
      let w = Packed(form, rows: rows, columns: columns, seed: 2)
      var random = TestRandom(seed: 3)
      let (x, start) = (random.normals(32 * columns), random.normals(32 * rows))
      let bias = random.normals(rows)
      let (wide, packed) = (Memory(w.values), Memory(packedCount(k: columns, n: rows)))
      packMatrix(
        packed.values, b: Matrix(wide.reading, rows: columns, columns: rows, isTransposed: true),
        k: columns, n: rows)
      let c = Memory(32 * rows)
      let (a, residual, b) = (Memory(x), Memory(start), Memory(bias))
      matmulPacked(
        c: c.values, a: a.reading, packedB: packed.reading, m: 32, n: rows, k: columns,
        start: .residual(residual.reading), bias: b.reading)
      for threads in [1, 2] {
        kernelThreads = threads
        for m in [1, 2, 7, 32] {
          let found = product(w.view, x, m: m, integers: false, start: start, bias: bias)
          #expect(found == Array(c.array[..<(m * rows)]), "\(rows) x \(columns), \(m) rows")
        }
      }
    }
  }

  /// The definition: rows rounded to 127ths of the largest of each 32 values, sums in Double.
  private func rounded(_ x: [Float], _ w: Packed, m: Int) -> [Double] {
    let k = w.view.columns
    var q = [Double](repeating: 0, count: m * k)
    for at in stride(from: 0, to: m * k, by: 32) {
      let top = x[at..<at + 32].map(abs).max() ?? 0
      for i in at..<at + 32 where top > 0 {
        q[i] = Double((x[i] * (127 / top)).rounded(.toNearestOrEven)) * Double(top / 127)
      }
    }
    return (0..<m * w.view.rows).map { at in
      let (r, j) = (at / w.view.rows, at % w.view.rows)
      return (0..<k).reduce(0.0) { $0 + q[r * k + $1] * Double(w.values[j * k + $1]) }
    }
  }

  @Test("an integer product is that of rounded rows, alike in every batch", arguments: forms)
  func integers(form: PackedForm) {
    guard form.hasIntegers else { return }
    for (rows, columns) in Self.shapes {
      let w = Packed(form, rows: rows, columns: columns, seed: 4)
      var random = TestRandom(seed: 5)
      var x = random.normals(32 * columns)
      for i in 0..<32 { x[i] = 0 }  // a block without a scale
      let start = random.normals(32 * rows)
      let bias = random.normals(rows)
      kernelThreads = 2
      let all = product(w.view, x, m: 32, integers: true, start: start, bias: bias)
      let expected = rounded(x, w, m: 32).enumerated().map {
        $1 + Double(start[$0]) + Double(bias[$0 % rows])
      }
      #expect(relativeError(all, expected) < 1e-6, "\(rows) x \(columns)")
      for threads in [1, 2] {
        kernelThreads = threads
        for m in [1, 2, 7, 32] {
          let found = product(w.view, x, m: m, integers: true, start: start, bias: bias)
          #expect(found == Array(all[..<(m * rows)]), "\(rows) x \(columns), \(m) rows")
        }
      }
    }
  }

  @Test("products of one input stand side by side")
  func beside() {
    let w = Packed(.signed8, rows: 20, columns: 64, seed: 6)
    let placed = PackedView(.signed8, w.view.base, rows: 20, columns: 64, outputs: (5, 30))
    var random = TestRandom(seed: 7)
    let (x, zeros) = (random.normals(3 * 64), [Float](repeating: 0, count: 90))
    for integers in [false, true] {
      let alone = product(
        w.view, x, m: 3, integers: integers, start: zeros, bias: Array(zeros[..<20]))
      let c = Memory([Float](repeating: 7, count: 90))
      let a = Memory(x)
      let workspace = Memory(max(integerWorkspace(m: 3, k: 64), packedWorkspace(m: 3, placed)))
      if integers {
        matmulIntegers(
          c: c.values, a: a.reading, weights: placed, m: 3, workspace: workspace.values)
      } else {
        matmul(c: c.values, a: a.reading, weights: placed, m: 3, workspace: workspace.values)
      }
      for row in 0..<3 {
        let line = c.array[row * 30..<(row + 1) * 30]
        #expect(line.prefix(5).allSatisfy { $0 == 7 } && line.suffix(5).allSatisfy { $0 == 7 })
        #expect(Array(line.dropFirst(5).prefix(20)) == Array(alone[row * 20..<(row + 1) * 20]))
      }
    }
  }
}
