/// Which slots are free, and what tokens each slot of a cache holds, so that a sequence can take over
/// what it has in common with another.
struct SlotTable {
  /// Free slots, the one that was given back first at the front.
  private(set) var free: [Int]
  /// The tokens that the cache holds, by slot.
  var tokens: [[Int32]]

  /// Fewer common tokens than this are computed again rather than copied or waited for.
  private static let worthCopying = 32

  init(slots: Int) {
    free = Array(0..<slots)
    tokens = Array(repeating: [], count: slots)
  }

  /// A slot for a job.
  struct Place {
    var slot: Int
    /// Tokens of the prompt that the slot holds.
    var kept: Int
    /// Another slot that holds, or will hold, more of them.
    var source: (id: Int, slot: Int, tokens: Int)?
  }

  /// Takes a free slot: the one with the most of the prompt, else the one unused for the longest.
  mutating func take(_ job: GenerationJob, among sequences: [DecodingSequence]) -> Place {
    let prompt = job.prompt
    // Scores of a prompt need all its rows; otherwise at least the last token must be computed.
    let most = job.scoresPrompt ? 0 : prompt.count - 1
    var best = (place: 0, common: 0)
    for (place, slot) in free.enumerated() {
      let common = min(most, Self.common(tokens[slot], prompt))
      if common > best.common { best = (place, common) }
    }
    var found: Place
    let holder = free[best.place]
    // A slot that holds much more than the two have in common is left as it is where there is another:
    // someone may go on with it.
    if best.common >= Self.worthCopying, free.count > 1,
      tokens[holder].count - best.common >= Self.worthCopying
    {
      let slot = free.remove(at: best.place == 0 ? 1 : 0)
      found = Place(slot: slot, kept: 0, source: (-1, holder, best.common))
    } else {
      found = Place(slot: free.remove(at: best.place), kept: best.common, source: nil)
    }
    tokens[found.slot] = Array(prompt[..<found.kept])
    guard !job.scoresPrompt else { return found }
    for sequence in sequences {
      let slot = sequence.slot
      var common = min(most, Self.common(tokens[slot], prompt))
      if !sequence.hasPrompt {
        // Its prompt is under way.
        let coming = Self.common(sequence.job.prompt, prompt)
        let isEqual = coming == prompt.count && coming == sequence.job.prompt.count
        common = max(common, isEqual && !sequence.job.scoresPrompt ? coming : min(most, coming))
        if isEqual, sequence.leader != nil { common = 0 }
      }
      let isWorthIt = common >= Self.worthCopying || common == prompt.count
      if isWorthIt, common > max(found.kept, found.source?.tokens ?? 0) {
        found.source = (sequence.id, slot, common)
      }
    }
    return found
  }

  mutating func give(_ slot: Int) { free.append(slot) }

  /// Forgets the tokens of the free slot that was used the longest ago, and names it.
  mutating func forget() -> Int? {
    guard let slot = free.first(where: { !tokens[$0].isEmpty }) else { return nil }
    tokens[slot] = []
    return slot
  }

  private static func common(_ a: [Int32], _ b: [Int32]) -> Int {
    let most = min(a.count, b.count)
    var count = 0
    while count < most, a[count] == b[count] { count += 1 }
    return count
  }
}
