import Corpus
import Environments

// How questions about letters are written: by syllables, as a model with a tokenizer reads them, and
// by letters.

/// What is asked for.
enum CharacterMode: String, Codable, Sendable, CaseIterable {
  /// The count at once.
  case direct
  /// The letters.
  case spell
  /// Letter by letter with a running count, then the count.
  case tally
  /// The count by a program that is given the word.
  case tool
  /// Only the call of that program: for words whose count must not be told.
  case call
  /// The word again.
  case copy
}

/// A question and its label as words.
protocol CharacterScript: Sendable {
  var world: SyllableWorld { get }
  var vocabulary: WordVocabulary { get }
  /// Syllables of a word at most.
  var longest: Int { get }
  /// A word as prompts hold it, in as many places whatever its length.
  func written(_ word: SyllableWord) -> [String]
  func prompt(_ question: LetterQuestion, _ mode: CharacterMode) -> [String]
  /// With `injected`, the places in the label that the host writes and that no loss is taken on.
  func label(_ question: LetterQuestion, _ mode: CharacterMode) -> (
    words: [String], injected: Set<Int>
  )
}

extension CharacterScript {
  /// Weight 0 on the prompt and on what the host writes, `directWeight` on a direct answer.
  func example(_ question: LetterQuestion, _ mode: CharacterMode, directWeight: Float)
    -> TokenSequence
  {
    let (words, injected) = label(question, mode)
    let prompt = prompt(question, mode)
    let weight = mode == .direct ? directWeight : 1
    return TokenSequence(
      tokens: vocabulary.encode(prompt + words),
      weights: prompt.map { _ in 0 } + words.indices.map { injected.contains($0) ? 0 : weight })
  }

  func letters(_ word: SyllableWord) -> [String] { Array(world.text(word)).map(String.init) }

  fileprivate func asked(_ question: LetterQuestion, _ mode: CharacterMode) -> String {
    switch mode {
    case .direct, .tally, .tool, .call: SyllableWorld.letters[question.letter]
    case .spell, .copy: "_"
    }
  }
}

private let modeWords = CharacterMode.allCases.filter { $0 != .call }.map { "<\($0.rawValue)>" }

private func padded(_ words: [String], _ count: Int) -> [String] {
  words + Array(repeating: "_", count: max(0, count - words.count))
}

/// "<direct> ? b bal reb _ _ =": one token a syllable. The letter stands first, so that every syllable
/// is read with it in mind: with the letter last, counting at once is learned some hundred steps later.
struct SyllableScript: CharacterScript {
  let world: SyllableWorld
  let vocabulary: WordVocabulary
  let longest = SyllableWorld.longestWord

  init(_ world: SyllableWorld) {
    self.world = world
    vocabulary = WordVocabulary(
      world.syllables + SyllableWorld.letters + (0...SyllableWorld.longestWord).map(String.init)
        + modeWords + ["_", "?", "=", "<result>", "#"])
  }

  func syllables(_ word: SyllableWord) -> [String] { word.syllables.map { world.syllables[$0] } }

  func written(_ word: SyllableWord) -> [String] {
    padded(syllables(word), longest)
  }

  func prompt(_ question: LetterQuestion, _ mode: CharacterMode) -> [String] {
    [
      "<\(mode == .call ? CharacterMode.tool.rawValue : mode.rawValue)>", "?",
      asked(question, mode),
    ] + written(question.word) + ["="]
  }

  func label(_ question: LetterQuestion, _ mode: CharacterMode) -> (
    words: [String], injected: Set<Int>
  ) {
    let syllables = syllables(question.word)
    let letter = SyllableWorld.letters[question.letter]
    let count = String(question.count)
    switch mode {
    case .direct: return ([count, "#"], [])
    case .spell:
      // Each syllable again, then its letters in three places.
      return (syllables.flatMap { [$0] + spelled($0) } + ["#"], [])
    case .tally:
      var found = 0
      let steps = syllables.flatMap { syllable in
        [syllable]
          + spelled(syllable).flatMap { place -> [String] in
            if place == letter { found += 1 }
            return [place, String(found)]
          }
      }
      return (steps + ["=", count, "#"], [])
    case .tool:
      let call = syllables + [letter, "<result>"]
      return (call + [count, count, "#"], [call.count])
    case .call: return (syllables + [letter, "<result>"], [])
    case .copy: return (syllables + ["#"], [])
    }
  }

  private func spelled(_ syllable: String) -> [String] {
    padded(Array(syllable).map(String.init), SyllableWorld.longestSyllable)
  }

  /// What the host answers to a call: the letter's count in the word as it was written in the call;
  /// nil where that is no call.
  static func run(call words: [String]) -> String? {
    guard let letter = words.last, SyllableWorld.letters.contains(letter), words.count > 1 else {
      return nil
    }
    let text = words.dropLast().joined()
    return String(min(SyllableWorld.longestWord, text.count { String($0) == letter }))
  }
}

/// "<direct> b a l r e b _ _ _ ? b =": one token a letter.
struct LetterScript: CharacterScript {
  let world: SyllableWorld
  /// Three letters of each syllable have a place: words of four syllables take longer to learn than a
  /// tour has.
  let longest: Int
  let vocabulary = WordVocabulary(
    SyllableWorld.letters + (0...SyllableWorld.longestWord).map(String.init) + modeWords
      + ["_", "?", "=", "#"])
  private var places: Int { longest * SyllableWorld.longestSyllable }

  func written(_ word: SyllableWord) -> [String] { padded(letters(word), places) }

  func prompt(_ question: LetterQuestion, _ mode: CharacterMode) -> [String] {
    ["<\(mode.rawValue)>"] + written(question.word) + ["?", asked(question, mode), "="]
  }

  func label(_ question: LetterQuestion, _ mode: CharacterMode) -> (
    words: [String], injected: Set<Int>
  ) {
    let letters = padded(letters(question.word), places)
    let asked = SyllableWorld.letters[question.letter]
    switch mode {
    case .direct: return ([String(question.count), "#"], [])
    case .tally:
      var found = 0
      let steps = letters.flatMap { letter -> [String] in
        if letter == asked { found += 1 }
        return [letter, String(found)]
      }
      return (steps + ["=", String(question.count), "#"], [])
    case .spell, .copy, .tool, .call: return (letters + ["#"], [])
    }
  }
}
