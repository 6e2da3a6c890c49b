import Environments
import Foundation
import LanguageModel
import TensorCore
import Training

/// E6: imitators of a flawed expert, practice from one of them, and exams of all. Killed and run
/// again, it goes on, and ends with the same bits.
struct Game {
  let recipe: GameRecipe
  let folder: URL
  let observer: ExperimentObserver
  let examiner: GameExaminer

  init(recipe: GameRecipe, folder: URL, observer: ExperimentObserver) {
    (self.recipe, self.folder, self.observer) = (recipe, folder, observer)
    examiner = GameExaminer(recipe)
  }

  func measure() throws -> GameFinding {
    try examiner.checkSplit()
    let imitators = try recipe.imitated.map { games in
      (games: games, model: try imitate(games))
    }
    guard let start = imitators.last?.model else { preconditionFailure("no imitator") }
    let practised = try practise(start)
    let operations = try practiceOperations()
    let continued = try continueImitation(start, operations: operations)

    let games = examiner.positionGames()
    let positions = examiner.positions(games)
    var arms = try imitators.map {
      try arm(Self.name(games: $0.games), $0.model, seen: $0.games, games, positions)
    }
    arms.append(
      try arm(
        "SFT continued", continued.model, seen: arms[arms.count - 1].games + continued.games, games,
        positions))
    let practice = try arm(
      "RL", practised.model, seen: arms[arms.count - 2].games, games, positions)
    let gallery = try rareMoves(practised.model, imitator: start)
    return GameFinding(
      recipe: recipe, parameters: recipe.model.parameterCount, practiceOperations: operations,
      imitators: arms, practice: practice, expert: try expertArm(games, positions),
      curve: try curve(practised.snapshots), ratings: try ratings(practised.snapshots),
      movesPlayed: gallery.played, rareMoves: gallery.found, shown: gallery.shown,
      sampleGames: try sampleGames(practised.model, imitator: start))
  }

  static func name(games: Int) -> String { "SFT, \(Format.fixed(Double(games), 0)) games" }

  // MARK: Training

  private func imitate(_ games: Int) throws -> Transformer {
    let stage = GameImitationRecipe(
      shape: recipe.shape, expert: recipe.expert, games: games, rows: recipe.imitationRows,
      steps: recipe.imitationSteps, optimizer: recipe.imitationOptimizer,
      schedule: Schedule(warmup: 20, final: 0.05), seed: recipe.seed, data: "new")
    return try observer.watch("sft-\(games)", stage.steps) {
      try imitateGames(
        stage, start: { try Transformer(recipe.model, source: RandomSource(seed: recipe.seed)) },
        in: folder.appendingPathComponent("sft-\(games)"), observer: $0)
    }
  }

  private func practise(_ start: Transformer) throws
    -> (model: Transformer, snapshots: GameSnapshots)
  {
    let stage = GamePracticeRecipe(
      shape: recipe.shape, expert: recipe.expert, groups: recipe.groups, samples: recipe.samples,
      snapshotEvery: recipe.snapshotEvery, entropyBonus: recipe.entropyBonus,
      steps: recipe.practiceSteps, optimizer: recipe.practiceOptimizer,
      schedule: Schedule(warmup: 5), seed: recipe.seed, data: start.fingerprint)
    return try observer.watch("rl", stage.steps) {
      try practiseGame(
        stage, start: { try start.copy() }, in: folder.appendingPathComponent("rl"), observer: $0)
    }
  }

  /// More games of the same expert, all of them new, until as many operations are spent as practice
  /// took.
  private func continueImitation(_ start: Transformer, operations: Double) throws
    -> (model: Transformer, games: Int)
  {
    let perGame = recipe.model.trainingOperations(length: recipe.shape.cells / 2) * 11
    let steps = max(1, Int(operations / perGame / Double(recipe.imitationRows)))
    let stage = GameImitationRecipe(
      shape: recipe.shape, expert: recipe.expert, games: steps * recipe.imitationRows,
      firstGame: recipe.imitated.last ?? 0, rows: recipe.imitationRows, steps: steps,
      optimizer: recipe.imitationOptimizer.with(rate: 1e-3), schedule: Schedule(warmup: 20),
      seed: recipe.seed,
      data: start.fingerprint)
    let model = try observer.watch("sft-continued", steps) {
      try imitateGames(
        stage, start: { try start.copy() }, in: folder.appendingPathComponent("sft-continued"),
        observer: $0)
    }
    return (model, stage.games)
  }

