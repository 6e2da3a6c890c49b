import Foundation

/// A piece of text with the name of where it stands.
public struct Passage: Sendable, Equatable {
  public var source: String
  public var text: String

  public init(source: String, text: String) { (self.source, self.text) = (source, text) }
}

/// Finds passages by their words: BM25 (Robertson and Zaragoza 2009), with ties in the order of the
/// passages, so that the same question always finds the same.
public struct SearchIndex: Sendable {
  public struct Hit: Sendable, Equatable {
    public var passage: Passage
    public var score: Double
  }

  /// Which passages may be found.
  public enum Matching: Sendable {
    /// Those with any word of the question.
    case any
    /// Those with every word of the question: who is not in the index is not found.
    case every
  }

  public let passages: [Passage]
  private let lengths: [Double]
  private let meanLength: Double
  /// By word: where it occurs and how often, in the order of the passages.
  private var postings: [String: [(passage: Int, count: Double)]] = [:]
  private let saturation = 1.2
  private let lengthShare = 0.75

  public init(_ passages: [Passage]) {
    self.passages = passages
    var lengths: [Double] = []
    for (i, passage) in passages.enumerated() {
      let words = Self.words(passage.text)
      lengths.append(Double(words.count))
      let counts = words.reduce(into: [:]) { $0[$1, default: 0.0] += 1 }
      for (word, count) in counts { postings[word, default: []].append((i, count)) }
    }
    self.lengths = lengths
    meanLength = max(1, lengths.reduce(0, +) / Double(max(1, passages.count)))
  }

  /// The `limit` best passages, the best first. A question longer than 1,000 bytes finds nothing.
  public func search(_ question: String, limit: Int = 1, matching: Matching = .any) -> [Hit] {
    guard question.utf8.count <= 1_000 else { return [] }
    var scores: [Int: (score: Double, words: Int)] = [:]
    var seen: Set<String> = []
    // In the order of the question, so that the sums have one order.
    let words = Self.words(question).filter { seen.insert($0).inserted }
    for word in words {
      let found = postings[word] ?? []
      let share = (Double(passages.count - found.count) + 0.5) / (Double(found.count) + 0.5)
      let rarity = log(1 + share)
      for (passage, count) in found {
        let length = 1 - lengthShare + lengthShare * lengths[passage] / meanLength
        let gain = rarity * count * (saturation + 1) / (count + saturation * length)
        let before = scores[passage] ?? (0, 0)
        scores[passage] = (before.score + gain, before.words + 1)
      }
    }
    if matching == .every { scores = scores.filter { $0.value.words == words.count } }
    return scores.sorted {
      ($0.value.score, $1.key) > ($1.value.score, $0.key)
    }.prefix(limit).map { Hit(passage: passages[$0.key], score: $0.value.score) }
  }

  /// Runs of letters and digits, in lower case.
  static func words(_ text: String) -> [String] {
    text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
  }
}

/// The passages that answer a question best, each after its source in brackets.
public struct SearchTool: Tool {
  public let name = "search"
  public static let nothing = "nothing found"
  private let index: SearchIndex
  private let limit: Int
  private let matching: SearchIndex.Matching
  private let passageCharacters: Int

  /// - Parameters:
  ///   - limit: passages in a result.
  ///   - passageCharacters: of each; the rest is cut off.
  public init(
    _ index: SearchIndex, limit: Int = 1, matching: SearchIndex.Matching = .any,
    passageCharacters: Int = 600
  ) {
    (self.index, self.limit, self.matching) = (index, limit, matching)
    self.passageCharacters = passageCharacters
  }

  public func call(_ argument: String) throws -> String {
    let hits = index.search(argument, limit: limit, matching: matching)
    guard !hits.isEmpty else { return Self.nothing }
    return hits.map { hit in
      "[\(hit.passage.source)] \(hit.passage.text.prefix(passageCharacters))"
    }.joined(separator: "\n")
  }
}
