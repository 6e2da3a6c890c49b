import SIMDMath

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// Causal attention in tiles with an online softmax (Dao et al. 2022, arXiv:2205.14135): scores
// exist only as a tile of 48 queries by 48 keys. Blocks of keys stand at fixed positions and are
// visited in ascending order, so a query gives the same bits alone, in a batch, or over a cache.

/// The dimensions of an attention call. A sequence is a row of `length` tokens; query head h reads
/// key head h / (heads / keyHeads).
public struct AttentionShape: Sendable {
  /// Rows of tokens.
  public var rows: Int
  /// Tokens in a row.
  public var length: Int
  public var heads: Int
  public var keyHeads: Int
  public var headWidth: Int
  /// What scores are multiplied by, 1/√headWidth as a rule.
  public var scale: Float

  public init(
    rows: Int, length: Int, heads: Int, keyHeads: Int, headWidth: Int, scale: Float? = nil
  ) {
    precondition(keyHeads > 0 && heads % keyHeads == 0, "\(heads) heads over \(keyHeads) key heads")
    (self.rows, self.length, self.heads) = (rows, length, heads)
    (self.keyHeads, self.headWidth) = (keyHeads, headWidth)
    self.scale = scale ?? 1 / Float(headWidth).squareRoot()
  }

  /// Query heads that share a key head.
  var group: Int { heads / keyHeads }
}

/// The heads of each token inside wider rows: head h of token t starts at
/// `values[t * stride + offset + h * headWidth]`.
public struct Heads {
  var base: UnsafePointer<Float>
  var stride: Int

  /// Checks that `tokens` rows of `stride` values, with `width` of them from `offset`, exist.
  public init(_ values: Floats, tokens: Int, stride: Int, offset: Int, width: Int) {
    precondition(
      values.count == tokens * stride && offset + width <= stride,
      "heads: \(values.count) values for \(tokens) x \(stride), columns \(offset)+\(width)")
    (self.base, self.stride) = (values.base + offset, stride)
  }
}

/// As ``Heads``, to add gradients to.
public struct MutableHeads {
  var base: UnsafeMutablePointer<Float>
  var stride: Int

  public init(_ values: MutableFloats, tokens: Int, stride: Int, offset: Int, width: Int) {
    precondition(
      values.count == tokens * stride && offset + width <= stride,
      "heads: \(values.count) values for \(tokens) x \(stride), columns \(offset)+\(width)")
    (self.base, self.stride) = (values.base + offset, stride)
  }
}

/// The tile of scores: queries and keys.
enum ScoreTile {
  static let queries = 48
  static let keys = 48
}

@inline(__always)
func roundedUp(_ n: Int, to unit: Int) -> Int { (n + unit - 1) / unit * unit }

/// Floats of scratch a thread that ``attention(_:logSum:q:k:v:starts:_:workspace:)`` needs.
public func attentionScratch(_ shape: AttentionShape) -> Int {
  let tokens = roundedUp(shape.length, to: ScoreTile.keys)
  let width = roundedUp(shape.headWidth, to: Tile.columns)
  return tokens * shape.headWidth + tokens * width + ScoreTile.queries * ScoreTile.keys
    + 2 * ScoreTile.queries
}

