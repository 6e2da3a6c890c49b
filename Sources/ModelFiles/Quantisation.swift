// Floats as ggml's blocks, with the rounding of its reference implementation.

/// Writes `values`, whole blocks of Q8_0, Q4_0, F16 or F32, into `bytes`.
public func quantise(
  _ values: UnsafeBufferPointer<Float>, as type: WeightType,
  into bytes: UnsafeMutableRawBufferPointer
) {
  let blocks = values.count / type.blockCount
  precondition(
    values.count % type.blockCount == 0 && bytes.count == blocks * type.blockBytes,
    "quantise: \(bytes.count) bytes of \(type.name) for \(values.count) values")
  guard let source = values.baseAddress, let target = bytes.baseAddress else { return }
  for block in 0..<blocks {
    let (x, out) = (source + block * type.blockCount, target + block * type.blockBytes)
    switch type {
    case .q8_0: roundToBytes(x, out)
    case .q4_0: roundToNibbles(x, out)
    case .f16: out.storeBytes(of: floatToHalf(x[0]).littleEndian, as: UInt16.self)
    case .f32: out.storeBytes(of: x[0].bitPattern.littleEndian, as: UInt32.self)
    default: preconditionFailure("\(type.name) is not written")
    }
  }
}

/// A half and 32 signed bytes: the scale makes the largest value 127.
private func roundToBytes(_ x: UnsafePointer<Float>, _ out: UnsafeMutableRawPointer) {
  var top: Float = 0
  for i in 0..<32 { top = max(top, abs(x[i])) }
  let scale = top / 127
  let factor = scale > 0 ? 1 / scale : 0
  out.storeBytes(of: floatToHalf(scale).littleEndian, as: UInt16.self)
  for i in 0..<32 {
    let q = (x[i] * factor).rounded(.toNearestOrAwayFromZero)
    // What is not finite has no integer.
    out.storeBytes(of: q.isFinite ? Int8(q) : 0, toByteOffset: 2 + i, as: Int8.self)
  }
}

/// A half and 32 values of four bits: the scale makes the value of the largest size −8.
private func roundToNibbles(_ x: UnsafePointer<Float>, _ out: UnsafeMutableRawPointer) {
  var top: Float = 0
  for i in 0..<32 where abs(x[i]) > abs(top) { top = x[i] }
  let scale = top / -8
  let factor = scale != 0 ? 1 / scale : 0
  out.storeBytes(of: floatToHalf(scale).littleEndian, as: UInt16.self)
  func nibble(_ value: Float) -> UInt8 {
    let q = value * factor + 8.5
    return q.isFinite ? UInt8(min(15, max(0, q))) : 8
  }
  for i in 0..<16 {
    out.storeBytes(
      of: nibble(x[i]) | nibble(x[i + 16]) << 4, toByteOffset: 2 + i, as: UInt8.self)
  }
}

/// The nearest IEEE 754 binary16, ties to even.
public func floatToHalf(_ value: Float) -> UInt16 {
  let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
  let size = abs(value)
  if size.isNaN { return sign | 0x7E00 }
  if size >= 65_520 { return sign | 0x7C00 }
  if size < 0x1p-14 {
    // Whole numbers of 2^−24; one more than the largest of them is the smallest normal half.
    return sign | UInt16((size * 0x1p24).rounded(.toNearestOrEven))
  }
  let bits = size.bitPattern
  let rounded = bits &+ 0xFFF &+ (bits >> 13 & 1)
  return sign | UInt16(truncatingIfNeeded: (rounded &- (112 << 23)) >> 13)
}
