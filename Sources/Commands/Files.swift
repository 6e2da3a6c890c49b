import Claims
import Environments
import Foundation
import TensorKernels
import Tokenization
import Training

/// The bytes of a file of the command line.
func readFile(_ path: String) throws -> Data {
  do {
    return try Data(contentsOf: place(path))
  } catch {
    throw EnvironmentError("\(path) cannot be read: it does not exist, or you may not read it")
  }
}

/// A tokenizer.json, the one of a model folder or run, a tiktoken rank file, or the tokenizer's part
/// of a GGUF file as JSON (NAME.metadata.json; Scripts/check_tokenizer.py writes such files).
func loadTokenizer(_ url: URL) throws -> Tokenizer {
  var candidates = [url]
  for folder in [url, url.appendingPathComponent("model")] {
    candidates.append(folder.appendingPathComponent("tokenizer.json"))
  }
  for candidate in candidates {
    guard let data = try? Data(contentsOf: candidate) else { continue }
    if candidate.pathExtension == "tiktoken" {
      return try Tokenizer(
        tiktokenRanks: data,
        preTokenizer: PreTokenizer.ofRankFile(named: candidate.lastPathComponent))
    }
    if candidate.lastPathComponent.hasSuffix(".metadata.json") {
      return try Tokenizer(metadata: JSONDecoder().decode(TokenizerMetadata.self, from: data))
    }
    return try Tokenizer(tokenizerJSON: data)
  }
  throw TrainingError(
    "\(url.path) is no tokenizer: give a tokenizer.json, a model folder or a .tiktoken file")
}

/// Trains a tokenizer with a progress bar.
func trainTokenizer(_ texts: [String], vocabularySize: Int, preTokenizer: PreTokenizer) throws
  -> Tokenizer
{
  let bar = ProgressBar()
  bar.begin("tokenizer", steps: 100, unit: "%")
  defer { bar.end() }
  return try Tokenizer.train(
    documents: texts, vocabularySize: vocabularySize, preTokenizer: preTokenizer,
    progress: { bar.update(step: Int($0 * 100)) })
}

/// Floating-point operations a second that one core can do in multiply-adds, measured in 30 ms.
func multiplyAddsPeak() -> Double {
  var best = 0.0
  for _ in 0..<3 {
    let rounds = 1 << 19
    let start = ContinuousClock.now
    multiplyAddBurst(rounds)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    best = max(best, Double(rounds) * burstOperations / max(seconds, 1e-9))
  }
  return best
}

/// The log of a stage, for what commands say at the end.
enum StageLog {
  /// The values under a key, line by line.
  static func values(_ key: String, in folder: URL) -> [Double] {
    let data = (try? Data(contentsOf: folder.appendingPathComponent("log.jsonl"))) ?? Data()
    return data.split(separator: 0x0A).compactMap { line in
      (try? JSONDecoder().decode([String: Double].self, from: Data(line)))?[key]
    }
  }

  /// The last value under a key; nil where no line has it.
  static func last(_ key: String, in folder: URL) -> Double? {
    let data = (try? Data(contentsOf: folder.appendingPathComponent("log.jsonl"))) ?? Data()
    for line in data.split(separator: 0x0A).reversed() {
      // The run is saved and well even where someone spoiled a line of its log.
      let values = try? JSONDecoder().decode([String: Double].self, from: Data(line))
      if let value = values?[key] { return value }
    }
    return nil
  }
}