/// out (tokens, heads·headWidth): for every token t of a row, the values of the tokens
/// `starts[t]...t` of that row, weighed by softmax(scale · q·k).
///
/// - Parameters:
///   - logSum: (tokens, heads) receives log Σ exp of the scores, for the backward pass.
///   - starts: for every token, the first token of its row that it sees; see
///     ``segmentStarts(_:positions:segments:length:)``.
///   - workspace: ``attentionScratch(_:)`` values a thread.
public func attention(
  _ out: MutableFloats, logSum: MutableFloats, q: Heads, k: Heads, v: Heads, starts: Integers,
  _ shape: AttentionShape, workspace: MutableFloats
) {
  let tokens = shape.rows * shape.length
  let width = shape.headWidth
  precondition(
    out.count == tokens * shape.heads * width && logSum.count == tokens * shape.heads
      && starts.count == tokens, "attention: \(out.count) outputs for \(shape)")
  guard tokens > 0 else { return }
  let (op, lp, sp) = (out.base, logSum.base, starts.base)
  let outStride = shape.heads * width
  let length = shape.length
  parallel(
    chunks: shape.rows * shape.keyHeads, scratch: attentionScratch(shape), workspace: workspace
  ) { task, scratch in
    let first = task / shape.keyHeads * length
    let keyHead = task % shape.keyHeads
    let padded = roundedUp(length, to: ScoreTile.keys)
    let keys = scratch
    let values = keys + padded * width
    let tile = values + padded * roundedUp(width, to: Tile.columns)
    packHead(
      keys, k.base + first * k.stride + keyHead * width, stride: k.stride, tokens: length,
      width: width, transposed: true)
    packHead(
      values, v.base + first * v.stride + keyHead * width, stride: v.stride, tokens: length,
      width: width, transposed: false)
    for head in keyHead * shape.group..<(keyHead + 1) * shape.group {
      var t = 0
      while t < length {
        let count = min(ScoreTile.queries, length - t)
        attendTile(
          out: op + (first + t) * outStride + head * width, outStride: outStride,
          logSum: lp + (first + t) * shape.heads + head, logSumStride: shape.heads,
          q: q.base + (first + t) * q.stride + head * width, qStride: q.stride, queries: count,
          position: t, starts: sp + first + t,
          blocks: KeyBlocks(
            keys: UnsafePointer(keys), values: UnsafePointer(values), width: width, tokens: length),
          width: width, scale: shape.scale, scratch: tile)
        t += count
      }
    }
  }
}

/// Packs one head of `tokens` tokens: transposed, panels of 16 tokens as [width][16] (keys); else
/// panels of 16 columns as [tokens][16] (values).
@inline(__always)
func packHead(
  _ out: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, stride: Int, tokens: Int,
  width: Int, transposed: Bool
) {
  let (k, n) = transposed ? (width, tokens) : (tokens, width)
  for panel in 0..<(n + Tile.columns - 1) / Tile.columns {
    packPanelOfB(
      out + panel * Tile.columns * k, x, stride: stride, transposed: transposed, terms: 0..<k,
      panel: panel, n: n)
  }
}

/// The packed keys ([tokens/16][width][16]) and values ([width/16][valueRows][16]) of one head, by
/// blocks of 48 tokens: in one piece, or in pages of a cache.
struct KeyBlocks<Element: PanelElement> {
  private let keys: UnsafePointer<Element>
  private let values: UnsafePointer<Element>
  /// Values from a block to the next.
  private let strides: (keys: Int, values: Int)
  /// The page of each block; nil where blocks follow one another.
  private let pages: UnsafePointer<Int32>?
  let valueRows: Int

  init(keys: UnsafePointer<Element>, values: UnsafePointer<Element>, width: Int, tokens: Int) {
    (self.keys, self.values, pages) = (keys, values, nil)
    strides = (ScoreTile.keys * width, ScoreTile.keys * Tile.columns)
    valueRows = tokens
  }

  init(
    keys: UnsafePointer<Element>, values: UnsafePointer<Element>, pages: UnsafePointer<Int32>,
    stride: Int
  ) {
    (self.keys, self.values, self.pages) = (keys, values, pages)
    (strides, valueRows) = ((stride, stride), ScoreTile.keys)
  }

  /// The keys and values of the block from token `block` on.
  @inline(__always)
  func block(_ block: Int) -> (keys: UnsafePointer<Element>, values: UnsafePointer<Element>) {
    let index = block / ScoreTile.keys
    let place = pages.map { Int($0[index]) } ?? index
    return (keys + place * strides.keys, values + place * strides.values)
  }
}

/// What panels hold: Floats, or halves that are expanded in registers.
protocol PanelElement: BitwiseCopyable {
  static func load8(_ p: UnsafePointer<Self>) -> Float8
  /// `count` values at `p` as Floats, a multiple of 8: themselves, or expanded into `scratch`.
  static func floats(
    _ p: UnsafePointer<Self>, count: Int, scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float>
  static func rounded(_ value: Float) -> Self
}

extension Float: PanelElement {
  @inline(__always)
  static func load8(_ p: UnsafePointer<Float>) -> Float8 { SIMDMath.load8(p) }

