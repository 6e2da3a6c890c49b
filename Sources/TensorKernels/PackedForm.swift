// Weights in the form that files hold them, in panels of 16 columns as ``packMatrix(_:b:k:n:)`` makes
// of Floats, and expanded in registers. A panel is cut into blocks of 32 terms: first the scales of
// the 16 columns, then the small integers, four terms of a column side by side in one 32-bit lane.

/// How the values of a packed matrix are written. All but the plain ones are scale · q + offset.
public enum PackedForm: UInt8, Sendable, CaseIterable {
  /// q − 8 in four bits, a half as the scale: Q4_0.
  case centred4
  /// q in four bits, halves as scale and offset: Q4_1.
  case shifted4
  /// q in four bits, Floats as scale and offset: Q4_K.
  case wide4
  /// q in a signed byte, a half as the scale: Q8_0, Q5_0.
  case signed8
  /// q below 128 in a byte, halves as scale and offset: Q5_1.
  case shifted8
  /// q below 128 in a byte, Floats as scale and offset: Q5_K.
  case wide8
  /// q in a signed byte, a Float for each 16 terms as the scale: Q6_K.
  case fine8
  /// Halves.
  case half
  /// bfloat16.
  case brain
  /// Floats.
  case single

  /// Terms of a block.
  public static let blockTerms = 32

  @inline(__always)
  var isNibbles: Bool { self == .centred4 || self == .shifted4 || self == .wide4 }
  /// Whether values are written as such, without a scale.
  @inline(__always)
  public var isPlain: Bool { self == .half || self == .brain || self == .single }
  @inline(__always)
  public var hasOffset: Bool {
    self == .shifted4 || self == .wide4 || self == .shifted8 || self == .wide8
  }
  /// Whether scales are Floats, not halves.
  @inline(__always)
  var hasWideScales: Bool { self == .wide4 || self == .wide8 || self == .fine8 }
  /// Terms that share a scale.
  @inline(__always)
  public var groupTerms: Int { self == .fine8 ? 16 : 32 }
  /// Bytes of a row of 16 scales.
  @inline(__always)
  var scaleBytes: Int { hasWideScales ? 64 : 32 }
  /// Where the integers of a block begin.
  @inline(__always)
  var valuesAt: Int { isPlain ? 0 : hasOffset || self == .fine8 ? 2 * scaleBytes : scaleBytes }

  /// Bytes of a block of 32 terms and 16 columns.
  @inline(__always)
  public var blockBytes: Int {
    switch self {
    case .single: 2_048
    case .half, .brain: 1_024
    default: valuesAt + (isNibbles ? 256 : 512)
    }
  }
}

/// A packed matrix in memory: the right factor of x·Wᵀ for W (rows, columns).
public struct PackedView {
  public let form: PackedForm
  public let base: UnsafeRawPointer
  public let rows: Int
  /// A multiple of 32.
  public let columns: Int
  /// Where the outputs begin in a row of the product, and how long that row is: products of one input
  /// stand side by side.
  public let outputs: (at: Int, of: Int)

  /// A view of ``byteCount(_:rows:columns:)`` bytes. The caller answers for the bounds.
  public init(
    _ form: PackedForm, _ base: UnsafeRawPointer, rows: Int, columns: Int,
    outputs: (at: Int, of: Int)? = nil
  ) {
    precondition(columns % PackedForm.blockTerms == 0, "rows of \(columns) values cannot be packed")
    (self.form, self.base, self.rows, self.columns) = (form, base, rows, columns)
    self.outputs = outputs ?? (0, rows)
  }

  public static func byteCount(_ form: PackedForm, rows: Int, columns: Int) -> Int {
    (rows + Tile.columns - 1) / Tile.columns * panelBytes(form, columns: columns)
  }

  /// Bytes of 16 rows.
  public static func panelBytes(_ form: PackedForm, columns: Int) -> Int {
    columns / PackedForm.blockTerms * form.blockBytes
  }

  var blocks: Int { columns / PackedForm.blockTerms }
  var panels: Int { (rows + Tile.columns - 1) / Tile.columns }
  var panelByteCount: Int { Self.panelBytes(form, columns: columns) }
  func panel(_ index: Int) -> UnsafeRawPointer { base + index * panelByteCount }

