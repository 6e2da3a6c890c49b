import Environments
import Foundation

// E6 as a person reads it.

struct GameSection {
  let finding: GameFinding
  let folder: URL

  private var recipe: GameRecipe { finding.recipe }

  func section(_ command: String) throws -> ReportPage.Section {
    ReportPage.Section(
      id: "e6", heading: "Imitation has a ceiling", claims: finding.claims.map(\.id),
      talk:
        "Whoever imitates a player becomes about as good as that player, flaws included, however "
        + "many games there are to imitate. AlphaGo stopped improving there too, until it played "
        + "and was paid for winning: then it passed the people it had learned from, and found "
        + "moves, such as move 37 against Lee Sedol, that no expert would have played.",
      blocks: try [
        .paragraph(
          "The game is Connect-4 on a board of \(recipe.shape.width) x \(recipe.shape.height), small "
            + "enough for a solver to say what every move is worth. The expert takes a win and stops "
            + "one where it sees it, but is blind on diagonals, prefers the edges, which lose, and "
            + "plays \(percent(recipe.expert.slip)) of its moves at random. A decoder of "
            + "\(Format.fixed(Double(finding.parameters), 0)) parameters reads the moves and the "
            + "board and learns to predict what the expert plays. Practice starts from the imitator "
            + "of most games: half of its games are against the expert, half against its earlier "
            + "selves, and all it is told is who won."),
        .lines(updatesChart()),
        .lines(imitationChart()),
        .lines(eloChart()),
        .table(table()),
        .paragraph(
          "Scores count a draw as a half, over \(games) games a cell from "
            + "\(openings) openings of four moves with both colours; intervals are by "
            + "opening. Right moves are those that keep the value of the position, in "
            + "\(finding.practice.positions.telling.total) positions of new games of the expert "
            + "where moves differ in value. Blind spots are the "
            + "\(finding.practice.positions.blindSpots.total) of them where the expert plays all "
            + "right moves together less than one time in ten. \"Illegal\" is the probability of a "
            + "full column before the mask takes it away."),
        .bars(movesChart()),
        .lines(trainingChart()),
        .subheading("Moves like move 37"),
        .paragraph(
          "Positions from RL's games against the 2-ply player, which it never trained against: it "
            + "plays `!`, which the expert plays less than one time in ten; the expert prefers `?`, "
            + "and the solver proves `!` right and `?` wrong. \(finding.rareMoves) of RL's "
            + "\(finding.movesPlayed) moves in these games were of this kind; here are the first "
            + "that differ. Filled discs are RL's."),
        .boards(finding.shown.enumerated().map(rareMove)),
        .subheading("Games"),
        .paragraph(
          "The first of each kind, with the moves numbered after the opening; filled discs are the "
            + "model's."),
        .boards(finding.sampleGames.map(game)),
      ], reproduce: command,
      doesNotShow: [
        "That RL is strong: a perfect player still beats it, and the score against it is in the table.",
        "Imitation of better players: an expert whose bad habits are rare is improved by taking the "
          + "likeliest move. This expert's habit is its likeliest move.",
        "That more games never help: imitators that train longer, or with Muon, come nearer to the "
          + "expert's level. What was not seen is one above it.",
        "Much about new positions: openings of exam and practice are different, but games pass through "
          + "many of the same positions on so small a board.",
        "How much seeds differ: one tour is one seed, and its intervals cover games only.",
        "Anything about Go, or about larger models.",
      ])
  }

  private var games: Int { finding.practice.match(.expert, .sampled)?.games ?? 0 }
  private var openings: Int { finding.practice.match(.expert, .sampled)?.byOpening.count ?? 0 }

  private func percent(_ share: Double) -> String { Format.fixed(100 * share, 0) + " %" }

  // MARK: Charts

  private func updatesChart() -> LineChart {
    LineChart(
      title: "Through the ceiling",
      caption: "Score of RL at temperature 1 over updates. It starts as the imitator. The expert "
        + "scores a half against itself; the 2-ply player was never trained against.",
      x: Axis("updates of practice"), y: Axis("score", unit: .share, range: 0...1),
      series: GameOpponent.allCases.map { opponent in
        .init(
          "against \(opponent.rawValue)",
          finding.curve.compactMap { point in
            point.matches[opponent.rawValue].map {
              LineChart.Point(Double(point.step), $0.estimate(recipe.seed))
            }
          }, intervals: .band)
      }, references: [.init("the expert's level", 0.5)])
  }

  private func imitationChart() -> LineChart {
    LineChart(
      title: "More to imitate does not help",
      caption:
        "Score against the expert by the number of its games that the imitator saw. The last "
        + "imitator went on with new games for as many operations as practice took.",
      x: Axis("games of the expert", scale: .log10),
      y: Axis("score against the expert", unit: .share, range: 0.3...0.6),
      series: GameDecoding.allCases.map { decoding in
        .init(
          "imitator, \(decoding.rawValue)",
          finding.imitators.map {
            LineChart.Point(Double($0.games), finding.score($0, .expert, decoding))
          })
      }, references: [.init("the expert itself", 0.5)])
  }

