import SIMDMath

// Loops over eight values at a time. What is left over goes through the same arithmetic in a padded
// register, so a value gives the same bits wherever it stands.

/// out[i] = f(x[i]) for `count` values.
@inline(__always)
func mapLanes(
  _ out: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ count: Int,
  _ f: (Float8) -> Float8
) {
  var i = 0
  while i + 8 <= count {
    store8(out + i, f(load8(x + i)))
    i += 8
  }
  if i < count {
    let y = f(loadPart(x + i, count - i))
    for j in 0..<count - i { out[i + j] = y[j] }
  }
}

/// The first `count` < 8 values at `p`, then zeros.
@inline(__always)
func loadPart(_ p: UnsafePointer<Float>, _ count: Int) -> Float8 {
  var v = Float8()
  for j in 0..<count { v[j] = p[j] }
  return v
}

@inline(__always)
func storePart(_ p: UnsafeMutablePointer<Float>, _ v: Float8, _ count: Int) {
  for j in 0..<count { p[j] = v[j] }
}

/// Values per task for work that is bound by memory.
let elementGrain = 32_768

/// Rows per task, a function of the width alone.
@inline(__always)
func rowGrain(_ width: Int) -> Int { max(1, elementGrain / max(1, width)) }
