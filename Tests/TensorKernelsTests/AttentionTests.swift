import Foundation
import TensorKernels
import TestSupport
import Testing

/// Attention by its formula in Double: out (tokens, heads · width) from rows of [q, k, v].
private func attentionReference(
  _ x: [Double], starts: [Int32], _ s: AttentionShape
) -> [Double] {
  let (D, H, K) = (s.headWidth, s.heads, s.keyHeads)
  let stride = (H + 2 * K) * D
  var out = [Double](repeating: 0, count: s.rows * s.length * H * D)
  for t in 0..<s.rows * s.length {
    let row = t / s.length * s.length
    for h in 0..<H {
      let q = t * stride + h * D
      let seen = row + Int(starts[t])..<max(row + Int(starts[t]), t + 1)
      let scores = seen.map { u in
        let k = u * stride + (H + h * K / H) * D
        return (0..<D).reduce(0.0) { $0 + x[q + $1] * x[k + $1] } * Double(s.scale)
      }
      let top = scores.max() ?? 0
      let weights = scores.map { exp($0 - top) }
      let total = weights.reduce(0, +)
      for (u, weight) in zip(seen, weights) {
        let v = u * stride + (H + K + h * K / H) * D
        for d in 0..<D { out[(t * H + h) * D + d] += weight / total * x[v + d] }
      }
    }
  }
  return out
}