  private func eloChart() -> LineChart {
    func reference(_ name: String) -> LineChart.Reference? {
      finding.ratings.first { $0.name == name }.map { .init(name, $0.elo.value) }
    }
    return LineChart(
      title: "Elo",
      caption:
        "Ratings from a round robin of all players shown, at temperature 1; the expert is 0, "
        + "and 400 points are odds of ten to one.",
      x: Axis("updates of practice"), y: Axis("Elo"),
      series: [
        .init(
          "RL",
          finding.ratings.compactMap { rating in
            rating.step.map { LineChart.Point(Double($0), rating.elo) }
          })
      ], references: ["expert", "2-ply", "optimal", "random"].compactMap(reference))
  }

  private func movesChart() -> BarChart {
    let arms = [finding.expert] + finding.imitators + [finding.practice]
    func shares(_ positions: KeyPath<PositionExam, PositionScores>) -> [Estimate] {
      arms.map { $0.positions[keyPath: positions].estimate(.sampled, seed: recipe.seed) }
    }
    return BarChart(
      title: "Right moves",
      caption:
        "The probability of moves that the solver proves right, where moves differ in value, "
        + "and where the expert almost never plays a right one.",
      axis: Axis("right moves, T = 1", unit: .share, range: 0...1), rows: arms.map(\.name),
      series: [
        .init("where moves differ", shares(\.telling)),
        .init("in the expert's blind spots", shares(\.blindSpots)),
      ])
  }

  private func trainingChart() throws -> LineChart {
    let log = try StageLogLine.read(folder.appendingPathComponent("rl"))
    return LineChart(
      title: "Practice",
      caption: "How undecided the model is, over all tokens that it learned from.",
      x: Axis("updates of practice"), y: Axis("entropy of a move in nats", range: 0...1),
      series: [.init("entropy", log.curve(\.entropy))])
  }

  private func table() -> PageTable {
    var rows: [[String]] = []
    for arm in [finding.expert] + finding.imitators + [finding.practice] {
      for decoding in GameDecoding.allCases {
        guard let match = arm.match(.expert, decoding) else { continue }
        let positions = [arm.positions.telling, arm.positions.blindSpots]
        rows.append(
          [arm.name + (arm.games == 0 ? "" : ", \(decoding.rawValue)")]
            + GameOpponent.allCases.map { Unit.share.text(finding.score(arm, $0, decoding)) }
            + positions.map { Unit.share.text($0.estimate(decoding, seed: recipe.seed)) }
            + [percent(match.diagonalWins), Unit.share.text(arm.positions.illegal)])
      }
    }
    return PageTable(
      header: ["player"] + GameOpponent.allCases.map { "against \($0.rawValue)" }
        + ["right moves", "in blind spots", "diagonal wins", "illegal"], rows: rows)
  }

  // MARK: Boards

  private func rareMove(_ index: Int, _ rare: GameFinding.RareMove) -> BoardDrawing {
    let board = ConnectFour(recipe.shape, moves: rare.moves)
    func mark(_ column: Int, _ label: String, _ isStrong: Bool) -> BoardDrawing.Mark {
      BoardDrawing.Mark(
        column: column, row: height(board, column), label: label, isStrong: isStrong)
    }
    func result(_ column: Int) -> String {
      ["loses", "draws", "wins"][(rare.values[column] ?? 0) + 1]
    }
    return drawing(
      title: "Move \(rare.moves.count + 1)",
      caption: "`!` \(result(rare.move)), `?` \(result(rare.expertMove)). The expert plays `!` "
        + "\(percent(rare.expert)) of the time, its imitator \(percent(rare.imitator)).",
      moves: rare.moves, filled: rare.moves.count % 2, numberedFrom: .max,
      marks: [mark(rare.move, "!", true), mark(rare.expertMove, "?", false)])
  }

  private func game(_ game: GameFinding.SampleGame) -> BoardDrawing {
    drawing(
      title: game.title, caption: "\(game.moves.count) moves, \(game.opening) of them the opening.",
      moves: game.moves, filled: (game.opening + (game.agentBegan ? 0 : 1)) % 2,
      numberedFrom: game.opening, marks: [])
  }

  /// The position after `moves`; discs of the moves with the parity `filled` are filled.
  private func drawing(
    title: String, caption: String, moves: [Int], filled: Int, numberedFrom first: Int,
    marks: [BoardDrawing.Mark]
  ) -> BoardDrawing {
    var board = ConnectFour(recipe.shape)
    var discs: [BoardDrawing.Disc] = []
    for (place, move) in moves.enumerated() {
      discs.append(
        BoardDrawing.Disc(
          column: move, row: height(board, move), side: place % 2 == filled ? 0 : 1,
          label: place >= first ? "\(place - first + 1)" : ""))
      board.play(move)
    }
    return BoardDrawing(
      title: title, caption: caption, columns: recipe.shape.width, rows: recipe.shape.height,
      discs: discs, marks: marks)
  }

  private func height(_ board: ConnectFour, _ column: Int) -> Int {
    (0..<recipe.shape.height).count { board.taken & board.bit(column: column, row: $0) != 0 }
  }
}