  /// Playing costs a third of training for each token; the log has both counts.
  private func practiceOperations() throws -> Double {
    struct Line: Decodable {
      var decoded: Double
      var tokens: Double?
    }
    let log = try Data(contentsOf: folder.appendingPathComponent("rl/log.jsonl"))
    let perToken = recipe.model.trainingOperations(length: recipe.shape.cells / 2)
    return try log.split(separator: 0x0A).reduce(0) { total, line in
      let line = try JSONDecoder().decode(Line.self, from: Data(line))
      return total + perToken * (line.decoded / 3 + (line.tokens ?? 0))
    }
  }

  // MARK: Exams

  private func once<Value: Codable>(
    _ name: String, steps: Int, _ body: (_ update: @escaping (Int) -> Void) throws -> Value
  ) throws -> Value {
    let file = name.replacingOccurrences(of: " ", with: "-")
      .replacingOccurrences(of: ",", with: "")
    return try observer.once(
      "exam \(name)", steps: steps,
      at: folder.appendingPathComponent("exams/\(file).json"), body)
  }

  private func stopIfAsked() throws {
    if observer.shouldStop() { throw ExperimentStopped() }
  }

  private func arm(
    _ name: String, _ model: Transformer, seen: Int, _ games: [[Int]],
    _ positions: [GameExaminer.Position]
  ) throws -> GameFinding.Arm {
    let matches = GameOpponent.allCases.flatMap { opponent in
      GameDecoding.allCases.map { (opponent, $0) }
    }
    return try once(name, steps: matches.count) { update in
      var arm = GameFinding.Arm(
        name: name, games: seen, matches: [:],
        positions: examiner.judge(model, games, positions))
      for (opponent, decoding) in matches {
        try stopIfAsked()
        let key = GameFinding.Arm.key(opponent, decoding)
        // Twice as many against the expert, where imitators differ little.
        arm.matches[key] = examiner.match(
          .model(model, temperature: decoding.temperature), opponent,
          repeats: recipe.examRepeats * (opponent == .expert ? 2 : 1), stream: key)
        update(arm.matches.count)
      }
      return arm
    }
  }

  private func expertArm(_ games: [[Int]], _ positions: [GameExaminer.Position]) throws
    -> GameFinding.Arm
  {
    try once("expert", steps: GameOpponent.allCases.count) { update in
      var arm = GameFinding.Arm(
        name: "expert", games: 0, matches: [:],
        positions: examiner.judgeExpert(games, positions))
      for opponent in GameOpponent.allCases {
        let key = GameFinding.Arm.key(opponent, .sampled)
        arm.matches[key] = examiner.match(
          .bot(recipe.expert), opponent, repeats: recipe.examRepeats, stream: key)
        update(arm.matches.count)
      }
      return arm
    }
  }

  private func curve(_ snapshots: GameSnapshots) throws -> [GameFinding.CurvePoint] {
    try once("updates", steps: recipe.curveSteps.count) { update in
      try recipe.curveSteps.enumerated().map { index, step in
        try stopIfAsked()
        let model = try snapshots.model(step)
        var point = GameFinding.CurvePoint(step: step, matches: [:])
        for opponent in GameOpponent.allCases {
          point.matches[opponent.rawValue] = examiner.match(
            .model(model, temperature: 1), opponent, repeats: recipe.curveRepeats,
            stream: "curve \(opponent.rawValue)")
        }
        update(index + 1)
        return point
      }
    }
  }

