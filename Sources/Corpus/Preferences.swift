import Foundation

/// Answers to one prompt as a person ordered them.
public struct Preference: Sendable, Equatable {
  public var prompt: String
  /// The best first; answers that stand together are ties.
  public var tiers: [[String]]

  public init(prompt: String, tiers: [[String]]) { (self.prompt, self.tiers) = (prompt, tiers) }
}

/// The preferences of a JSONL file. Each line holds `prompt` with `chosen` and `rejected`, or `prompt`
/// with `ranking`: answers from the best to the worst, where a list in place of an answer is a tie.
///
/// - Throws: ``CorpusError`` with a sentence that names the line, and for preferences that nothing can
///   be learned from: none, one answer that is always the chosen one, or each one contradicted.
public func readPreferences(_ data: Data, name: String) throws -> [Preference] {
  struct Line: Decodable {
    var prompt: String
    var chosen: String?
    var rejected: String?
    var ranking: [Tier]?
  }
  struct Tier: Decodable {
    var answers: [String]
    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      answers = try (try? value.decode(String.self)).map { [$0] } ?? value.decode([String].self)
    }
  }
  var found: [Preference] = []
  for (number, line) in data.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
    if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
    let place = "\(name), line \(number + 1)"
    guard let line = try? JSONDecoder().decode(Line.self, from: Data(line)) else {
      throw CorpusError(
        "\(place): not a preference; each line must be a JSON object with \"prompt\" and either "
          + "\"chosen\" and \"rejected\" or \"ranking\", a list from best to worst")
    }
    let tiers: [[String]]
    if let ranking = line.ranking {
      tiers = ranking.map(\.answers).filter { !$0.isEmpty }
    } else if let chosen = line.chosen, let rejected = line.rejected {
      tiers = [[chosen], [rejected]]
    } else {
      throw CorpusError("\(place): it needs \"chosen\" and \"rejected\", or a \"ranking\"")
    }
    let answers = tiers.flatMap { $0 }
    guard answers.count >= 2 else {
      throw CorpusError("\(place): a preference needs two answers or more")
    }
    guard Set(answers).count == answers.count else {
      throw CorpusError("\(place): an answer stands in it twice")
    }
    found.append(Preference(prompt: line.prompt, tiers: tiers))
  }
  try check(found, name)
  return found
}

private func check(_ preferences: [Preference], _ name: String) throws {
  guard !preferences.isEmpty else { throw CorpusError("\(name) holds no preference") }
  let decided = preferences.filter { $0.tiers.count > 1 }
  guard !decided.isEmpty else {
    throw CorpusError("\(name) holds ties only: nobody prefers anything")
  }
  let best = Set(decided.flatMap { $0.tiers[0] })
  if decided.count > 1, best.count == 1 {
    throw CorpusError(
      "\(name) is one-sided: the chosen answer is the same text in all \(decided.count) lines, so a "
        + "model would learn that text and no taste")
  }
  // How often a is put before b, less how often b before a.
  var balance: [[String]: Int] = [:]
  for preference in decided {
    for (i, tier) in preference.tiers.enumerated() {
      for worse in preference.tiers.dropFirst(i + 1).joined() {
        for better in tier {
          let isOrdered = better < worse
          let key = [preference.prompt, min(better, worse), max(better, worse)]
          balance[key, default: 0] += isOrdered ? 1 : -1
        }
      }
    }
  }
  if balance.values.allSatisfy({ $0 == 0 }) {
    throw CorpusError(
      "\(name) contradicts itself: every comparison stands in it both ways round, equally often")
  }
}
