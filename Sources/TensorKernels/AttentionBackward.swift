import SIMDMath

// The backward pass of attention, tile by tile: probabilities are computed again from the scores
// and the saved log Σ exp (Dao et al. 2022, arXiv:2205.14135, algorithm 4).

/// Floats of scratch a thread that
/// ``attentionBackward(dq:dk:dv:dOut:out:logSum:q:k:v:starts:_:workspace:)`` needs.
public func attentionBackwardScratch(_ shape: AttentionShape) -> Int {
  let tokens = roundedUp(shape.length, to: ScoreTile.keys)
  let width = roundedUp(shape.headWidth, to: Tile.columns)
  return 5 * tokens * width + tokens + 2 * ScoreTile.queries * ScoreTile.keys
}

/// Adds the gradients of ``attention(_:logSum:q:k:v:starts:_:workspace:)`` to `dq`, `dk`, `dv`.
///
/// - Parameter workspace: ``attentionBackwardScratch(_:)`` values a thread.
public func attentionBackward(
  dq: MutableHeads, dk: MutableHeads, dv: MutableHeads, dOut: Floats, out: Floats, logSum: Floats,
  q: Heads, k: Heads, v: Heads, starts: Integers, _ shape: AttentionShape, workspace: MutableFloats
) {
  let tokens = shape.rows * shape.length
  let width = shape.headWidth
  precondition(
    out.count == tokens * shape.heads * width && dOut.count == out.count
      && logSum.count == tokens * shape.heads && starts.count == tokens,
    "attentionBackward: \(out.count) outputs for \(shape)")
  guard tokens > 0 else { return }
  let length = shape.length
  let (op, dop, lp, sp) = (out.base, dOut.base, logSum.base, starts.base)
  let outStride = shape.heads * width
  parallel(
    chunks: shape.rows * shape.keyHeads, scratch: attentionBackwardScratch(shape),
    workspace: workspace
  ) { task, scratch in
    let first = task / shape.keyHeads * length
    let keyHead = task % shape.keyHeads
    var pass = HeadBackward(scratch: scratch, length: length, width: width, scale: shape.scale)
    let keyAt = first * k.stride + keyHead * width
    let valueAt = first * v.stride + keyHead * width
    pass.packKeys(k.base + keyAt, k.stride, v.base + valueAt, v.stride)
    pass.dk = dk.base + first * dk.stride + keyHead * width
    pass.dkStride = dk.stride
    pass.dv = dv.base + first * dv.stride + keyHead * width
    pass.dvStride = dv.stride
    for head in keyHead * shape.group..<(keyHead + 1) * shape.group {
      pass.run(
        dq: dq.base + first * dq.stride + head * width, dqStride: dq.stride,
        q: q.base + first * q.stride + head * width, qStride: q.stride,
        out: op + first * outStride + head * width, dOut: dop + first * outStride + head * width,
        outStride: outStride, logSum: lp + first * shape.heads + head, logSumStride: shape.heads,
        starts: sp + first)
    }
  }
}

/// One key head of one row of tokens, and the query heads that read it.
private struct HeadBackward {
  let length: Int
  let width: Int
  let scale: Float
  /// Panels [tokens/16][width][16] of keys and values, for products over the width.
  let keysAcross: UnsafeMutablePointer<Float>
  let valuesAcross: UnsafeMutablePointer<Float>
  /// Panels [width/16][tokens][16] of keys, queries and output gradients, for products over tokens.
  let keysDown: UnsafeMutablePointer<Float>
  let queriesDown: UnsafeMutablePointer<Float>
  let gradientsDown: UnsafeMutablePointer<Float>
  /// Σ dOut·out of every query.
  let dots: UnsafeMutablePointer<Float>
  /// A tile of probabilities, and one of their gradients.
  let p: UnsafeMutablePointer<Float>
  let ds: UnsafeMutablePointer<Float>
  var dk: UnsafeMutablePointer<Float>
  var dkStride = 0
  var dv: UnsafeMutablePointer<Float>
  var dvStride = 0

  init(scratch: UnsafeMutablePointer<Float>, length: Int, width: Int, scale: Float) {
    let tokens = roundedUp(length, to: ScoreTile.keys)
    let size = tokens * roundedUp(width, to: Tile.columns)
    (self.length, self.width, self.scale) = (length, width, scale)
    keysAcross = scratch
    valuesAcross = scratch + size
    keysDown = scratch + 2 * size
    queriesDown = scratch + 3 * size
    gradientsDown = scratch + 4 * size
    dots = scratch + 5 * size
    p = dots + tokens
    ds = p + ScoreTile.queries * ScoreTile.keys
    (dk, dv) = (scratch, scratch)
  }

  func packKeys(
    _ k: UnsafePointer<Float>, _ kStride: Int, _ v: UnsafePointer<Float>, _ vStride: Int
  ) {
    packHead(keysAcross, k, stride: kStride, tokens: length, width: width, transposed: true)
    packHead(valuesAcross, v, stride: vStride, tokens: length, width: width, transposed: true)
    packHead(keysDown, k, stride: kStride, tokens: length, width: width, transposed: false)
  }

