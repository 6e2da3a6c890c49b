import Testing

@testable import Claims

@Suite("Elo")
struct EloTests {
  /// Every opening scored alike: `share` for the first of two players.
  private func pairing(_ first: Int, _ second: Int, _ share: Double) -> Pairing {
    Pairing(
      first: first, second: second, scores: Array(repeating: share, count: 100),
      gamesPerOpening: 100)
  }

  @Test("ten to one is 400 points, and ratings add up along a chain")
  func scale() {
    let ratings = eloRatings(
      players: 3, [pairing(1, 0, 10.0 / 11), pairing(2, 1, 10.0 / 11)], anchor: 0, seed: 1)
    #expect(ratings[0].value == 0)
    #expect(abs(ratings[1].value - 400) < 2)
    #expect(abs(ratings[2].value - 800) < 4)
  }

  @Test("who always wins has a finite rating, and intervals hold the estimate")
  func extremes() {
    let ratings = eloRatings(
      players: 2, [Pairing(first: 0, second: 1, scores: [1, 1, 1], gamesPerOpening: 2)], anchor: 1,
      seed: 1)
    #expect(ratings[0].value.isFinite && ratings[0].value > 200)
    let uneven = eloRatings(
      players: 2,
      [Pairing(first: 0, second: 1, scores: [1, 0.5, 0, 1, 0.5, 1], gamesPerOpening: 2)], anchor: 1,
      seed: 1)
    #expect(uneven[0].interval.contains(uneven[0].value))
    #expect(uneven[0].interval.low < uneven[0].interval.high)
  }
}
