import ArgumentParser
import Foundation

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure this machine on the product's own work.",
    subcommands: [
      BenchTrain.self, BenchGenerate.self, BenchPractice.self, BenchGames.self, BenchMatmul.self,
      BenchTokenizer.self,
    ])
}
