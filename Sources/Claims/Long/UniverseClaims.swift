import Environments
import Foundation

// What E10 claims.

extension UniverseFinding {
  /// What is written about names: entropy in bits of the towns of one name's lives.
  static func entropy(_ person: Person) -> Double {
    let counts = Dictionary(grouping: person.lives, by: \.town).values.map { Double($0.count) }
    let total = counts.reduce(0, +)
    return counts.reduce(0) { $0 - $1 / total * log2($1 / total) }
  }

  /// How far the shares of what was written are from those by which lives were dealt: half the sum of
  /// the differences, over values of one part of a life and over being no page at all.
  static func distance(_ counts: [Int], of total: Int, _ shares: [Double]) -> Double {
    guard total > 0 else { return 1 }
    let n = Double(total)
    let odd = Double(total - counts.reduce(0, +)) / n
    return (zip(counts, shares).reduce(odd) { $0 + abs(Double($1.0) / n - $1.1) }) / 2
  }

  /// How often each town, or each trade of those who live in `town`, was written, by person.
  func towns(_ people: [Person]) -> [[Int]] {
    people.map { person in
      UniverseWorld.towns.indices.map { town in person.lives.count { $0.town == town } }
    }
  }

  func trades(_ people: [Person], in town: Int) -> [Int] {
    UniverseWorld.trades.indices.map { trade in
      people.reduce(0) { $0 + $1.lives.count { $0.town == town && $0.trade == trade } }
    }
  }

  /// The distance of the towns of unseen people, with an interval over people.
  var townDistance: Estimate {
    clustered(unseen.indices.map { $0 }) { chosen in
      let byPerson = towns(unseen)
      let counts = UniverseWorld.towns.indices.map { town in
        chosen.reduce(0) { $0 + byPerson[$1][town] }
      }
      let total = chosen.reduce(0) { $0 + unseen[$1].lives.count }
      return Self.distance(counts, of: total, UniverseWorld.townShares)
    }
  }

  /// The same for trades given towns, as often as each town was written.
  var tradeDistance: Estimate {
    let world = UniverseWorld(recipe)
    return clustered(unseen.indices.map { $0 }) { chosen in
      let people = chosen.map { unseen[$0] }
      let all = Double(max(1, people.reduce(0) { $0 + $1.lives.count }))
      // What is no page is as far off as can be.
      return UniverseWorld.towns.indices.reduce(1) { sum, town in
        let counts = trades(people, in: town)
        let total = counts.reduce(0, +)
        return sum - Double(total) / all
          * (1 - Self.distance(counts, of: total, world.tradeShares(town)))
      }
    }
  }

  /// A value of all people, with a percentile interval over people drawn again.
  private func clustered(_ all: [Int], _ value: ([Int]) -> Double) -> Estimate {
    var random = SplitMix64(seed: recipe.seed, stream: "universes")
    let values = (0..<200).map { _ in value(all.map { _ in random.pick(all) }) }
    return Estimate(value(all), percentileInterval(values, level: 0.95))
  }

  /// Whether the lives of each name are all one: the share of the commonest town.
  func agreement(_ people: [Person]) -> Estimate {
    bootstrapMean(
      people.map { person in
        let counts = UniverseWorld.towns.indices.map { town in
          person.lives.count { $0.town == town }
        }
        return Double(counts.max() ?? 0) / Double(max(1, person.lives.count))
      }, seed: recipe.seed)
  }

  var consistency: Estimate {
    let lives = unseen.flatMap(\.lives)
    return Estimate(successes: lives.count(where: \.isConsistent), of: lives.count)
  }

  var claims: [Claim] {
    func claim(
      _ id: String, _ statement: String, _ metric: String, _ estimate: Estimate,
      _ direction: Verdict.Direction, _ threshold: Double, _ unit: Unit, _ n: Int
    ) -> Claim {
      Claim(
        id: "e10." + id, statement: statement, metric: metric, estimate: estimate, direction,
        threshold: threshold, unit: unit, n: n, seeds: [recipe.seed])
    }
    let written = unseen.reduce(0) { $0 + $1.lives.count }
    return [
      claim(
        "each-is-consistent", "Every continuation is a world that agrees with itself.",
        "lives that say the same twice, unseen names", consistency, .above, 0.9, .share, written),
      claim(
        "unseen-names-have-many",
        "Of a name it never read, the same model writes many different lives; of a known one, one.",
        "entropy of towns, unseen against known names: area under the ROC curve",
        bootstrapArea(
          unseen.map(Self.entropy), known.map(Self.entropy), seed: recipe.seed), .above, 0.9,
        .plain,
        unseen.count + known.count),
      claim(
        "known-names-have-one", "Who was read about often is remembered.",
        "the commonest town among the lives of a known name", agreement(known), .above, 0.8, .share,
        known.count),
      claim(
        "as-often-as-read",
        "Over unseen names, what it writes comes up as often as in what it read.",
        "distance of the towns' shares from those of the world", townDistance, .below, 0.1, .share,
        written),
      claim(
        "with-its-dependences", "So do the trades of each town.",
        "distance of the trades' shares given the town", tradeDistance, .below, 0.15, .share,
        written),
    ]
  }
}
