import Corpus
import Environments
import Foundation
import LanguageModel
import TensorCore
import Testing

@testable import Training

@Suite(.serialized) struct GameTests {
  static let shape = BoardShape(width: 5, height: 4)

  static func model(_ seed: UInt64 = 1) throws -> Transformer {
    try Transformer(
      .connectFour(shape, width: 16, layers: 1, heads: 2), source: RandomSource(seed: seed))
  }

  /// A model whose head is not zero, so that it prefers some moves.
  static func opinionated(_ seed: UInt64 = 1) throws -> Transformer {
    let model = try model(seed)
    var random = SplitMix64(seed: seed)
    for i in 0..<model.head.count { model.head.buffer.values[i] = Float(random.uniform() * 4 - 2) }
    model.head.valuesChanged()
    return model
  }

  private func games(_ count: Int) -> [[Int]] {
    let openings = ConnectFourOpenings(Self.shape)
    return (0..<count).map {
      botGame(.random, openings, seed: 1, stream: "test", index: $0).moves
    }
  }

  @Test("a packed batch holds every move once, with the board before it and the legal moves")
  func packing() {
    let moves = games(40)
    let batch = TokenBatch(
      games: moves.map { GameSequence(moves: $0, weights: $0.map { _ in 1 }) }, shape: Self.shape,
      length: 64, masked: true)
    #expect(batch.tokenCount == moves.reduce(0) { $0 + $1.count })
    #expect(batch.weightSum == Float(batch.tokenCount))
    var place = 0
    for game in moves {
      while batch.segments[place] < 0 { place += 1 }
      var board = ConnectFour(Self.shape)
      for (i, move) in game.enumerated() {
        #expect(batch.tokens[place] == (i == 0 ? 5 : Int32(game[i - 1])))
        #expect(batch.targets[place] == Int32(move) && batch.allowed[place] == board.legal)
        var planes: [Float] = []
        board.appendPlanes(to: &planes)
        #expect(Array(batch.features[place * 40..<(place + 1) * 40]) == planes)
        board.play(move)
        place += 1
      }
    }
  }

  @Test(
    "with a mask, probabilities of the legal moves add up to one and the others get no gradient")
  func mask() throws {
    let x = Tensor([2, 3], [0.3, -1, 0.5, 1, 2, -0.4], wantsGradient: true)
    let head = Tensor(
      [4, 3], [1, 0.5, -1, 0.2, 2, 1, 3, 3, 3, -1, 0.4, 0.1], wantsGradient: true)
    let allowed: [UInt32] = [0b1011, 0b0011]
    var total = 0.0
    for target in [Int32(0), 1, 3] {
      let loss = Tape.paused {
        x.crossEntropy(
          head: head, targets: [target, 0], weights: [1, 1], normaliser: 1, allowed: allowed)
      }
      total += exp(Double(loss.logProbabilities[0]))
    }
    #expect(abs(total - 1) < 1e-6)
    let result = x.crossEntropy(
      head: head, targets: [1, 0], weights: [1, 0.5], normaliser: 2, allowed: allowed,
      entropies: true)
    #expect(result.entropies.allSatisfy { $0.isFinite && $0 >= 0 })
    result.loss.backward()
    let dHead = try #require(head.gradient)
    #expect((6..<9).allSatisfy { dHead.values[$0] == 0 })
    // Central differences.
    for i in 0..<12 {
      func loss(_ shift: Float) -> Double {
        let moved = Tensor([4, 3], head.array.enumerated().map { $0 == i ? $1 + shift : $1 })
        return Tape.paused {
          Double(
            x.crossEntropy(
              head: moved, targets: [1, 0], weights: [1, 0.5], normaliser: 2, allowed: allowed
            ).loss.item)
        }
      }
      #expect(abs((loss(0.01) - loss(-0.01)) / 0.02 - Double(dHead.values[i])) < 1e-3)
    }
  }

  @Test("models play legal moves; a game is the same alone as among others")
  func match() throws {
    let openings = ConnectFourOpenings(Self.shape).examination
    let starts = (0..<48).map {
      GameStart(opening: openings[$0], agentBegins: $0 % 2 == 0, opponent: $0 / 2 % 2)
    }
    func play(_ starts: [GameStart]) throws -> [PlayedGame] {
      playMatch(
        starts, shape: Self.shape, agent: .model(try Self.opinionated(), temperature: 1),
        opponents: [.bot(.expert), .model(try Self.opinionated(2), temperature: 1)], seed: 4,
        stream: "m"
      ).games
    }
    let all = try play(starts)
    #expect(try play(Array(starts.prefix(7))) == Array(all.prefix(7)))
    for game in all {
      // Playing it again traps on an illegal move.
      let board = ConnectFour(Self.shape, moves: game.moves)
      #expect(board.isOver)
      #expect(Array(game.moves.prefix(4)) == game.start.opening)
      let agentMovedLast = game.agentPlaces.last == game.moves.count - 1
      #expect(game.outcome == (board.lastMoverWon ? agentMovedLast ? 1 : -1 : 0))
      for (place, choice) in zip(game.agentPlaces, game.choices) {
        #expect(game.moves[place] == choice.move)
      }
    }
  }

