import Foundation
import ModelFiles
import Testing

// Random blocks of every type, and what the reference implementation in Python makes of them:
// Scripts/make_blocks.py.

private struct Blocks: Decodable {
  var type: String
  var bytes: String
  /// Bit patterns.
  var values: [UInt32]
}

@Suite struct DequantisationTests {
  @Test func `every type gives the bits of the reference`() throws {
    let place = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/blocks.json")
    let all = try JSONDecoder().decode([Blocks].self, from: Data(contentsOf: place))
    #expect(Set(all.map(\.type)) == Set(WeightType.allCases.map(\.name)))
    for blocks in all {
      let type = try #require(WeightType.allCases.first { $0.name == blocks.type })
      let data = try #require(Data(base64Encoded: blocks.bytes))
      var out = [Float](repeating: 0, count: blocks.values.count)
      data.withUnsafeBytes { bytes in
        out.withUnsafeMutableBufferPointer { dequantise(type, bytes, into: $0) }
      }
      // The sign of a zero is not compared: the reference subtracts before it scales.
      let wanted = blocks.values.map { Float(bitPattern: $0) }
      #expect(
        zip(out, wanted).allSatisfy { $0.bitPattern == $1.bitPattern || ($0 == 0 && $1 == 0) },
        "\(blocks.type)")
    }
  }

  @Test func `blocks taken apart make the same values, rounded once`() throws {
    let place = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/blocks.json")
    let all = try JSONDecoder().decode([Blocks].self, from: Data(contentsOf: place))
    for blocks in all {
      let type = try #require(WeightType.allCases.first { $0.name == blocks.type })
      guard type.blockCount > 1 else { continue }
      let data = try #require(Data(base64Encoded: blocks.bytes))
      let count = blocks.values.count
      var q = [Int8](repeating: 0, count: count)
      var (scales, offsets) = (
        [Float](repeating: .nan, count: count / 16), [Float](repeating: .nan, count: count / 16)
      )
      data.withUnsafeBytes { bytes in
        q.withUnsafeMutableBufferPointer { q in
          scales.withUnsafeMutableBufferPointer { scales in
            offsets.withUnsafeMutableBufferPointer { offsets in
              takeApart(
                type, bytes, values: q.baseAddress!, scales: scales.baseAddress!,
                offsets: offsets.baseAddress!)
            }
          }
        }
      }
      let group = type == .q6_K ? 16 : 32
      let centre: Float = type == .q4_0 ? 8 : 0
      let found = (0..<count).map { i in
        offsets[i / group].addingProduct(scales[i / group], Float(q[i]) - centre)
      }
      let wanted = blocks.values.map { Float(bitPattern: $0) }
      #expect(
        zip(found, wanted).allSatisfy {
          $0.bitPattern == $1.bitPattern || ($0 == 0 && $1 == 0) || !$1.isFinite
        }, "\(blocks.type)")
    }
  }

  @Test("halves are rounded to the nearest, ties to even")
  func halves() {
    for bits in UInt16.min...UInt16.max where bits & 0x7C00 != 0x7C00 {
      var value: [Float] = [0]
      withUnsafeBytes(of: bits.littleEndian) { bytes in
        value.withUnsafeMutableBufferPointer { dequantise(.f16, bytes, into: $0) }
      }
      #expect(floatToHalf(value[0]) == bits)
    }
    #expect(floatToHalf(65_519) == 0x7BFF && floatToHalf(65_520) == 0x7C00)
    #expect(floatToHalf(-.infinity) == 0xFC00 && floatToHalf(.nan) & 0x7C00 == 0x7C00)
    // Between 1 and the next half: to even.
    #expect(floatToHalf(1 + 0x1p-11) == 0x3C00 && floatToHalf(1 + 3 * 0x1p-11) == 0x3C02)
  }

  @Test("rounding to blocks is off by half a step at most, and the largest value keeps its sign")
  func rounding() {
    var state: UInt64 = 7
    let x = (0..<64).map { i -> Float in
      state = state &* 6_364_136_223_846_793_005 &+ 1
      return i < 32 ? Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31 : 0
    }
    for (type, steps) in [(WeightType.q8_0, Float(127)), (.q4_0, 8)] {
      var bytes = [UInt8](repeating: 0, count: 2 * type.blockBytes)
      var back = [Float](repeating: .nan, count: 64)
      x.withUnsafeBufferPointer { x in
        bytes.withUnsafeMutableBytes { quantise(x, as: type, into: $0) }
      }
      bytes.withUnsafeBytes { bytes in
        back.withUnsafeMutableBufferPointer { dequantise(type, bytes, into: $0) }
      }
      let top = x.map(abs).max() ?? 0
      // Q4_0 has no +8: the largest value of the other sign may be off by a whole step.
      let bound = top / steps * (type == .q4_0 ? 1.01 : 0.51)
      #expect(zip(x, back).allSatisfy { abs($0 - $1) <= bound }, "\(type.name)")
      #expect(back.suffix(32).allSatisfy { $0 == 0 })
    }
  }
}