  func run(
    dq: UnsafeMutablePointer<Float>, dqStride: Int, q: UnsafePointer<Float>, qStride: Int,
    out: UnsafePointer<Float>, dOut: UnsafePointer<Float>, outStride: Int,
    logSum: UnsafePointer<Float>, logSumStride: Int, starts: UnsafePointer<Int32>
  ) {
    packHead(queriesDown, q, stride: qStride, tokens: length, width: width, transposed: false)
    packHead(
      gradientsDown, dOut, stride: outStride, tokens: length, width: width, transposed: false)
    for t in 0..<length { dots[t] = dot(out + t * outStride, dOut + t * outStride, width) }
    var t = 0
    while t < length {
      let queries = min(ScoreTile.queries, length - t)
      var lowest = Int(starts[t])
      for i in t..<t + queries { lowest = min(lowest, Int(starts[i])) }
      var block = lowest / ScoreTile.keys * ScoreTile.keys
      while block < t + queries {
        let keys = min(ScoreTile.keys, t + queries - block)
        products(
          p, q + t * qStride, qStride, keysAcross, position: t, queries: queries, block: block,
          keys: keys)
        products(
          ds, dOut + t * outStride, outStride, valuesAcross, position: t, queries: queries,
          block: block, keys: keys)
        for i in 0..<queries {
          scoreGradient(
            row: i, low: max(0, Int(starts[t + i]) - block),
            high: min(ScoreTile.keys, t + i + 1 - block),
            logSum: logSum[(t + i) * logSumStride], dot: dots[t + i])
        }
        addDown(
          dv + block * dvStride, dvStride, p, gradientsDown, from: t, queries: queries, keys: keys)
        addDown(
          dk + block * dkStride, dkStride, ds, queriesDown, from: t, queries: queries, keys: keys)
        addAcross(dq + t * dqStride, dqStride, block: block, queries: queries, keys: keys)
        block += ScoreTile.keys
      }
      t += queries
    }
  }

  /// c[i][j] = a_i · b_{block + j}, but for tiles beyond the diagonal.
  private func products(
    _ c: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ aStride: Int,
    _ b: UnsafePointer<Float>, position: Int, queries: Int, block: Int, keys: Int
  ) {
    let none = TileStart(addend: nil, bias: nil)
    var key = 0
    while key < keys {
      var i = 0
      while i < queries {
        let count = min(Tile.rows, queries - i)
        if block + key <= position + i + count - 1 {
          tile(
            c: c + i * ScoreTile.keys + key, stride: ScoreTile.keys, start: none,
            a: a + i * aStride, rowStride: aStride, termStride: 1,
            b: b + (block + key) * width, k: width, validRows: count, validColumns: Tile.columns)
        }
        i += Tile.rows
      }
      key += Tile.columns
    }
  }

  /// Row `row` of the tile: scores become probabilities, and their products with the values become
  /// the gradients of the scores.
  private func scoreGradient(row: Int, low: Int, high: Int, logSum: Float, dot: Float) {
    let s = p + row * ScoreTile.keys
    let d = ds + row * ScoreTile.keys
    let low = min(low, ScoreTile.keys)
    let high = max(low, high)
    for j in 0..<low { (s[j], d[j]) = (-.infinity, 0) }
    for j in high..<ScoreTile.keys { (s[j], d[j]) = (-.infinity, 0) }
    let factor = Float8(repeating: scale)
    let shift = Float8(repeating: -logSum)
    let center = Float8(repeating: dot)
    for j in stride(from: 0, to: ScoreTile.keys, by: 8) {
      let probability = exp8(fma(shift, load8(s + j), factor))
      store8(s + j, probability)
      store8(d + j, probability * factor * (load8(d + j) - center))
    }
  }

  /// c[j] += Σ_i weights[i][j] · b_{from + i} for the keys of a block.
  private func addDown(
    _ c: UnsafeMutablePointer<Float>, _ cStride: Int, _ weights: UnsafePointer<Float>,
    _ b: UnsafePointer<Float>, from: Int, queries: Int, keys: Int
  ) {
    var d = 0
    while d < width {
      let panel = b + d * length + from * Tile.columns
      var j = 0
      while j < keys {
        let at = c + j * cStride + d
        tile(
          c: at, stride: cStride, start: TileStart(addend: UnsafePointer(at), bias: nil),
          a: weights + j, rowStride: 1, termStride: ScoreTile.keys, b: panel, k: queries,
          validRows: min(Tile.rows, keys - j), validColumns: min(Tile.columns, width - d))
        j += Tile.rows
      }
      d += Tile.columns
    }
  }

  /// dq_i += Σ_j ds[i][j] · k_{block + j}.
  private func addAcross(
    _ dq: UnsafeMutablePointer<Float>, _ dqStride: Int, block: Int, queries: Int, keys: Int
  ) {
    var d = 0
    while d < width {
      let panel = keysDown + d * length + block * Tile.columns
      var i = 0
      while i < queries {
        let at = dq + i * dqStride + d
        tile(
          c: at, stride: dqStride, start: TileStart(addend: UnsafePointer(at), bias: nil),
          a: ds + i * ScoreTile.keys, rowStride: ScoreTile.keys, termStride: 1, b: panel, k: keys,
          validRows: min(Tile.rows, queries - i), validColumns: min(Tile.columns, width - d))
        i += Tile.rows
      }
      d += Tile.columns
    }
  }
}

@inline(__always)
private func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
  var sum = Float8()
  var i = 0
  while i + 8 <= count {
    sum = fma(sum, load8(a + i), load8(b + i))
    i += 8
  }
  var total = laneSum(sum)
  while i < count {
    total += a[i] * b[i]
    i += 1
  }
  return total
}
