/// Eight Floats in one register: the width that the kernels are written for.
public typealias Float8 = SIMD8<Float>

/// The eight values at `p`, which need not be aligned.
@inlinable @inline(__always)
public func load8(_ p: UnsafePointer<Float>) -> Float8 {
  UnsafeRawPointer(p).loadUnaligned(as: Float8.self)
}

/// The eight values at `p`, which need not be aligned.
@inlinable @inline(__always)
public func load8(_ p: UnsafeMutablePointer<Float>) -> Float8 {
  UnsafeRawPointer(p).loadUnaligned(as: Float8.self)
}

/// Writes eight values at `p`, which need not be aligned.
@inlinable @inline(__always)
public func store8(_ p: UnsafeMutablePointer<Float>, _ v: Float8) {
  UnsafeMutableRawPointer(p).storeBytes(of: v, as: Float8.self)
}

/// c + a·b, rounded once where the target has a fused multiply-add.
///
/// Without one, `addingProduct` would call libm's `fmaf` for every lane.
@inlinable @inline(__always)
public func fma(_ c: Float8, _ a: Float8, _ b: Float8) -> Float8 {
  #if NativeCPU || arch(arm64)
  c.addingProduct(a, b)
  #else
  c + a * b
  #endif
}

/// c + a·b for one value, rounded as ``fma(_:_:_:)-(Float8,_,_)`` rounds a lane.
@inlinable @inline(__always)
public func fma(_ c: Float, _ a: Float, _ b: Float) -> Float {
  #if NativeCPU || arch(arm64)
  c.addingProduct(a, b)
  #else
  c + a * b
  #endif
}

/// The larger of each pair of lanes; a lane of `a` that is NaN stays. The standard library's
/// `pointwiseMax` is a call for every vector, which cost an eighth of a small model's step.
@inlinable @inline(__always)
public func largest(_ a: Float8, _ b: Float8) -> Float8 { a.replacing(with: b, where: b .> a) }

/// The smaller of each pair of lanes; a lane of `a` that is NaN stays.
@inlinable @inline(__always)
public func smallest(_ a: Float8, _ b: Float8) -> Float8 { a.replacing(with: b, where: b .< a) }

/// The sum of the eight lanes, in a fixed order: halves, quarters, pairs.
@inlinable @inline(__always)
public func laneSum(_ v: Float8) -> Float {
  let four = v.lowHalf + v.highHalf
  let two = four.lowHalf + four.highHalf
  return two.x + two.y
}

/// The largest of the eight lanes.
@inlinable @inline(__always)
public func laneMax(_ v: Float8) -> Float {
  let (low, high) = (v.lowHalf, v.highHalf)
  let four = low.replacing(with: high, where: high .> low)
  let (left, right) = (four.lowHalf, four.highHalf)
  let two = left.replacing(with: right, where: right .> left)
  return two.y > two.x ? two.y : two.x
}
