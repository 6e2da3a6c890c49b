import Corpus
import Training

/// The prompts of an exam as they are asked, so that training can be held against them while it is
/// made: a sequence that holds one of them is an error and not a result.
///
/// Every window of a training sequence that is as long as a prompt is looked up by a rolling hash,
/// which takes a few operations a token.
struct ExamPrompts: Sendable {
  private let experiment: String
  /// By length and hash.
  private let prompts: [Int: [UInt64: Set<[Int32]>]]

  /// - Parameter prompts: as tokens. What is too short to be anybody's own is none.
  init(_ experiment: String, _ prompts: some Sequence<[Int32]>) {
    self.experiment = experiment
    var found: [Int: [UInt64: Set<[Int32]>]] = [:]
    for prompt in prompts where prompt.count > 1 {
      found[prompt.count, default: [:]][Self.hash(prompt[...]), default: []].insert(prompt)
    }
    self.prompts = found
  }

  /// Prompts that are looked for in texts.
  init(_ experiment: String, texts: some Sequence<String>) {
    self.init(experiment, texts.map(Self.bytes))
  }

  var count: Int { prompts.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.count } } }

  /// - Throws: ``TrainingError`` that names the stage where one of the sequences holds a prompt.
  func check(_ sequences: some Sequence<TokenSequence>, stage: String) throws {
    for sequence in sequences { try check(sequence.tokens, stage: stage) }
  }

  func check(texts: some Sequence<String>, stage: String) throws {
    for text in texts { try check(Self.bytes(text), stage: stage) }
  }

  /// The examples themselves, once they were held against the exam.
  func checked(_ sequences: [TokenSequence], stage: String) throws -> [TokenSequence] {
    try check(sequences, stage: stage)
    return sequences
  }

  func check(_ tokens: [Int32], stage: String) throws {
    for (length, byHash) in prompts where length <= tokens.count {
      // Of the token that leaves the window.
      let leaving = (1..<length).reduce(UInt64(1)) { power, _ in power &* Self.base }
      var hash = Self.hash(tokens[..<length])
      for start in 0...tokens.count - length {
        if let group = byHash[hash], group.contains(Array(tokens[start..<start + length])) {
          throw TrainingError(
            "\(experiment): stage \"\(stage)\" would learn from a prompt of the exam, "
              + "\(length) tokens long. Nothing that it finds would count: mend the split")
        }
        guard start + length < tokens.count else { break }
        hash = (hash &- Self.value(tokens[start]) &* leaving) &* Self.base
        hash = hash &+ Self.value(tokens[start + length])
      }
    }
  }

  private static let base: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func value(_ token: Int32) -> UInt64 {
    (UInt64(truncatingIfNeeded: token) &+ 1) &* 0xD134_2543_DE82_EF95
  }

  private static func hash(_ tokens: ArraySlice<Int32>) -> UInt64 {
    tokens.reduce(0) { $0 &* base &+ value($1) }
  }

  private static func bytes(_ text: String) -> [Int32] { text.utf8.map(Int32.init) }
}
