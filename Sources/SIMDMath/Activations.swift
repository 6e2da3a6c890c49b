/// 1 / (1 + e⁻ˣ).
@inlinable @inline(__always)
public func sigmoid8(_ x: Float8) -> Float8 { 1 / (1 + exp8(-x)) }

/// tanh x, through the exponential; odd and exact at 0 to a few ulp of 1.
@inlinable @inline(__always)
public func tanh8(_ x: Float8) -> Float8 {
  // tanh x = 1 − 2/(e²ˣ + 1)
  1 - 2 / (exp8(x + x) + 1)
}

/// erf x within 1.5e-7 (Abramowitz and Stegun 7.1.26).
@inlinable @inline(__always)
public func erf8(_ x: Float8) -> Float8 {
  let size = x.replacing(with: -x, where: x .< 0)
  let t = 1 / fma(Float8(repeating: 1), Float8(repeating: 0.327_591_1), size)
  var p = Float8(repeating: 1.061_405_429)
  p = fma(Float8(repeating: -1.453_152_027), p, t)
  p = fma(Float8(repeating: 1.421_413_741), p, t)
  p = fma(Float8(repeating: -0.284_496_736), p, t)
  p = fma(Float8(repeating: 0.254_829_592), p, t)
  let y = 1 - p * t * exp8(-size * size)
  return y.replacing(with: -y, where: x .< 0)
}
