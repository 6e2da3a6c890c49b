/// Plain sentences from a small grammar, so that the model has seen language without facts.
enum Prose {
  static let nouns = [
    "river", "teacher", "garden", "engine", "letter", "window", "winter", "student", "market",
    "bridge",
    "story", "kitchen", "forest", "sailor", "paper", "morning", "song", "village", "doctor", "road",
  ]
  static let adjectives = [
    "old", "quiet", "bright", "narrow", "patient", "distant", "warm", "careful", "heavy", "small",
  ]
  static let verbs = [
    "follows", "remembers", "crosses", "opens", "carries", "watches", "leaves", "finds",
    "describes",
    "repairs",
  ]
  static let times = [
    "in the evening", "before noon", "after the rain", "every year", "at last", "again",
  ]

  static func paragraph(_ random: inout SplitMix64) -> String {
    (0..<random.within(3...6)).map { _ in sentence(&random) }.joined(separator: " ")
  }

  private static func sentence(_ random: inout SplitMix64) -> String {
    let (subject, object) = (random.pick(nouns), random.pick(nouns))
    let start = "the \(random.pick(adjectives)) \(subject) \(random.pick(verbs)) the \(object)"
    return start + (random.below(2) == 0 ? " \(random.pick(times))." : ".")
  }
}
