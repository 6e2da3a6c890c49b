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
}