  @inline(__always)
  static func floats(
    _ p: UnsafePointer<Float>, count: Int, scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> { p }

  @inline(__always)
  static func rounded(_ value: Float) -> Float { value }
}

extension Float16: PanelElement {
  @inline(__always)
  static func load8(_ p: UnsafePointer<Float16>) -> Float8 {
    #if NativeCPU || arch(arm64)
    // One instruction (vcvtph2ps).
    return Float8(UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Float16>.self))
    #else
    // The exponent moves from a bias of 15 to one of 127; values that are stored are finite.
    let bits = SIMD8<UInt32>(
      truncatingIfNeeded: UnsafeRawPointer(p).loadUnaligned(as: SIMD8<UInt16>.self))
    let size = (bits & SIMD8(repeating: 0x7FFF)) &<< SIMD8(repeating: 13)
    let scaled = unsafeBitCast(size, to: Float8.self) * Float8(repeating: 0x1p112)
    let sign = (bits & SIMD8(repeating: 0x8000)) &<< SIMD8(repeating: 16)
    return unsafeBitCast(unsafeBitCast(scaled, to: SIMD8<UInt32>.self) | sign, to: Float8.self)
    #endif
  }

  @inline(__always)
  static func floats(
    _ p: UnsafePointer<Float16>, count: Int, scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    for i in stride(from: 0, to: count, by: 8) { store8(scratch + i, load8(p + i)) }
    return UnsafePointer(scratch)
  }

