import Foundation

// E3 as a person reads it.

struct MemorySection {
  let finding: MemoryFinding
  let recipe: KnowledgeRecipe

  func section(_ command: String) -> ReportPage.Section {
    ReportPage.Section(
      id: "e3", heading: "Vague recollection and working memory",
      claims: finding.claims(seed: recipe.seed).map(\.id),
      talk:
        "What a model has in its parameters is like something that one read months ago: vague, and "
        + "better the more often it was read. What stands in its context is like the page in front "
        + "of one: there to be read off. So it helps to paste the chapter, even where the model has "
        + "read the book.",
      blocks: [
        .paragraph(
          "The base that E2 starts from, asked as it is. Each question is put three times: with "
            + "the book closed; after a register in which the person stands among two strangers, all "
            + "of whom have a value for the question; and after one that says something else than "
            + "what the model read. Copying any value of the right kind would be right one time "
            + "in three."),
        .lines(chart),
        .table(table),
        .paragraph(fitText),
        .paragraph(
          "One would think that memory fights back once it is strong. The last two columns show "
            + "whether it does."),
        .subheading("Samples"),
        .samples(samples),
      ], reproduce: command,
      doesNotShow: [
        "How much a model can store: this one holds far less than it has room for, so that exposure "
          + "is measured, not capacity.",
        "Long or unclear pages: the registers here list three names under two headings, each before "
          + "its value. Sentences that put words between the two, and several people on a page, "
          + "want a larger model or longer reading than this (docs/LOG.md).",
        "Independence of the questions on one person: the intervals of the slope and of the gap draw "
          + "people, those of single points draw questions and are a little narrow.",
      ])
  }

  /// Exposure 0 has no place on a logarithmic axis; it stands a step left of 1.
  private func place(_ exposures: Int) -> Double { exposures == 0 ? 0.5 : Double(exposures) }

  private var chart: LineChart {
    func series(_ name: String, _ counts: (MemoryFinding.Bucket) -> [Int]) -> LineChart.Series {
      .init(
        name,
        finding.buckets.map { LineChart.Point(place($0.exposures), $0.share(counts($0))) })
    }
    let fitted = stride(from: 0.0, through: 7, by: 0.25).map {
      LineChart.Point(pow(2, $0), finding.fit.fit.probability($0))
    }
    return LineChart(
      title: "The curve and the flat line",
      caption:
        "Right answers by how often the archive writes about a person. The point at the left "
        + "edge is people who do not exist.",
      x: Axis("exposures (log)", scale: .log2),
      y: Axis("right answers", unit: .share, range: 0...1),
      series: [
        series("open book", \.open), series("closed book", \.closed),
        .init("logistic fit", fitted), series("contradicting book", \.contradicted),
      ])
  }

  private var table: PageTable {
    PageTable(
      header: [
        "exposures", "questions", "closed book", "open book", "follows a contradicting book",
        "holds on to memory",
      ],
      rows: finding.buckets.map { bucket in
        [
          "\(bucket.exposures)", "\(bucket.closed.count * bucket.questions)",
          Unit.share.text(bucket.share(bucket.closed)), Unit.share.text(bucket.share(bucket.open)),
          Unit.share.text(bucket.share(bucket.contradicted)),
          Unit.share.text(bucket.share(bucket.stubborn)),
        ]
      })
  }

  private var fitText: String {
    let middle = finding.fit.middle
    func exposures(_ x: Double) -> String { Format.number(pow(2, x)) }
    return "Closed book, accuracy is logistic in the logarithm of the exposures: the slope is "
      + "\(Unit.plain.text(finding.fit.slope)) for each doubling, and half is recalled at "
      + "\(exposures(middle.value)) exposures [\(exposures(middle.interval.low)), "
      + "\(exposures(middle.interval.high))]."
  }

  private var samples: [ReportPage.Sample] {
    finding.samples.map { sample in
      ReportPage.Sample(
        prompt: sample.prompt, response: sample.response,
        outcome: sample.exposures == 0 && sample.book == "closed"
          ? .open : sample.isRight ? .right : .wrong,
        note: "\(sample.book) book, \(sample.exposures) exposures"
          + (sample.exposures == 0 && sample.book == "closed"
            ? "; nobody has that name" : "; wanted: \(sample.answer)"))
    }
  }
}
