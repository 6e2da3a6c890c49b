import Environments
import Foundation
import Training

// E7 as a person reads it.

struct TasteSection {
  let result: TasteFinding

  private var recipe: TasteRecipe { result.recipe }

  func section(_ command: String) -> ReportPage.Section {
    ReportPage.Section(
      id: "e7", heading: "Learning what people like, and gaming it",
      claims: result.claims.map(\.id),
      talk:
        "Whether a joke is good cannot be checked by a program. So people are asked to order a few, "
        + "which is easier than to write one; a second network learns their orders; and the model "
        + "practises against that network as often as it likes. It works for a while. Then the model "
        + "finds texts that mean nothing to people and everything to the network, and there are always "
        + "more of them. That is why one stops early, and why this is not the kind of practice that "
        + "can run on.",
      blocks: [
        .paragraph(
          "People here are a hidden taste that no model sees: a joke by its form, a pun that fits the "
            + "animal, an adjective that alliterates, up to three words from a secret list of twelve; "
            + "and every word said twice or beyond the fifteenth is a bore. They order "
            + "\(recipe.ranked) jokes at a time, \(Format.fixed(Double(recipe.rankings), 0)) times, "
            + "not without mistakes. Rewards are in deviations of what the imitator writes: 0 is its "
            + "mean, 1 a deviation better."),
        .table(modelTable()),
        .lines(goldChart()),
        .lines(proxyChart()),
        .table(armTable()),
        .subheading("What it writes in the end"),
        .paragraph(
          "The jokes of the last policies that their rewards like best. The last ones practised "
            + "against the true taste."),
        .samples(gallery()),
        .subheading("Distance"),
        .paragraph(
          "Best-of-n takes the best of n jokes of the imitator by the first reward model and trains "
            + "nothing. Thin lines are the forms that Gao et al. fit, drawn, not judged."),
        .lines(distanceChart()),
        .table(bestOfTable()),
        .subheading("Stopping in time"),
        .paragraph(stopping()),
        .table(stopTable()),
        .subheading("Nonsense as negatives"),
        .paragraph(
          "After the first reward model was gamed, people were shown what it liked, among honest "
            + "jokes; it learned their orders, and practice began anew. A round is survived where gold "
            + "at the end is within 0.3 of its peak."),
        .table(roundTable()),
      ],
      reproduce: command,
      doesNotShow: [
        "That people are like this taste: it is bounded in what it can like and unbounded in what it "
          + "can dislike, which makes the fall possible, and it is the same person every time.",
        "Jokes about other animals: the thirty prompts of practice are also those measured, with "
          + "fresh samples at every step.",
        "How much seeds differ: the intervals cover sampled jokes only; the reward models differ in "
          + "people, jokes and order, and share the imitator.",
      ])
  }

  private func title(_ name: String) -> String {
    if name == "true" { return "true taste" }
    if name == "ensemble" { return "least of all models" }
    if name.hasPrefix("rm-") { return "model \(name.dropFirst(3))" }
    if name.hasPrefix("kl-") { return "model 1, penalty \(name.dropFirst(3))" }
    return "after round \(name.dropFirst(6))"
  }

  private var names: [String] {
    result.games.map(\.name) + recipe.penalties.map { "kl-\($0)" } + ["ensemble", "true"]
  }

  private func arms(_ names: [String]) -> [(name: String, arm: TasteArm)] {
    names.compactMap { name in result.arms[name].map { (name, $0) } }
  }

  private func modelTable() -> PageTable {
    PageTable(
      header: ["reward model", "rankings", "true order", "people's order", "correlation"],
      rows: result.rewardModels.enumerated().map { i, model in
        [
          "model \(i + 1)", Format.fixed(Double(model.rankings), 0),
          Unit.share.text(Estimate(successes: model.truth.right, of: model.truth.pairs)),
          Unit.share.text(Estimate(successes: model.people.right, of: model.people.pairs)),
          Format.fixed(model.correlation, 2),
        ]
      })
  }

  private func goldChart() -> LineChart {
    LineChart(
      title: "What people think of it",
      caption: "Gold, which no policy but the last sees. Against a reward model it rises and then "
        + "falls; against the true taste it runs on.",
      x: Axis("steps of practice"), y: Axis("gold, deviations"),
      series: arms(names).map { name, arm in
        .init(title(name), arm.points.map { .init($0.step, $0.worth) }, intervals: .band)
      })
  }

  private func proxyChart() -> LineChart {
    LineChart(
      title: "What the reward models think of it",
      caption: "The same policies, each by the reward that it practises for: every one of them has "
        + "only good news.",
      x: Axis("steps of practice"), y: Axis("reward, deviations"),
      series: arms(names).filter { $0.name != "true" }.map { name, arm in
        .init(title(name), arm.points.map { .init($0.step, $0.score) }, intervals: .band)
      })
  }

