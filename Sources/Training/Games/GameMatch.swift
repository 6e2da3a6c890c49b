import Environments

/// How a game begins, and who has the first move after the opening.
public struct GameStart: Sendable, Equatable {
  public var opening: [Int]
  /// Whether the agent makes the first move after the opening; else its opponent does.
  public var agentBegins: Bool
  /// Which of the opponents it is.
  public var opponent: Int

  public init(opening: [Int], agentBegins: Bool, opponent: Int = 0) {
    (self.opening, self.agentBegins, self.opponent) = (opening, agentBegins, opponent)
  }
}

/// A game from its opening to its end.
public struct PlayedGame: Sendable, Equatable {
  public var start: GameStart
  /// All moves, those of the opening first.
  public var moves: [Int]
  /// For the agent: 1 won, 0 drawn, −1 lost.
  public var outcome: Int
  /// The agent's own moves, in their order.
  public var choices: [GameChoice]

  /// 1, ½ or 0.
  public var score: Double { Double(outcome + 1) / 2 }

  /// The place among `moves` of each of the agent's choices.
  public var agentPlaces: [Int] {
    let first = start.opening.count + (start.agentBegins ? 0 : 1)
    return choices.indices.map { first + 2 * $0 }
  }
}

/// Games played side by side, with the tokens that models went through for them.
public struct PlayedMatch: Sendable {
  public var games: [PlayedGame]
  public var decodedTokens: Int
}

/// Plays a game from every start: all games of a model at one time.
///
/// - Parameter stream: with the seed and a game's index it decides every draw of that game, which is
///   then the same whatever is played beside it.
public func playMatch(
  _ starts: [GameStart], shape: BoardShape, agent: GamePlayer, opponents: [GamePlayer],
  seed: UInt64, stream: String, index: Int = 0
) -> PlayedMatch {
  var states = starts.enumerated().map { i, start in
    GameState(
      board: ConnectFour(shape, moves: start.opening), moves: start.opening,
      random: SplitMix64(seed: seed, stream: stream, index: index << 20 | i))
  }
  var choices = [[GameChoice]](repeating: [], count: starts.count)
  let agentSeats = GameSeats(agent, games: starts.count, shape: shape)
  let opponentSeats = opponents.map { GameSeats($0, games: starts.count, shape: shape) }
  var active = starts.indices.filter { !states[$0].board.isOver }
  var waiting = active.filter { !starts[$0].agentBegins }
  while !active.isEmpty {
    // First all opponents, then the agent in all games that go on: the batches stay large.
    for (number, seats) in opponentSeats.enumerated() {
      let games = waiting.filter { starts[$0].opponent == number }
      for (game, choice) in zip(games, seats.choose(games, &states)) {
        states[game].play(choice.move)
      }
    }
    active.removeAll { states[$0].board.isOver }
    for (game, choice) in zip(active, agentSeats.choose(active, &states)) {
      states[game].play(choice.move)
      choices[game].append(choice)
    }
    active.removeAll { states[$0].board.isOver }
    waiting = active
  }
  let games = starts.enumerated().map { i, start in
    let board = states[i].board
    let agentMovedLast =
      (states[i].moves.count - start.opening.count) % 2 == (start.agentBegins ? 1 : 0)
    return PlayedGame(
      start: start, moves: states[i].moves,
      outcome: board.lastMoverWon ? (agentMovedLast ? 1 : -1) : 0, choices: choices[i])
  }
  return PlayedMatch(
    games: games,
    decodedTokens: opponentSeats.reduce(agentSeats.decoded) { $0 + $1.decoded })
}
