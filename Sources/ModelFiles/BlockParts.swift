// ggml's blocks taken apart, for kernels that multiply by the small integers themselves.

/// Takes the row `bytes`, whole blocks of a quantised type, apart: value i is
/// scales[i / g] · values[i] + offsets[i / g], rounded once, with g = 16 for Q6_K and 32 for others.
///
/// - Parameters:
///   - values: for Q4_0 with its 8 still added, and for types with an offset, they are not negative.
///   - offsets: 0 for types without; for Q4_0 −8 times the scale is left out.
public func takeApart(
  _ type: WeightType, _ bytes: UnsafeRawBufferPointer, values: UnsafeMutablePointer<Int8>,
  scales: UnsafeMutablePointer<Float>, offsets: UnsafeMutablePointer<Float>
) {
  precondition(
    type.blockCount > 1 && bytes.count % type.blockBytes == 0,
    "takeApart: \(bytes.count) bytes of \(type.name)")
  guard let base = bytes.baseAddress else { return }
  let groups = type.blockCount / (type == .q6_K ? 16 : 32)
  for block in 0..<bytes.count / type.blockBytes {
    let p = base + block * type.blockBytes
    let q = values + block * type.blockCount
    let (d, m) = (scales + block * groups, offsets + block * groups)
    switch type {
    case .q4_0:
      d[0] = half(p, 0)
      m[0] = 0
      for i in 0..<16 { splitNibbles(q, i, byte(p, 2 + i)) }
    case .q4_1:
      (d[0], m[0]) = (half(p, 0), half(p, 2))
      for i in 0..<16 { splitNibbles(q, i, byte(p, 4 + i)) }
    case .q5_0:
      d[0] = half(p, 0)
      m[0] = 0
      splitFive(q, p + 6, high: word(p, 2), centre: 16)
    case .q5_1:
      (d[0], m[0]) = (half(p, 0), half(p, 2))
      splitFive(q, p + 8, high: word(p, 4), centre: 0)
    case .q8_0:
      d[0] = half(p, 0)
      m[0] = 0
      for i in 0..<32 { q[i] = p.load(fromByteOffset: 2 + i, as: Int8.self) }
    case .q4_K: splitScaled(p, q, d, m, at: 16, high: nil)
    case .q5_K: splitScaled(p, q, d, m, at: 48, high: 16)
    case .q6_K: splitSix(p, q, d, m)
    case .f32, .f16, .bf16: break
    }
  }
}

@inline(__always)
private func splitNibbles(_ q: UnsafeMutablePointer<Int8>, _ i: Int, _ pair: UInt8) {
  q[i] = Int8(bitPattern: pair & 15)
  q[i + 16] = Int8(bitPattern: pair >> 4)
}

@inline(__always)
private func splitFive(
  _ q: UnsafeMutablePointer<Int8>, _ p: UnsafeRawPointer, high: UInt32, centre: Int8
) {
  for i in 0..<16 {
    let pair = byte(p, i)
    let low = pair & 15 | UInt8(truncatingIfNeeded: high >> UInt32(i) & 1) << 4
    let top = pair >> 4 | UInt8(truncatingIfNeeded: high >> UInt32(i + 16) & 1) << 4
    q[i] = Int8(bitPattern: low) - centre
    q[i + 16] = Int8(bitPattern: top) - centre
  }
}

private func splitScaled(
  _ p: UnsafeRawPointer, _ q: UnsafeMutablePointer<Int8>, _ d: UnsafeMutablePointer<Float>,
  _ m: UnsafeMutablePointer<Float>, at: Int, high: Int?
) {
  for group in 0..<8 {
    let (scale, minimum) = scaledGroup(p, group)
    (d[group], m[group]) = (scale, -minimum)
    let (from, shift) = (at + group / 2 * 32, UInt8(group % 2 * 4))
    for i in 0..<32 {
      var value = byte(p, from + i) >> shift & 15
      if let high { value |= (byte(p, high + i) >> UInt8(group) & 1) << 4 }
      q[group * 32 + i] = Int8(bitPattern: value)
    }
  }
}

private func splitSix(
  _ p: UnsafeRawPointer, _ q: UnsafeMutablePointer<Int8>, _ d: UnsafeMutablePointer<Float>,
  _ m: UnsafeMutablePointer<Float>
) {
  let scale = half(p, 208)
  for group in 0..<16 {
    d[group] = scale * Float(p.load(fromByteOffset: 192 + group, as: Int8.self))
    m[group] = 0
  }
  for i in 0..<256 { q[i] = sixBits(p, i) }
}
