import SIMDMath

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// out = softmax of every row of x.
public func softmaxRows(_ out: MutableFloats, x: Floats, width: Int) {
  precondition(out.count == x.count && x.count % width == 0, "softmaxRows: \(x.count) by \(width)")
  guard x.count > 0 else { return }
  let (op, xp) = (out.base, x.base)
  parallelRanges(x.count / width, grain: rowGrain(width)) { rows in
    for r in rows {
      let (y, row) = (op + r * width, xp + r * width)
      let top = largest(row, width)
      let total = exponentials(y, row, shift: -top, width)
      mapLanes(y, y, width) { $0 * (1 / total) }
    }
  }
}

/// Cross-entropy of a chunk of rows, in place.
///
/// - Parameters:
///   - logits: (rows, vocabulary); replaced by scale · weight · (softmax − one-hot of the target)
///     where `gradient` is asked for, else by probabilities.
///   - logProbability: (rows) receives log p(target), in nats.
///   - entropy: (rows) receives −Σ p log p, in nats.
public func crossEntropyChunk(
  logits: MutableFloats, targets: Integers, weights: Floats, scale: Float,
  logProbability: MutableFloats, entropy: MutableFloats?, vocabulary: Int, gradient: Bool
) {
  let rows = targets.count
  precondition(
    logits.count == rows * vocabulary && weights.count == rows && logProbability.count == rows
      && (entropy == nil || entropy?.count == rows), "crossEntropyChunk: \(logits.count) logits")
  guard rows > 0 else { return }
  let (xp, tp, wp, lp) = (logits.base, targets.base, weights.base, logProbability.base)
  let ep = entropy?.baseAddress
  parallelRanges(rows, grain: rowGrain(vocabulary)) { range in
    for r in range {
      let row = xp + r * vocabulary
      let target = Int(tp[r])
      precondition(target >= 0 && target < vocabulary, "target \(target) of \(vocabulary)")
      let top = largest(row, vocabulary)
      let score = row[target] - top
      // Σ p (x − top) = Σ e (x − top) / Σ e, before the exponentials replace the scores.
      let weighted = ep == nil ? 0 : weightedSum(row, shift: -top, vocabulary)
      let total = exponentials(row, row, shift: -top, vocabulary)
      let logTotal = logf(total)
      lp[r] = score - logTotal
      ep?[r] = logTotal - weighted / total
      let factor = (gradient ? scale * wp[r] : 1) / total
      mapLanes(row, row, vocabulary) { $0 * factor }
      if gradient { row[target] -= scale * wp[r] }
    }
  }
}

@inline(__always)
private func largest(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
  var top = Float8(repeating: -.infinity)
  var i = 0
  while i + 8 <= count {
    top = largest(top, load8(x + i))
    i += 8
  }
  var result = laneMax(top)
  while i < count {
    result = max(result, x[i])
    i += 1
  }
  return result
}

/// out = e^(x + shift); returns the sum. A value that is not a number makes the sum one too.
@inline(__always)
private func exponentials(
  _ out: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, shift: Float, _ count: Int
) -> Float {
  var sum = Float8()
  var i = 0
  while i + 8 <= count {
    let e = exp8(load8(x + i) + shift)
    store8(out + i, e)
    sum += e
    i += 8
  }
  var total = laneSum(sum)
  if i < count {
    let e = exp8(loadPart(x + i, count - i) + shift)
    for j in 0..<count - i {
      out[i + j] = e[j]
      total += e[j]
    }
  }
  return total
}

/// Σ e^(x + shift) · (x + shift).
@inline(__always)
private func weightedSum(_ x: UnsafePointer<Float>, shift: Float, _ count: Int) -> Float {
  var sum = Float8()
  var i = 0
  while i + 8 <= count {
    let v = load8(x + i) + shift
    sum = fma(sum, exp8(v), v)
    i += 8
  }
  var total = laneSum(sum)
  if i < count {
    let v = loadPart(x + i, count - i) + shift
    let e = exp8(v)
    for j in 0..<count - i { total += e[j] * v[j] }
  }
  return total
}
