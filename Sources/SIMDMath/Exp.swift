/// eˣ for eight values, within 2 ulp on [-87, 88]; smaller x give 0, larger ones stay finite at e⁸⁸.
///
/// Cody and Waite: x = n·ln 2 + r with |r| ≤ ½ ln 2, a degree-6 polynomial for eʳ, and 2ⁿ through
/// the exponent bits.
@inlinable @inline(__always)
public func exp8(_ x: Float8) -> Float8 {
  // Adding 1.5·2²³ rounds to an integer, which then stands in the low bits.
  let magic = Float8(repeating: 12_582_912)
  let low = Float8(repeating: -87.336_54)
  let clamped = smallest(largest(x, low), Float8(repeating: 88))
  let shifted = fma(magic, clamped, Float8(repeating: 1.442_695_04))
  let n = shifted - magic
  var r = fma(clamped, n, Float8(repeating: -0.693_359_375))
  r = fma(r, n, Float8(repeating: 2.121_944_4e-4))
  var p = Float8(repeating: 1.987_569_15e-4)
  p = fma(Float8(repeating: 1.398_199_95e-3), p, r)
  p = fma(Float8(repeating: 8.333_451_9e-3), p, r)
  p = fma(Float8(repeating: 4.166_579_6e-2), p, r)
  p = fma(Float8(repeating: 1.666_666_55e-1), p, r)
  p = fma(Float8(repeating: 0.5), p, r)
  p = fma(r, p, r * r) + 1
  let exponent = unsafeBitCast(shifted, to: SIMD8<Int32>.self) &- 0x4B40_0000 &+ 127
  let scaled = p * unsafeBitCast(exponent &<< 23, to: Float8.self)
  return scaled.replacing(with: 0, where: x .< low)
}