@Suite struct AttentionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var rows, length, heads, keyHeads, width: Int
    var segments: [Int32]?

    var shape: AttentionShape {
      AttentionShape(
        rows: rows, length: length, heads: heads, keyHeads: keyHeads, headWidth: width)
    }
    var testDescription: String {
      "\(rows)x\(length), \(heads)/\(keyHeads) heads of \(width)\(segments == nil ? "" : ", packed")"
    }
  }

  static let cases = [
    Case(rows: 1, length: 1, heads: 1, keyHeads: 1, width: 1),
    Case(rows: 2, length: 3, heads: 2, keyHeads: 1, width: 4),
    Case(rows: 1, length: 7, heads: 3, keyHeads: 3, width: 5),
    Case(rows: 1, length: 6, heads: 4, keyHeads: 2, width: 8, segments: [0, 0, 1, 1, 1, -1]),
    Case(rows: 2, length: 130, heads: 2, keyHeads: 1, width: 16),
    Case(rows: 1, length: 101, heads: 1, keyHeads: 1, width: 33),
  ]

  private struct Setting {
    let x: Memory
    let starts: IntegerMemory
    let stride: Int
    let shape: AttentionShape

    init(_ c: Case) {
      shape = c.shape
      stride = (c.heads + 2 * c.keyHeads) * c.width
      var random = TestRandom(seed: UInt64(c.length * 10 + c.width))
      x = Memory(random.normals(c.rows * c.length * stride))
      let segments = IntegerMemory(
        c.segments ?? Array(repeating: 0, count: c.rows * c.length))
      starts = IntegerMemory(Array(repeating: 0, count: c.rows * c.length))
      let positions = IntegerMemory(Array(repeating: 0, count: c.rows * c.length))
      segmentStarts(
        starts.values, positions: positions.values, segments: segments.reading, length: c.length)
    }

    var tokens: Int { shape.rows * shape.length }
    var queryWidth: Int { shape.heads * shape.headWidth }
    var keyWidth: Int { shape.keyHeads * shape.headWidth }

    func heads(_ part: Int) -> Heads {
      Heads(
        x.reading, tokens: tokens, stride: stride,
        offset: part == 0 ? 0 : queryWidth + (part - 1) * keyWidth,
        width: part == 0 ? queryWidth : keyWidth)
    }

    func forward() -> (out: Memory, logSum: Memory) {
      let (out, logSum) = (Memory(tokens * queryWidth), Memory(tokens * shape.heads))
      let workspace = Memory(attentionScratch(shape) * kernelThreads)
      attention(
        out.values, logSum: logSum.values, q: heads(0), k: heads(1), v: heads(2),
        starts: starts.reading, shape, workspace: workspace.values)
      return (out, logSum)
    }
  }

  @Test("forward equals the formula, at any number of threads", arguments: cases)
  func forward(c: Case) {
    let setting = Setting(c)
    let results = atThreads { setting.forward().out.array }
    let expected = attentionReference(
      setting.x.array.map(Double.init), starts: setting.starts.array, c.shape)
    // What padding gives is nobody's business, but it must not be NaN.
    let real = (0..<setting.tokens).filter { (c.segments?[$0] ?? 0) >= 0 }
    let at = real.flatMap { $0 * setting.queryWidth..<($0 + 1) * setting.queryWidth }
    #expect(relativeError(at.map { results[0][$0] }, at.map { expected[$0] }) < 3e-6)
    #expect(!results[0].contains { !$0.isFinite })
    #expect(sameBits(results[0], results[1]) && sameBits(results[0], results[2]))
  }

  @Test("backward equals central differences", arguments: cases.filter { $0.length < 10 })
  func backward(c: Case) {
    let setting = Setting(c)
    var random = TestRandom(seed: 99)
    var dOut = random.normals(setting.tokens * setting.queryWidth)
    for t in 0..<setting.tokens where (c.segments?[t] ?? 0) < 0 {
      for i in 0..<setting.queryWidth { dOut[t * setting.queryWidth + i] = 0 }
    }
    let (out, logSum) = setting.forward()
    let gradient = Memory([Float](repeating: 0, count: setting.x.array.count))
    let D = Memory(dOut)
    func gradients(_ part: Int) -> MutableHeads {
      MutableHeads(
        gradient.values, tokens: setting.tokens, stride: setting.stride,
        offset: part == 0 ? 0 : setting.queryWidth + (part - 1) * setting.keyWidth,
        width: part == 0 ? setting.queryWidth : setting.keyWidth)
    }
    let workspace = Memory(attentionBackwardScratch(c.shape) * kernelThreads)
    attentionBackward(
      dq: gradients(0), dk: gradients(1), dv: gradients(2), dOut: D.reading, out: out.reading,
      logSum: logSum.reading, q: setting.heads(0), k: setting.heads(1), v: setting.heads(2),
      starts: setting.starts.reading, c.shape, workspace: workspace.values)
    let expected = numericGradient(setting.x.array.map(Double.init)) { x in
      let out = attentionReference(x, starts: setting.starts.array, c.shape)
      return zip(dOut, out).reduce(0) { $0 + Double($1.0) * $1.1 }
    }
    #expect(relativeError(gradient.array, expected) < 1e-5)
  }

  @Test("backward has the same bits at any number of threads")
  func backwardThreads() {
    let c = Self.cases[4]
    let setting = Setting(c)
    var random = TestRandom(seed: 7)
    let D = Memory(random.normals(setting.tokens * setting.queryWidth))
    let (out, logSum) = setting.forward()
    let results = atThreads { () -> [Float] in
      let gradient = Memory([Float](repeating: 0, count: setting.x.array.count))
      func part(_ offset: Int, _ width: Int) -> MutableHeads {
        MutableHeads(
          gradient.values, tokens: setting.tokens, stride: setting.stride, offset: offset,
          width: width)
      }
      let workspace = Memory(attentionBackwardScratch(c.shape) * kernelThreads)
      attentionBackward(
        dq: part(0, setting.queryWidth), dk: part(setting.queryWidth, setting.keyWidth),
        dv: part(setting.queryWidth + setting.keyWidth, setting.keyWidth), dOut: D.reading,
        out: out.reading, logSum: logSum.reading, q: setting.heads(0), k: setting.heads(1),
        v: setting.heads(2), starts: setting.starts.reading, c.shape,
        workspace: workspace.values)
      return gradient.array
    }
    #expect(!results[0].contains { !$0.isFinite })
    #expect(sameBits(results[0], results[1]) && sameBits(results[0], results[2]))
  }

  @Test("segments: where each token's sequence starts, and its place in it")
  func segments() {
    let ids = IntegerMemory([0, 0, 1, 1, 1, -1, 3, 3, 3, 3, -1, -1])
    let starts = IntegerMemory(Array(repeating: 9, count: 12))
    let positions = IntegerMemory(Array(repeating: 9, count: 12))
    segmentStarts(starts.values, positions: positions.values, segments: ids.reading, length: 6)
    #expect(starts.array.prefix(5) == [0, 0, 2, 2, 2])
    #expect(positions.array.prefix(5) == [0, 1, 0, 1, 2])
    #expect(starts.array[6..<10] == [0, 0, 0, 0])
    #expect(positions.array[6..<10] == [0, 1, 2, 3])
  }
}
