// ggml's blocks as Floats, value by value as its definitions have them. A scale is a half; its product
// with a small integer is rounded once, so that these are the bits of the reference implementation.

/// Expands the values of `bytes`, whole blocks of `type`, into `out`.
public func dequantise(
  _ type: WeightType, _ bytes: UnsafeRawBufferPointer, into out: UnsafeMutableBufferPointer<Float>
) {
  let blocks = out.count / type.blockCount
  precondition(
    out.count % type.blockCount == 0 && bytes.count == blocks * type.blockBytes,
    "dequantise: \(bytes.count) bytes of \(type.name) for \(out.count) values")
  guard let source = bytes.baseAddress, let target = out.baseAddress else { return }
  func each(_ body: (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void) {
    for block in 0..<blocks {
      body(source + block * type.blockBytes, target + block * type.blockCount)
    }
  }
  switch type {
  case .f32: each { $1.pointee = Float(bitPattern: word($0, 0)) }
  case .f16: each { $1.pointee = half($0, 0) }
  case .bf16: each { $1.pointee = Float(bitPattern: UInt32(short($0, 0)) << 16) }
  case .q8_0: each(expandQ8)
  case .q4_0: each { expandFour($0, $1, at: 2, high: 0, scale: half($0, 0), center: 8, add: 0) }
  case .q4_1:
    each { expandFour($0, $1, at: 4, high: 0, scale: half($0, 0), center: 0, add: half($0, 2)) }
  case .q5_0:
    each {
      expandFour($0, $1, at: 6, high: word($0, 2), scale: half($0, 0), center: 16, add: 0)
    }
  case .q5_1:
    each {
      expandFour(
        $0, $1, at: 8, high: word($0, 4), scale: half($0, 0), center: 0, add: half($0, 2))
    }
  case .q4_K: each { expandScaled($0, $1, values: 16, high: nil) }
  case .q5_K: each { expandScaled($0, $1, values: 48, high: 16) }
  case .q6_K: each(expandQ6)
  }
}

@inline(__always)
func short(_ p: UnsafeRawPointer, _ at: Int) -> UInt16 {
  UInt16(littleEndian: p.loadUnaligned(fromByteOffset: at, as: UInt16.self))
}

@inline(__always)
func word(_ p: UnsafeRawPointer, _ at: Int) -> UInt32 {
  UInt32(littleEndian: p.loadUnaligned(fromByteOffset: at, as: UInt32.self))
}

@inline(__always)
func half(_ p: UnsafeRawPointer, _ at: Int) -> Float { halfToFloat(short(p, at)) }

@inline(__always)
func byte(_ p: UnsafeRawPointer, _ at: Int) -> UInt8 {
  p.load(fromByteOffset: at, as: UInt8.self)
}

/// 32 values: a half, then signed bytes.
@inline(__always)
private func expandQ8(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let scale = half(block, 0)
  for i in 0..<32 {
    out[i] = scale * Float(block.load(fromByteOffset: 2 + i, as: Int8.self))
  }
}

/// 32 values of four bits from the 16 bytes at `at`, low halves first; bit i of `high` is the fifth
/// bit of value i.
@inline(__always)
private func expandFour(
  _ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>, at: Int, high: UInt32,
  scale: Float, center: Int32, add: Float
) {
  for i in 0..<16 {
    let pair = byte(block, at + i)
    let low = Int32(pair & 15) | Int32(high >> UInt32(i) & 1) << 4
    let top = Int32(pair >> 4) | Int32(high >> UInt32(i + 16) & 1) << 4
    out[i] = scale * Float(low - center) + add
    out[i + 16] = scale * Float(top - center) + add
  }
}

/// 256 values of four bits in eight groups, each with a scale and a minimum of six bits that the 12
/// bytes from 4 on hold; the bytes from `high` on give a fifth bit.
private func expandScaled(
  _ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>, values: Int, high: Int?
) {
  for group in 0..<8 {
    let (d, m) = scaledGroup(block, group)
    let at = values + group / 2 * 32
    let shift = UInt8(group % 2 * 4)
    for i in 0..<32 {
      var q = byte(block, at + i) >> shift & 15
      if let high { q |= (byte(block, high + i) >> UInt8(group) & 1) << 4 }
      out[group * 32 + i] = d * Float(q) - m
    }
  }
}

/// The scale and the minimum of a group of a Q4_K or Q5_K block.
@inline(__always)
func scaledGroup(_ block: UnsafeRawPointer, _ group: Int) -> (scale: Float, minimum: Float) {
  let factor: UInt8
  let offset: UInt8
  if group < 4 {
    factor = byte(block, 4 + group) & 63
    offset = byte(block, 8 + group) & 63
  } else {
    let low = byte(block, 8 + group)
    factor = low & 15 | (byte(block, group) >> 6) << 4
    offset = low >> 4 | (byte(block, 4 + group) >> 6) << 4
  }
  return (half(block, 0) * Float(factor), half(block, 2) * Float(offset))
}

/// 256 values of six bits: four from the first 128 bytes, two from the next 64; a signed byte scales
/// each 16.
private func expandQ6(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let scale = half(block, 208)
  for i in 0..<256 {
    let factor = scale * Float(block.load(fromByteOffset: 192 + i / 16, as: Int8.self))
    out[i] = factor * Float(sixBits(block, i))
  }
}

/// Value `i` of a Q6_K block before it is scaled.
@inline(__always)
func sixBits(_ block: UnsafeRawPointer, _ i: Int) -> Int8 {
  let (part, at) = (i / 128, i % 128)
  let quarter = at / 32
  let low = byte(block, part * 64 + at % 64) >> UInt8(quarter / 2 * 4) & 15
  let top = byte(block, 128 + part * 32 + at % 32) >> UInt8(2 * quarter) & 3
  return Int8(bitPattern: low | top << 4) - 32
}