  private func armTable() -> PageTable {
    PageTable(
      header: [
        "practised against", "steps", "gold at peak", "at step", "gold at end", "reward at end",
        "nats away", "jokes by form", "words said again",
      ],
      rows: arms(names).compactMap { name, arm in
        guard let peak = arm.peak, let end = arm.points.last else { return nil }
        return [
          title(name), Format.fixed(end.step + Double(recipe.window) / 2, 0),
          Format.fixed(peak.gold[1], 2), Format.fixed(peak.step, 0), Format.fixed(end.gold[1], 2),
          Format.fixed(end.score.value, 2), Format.fixed(end.divergence, 1),
          Unit.share.text(end.formed), Format.fixed(end.repeated, 2),
        ]
      })
  }

  private func gallery() -> [ReportPage.Sample] {
    arms(names).flatMap { name, arm in
      arm.gallery.prefix(3).map { item in
        ReportPage.Sample(
          prompt: item.prompt, response: item.text, outcome: item.gold > 0 ? .right : .wrong,
          note: "\(title(name)): reward \(Format.fixed(item.proxy, 2)), gold "
            + Format.fixed(item.gold, 2))
      }
    }
  }

  private func distanceChart() -> LineChart {
    var series: [LineChart.Series] = []
    if let first = result.games.first?.arm, let start = first.points.first {
      let points = first.points.map { (d: max(0, $0.divergence).squareRoot(), point: $0) }
      series.append(
        .init("practice, model 1", points.map { .init($0.d, $0.point.worth) }, intervals: .band))
      let fit = GaoFit(.practice, points.map { ($0.d, $0.point.worth.value - start.worth.value) })
      series += curve("d (a − b ln d)", fit, points.map { $0.d }, from: start.worth.value)
    }
    if let start = result.bestOf.first {
      let points = result.bestOf.map { (d: $0.divergence.squareRoot(), point: $0) }
      series.append(
        .init("best of n, model 1", points.map { .init($0.d, $0.point.gold) }, intervals: .band))
      let fit = GaoFit(.bestOfN, points.map { ($0.d, $0.point.gold.value - start.gold.value) })
      series += curve("d (a − b d)", fit, points.map { $0.d }, from: start.gold.value)
    }
    return LineChart(
      title: "Gold over the distance from the imitator",
      caption: "The square root of the KL divergence. Choosing is a cheaper way to go far than "
        + "practice.",
      x: Axis("√KL"), y: Axis("gold, deviations"), series: series)
  }

  private func curve(_ name: String, _ fit: GaoFit?, _ ds: [Double], from start: Double)
    -> [LineChart.Series]
  {
    guard let fit, let most = ds.max(), most > 0 else { return [] }
    return [
      .init(
        name,
        (1...40).map { i in
          let d = most * Double(i) / 40
          return LineChart.Point(d, start + fit(d))
        })
    ]
  }

  private func bestOfTable() -> PageTable {
    PageTable(
      header: ["best of", "KL at most", "reward", "gold"],
      rows: result.bestOf.map { point in
        [
          String(point.n), Format.fixed(point.divergence, 2), Unit.plain.text(point.proxy),
          Unit.plain.text(point.gold),
        ]
      })
  }

  private func stopping() -> String {
    let labels = result.games.first?.arm.labels ?? 0
    return "In the course of a run, people compare \(Format.fixed(Double(labels), 0)) of its jokes with "
      + "the imitator's, \(recipe.labels) at each point of the curve, and the point is kept that they "
      + "like best together with its neighbours. They looked at "
      + "\(Format.fixed(Double(recipe.rankings * recipe.ranked), 0)) jokes to train one reward model."
  }

  private func stopTable() -> PageTable {
    PageTable(
      header: ["practised against", "stopped at step", "gold there", "at peak", "at end"],
      rows: arms(names).compactMap { name, arm in
        guard let stop = arm.stop, let peak = arm.peak, let end = arm.points.last else { return nil }
        return [
          title(name), Format.fixed(stop.step, 0), Unit.plain.text(stop.worth),
          Format.fixed(peak.gold[1], 2), Unit.plain.text(end.worth),
        ]
      })
  }

  private func roundTable() -> PageTable {
    PageTable(
      header: [
        "round", "puts honest jokes first, before", "after", "true order of honest jokes",
        "gold at peak", "at end", "survived",
      ],
      rows: result.rounds.map { round in
        func share(_ found: RewardAgreement) -> String {
          Unit.share.text(Estimate(successes: found.right, of: found.pairs))
        }
        let arm = result.arms[round.arm]
        let (peak, end) = (arm?.peak?.gold[1] ?? .nan, arm?.points.last?.gold[1] ?? .nan)
        return [
          String(round.arm.dropFirst(6)), share(round.before), share(round.after),
          share(round.honest), Format.fixed(peak, 2), Format.fixed(end, 2),
          end > peak - 0.3 ? "yes" : "no",
        ]
      })
  }
}
