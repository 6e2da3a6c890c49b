import Environments
import Foundation

/// Games between two players of a table: the first one's mean score from each opening.
public struct Pairing: Codable, Sendable, Equatable {
  public var first: Int
  public var second: Int
  /// Mean score of `first` by opening, a draw counting a half.
  public var scores: [Double]
  /// Games behind each of the scores.
  public var gamesPerOpening: Int
}

/// Strengths of players on the Elo scale, where 400 points are odds of ten to one, by the model of
/// Bradley and Terry (1952): P(i beats j) = s(i) / (s(i) + s(j)).
///
/// - Parameter anchor: the player whose rating is 0.
/// - Returns: ratings with bootstrap intervals over openings.
public func eloRatings(
  players: Int, _ pairings: [Pairing], anchor: Int, resamples: Int = 200, seed: UInt64
) -> [Estimate] {
  guard let openings = pairings.first?.scores.count, openings > 0 else {
    return Array(repeating: .unknown, count: players)
  }
  let fitted = fitElo(players, pairings, openings: Array(0..<openings), anchor: anchor)
  var random = SplitMix64(seed: seed, stream: "elo")
  let drawn = (0..<resamples).map { _ in
    let chosen = (0..<openings).map { _ in random.below(openings) }
    return fitElo(players, pairings, openings: chosen, anchor: anchor, start: fitted)
  }
  return (0..<players).map { player in
    let sorted = drawn.map { $0[player] }.sorted()
    return Estimate(
      fitted[player], low: quantile(sorted, 0.025), high: quantile(sorted, 0.975))
  }
}

/// The maximum of the likelihood by Hunter's iteration (2004), with one game drawn between any two
/// players added: who always wins then has a finite rating.
private func fitElo(
  _ players: Int, _ pairings: [Pairing], openings: [Int], anchor: Int, start: [Double]? = nil
) -> [Double] {
  var wins = [Double](repeating: 0, count: players)
  var games = [Double](repeating: 0, count: players * players)
  for pairing in pairings {
    let weight = Double(pairing.gamesPerOpening)
    let won = openings.reduce(0) { $0 + pairing.scores[$1] } * weight + 0.5
    let played = weight * Double(openings.count) + 1
    wins[pairing.first] += won
    wins[pairing.second] += played - won
    games[pairing.first * players + pairing.second] += played
    games[pairing.second * players + pairing.first] += played
  }
  var strengths = start.map { $0.map { pow(10, $0 / 400) } } ?? Array(repeating: 1, count: players)
  for _ in 0..<2_000 {
    var change = 0.0
    for i in 0..<players where wins[i] > 0 {
      var sum = 0.0
      for j in 0..<players where games[i * players + j] > 0 {
        sum += games[i * players + j] / (strengths[i] + strengths[j])
      }
      let next = wins[i] / sum
      change = max(change, abs(log(next / strengths[i])))
      strengths[i] = next
    }
    if change < 1e-5 { break }
  }
  return strengths.map { 400 * log10($0 / strengths[anchor]) }
}