  @Test("what a move was sampled with is what the update scores, mask included")
  func sampledIsScored() throws {
    let model = try Self.opinionated()
    let starts = Array(
      repeating: GameStart(opening: [0, 0, 0], agentBegins: true), count: 8)
    let games = playMatch(
      starts, shape: Self.shape, agent: .model(model, temperature: 1), opponents: [.bot(.expert)],
      seed: 1, stream: "s"
    ).games
    for game in games {
      let weights = game.moves.indices.map { Float(game.agentPlaces.contains($0) ? 1 : 0) }
      let batch = TokenBatch(
        games: [GameSequence(moves: game.moves, weights: weights)], shape: Self.shape, length: 20,
        masked: true)
      let scored = model.logProbabilities(batch)
      let policies = model.policies(of: [game.moves], shape: Self.shape)[0]
      for (place, choice) in zip(game.agentPlaces, game.choices) {
        #expect(abs(Double(scored[place]) - choice.logProbability) < 1e-5)
        #expect(abs(policies[place].entropy - choice.entropy) < 1e-9)
        #expect(policies[place].probabilities[choice.move] > 0)
      }
    }
  }

  private func practise(_ folder: URL, _ observer: StageObserver = StageObserver()) throws {
    let recipe = GamePracticeRecipe(
      shape: Self.shape, expert: .expert, groups: 4, samples: 4, snapshotEvery: 3,
      entropyBonus: 0.03, steps: 12, optimizer: OptimizerSettings(rate: 1e-2, decay: 0),
      schedule: Schedule(warmup: 2), seed: 1, data: "x")
    _ = try practiseGame(recipe, start: { try Self.model() }, in: folder, observer: observer)
  }

  @Test("stopped or killed anywhere and gone on, practice ends in the same bytes, selves included")
  func resume() throws {
    let scratch = try Scratch()
    try practise(scratch["whole"])
    let whole = try contents(scratch["whole"])
    #expect(whole.keys.filter { $0.contains("snapshots/") }.count == 5)
    for limit in [1, 5, 11] {
      var asked = 0
      let stopping = StageObserver(shouldStop: {
        asked += 1
        return asked > limit
      })
      let folder = scratch["stopped-\(limit)"]
      #expect(throws: StageStopped.self) { try practise(folder, stopping) }
      try practise(folder)
      try compare(folder, whole, "stopped at \(limit)")
    }
    for limit in [0, 4, 9] {
      // What a SIGKILL leaves: logs and selves ahead of the last checkpoint.
      let (folder, killed) = (scratch["k\(limit)"], scratch["killed\(limit)"])
      try practise(
        folder,
        StageObserver(onProgress: { progress in
          guard progress.step == limit else { return }
          try? FileManager.default.copyItem(at: folder, to: killed)
        }))
      let selves = killed.appendingPathComponent("snapshots")
      try FileManager.default.createDirectory(at: selves, withIntermediateDirectories: true)
      try Data("half".utf8).write(
        to: selves.appendingPathComponent("step-6.safetensors.tmp"))
      try practise(killed)
      try compare(killed, whole, "killed at \(limit)")
    }
  }

  private func compare(_ folder: URL, _ whole: [String: Data], _ note: Comment) throws {
    let found = try contents(folder)
    for (name, data) in whole where !name.contains("step-0/") {
      #expect(found[name] == data, "\(name), \(note)")
    }
  }

  @Test("imitation of a player learns what it plays, and which moves are legal")
  func imitation() throws {
    let scratch = try Scratch()
    let recipe = GameImitationRecipe(
      shape: Self.shape, expert: .expert, games: 500, rows: 32, steps: 120,
      optimizer: OptimizerSettings(rate: 1e-2), schedule: Schedule(warmup: 5), seed: 1, data: "x")
    let model = try imitateGames(
      recipe, start: { try Self.model() }, in: scratch["sft"], observer: StageObserver())
    let policies = model.policies(of: games(40), shape: Self.shape)
    // At the start of a game the expert loves the edges.
    #expect(policies[0][0].probabilities[0] > policies[0][0].probabilities[2])
    let illegal = policies.flatMap { $0.compactMap(\.illegal) }
    #expect(illegal.reduce(0, +) / Double(illegal.count) < 0.1)
  }
}
