import ArgumentParser
import Environments
import LanguageModel
import TensorCore
import TensorKernels
import Training

/// `bench games`: Connect-4 between two models, as practice plays it.
struct BenchGames: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "games", abstract: "Time games of Connect-4 between two models.",
    discussion: """
      Example:  lyceum bench games --games 384 --threads 1 --json
      """)

  @Option(help: "Width of the residual stream.") var width = 64
  @Option(help: "Number of layers.") var layers = 2
  @Option(help: "Heads.") var heads = 4
  @Option(help: "Games at one time.") var games = 384
  @Option(help: "Timed repetitions.") var repeats = 5
  @Option(help: "Threads; 0 for all cores.") var threads = 0
  @Flag(help: "End with one JSON line.") var json = false

  struct Result: Encodable {
    var games_per_second: Double
    var moves_per_second: Double
    var seconds: Double
    var threads: Int
  }

  func run() throws {
    if threads > 0 { kernelThreads = threads }
    let shape = BoardShape(width: 5, height: 4)
    let model = try Transformer(
      .connectFour(shape, width: width, layers: layers, heads: heads),
      source: RandomSource(seed: 1))
    let player = GamePlayer.model(model, temperature: 1)
    let starts = (0..<games).map { GameStart(opening: [], agentBegins: $0 % 2 == 0) }
    var best = Double.infinity
    var moves = 0
    for _ in 0..<repeats + 1 {
      let start = ContinuousClock.now
      let match = playMatch(
        starts, shape: shape, agent: player, opponents: [player], seed: 1, stream: "bench")
      best = min(best, (ContinuousClock.now - start) / .seconds(1))
      moves = match.games.reduce(0) { $0 + $1.moves.count }
    }
    let result = Result(
      games_per_second: Double(games) / best, moves_per_second: Double(moves) / best,
      seconds: best, threads: kernelThreads)
    if json {
      try JSONLine.print(result)
    } else {
      print("\(Int(result.games_per_second)) games/s, \(Int(result.moves_per_second)) moves/s")
    }
  }
}
