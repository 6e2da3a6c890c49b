import Claims
import Environments
import Foundation
import ModelFiles
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
/// of a GGUF file, or as JSON (NAME.metadata.json; Scripts/check_tokenizer.py writes such files).
func loadTokenizer(_ url: URL) throws -> Tokenizer {
  if GGUFFile.isOne(url) { return try Tokenizer(GGUFFile(url)) }
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

/// Floating-point operations a second that `threads` cores can do in multiply-adds: the best of three
/// bursts of 30 ms or more.
func multiplyAddsPeak(threads: Int = 1) -> Double {
  var (rounds, bursts, best) = (1 << 18, 0, 0.0)
  while bursts < 3 {
    let start = ContinuousClock.now
    parallel(chunks: threads) { [rounds] _ in _ = multiplyAddBurst(rounds) }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    if seconds < 0.03 {
      rounds *= 2
      continue
    }
    best = max(best, Double(rounds * threads) * burstOperations / seconds)
    bursts += 1
  }
  return best
}

/// The log of a stage, for what commands say at the end.
enum StageLog {
  /// The values under a key, line by line; none without a log.
  static func values(_ key: String, in folder: URL) -> [Double] {
    (try? Stage.logged(key, in: folder)) ?? []
  }

  /// The last value under a key; nil where no line has it.
  static func last(_ key: String, in folder: URL) -> Double? { values(key, in: folder).last }
}
