import Environments

// What E4 claims, with thresholds that were fixed before the runs that judge them.

extension ThinkingResult {
  /// Problems too long to be done at once.
  static let long = 5...DialProblem.slots

  var claims: [Claim] {
    let long = Self.long
    let n = exam(.workFirst).chosen(long).count
    let (steps, half) = (DialProblem.slots, DialProblem.slots / 2)
    return [
      Claim(
        id: "e4.work-first-wins",
        statement: "The same words in another order: who works first is right far more often.",
        metric: "work first less answer first, 5 to 8 operations",
        estimate: difference(.workFirst, .answerFirst, long), .above, threshold: 0.6,
        unit: .points, n: n, seeds: [recipe.seed]),
      Claim(
        id: "e4.answer-first-is-trained",
        statement: "Answer first can do one operation: it is trained, not starved.",
        metric: "answer first, 1 operation", estimate: exam(.answerFirst).accuracy(1...1), .above,
        threshold: 0.9, unit: .share, n: exam(.answerFirst).chosen(1...1).count,
        seeds: [recipe.seed]),
      Claim(
        id: "e4.answer-first-near-chance",
        statement: "Answer first is near chance, 10 %, on long problems.",
        metric: "answer first, 5 to 8 operations", estimate: exam(.answerFirst).accuracy(long),
        .below, threshold: 0.25, unit: .share, n: n, seeds: [recipe.seed]),
      Claim(
        id: "e4.weight-is-no-cure",
        statement:
          "Nor is it the loss: an answer that counts four times as much stays near chance.",
        metric: "answer first, ×4, 5 to 8 operations",
        estimate: exam(.heavyAnswer).accuracy(long), .below, threshold: 0.25, unit: .share, n: n,
        seeds: [recipe.seed]),
      Claim(
        id: "e4.dots-do-not-help",
        statement: "Tokens alone are no thoughts: as many dots before the answer do not help.",
        metric: "dots first less answer first, 5 to 8 operations",
        estimate: difference(.dots, .answerFirst, long), .below, threshold: 0.1, unit: .points,
        n: n, seeds: [recipe.seed]),
      Claim(
        id: "e4.explanation-knew",
        statement: "Where the answer came too early and wrong, the steps after it are right.",
        metric: "right steps before the last among wrong answers, answer first, 3 to 8 operations",
        estimate: explanation.steps, .above, threshold: 0.7, unit: .share, n: explanation.n,
        seeds: [recipe.seed]),
      Claim(
        id: "e4.tokens-buy-steps",
        statement: "Allowed fewer tokens than steps, the model that works first falls too.",
        metric: "8 operations: 9 values allowed less \(half)",
        estimate: pairedBootstrap(
          budget.rightness(allowed: steps + 1, steps...steps),
          budget.rightness(allowed: half, steps...steps), seed: recipe.seed), .above,
        threshold: 0.6, unit: .points, n: budget.rightness(allowed: 0, steps...steps).count,
        seeds: [recipe.seed]),
    ]
  }

  func exam(_ arm: ThinkingArm) -> ThinkingExam { exams[arm.id] ?? ThinkingExam(items: []) }

  /// What follows a wrong answer: how often every value before the last is right; how often the last
  /// is right too; how often it is the wrong answer again.
  var explanation: (steps: Estimate, whole: Estimate, repeated: Estimate, n: Int) {
    let wrong = exam(.answerFirst).chosen(3...DialProblem.slots).filter { !$0.isRight }
    func share(_ holds: (ThinkingExam.Item) -> Bool) -> Estimate {
      Estimate(successes: wrong.count(where: holds), of: wrong.count)
    }
    return (
      share(\.hasRightSteps), share(\.hasRightWork), share { $0.hasRightSteps && $0.endsInAnswer },
      wrong.count
    )
  }

  /// a − b over the same problems.
  private func difference(_ a: ThinkingArm, _ b: ThinkingArm, _ operations: ClosedRange<Int>)
    -> Estimate
  {
    let (a, b) = (exam(a).chosen(operations), exam(b).chosen(operations))
    guard a.count == b.count else { return .unknown }
    return pairedBootstrap(a.map(\.isRight), b.map(\.isRight), seed: recipe.seed)
  }
}
