import Environments

// What E6 claims, with thresholds that were fixed before the runs that judge them. RL is judged by its
// likeliest moves, an imitator by the better of its likeliest and its sampled ones.

extension GameFinding {
  /// An imitator with a way to take its moves.
  typealias Imitator = (arm: Arm, decoding: GameDecoding)

  /// The imitator that does best against an opponent, of all sizes and both ways to decode. Choosing it
  /// on the exam favours the imitators.
  func bestImitator(against opponent: GameOpponent) -> Imitator {
    best { $0.match(opponent, $1).map { mean($0.byOpening) } ?? 0 }
  }

  /// The imitator that does best on positions.
  func bestImitator(_ positions: (PositionExam) -> PositionScores) -> Imitator {
    best { arm, decoding in
      let scores = positions(arm.positions)
      return scores.values(decoding).reduce(0, +) / max(1, scores.counts.reduce(0, +))
    }
  }

  private func best(_ value: (Arm, GameDecoding) -> Double) -> Imitator {
    let all = imitators.flatMap { arm in GameDecoding.allCases.map { (arm, $0) } }
    return all.max { value($0.0, $0.1) < value($1.0, $1.1) } ?? (practice, .sampled)
  }

  func score(_ arm: Arm, _ opponent: GameOpponent, _ decoding: GameDecoding) -> Estimate {
    arm.match(opponent, decoding)?.estimate(recipe.seed) ?? .unknown
  }

  private func gain(
    _ a: Arm, _ b: Arm, _ opponent: GameOpponent, _ decoding: (GameDecoding, GameDecoding)
  ) -> Estimate {
    guard let a = a.match(opponent, decoding.0), let b = b.match(opponent, decoding.1) else {
      return .unknown
    }
    return pairedBootstrap(a.byOpening, b.byOpening, seed: recipe.seed)
  }

  private func gain(_ b: Imitator, _ positions: (PositionExam) -> PositionScores) -> Estimate {
    let (mine, theirs) = (positions(practice.positions), positions(b.arm.positions))
    return bootstrapRatio(
      zip(mine.values(.greedy), theirs.values(b.decoding)).map(-), mine.counts, seed: recipe.seed)
  }

  var claims: [Claim] {
    let (few, many) = (imitators[0], imitators[imitators.count - 2])
    let rival = bestImitator(against: .expert)
    let unseen = bestImitator(against: .twoPly)
    let telling = bestImitator(\.telling)
    let blind = bestImitator(\.blindSpots)
    let games = practice.match(.expert, .sampled)?.games ?? 0
    func title(_ imitator: Imitator) -> String {
      "\(imitator.arm.name), \(imitator.decoding.rawValue)"
    }
    return [
      Claim(
        id: "e6.more-games", statement: "Twenty times as many games do not lift the imitator.",
        metric: "\(many.name) less \(few.name), score against the expert, T = 1",
        estimate: gain(many, few, .expert, (.sampled, .sampled)), .below, threshold: 0.05,
        unit: .points, n: games, seeds: [recipe.seed]),
      Claim(
        id: "e6.imitation-ceiling", statement: "No imitator passes its expert.",
        metric: "\(title(rival)), score against the expert",
        estimate: score(rival.arm, .expert, rival.decoding), .below, threshold: 0.5, unit: .share,
        n: games, seeds: [recipe.seed]),
      Claim(
        id: "e6.rl-passes-expert", statement: "Practice passes the expert.",
        metric: "RL, greedy, score against the expert",
        estimate: score(practice, .expert, .greedy), .above, threshold: 0.6, unit: .share,
        n: games, seeds: [recipe.seed]),
      Claim(
        id: "e6.rl-beats-imitation", statement: "Practice goes through the ceiling of imitation.",
        metric: "RL, greedy, less \(title(rival)), score against the expert",
        estimate: gain(practice, rival.arm, .expert, (.greedy, rival.decoding)), .above,
        threshold: 0.15, unit: .points, n: games, seeds: [recipe.seed]),
      Claim(
        id: "e6.unseen-opponent", statement: "Practice gains on a player it never met.",
        metric: "RL, greedy, less \(title(unseen)), score against the 2-ply player",
        estimate: gain(practice, unseen.arm, .twoPly, (.greedy, unseen.decoding)), .above,
        threshold: 0.15, unit: .points, n: games, seeds: [recipe.seed]),
      Claim(
        id: "e6.right-moves", statement: "Practice plays more moves that a solver proves right.",
        metric: "RL, greedy, less \(title(telling)), value-keeping moves where moves differ",
        estimate: gain(telling, \.telling), .above, threshold: 0.05, unit: .points,
        n: practice.positions.telling.total, seeds: [recipe.seed]),
      Claim(
        id: "e6.move-37",
        statement: "Practice finds right moves that the expert almost never plays.",
        metric: "RL, greedy, less \(title(blind)), right moves where the expert has under 1 in 10",
        estimate: gain(blind, \.blindSpots), .above, threshold: 0.2, unit: .points,
        n: practice.positions.blindSpots.total, seeds: [recipe.seed]),
    ]
  }
}
