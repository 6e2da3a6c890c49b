import Environments

// What E1 claims, with thresholds that were fixed before the runs that judge them.

extension LadderResult {
  /// The imitator that RL must beat: the best of the three in this very exam. Choosing it on the
  /// exam favours the imitators, not practice.
  var bestImitator: Ladder.Arm {
    let arms: [Ladder.Arm] = [.imitation, .workedOnly, .continued]
    return arms.max { accuracy($0) < accuracy($1) } ?? .imitation
  }

  /// The better of the two ways to ask a model that only read.
  var bestReader: Ladder.Arm { accuracy(.base) < accuracy(.baseShots) ? .baseShots : .base }

  private func accuracy(_ arm: Ladder.Arm) -> Double { exams[arm.rawValue]?.accuracy.value ?? 0 }

  /// The statements in the order of the rungs.
  var claims: [Claim] {
    let (reader, imitator) = (bestReader, bestImitator)
    return [
      Claim(
        id: "e1.sft-beats-base", statement: "Imitating worked examples beats only reading.",
        metric: "\(imitator.title) less \(reader.title), greedy accuracy",
        estimate: difference(imitator, reader, of: rightness), .above, threshold: 0.2,
        unit: .points, n: items, seeds: [recipe.seed]),
      Claim(
        id: "e1.rl-beats-its-sft", statement: "Practice beats the imitator that it started from.",
        metric: "RL less SFT, greedy accuracy",
        estimate: difference(.practice, .imitation, of: rightness), .above, threshold: 0.2,
        unit: .points, n: items, seeds: [recipe.seed]),
      Claim(
        id: "e1.answers-grow", statement: "Answers grow longer in practice, though nobody asks.",
        metric: "RL less SFT, tokens in an answer",
        estimate: difference(.practice, .imitation, of: lengths), .above, threshold: 5,
        unit: .plain, n: items, seeds: [recipe.seed]),
      Claim(
        id: "e1.rl-beats-best-sft", statement: "Practice beats the best imitator.",
        metric: "RL less \(imitator.title), greedy accuracy",
        estimate: difference(.practice, imitator, of: rightness), .above, threshold: 0,
        unit: .points, n: items, seeds: [recipe.seed]),
    ]
  }

  private var items: Int { exams[Ladder.Arm.practice.rawValue]?.greedy.count ?? 0 }

  private func rightness(_ exam: ExamResult) -> [Double] { exam.greedy.map { $0.isRight ? 1 : 0 } }

  private func lengths(_ exam: ExamResult) -> [Double] { exam.greedy.map { Double($0.tokens) } }

  /// a − b over the same items.
  private func difference(_ a: Ladder.Arm, _ b: Ladder.Arm, of values: (ExamResult) -> [Double])
    -> Estimate
  {
    guard let a = exams[a.rawValue], let b = exams[b.rawValue] else { return .unknown }
    return pairedBootstrap(values(a), values(b), seed: recipe.seed)
  }
}

extension Ladder.Arm {
  /// The arm's name in tables.
  var title: String {
    switch self {
    case .base: "base"
    case .baseShots: "base, 4 examples"
    case .imitation: "SFT"
    case .workedOnly: "SFT, worked only"
    case .continued: "SFT continued"
    case .practice: "RL"
    }
  }
}

extension ExamResult {
  /// The share of right answers among the samples at temperature 1, with a bootstrap interval over
  /// the items; nil where none were drawn.
  public func sampledAccuracy(seed: UInt64) -> Estimate? {
    sampledRight.isEmpty
      ? nil : bootstrapMean(sampledRight.map { Double($0) / Double(samples) }, seed: seed)
  }

  /// Share and accuracy of the greedy answers in one style.
  func style(worked: Bool) -> (share: Double, accuracy: Estimate) {
    let chosen = greedy.filter { $0.isWorked == worked }
    return (
      Double(chosen.count) / Double(max(1, greedy.count)),
      Estimate(successes: chosen.count(where: \.isRight), of: chosen.count)
    )
  }
}

extension ExamResult.Answer {
  /// Whether it shows its work.
  var isWorked: Bool { response.contains("=") }
}