  /// A round robin of bots and selves, all at temperature 1.
  private func ratings(_ snapshots: GameSnapshots) throws -> [GameFinding.Rating] {
    var players: [(name: String, step: Int?, player: GamePlayer)] = [
      ("expert", nil, .bot(recipe.expert)), ("random", nil, .bot(.random)),
      ("2-ply", nil, .bot(.twoPly)), ("optimal", nil, examiner.player(.optimal)),
    ]
    for step in recipe.curveSteps {
      players.append(
        (
          step == 0 ? "SFT" : "RL, \(step)", step,
          .model(try snapshots.model(step), temperature: 1)
        ))
    }
    let pairs = players.indices.flatMap { i in (i + 1..<players.count).map { (i, $0) } }
    let pairings = try once("round robin", steps: pairs.count) { update in
      try pairs.enumerated().map { index, pair in
        try stopIfAsked()
        let games = examiner.play(
          players[pair.0].player, players[pair.1].player, repeats: 1, openings: recipe.eloOpenings,
          stream: "elo \(pair.0) \(pair.1)")
        update(index + 1)
        return Pairing(
          first: pair.0, second: pair.1, scores: examiner.scoresByOpening(games, each: 2),
          gamesPerOpening: 2)
      }
    }
    let fitted = eloRatings(players: players.count, pairings, anchor: 0, seed: recipe.seed)
    return zip(players, fitted).map {
      GameFinding.Rating(name: $0.name, step: $0.step, elo: $1)
    }
  }

  // MARK: To look at

  private struct Gallery: Codable {
    var played = 0
    var found = 0
    var shown: [GameFinding.RareMove] = []
  }

  /// Right moves of the greedy player that the expert almost never plays, in games against the 2-ply
  /// player, which defends better than the expert.
  private func rareMoves(_ model: Transformer, imitator: Transformer) throws -> Gallery {
    try once("rare moves", steps: 1) { update in
      var gallery = Gallery()
      var seen: Set<UInt64> = []
      let games = examiner.play(
        .model(model, temperature: 0), .bot(.twoPly), repeats: 1, stream: "rare moves")
      for game in games {
        for (place, choice) in zip(game.agentPlaces, game.choices) {
          gallery.played += 1
          let board = ConnectFour(recipe.shape, moves: game.moves[..<place])
          let expert = recipe.expert.distribution(board)
          let best = examiner.solver.bestMoves(board)
          guard best >> UInt32(choice.move) & 1 == 1, best != board.legal,
            expert[choice.move] < blindSpotLimit, best >> UInt32(likeliest(expert)) & 1 == 0
          else { continue }
          gallery.found += 1
          guard gallery.shown.count < 6,
            seen.insert(min(board.key, board.mirrored.key)).inserted
          else { continue }
          let policy = imitator.policies(of: [game.moves], shape: recipe.shape)[0][place]
          gallery.shown.append(
            GameFinding.RareMove(
              moves: Array(game.moves[..<place]), move: choice.move, expert: expert[choice.move],
              imitator: policy.probabilities[choice.move], expertMove: likeliest(expert),
              values: examiner.solver.moveValues(board)))
        }
      }
      update(1)
      return gallery
    }
  }

  /// The first games of some kinds.
  private func sampleGames(_ model: Transformer, imitator: Transformer) throws
    -> [GameFinding.SampleGame]
  {
    try once("sample games", steps: 1) { update in
      let kinds: [(String, Transformer, GameOpponent, Int)] = [
        ("The imitator loses to the expert", imitator, .expert, -1),
        ("RL wins against the expert", model, .expert, 1),
        ("RL wins against the 2-ply player", model, .twoPly, 1),
        ("RL loses to the 2-ply player", model, .twoPly, -1),
      ]
      let games = kinds.compactMap { title, player, opponent, outcome -> GameFinding.SampleGame? in
        let played = examiner.play(
          .model(player, temperature: 0), examiner.player(opponent), repeats: 1, openings: 40,
          stream: "samples")
        return played.first { $0.outcome == outcome }.map {
          GameFinding.SampleGame(
            title: title, moves: $0.moves, agentBegan: $0.start.agentBegins,
            opening: $0.start.opening.count, outcome: outcome)
        }
      }
      update(1)
      return games
    }
  }
}