  /// The nearest half; what is beyond the largest becomes the largest, so that no score is infinite.
  @inline(__always)
  static func rounded(_ value: Float) -> Float16 {
    Float16(max(-65_504, min(65_504, value)))
  }
}

/// Attention of up to 48 consecutive queries of one head, the first at `position`, over the keys and
/// values of `blocks`. Behind its scores, maxima and sums, `scratch` holds a block of keys or of values
/// as Floats where they are halves.
func attendTile<Element: PanelElement>(
  out: UnsafeMutablePointer<Float>, outStride: Int,
  logSum: UnsafeMutablePointer<Float>?, logSumStride: Int,
  q: UnsafePointer<Float>, qStride: Int, queries: Int, position: Int,
  starts: UnsafePointer<Int32>?, blocks: KeyBlocks<Element>, width: Int, scale: Float,
  scratch: UnsafeMutablePointer<Float>
) {
  let scores = scratch
  let maxima = scratch + ScoreTile.queries * ScoreTile.keys
  let sums = maxima + ScoreTile.queries
  let expanded = sums + ScoreTile.queries
  var lowest = position
  for i in 0..<queries {
    maxima[i] = -.infinity
    sums[i] = 0
    let row = out + i * outStride
    for d in 0..<width { row[d] = 0 }
    lowest = min(lowest, starts.map { Int($0[i]) } ?? 0)
  }
  var block = lowest / ScoreTile.keys * ScoreTile.keys
  while block < position + queries {
    let blockEnd = min(block + ScoreTile.keys, position + queries)
    let (keys, values) = blocks.block(block)
    if queries == 1 {
      scoreOne(scores, q: q, panel: keys, keys: blockEnd - block, width: width)
    } else {
      let count = roundedUp(blockEnd - block, to: Tile.columns) * width
      scoreBlock(
        scores, q: q, qStride: qStride, queries: queries, position: position,
        keys: Element.floats(keys, count: count, scratch: expanded), block: block, end: blockEnd,
        width: width)
    }
    for i in 0..<queries {
      let low = max(0, (starts.map { Int($0[i]) } ?? 0) - block)
      let high = min(ScoreTile.keys, position + i + 1 - block)
      softmaxRow(
        scores + i * ScoreTile.keys, low: low, high: high, scale: scale, maximum: maxima + i,
        sum: sums + i, out: out + i * outStride, width: width)
    }
    addValues(
      out, outStride: outStride, scores: scores, queries: queries, values: values,
      valueRows: blocks.valueRows, terms: blockEnd - block, width: width, expanded: expanded)
    block += ScoreTile.keys
  }
  for i in 0..<queries {
    let inverse = 1 / sums[i]
    let row = out + i * outStride
    for d in 0..<width { row[d] *= inverse }
    if let logSum { logSum[i * logSumStride] = maxima[i] + logf(sums[i]) }
  }
}

/// scores[i][j] = q_i · k_{block + j} for the keys below `end`, which stand from `keys` on; tiles
/// beyond the diagonal are left as they are.
@inline(__always)
private func scoreBlock(
  _ scores: UnsafeMutablePointer<Float>, q: UnsafePointer<Float>, qStride: Int, queries: Int,
  position: Int, keys: UnsafePointer<Float>, block: Int, end: Int, width: Int
) {
  let none = TileStart(addend: nil, bias: nil)
  var key = block
  while key < end {
    let panel = keys + (key - block) * width
    var i = 0
    while i < queries {
      let count = min(Tile.rows, queries - i)
      if key <= position + i + count - 1 {
        tile(
          c: scores + i * ScoreTile.keys + (key - block), stride: ScoreTile.keys, start: none,
          a: q + i * qStride, rowStride: qStride, termStride: 1, b: panel, k: width,
          validRows: count, validColumns: Tile.columns)
      }
      i += Tile.rows
    }
    key += Tile.columns
  }
}

/// One row of ``tile`` over up to ``ScoreTile/keys`` keys: the same sums in the same order. Two or
/// three panels at once keep the multipliers busy while a sum waits for its last term.
@inline(__always)
private func scoreOne<Element: PanelElement>(
  _ c: UnsafeMutablePointer<Float>, q: UnsafePointer<Float>, panel: UnsafePointer<Element>,
  keys: Int, width: Int
) {
  let size = Tile.columns &* width
  var p = panel
  if keys > 2 * Tile.columns {
    var (a, b, d, e, f, g) = (Float8(), Float8(), Float8(), Float8(), Float8(), Float8())
    for i in 0..<width {
      let s = Float8(repeating: q[i])
      a = fma(a, s, Element.load8(p))
      b = fma(b, s, Element.load8(p + 8))
      d = fma(d, s, Element.load8(p + size))
      e = fma(e, s, Element.load8(p + (size &+ 8)))
      f = fma(f, s, Element.load8(p + (2 &* size)))
      g = fma(g, s, Element.load8(p + (2 &* size &+ 8)))
      p += Tile.columns
    }
    store8(c, a)
    store8(c + 8, b)
    store8(c + 16, d)
    store8(c + 24, e)
    store8(c + 32, f)
    store8(c + 40, g)
  } else if keys > Tile.columns {
    var (a, b, d, e) = (Float8(), Float8(), Float8(), Float8())
    for i in 0..<width {
      let s = Float8(repeating: q[i])
      a = fma(a, s, Element.load8(p))
      b = fma(b, s, Element.load8(p + 8))
      d = fma(d, s, Element.load8(p + size))
      e = fma(e, s, Element.load8(p + (size &+ 8)))
      p += Tile.columns
    }
    store8(c, a)
    store8(c + 8, b)
    store8(c + 16, d)
    store8(c + 24, e)
  } else {
    var (a, b) = (Float8(), Float8())
    for i in 0..<width {
      let s = Float8(repeating: q[i])
      a = fma(a, s, Element.load8(p))
      b = fma(b, s, Element.load8(p + 8))
      p += Tile.columns
    }
    store8(c, a)
    store8(c + 8, b)
  }
}

/// Turns the scores low..<high of a row into exp(scale·s − maximum) and the others into 0, raising
/// the maximum and rescaling the sum and the output so far.
@inline(__always)
private func softmaxRow(
  _ s: UnsafeMutablePointer<Float>, low: Int, high: Int, scale: Float,
  maximum: UnsafeMutablePointer<Float>, sum: UnsafeMutablePointer<Float>,
  out: UnsafeMutablePointer<Float>, width: Int
) {
  guard low < high else {
    for j in stride(from: 0, to: ScoreTile.keys, by: 8) { store8(s + j, Float8()) }
    return
  }
  for j in 0..<low { s[j] = -.infinity }
  for j in high..<max(high, ScoreTile.keys) { s[j] = -.infinity }
  var top = Float8(repeating: -.infinity)
  for j in stride(from: 0, to: ScoreTile.keys, by: 8) { top = largest(top, load8(s + j)) }
  let before = maximum.pointee
  let now = max(before, laneMax(top) * scale)
  var total = Float8()
  let negative = Float8(repeating: -now)
  let factor = Float8(repeating: scale)
  for j in stride(from: 0, to: ScoreTile.keys, by: 8) {
    let p = exp8(fma(negative, load8(s + j), factor))
    store8(s + j, p)
    total += p
  }
  if now > before {
    let correction = before == -.infinity ? 0 : expf(before - now)
    sum.pointee *= correction
    for d in 0..<width { out[d] *= correction }
    maximum.pointee = now
  }
  sum.pointee += laneSum(total)
}

/// out += P·V for one block of keys.
@inline(__always)
private func addValues<Element: PanelElement>(
  _ out: UnsafeMutablePointer<Float>, outStride: Int, scores: UnsafePointer<Float>, queries: Int,
  values: UnsafePointer<Element>, valueRows: Int, terms: Int, width: Int,
  expanded: UnsafeMutablePointer<Float>
) {
  var d = 0
  while d < width {
    let panel = values + d * valueRows
    let columns = min(Tile.columns, width - d)
    if queries == 1, d + 2 * Tile.columns <= width {
      addTwo(out + d, p: scores, panel: panel, size: Tile.columns * valueRows, terms: terms)
      d += Tile.columns
    } else if queries == 1, columns == Tile.columns {
      addOne(out + d, p: scores, panel: panel, terms: terms)
    } else {
      let floats = Element.floats(panel, count: terms * Tile.columns, scratch: expanded)
      var i = 0
      while i < queries {
        let c = out + i * outStride + d
        tile(
          c: c, stride: outStride, start: TileStart(addend: UnsafePointer(c), bias: nil),
          a: scores + i * ScoreTile.keys, rowStride: ScoreTile.keys, termStride: 1, b: floats,
          k: terms, validRows: min(Tile.rows, queries - i), validColumns: columns)
        i += Tile.rows
      }
    }
    d += Tile.columns
  }
}

/// One row of ``tile``: the same sums in the same order.
@inline(__always)
private func addOne<Element: PanelElement>(
  _ c: UnsafeMutablePointer<Float>, p: UnsafePointer<Float>, panel: UnsafePointer<Element>,
  terms: Int
) {
  var (low, high) = (Float8(), Float8())
  for t in 0..<terms {
    let s = Float8(repeating: p[t])
    low = fma(low, s, Element.load8(panel + t * Tile.columns))
    high = fma(high, s, Element.load8(panel + t * Tile.columns + 8))
  }
  store8(c, low + load8(c))
  store8(c + 8, high + load8(c + 8))
}

/// As ``addOne`` for two panels that stand `size` values apart.
@inline(__always)
private func addTwo<Element: PanelElement>(
  _ c: UnsafeMutablePointer<Float>, p: UnsafePointer<Float>, panel: UnsafePointer<Element>,
  size: Int,
  terms: Int
) {
  var (a, b, d, e) = (Float8(), Float8(), Float8(), Float8())
  var v = panel
  for t in 0..<terms {
    let s = Float8(repeating: p[t])
    a = fma(a, s, Element.load8(v))
    b = fma(b, s, Element.load8(v + 8))
    d = fma(d, s, Element.load8(v + size))
    e = fma(e, s, Element.load8(v + (size &+ 8)))
    v += Tile.columns
  }
  store8(c, a + load8(c))
  store8(c + 8, b + load8(c + 8))
  store8(c + 16, d + load8(c + 16))
  store8(c + 24, e + load8(c + 24))
}

/// From segment ids (tokens; −1 for padding) of rows of `length` tokens: the first token of its row
/// that each token sees, and its position within its segment.
public func segmentStarts(
  _ starts: UnsafeMutableBufferPointer<Int32>, positions: UnsafeMutableBufferPointer<Int32>,
  segments: Integers, length: Int
) {
  precondition(
    starts.count == segments.count && positions.count == segments.count
      && segments.count % max(1, length) == 0, "segmentStarts: \(segments.count) tokens")
  for i in 0..<segments.count {
    let t = i % length
    let continues = t > 0 && segments[i] >= 0 && segments[i] == segments[i - 1]
    starts[i] = continues ? starts[i - 1] : Int32(t)
    positions[i] = Int32(t) - starts[i]
  }
}
