import ArgumentParser
import Claims
import Foundation
import Generation
import LanguageModel
import TensorCore
import TensorKernels
import Training

/// `bench real`: a published model, for comparing with what others make of the same file.
struct BenchReal: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "real", abstract: "Time a model file: loading, reading a prompt, writing.",
    discussion: """
      Example:  lyceum bench real smollm2.gguf --arithmetic integer --threads 2 --json
      As peers/llamacpp.py measures llama.cpp: prompts of 8 tokens, greedy, nothing shared. Each
      figure is the best of the repeats, beside its share of what the machine can do.
      """)

  @Argument(help: "A GGUF file or a model folder.") var model: String
  @Option(help: "Tokens of the prompt that is read.") var prompt = 660
  @Option(help: "Tokens that each sequence writes.") var new = 64
  @Option(help: "Sequences at once.") var sequences = 16
  @Option(help: "Timed repetitions.") var repeats = 3
  @OptionGroup var weights: WeightOptions
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var arithmetic: String
    var threads: Int
    var file_bytes: Int
    var weight_bytes: Int
    var load_to_first_token_seconds: Double
    var peak_resident_bytes: Int
    /// Of the program alone.
    var resident_before_loading_bytes: Int
    var prefill_tokens_per_second: Double
    /// Of the multiply-adds that the threads can do in Float.
    var prefill_share_of_peak: Double
    var decode_tokens_per_second: Double
    /// Of the bytes that memory can deliver.
    var decode_share_of_bandwidth: Double
    var decode_many_tokens_per_second: Double
    /// By this process's own CPU time, which other programs disturb less. With one thread.
    var per_own_cpu_second: [String: Double]
    var decode_many_share_of_peak: Double
    var sequences: Int
    var peak_gflops: Double
    var bandwidth_gb_per_second: Double
  }

  func validate() throws {
    try requireCounts([
      "prompt": prompt, "new": new, "sequences": sequences, "repeats": repeats,
    ])
  }

  func run() throws {
    compute.apply()
    let before = Machine.peakResidentBytes
    let start = ContinuousClock.now
    let loaded = try LoadedModel.open(place(self.model), arithmetic: weights.arithmetic)
    let model = loaded.model
    _ = try write(model, sequences: 1, prompt: 8, new: 1, seed: 1)
    let first = (ContinuousClock.now - start) / .seconds(1)
    let resident = Machine.peakResidentBytes
    guard max(prompt + 1, new + 8) <= model.config.context else {
      throw TrainingError(
        "the context of \(model.config.context) is shorter than --prompt or --new")
    }
    let reading = try best { try write(model, sequences: 1, prompt: prompt, new: 1, seed: $0) }
    let one = try best { try write(model, sequences: 1, prompt: 8, new: new, seed: $0) }
    let many = try best { try write(model, sequences: sequences, prompt: 8, new: new, seed: $0) }
    let peak = multiplyAddsPeak(threads: kernelThreads)
    let bandwidth = readRate()
    let matrices = Double(
      model.parameters.reduce(0) { $0 + ($1.kind == .matrix ? $1.tensor.count : 0) })
    let head = Double(model.head.count)
    let bytes = Double(model.weightBytes)
    let (oneRate, manyRate) = (Double(new) / one.wall, Double(sequences * new) / many.wall)
    let result = Result(
      arithmetic: weights.arithmetic.rawValue, threads: kernelThreads,
      file_bytes: size(self.model), weight_bytes: model.weightBytes,
      load_to_first_token_seconds: first, peak_resident_bytes: resident,
      resident_before_loading_bytes: before,
      prefill_tokens_per_second: Double(prompt) / reading.wall,
      prefill_share_of_peak: 2 * matrices * Double(prompt) / reading.wall / peak,
      decode_tokens_per_second: oneRate, decode_share_of_bandwidth: bytes * oneRate / bandwidth,
      decode_many_tokens_per_second: manyRate,
      per_own_cpu_second: [
        "prefill": Double(prompt) / reading.cpu, "decode": Double(new) / one.cpu,
        "decode_many": Double(sequences * new) / many.cpu,
      ],
      decode_many_share_of_peak: 2 * (matrices + head) * manyRate / peak, sequences: sequences,
      peak_gflops: peak / 1e9, bandwidth_gb_per_second: bandwidth / 1e9)
    if compute.json { return try JSONLine.print(result) }
    print(table(result))
  }

  private func table(_ r: Result) -> String {
    var table = TextTable([.init("what"), .init("figure", .right), .init("of the limit", .right)])
    func share(_ value: Double) -> String { Format.fixed(100 * value, 0) + " %" }
    table.add(["load to first token", Format.fixed(r.load_to_first_token_seconds, 2) + " s", ""])
    table.add([
      "memory at its peak", Format.bytes(Double(r.peak_resident_bytes)),
      Format.fixed(Double(r.peak_resident_bytes) / Double(max(1, r.file_bytes)), 2) + " x file",
    ])
    table.add([
      "reading \(prompt) tokens", Format.fixed(r.prefill_tokens_per_second, 0) + " tok/s",
      share(r.prefill_share_of_peak) + " of \(Format.fixed(r.peak_gflops, 0)) GFLOP/s",
    ])
    table.add([
      "writing, one sequence", Format.fixed(r.decode_tokens_per_second, 0) + " tok/s",
      share(r.decode_share_of_bandwidth)
        + " of \(Format.fixed(r.bandwidth_gb_per_second, 1)) GB/s",
    ])
    table.add([
      "writing, \(sequences) sequences",
      Format.fixed(r.decode_many_tokens_per_second, 0) + " tok/s",
      share(r.decode_many_share_of_peak) + " of \(Format.fixed(r.peak_gflops, 0)) GFLOP/s",
    ])
    return table.text
  }

  /// Writes `new` tokens after prompts that no run had before.
  private func write(_ model: Transformer, sequences: Int, prompt: Int, new: Int, seed: Int) throws
  {
    let size = model.config.vocabularySize
    var state = UInt64(seed) &* 7_919 &+ 12_345
    let requests = (0..<sequences).map { index in
      GenerationRequest(
        prompt: (0..<prompt).map { _ in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return Int32(state >> 33) % Int32(size)
        }, stream: UInt64(index))
    }
    let settings = SamplingSettings(temperature: 0, maxTokens: new)
    _ = try Generator(model, settings: settings, stops: [], seed: 1, slots: sequences).run(requests)
  }

  /// Seconds of the fastest repeat, and the fewest of CPU time.
  private func best(_ body: (Int) throws -> Void) throws -> (wall: Double, cpu: Double) {
    var best = (wall: Double.infinity, cpu: Double.infinity)
    for index in 0...repeats {
      let (start, cpu) = (ContinuousClock.now, clock())
      try body(index + 2)
      best.cpu = min(best.cpu, Double(clock() - cpu) / Double(CLOCKS_PER_SEC))
      best.wall = min(best.wall, (ContinuousClock.now - start) / .seconds(1))
    }
    return best
  }

  /// Bytes a second that memory delivers: the best of some passes over 256 MB.
  private func readRate() -> Double {
    let buffer = Buffer(64 << 20, zeroed: true)
    var best = Double.infinity
    for _ in 0..<5 {
      let start = ContinuousClock.now
      _ = readBurst(buffer.reading)
      best = min(best, (ContinuousClock.now - start) / .seconds(1))
    }
    return Double(4 * buffer.count) / best
  }

  private func size(_ path: String) -> Int {
    (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
  }
}
