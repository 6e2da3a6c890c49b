import Testing

@testable import Environments

@Suite("Numbers with a point")
struct PointNumberTests {
  private func number(_ whole: Int, _ part: Int) -> PointNumber {
    PointNumber(whole: whole, part: part)
  }

  @Test("9.11 comes after section 9.9 and is smaller than 9.9")
  func readings() {
    let pair = PointPair(number(9, 11), number(9, 9))
    #expect(pair.isFirstLarger(.section) && !pair.isFirstLarger(.decimal) && pair.isTrap)
    let plain = PointPair(number(9, 11), number(8, 9))
    #expect(plain.isFirstLarger(.section) && plain.isFirstLarger(.decimal) && !plain.isTrap)
  }

  @Test("the readings are the order of the texts' numbers, whichever comes first")
  func drawn() {
    var random = SplitMix64(seed: 1)
    for i in 0..<2_000 {
      let portion: Portion = i % 2 == 0 ? .train : .test
      let pair = PointPair.draw(portion, &random)
      #expect(pair.portion == portion)
      let swapped = PointPair(pair.second, pair.first)
      #expect(swapped.portion == portion, "the other order is on the same side")
      for reading in PointReading.allCases {
        #expect(pair.isFirstLarger(reading) != swapped.isFirstLarger(reading))
      }
      let values = [pair.first, pair.second].map { Double($0.text) ?? .nan }
      #expect(pair.isFirstLarger(.decimal) == (values[0] > values[1]), "\(pair.text)")
    }
  }
}
