/// The content of the report that a person reads, without its looks. ``html()`` makes it one file
/// that needs nothing from outside.
///
/// In sentences, `backquotes` mark code; everything else is shown as it is.
public struct ReportPage: Sendable {
  public var title: String
  /// A sentence or two that say what was done.
  public var lead: String
  public var report: Report
  public var sections: [Section]
  /// The verdicts of each seed, where there are several.
  public var seedTable: PageTable?

  public init(
    title: String, lead: String, report: Report, sections: [Section], seedTable: PageTable? = nil
  ) {
    self.title = title
    self.lead = lead
    self.report = report
    self.sections = sections
    self.seedTable = seedTable
  }

  /// One claim of the talk, or a few that one experiment decides.
  public struct Section: Sendable {
    /// The anchor: letters, digits and hyphens.
    public var id: String
    public var heading: String
    /// The claims that are decided here, by their ids.
    public var claims: [String]
    /// What the talk says, in our own words.
    public var talk: String
    public var blocks: [Block]
    /// One command with its seed.
    public var reproduce: String
    public var doesNotShow: [String]

    public init(
      id: String, heading: String, claims: [String] = [], talk: String, blocks: [Block],
      reproduce: String, doesNotShow: [String]
    ) {
      self.id = id
      self.heading = heading
      self.claims = claims
      self.talk = talk
      self.blocks = blocks
      self.reproduce = reproduce
      self.doesNotShow = doesNotShow
    }
  }

  public enum Block: Sendable {
    case paragraph(String)
    case subheading(String)
    case table(PageTable)
    case lines(LineChart)
    case bars(BarChart)
    case histogram(Histogram)
    case samples([Sample])
    /// A text cut in several ways.
    case strips([PieceStrip])
    case boards([BoardDrawing])
  }

  /// What a model was asked and what it wrote.
  public struct Sample: Sendable {
    public enum Outcome: String, Sendable {
      case right
      case wrong
      /// Shown without a judgement.
      case open
    }

    public var prompt: String
    public var response: String
    public var outcome: Outcome
    /// Who wrote it and what the key says: "SFT, T = 1; the answer is 20".
    public var note: String

    public init(prompt: String, response: String, outcome: Outcome, note: String = "") {
      self.prompt = prompt
      self.response = response
      self.outcome = outcome
      self.note = note
    }
  }
}

extension Verdict {
  /// The name of its style.
  var style: String { rawValue.lowercased() }
}
