import SIMDMath

/// Floating-point operations of one round of ``multiplyAddBurst(_:)``.
public let burstOperations = Double(12 * 8 * 2)

/// `rounds` times twelve independent multiply-adds in registers: the most that a core can do. The sum
/// is of no use but to keep the loop.
@inline(never)
public func multiplyAddBurst(_ rounds: Int) -> Float {
  var (a, b, c, d, e, f) = (Float8(), Float8(), Float8(), Float8(), Float8(), Float8())
  var (g, h, i, j, k, l) = (Float8(), Float8(), Float8(), Float8(), Float8(), Float8())
  let x = Float8(repeating: 1.000_001)
  let y = Float8(repeating: 1e-9)
  for _ in 0..<rounds {
    a = fma(y, a, x)
    b = fma(y, b, x)
    c = fma(y, c, x)
    d = fma(y, d, x)
    e = fma(y, e, x)
    f = fma(y, f, x)
    g = fma(y, g, x)
    h = fma(y, h, x)
    i = fma(y, i, x)
    j = fma(y, j, x)
    k = fma(y, k, x)
    l = fma(y, l, x)
  }
  return (a + b + c + d + e + f + g + h + i + j + k + l)[0]
}

/// Reads all of `values`, on all threads: the most that memory can deliver. The sum is of no use but
/// to keep the loop.
public func readBurst(_ values: Floats) -> Float {
  let base = values.base
  let chunk = 1 << 18
  let chunks = values.count / chunk
  return withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, chunks)) { sums in
    let sums = sums.base
    parallel(chunks: chunks) { index in
      var (a, b, c, d) = (Float8(), Float8(), Float8(), Float8())
      var p = base + index * chunk
      for _ in 0..<chunk / 32 {
        a += load8(p)
        b += load8(p + 8)
        c += load8(p + 16)
        d += load8(p + 24)
        p += 32
      }
      sums[index] = laneSum(a + b + c + d)
    }
    var total: Float = 0
    for index in 0..<chunks { total += sums[index] }
    return total
  }
}
