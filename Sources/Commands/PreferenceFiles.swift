import Claims
import Corpus
import Environments
import Foundation
import Tokenization
import Training

// Preferences of the command line as a reward model reads them.

/// A preference in tokens. Throws where it does not fit the context of a model.
func rankedAnswers(
  _ preferences: [Preference], _ tokenizer: Tokenizer, _ template: ChatTemplate, context: Int,
  name: String
) throws -> [RankedAnswers] {
  try preferences.enumerated().map { i, preference in
    let prompt = template.prompt([Message(role: .user, content: preference.prompt)])
    var answers: [[Int32]] = []
    var places: [Int] = []
    for (place, tier) in preference.tiers.enumerated() {
      for answer in tier {
        answers.append(tokenizer.encode(answer) + [template.end])
        places.append(place)
      }
    }
    if let long = answers.map(\.count).max(), prompt.count + long > context {
      throw CorpusError(
        "\(name), preference \(i + 1): an answer has \(prompt.count + long) tokens with its prompt, "
          + "more than the model's context of \(context): shorten it")
    }
    return RankedAnswers(prompt: prompt, answers: answers, places: places)
  }
}

/// One prompt in ten is kept for measuring, by a hash of its text: all preferences about a prompt fall
/// on one side. Where there are few prompts, one; where there is one alone, none.
func keepSome(_ preferences: [Preference]) -> (training: [Preference], kept: [Preference]) {
  let prompts = Set(preferences.map(\.prompt)).sorted { stableHash($0) < stableHash($1) }
  let kept = Set(prompts.prefix(prompts.count > 1 ? max(1, prompts.count / 10) : 0))
  return (
    preferences.filter { !kept.contains($0.prompt) }, preferences.filter { kept.contains($0.prompt) }
  )
}

/// What tells preferences from others.
func fingerprint(of preferences: [Preference]) -> String {
  String(
    fingerprint(
      of: preferences.lazy.flatMap { [$0.prompt] + $0.tiers.flatMap { ["tier"] + $0 } }), radix: 16)
}
