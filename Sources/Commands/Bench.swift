import ArgumentParser
import Foundation

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure this machine on the product's own work.",
    subcommands: [
      BenchTrain.self, BenchGenerate.self, BenchPractice.self, BenchGames.self, BenchMatmul.self,
      BenchTokenizer.self, BenchReal.self,
    ])
}

/// Throws a usage error for an option of these names that does not count from 1 to 1,000,000.
func requireCounts(_ options: KeyValuePairs<String, Int>) throws {
  for (name, value) in options where !(1...1_000_000).contains(value) {
    throw ValidationError("--\(name) is \(value): give 1 to 1,000,000")
  }
}