  func check(c: MutableFloats, a: Floats, m: Int, bias: Floats?) {
    precondition(
      c.count == m * outputs.of && outputs.at + rows <= outputs.of,
      "matmul: C has \(c.count) values for \(m) x \(outputs)")
    precondition(a.count == m * columns, "matmul: A has \(a.count) values for \(m) x \(columns)")
    precondition(
      bias.map { $0.count == outputs.of } ?? true, "matmul: not a bias of \(outputs.of) values")
  }
}

/// The rows of a matrix before they are packed: small integers with what they are scaled by, or plain
/// values.
public struct UnpackedRow {
  /// `columns` integers.
  public var values: UnsafePointer<Int8>
  /// One for each ``PackedForm/groupTerms``.
  public var scales: UnsafePointer<Float>
  /// As many as scales, where the form has offsets.
  public var offsets: UnsafePointer<Float>

  public init(
    values: UnsafePointer<Int8>, scales: UnsafePointer<Float>, offsets: UnsafePointer<Float>
  ) {
    (self.values, self.scales, self.offsets) = (values, scales, offsets)
  }
}

/// Writes a row into its column of a panel of 16, which must begin as zeros.
///
/// - Parameter column: of the panel.
public func packRow(
  _ panel: UnsafeMutableRawPointer, column: Int, _ row: UnpackedRow, columns: Int,
  _ form: PackedForm
) {
  precondition(!form.isPlain && column < Tile.columns, "packRow: \(form), column \(column)")
  let groups = PackedForm.blockTerms / form.groupTerms
  for block in 0..<columns / PackedForm.blockTerms {
    let out = panel + block * form.blockBytes
    for group in 0..<groups {
      writeScale(out + group * form.scaleBytes, column, row.scales[block * groups + group], form)
    }
    if form.hasOffset { writeScale(out + form.scaleBytes, column, row.offsets[block], form) }
    let values = row.values + block * PackedForm.blockTerms
    // Lane `column` of the low or the high eight.
    let lanes = out + form.valuesAt + column / 8 * 32 + column % 8 * 4
    if form.isNibbles {
      for i in 0..<16 {
        let byte = UInt8(bitPattern: values[i]) & 15 | UInt8(bitPattern: values[i + 16]) << 4
        lanes.storeBytes(of: byte, toByteOffset: i / 4 * 64 + i % 4, as: UInt8.self)
      }
    } else {
      for i in 0..<32 {
        lanes.storeBytes(of: values[i], toByteOffset: i / 4 * 64 + i % 4, as: Int8.self)
      }
    }
  }
}

@inline(__always)
private func writeScale(
  _ row: UnsafeMutableRawPointer, _ column: Int, _ value: Float, _ form: PackedForm
) {
  if form.hasWideScales {
    row.storeBytes(of: value, toByteOffset: column * 4, as: Float.self)
  } else {
    row.storeBytes(of: halfBits(value), toByteOffset: column * 2, as: UInt16.self)
  }
}

/// The half of a value that is one.
@inline(__always)
private func halfBits(_ value: Float) -> UInt16 {
  #if NativeCPU || arch(arm64)
  return Float16(value).bitPattern
  #else
  let bits = value.bitPattern
  let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
  let size = Float(bitPattern: bits & 0x7FFF_FFFF)
  if !size.isFinite { return sign | 0x7C00 | (size.isNaN ? 0x200 : 0) }
  // A half is a whole number of 2^−24; below 2^−14 that number is its bits.
  if size < 0x1p-14 { return sign | UInt16(size * 0x1p24) }
  return sign | UInt16(truncatingIfNeeded: (size.bitPattern &- (112 << 23)) >> 13)
  #endif
}

/// Writes a row of plain values of two or four bytes into its column of a panel.
public func packPlainRow(
  _ panel: UnsafeMutableRawPointer, column: Int, _ row: UnsafeRawPointer, columns: Int,
  _ form: PackedForm
) {
  precondition(form.isPlain && column < Tile.columns, "packPlainRow: \(form), column \(column)")
  if form == .single {
    for k in 0..<columns {
      let value = row.loadUnaligned(fromByteOffset: 4 * k, as: UInt32.self)
      panel.storeBytes(of: value, toByteOffset: (k * Tile.columns + column) * 4, as: UInt32.self)
    }
  } else {
    for k in 0..<columns {
      let value = row.loadUnaligned(fromByteOffset: 2 * k, as: UInt16.self)
      panel.storeBytes(of: value, toByteOffset: (k * Tile.columns + column) * 2, as: UInt16.self)
    }
  }
}
