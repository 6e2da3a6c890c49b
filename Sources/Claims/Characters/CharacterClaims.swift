import Environments

// What E5 claims, with thresholds that were fixed before the runs that judge them.

extension CharacterResult {
  var claims: [Claim] {
    let hidden = syllable(.direct, .hidden)
    let short = syllable(.direct, .seen).words(recipe.shortWord)
    let long = syllable(.direct, .seen).words(recipe.longWord)
    return [
      claim(
        "letters-can-be-learned",
        "A model that reads syllables can learn how many of a letter they have, if it is told.",
        "direct, \(recipe.shortWord) told syllables, less answers dealt anew", gain(short), .above,
        0.1, short),
      claim(
        "untold-letters-stay-unknown",
        "It does not see letters: of syllables that nobody spelled for it, it only guesses.",
        "direct, untold syllables, less answers dealt anew", gain(hidden), .below, 0.08, hidden),
      claim(
        "untold-is-not-spelled", "Nor can it spell those syllables.",
        "spelling, untold syllables", syllable(.spell, .hidden).accuracy, .below, 0.05,
        syllable(.spell, .hidden), .share),
      claim(
        "spelling-first-helps", "Spelling the word out first makes the count more often right.",
        "letter by letter less direct, \(recipe.longWord) told syllables",
        difference(syllable(.tally, .seen).words(recipe.longWord), long), .above, 0.1, long),
      claim(
        "tool-needs-no-letters",
        "A program counts right even there: the model only has to copy tokens.",
        "with the tool, untold syllables", syllable(.tool, .hidden).accuracy, .above, 0.95,
        syllable(.tool, .hidden), .share),
      claim(
        "tool-beats-direct", "With the tool it is right far more often than at once.",
        "tool less direct, untold syllables", difference(syllable(.tool, .hidden), hidden), .above,
        0.5, hidden),
      claim(
        "characters-see",
        "A model of the same size that reads letters counts them in the same words.",
        "letters, one by one, less syllables, direct; untold, up to \(recipe.letterLongest) syllables",
        difference(letter(.tally, .hidden), hidden.words(2...recipe.letterLongest)), .above, 0.5,
        hidden.words(2...recipe.letterLongest)),
    ] + pointClaims
  }

  private var pointClaims: [Claim] {
    let (direct, digits) = (point(.direct), point(.digits))
    let n = direct.rightness(trap: true).count
    return [
      Claim(
        id: "e5.reads-sections",
        statement: "Asked at once, 9.11 against 9.9 is mostly judged as sections of a book are.",
        metric: "right at once, decimals that sections order the other way",
        estimate: direct.accuracy(trap: true), .below, threshold: 0.5, unit: .share, n: n,
        seeds: [recipe.seed]),
      Claim(
        id: "e5.digit-by-digit-cures",
        statement: "Compared digit by digit, the same model gets the same pairs right.",
        metric: "digit by digit less at once, the same decimals",
        estimate: direct.items.count == digits.items.count
          ? pairedBootstrap(
            digits.rightness(trap: true), direct.rightness(trap: true), seed: recipe.seed)
          : .unknown, .above, threshold: 0.3, unit: .points, n: n, seeds: [recipe.seed]),
    ]
  }

  func point(_ mode: PointMode) -> PointExam { points[mode.rawValue] ?? PointExam(items: []) }

  func syllable(_ mode: CharacterMode, _ pool: SyllableWorld.Pool) -> CharacterExam {
    syllables[CharacterCell(mode: mode, pool: pool).id] ?? CharacterExam(items: [])
  }

  func letter(_ mode: CharacterMode, _ pool: SyllableWorld.Pool) -> CharacterExam {
    letters[CharacterCell(mode: mode, pool: pool).id] ?? CharacterExam(items: [])
  }

  /// What the guesses earn beyond the same guesses with the answers dealt anew.
  func gain(_ exam: CharacterExam) -> Estimate {
    pairedBootstrap(exam.rightness, exam.dealt, seed: recipe.seed)
  }

  /// a − b over the same questions.
  private func difference(_ a: CharacterExam, _ b: CharacterExam) -> Estimate {
    a.items.count == b.items.count
      ? pairedBootstrap(a.rightness, b.rightness, seed: recipe.seed) : .unknown
  }

  private func claim(
    _ id: String, _ statement: String, _ metric: String, _ estimate: Estimate,
    _ direction: Verdict.Direction, _ threshold: Double, _ exam: CharacterExam,
    _ unit: Unit = .points
  ) -> Claim {
    Claim(
      id: "e5." + id, statement: statement, metric: metric, estimate: estimate, direction,
      threshold: threshold, unit: unit, n: exam.items.count, seeds: [recipe.seed])
  }
}
