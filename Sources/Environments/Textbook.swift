// The textbook that the ladder's model reads: real chemistry, the arithmetic that it needs, fictional
// people, passages with questions, and plain prose. A function of the seed. No formula of the
// validation or test portion occurs in it.

/// How much of what to write, in documents.
public struct TextbookContents: Codable, Sendable, Equatable {
  /// Pages of products and running sums.
  public var arithmetic: Int
  /// Pages that take formulas apart.
  public var formulas: Int
  /// Pages on the elements.
  public var elements: Int
  /// People in each bucket of exposure.
  public var peoplePerBucket: Int
  /// How often the people of each bucket are written about.
  public var exposures: [Int]
  /// Passages about strangers, with questions.
  public var passages: Int
  /// Paragraphs of prose.
  public var prose: Int

  public init(
    arithmetic: Int, formulas: Int, elements: Int, peoplePerBucket: Int, exposures: [Int],
    passages: Int, prose: Int
  ) {
    (self.arithmetic, self.formulas, self.elements) = (arithmetic, formulas, elements)
    (self.peoplePerBucket, self.exposures) = (peoplePerBucket, exposures)
    (self.passages, self.prose) = (passages, prose)
  }

  /// Mostly chemistry: for the ladder.
  public static let ladder = TextbookContents(
    arithmetic: 7_000, formulas: 20_000, elements: 800, peoplePerBucket: 10,
    exposures: [1, 2, 4, 8, 16, 32], passages: 600, prose: 400)
}

/// One page.
public struct TextbookPage: Sendable, Equatable {
  /// What a page is about.
  public enum Kind: String, Sendable { case arithmetic, formulas, elements, people, passage, prose }
  public let kind: Kind
  public let text: String
}

/// All pages, in a shuffled order, and what they are about.
public struct Textbook: Sendable {
  public let seed: UInt64
  public let contents: TextbookContents
  public let people: [RecordedPerson]
  public let pages: [TextbookPage]

  public init(seed: UInt64, contents: TextbookContents) {
    (self.seed, self.contents) = (seed, contents)
    var pages: [TextbookPage] = []
    func write(
      _ kind: TextbookPage.Kind, _ count: Int, _ page: (inout SplitMix64) -> String
    ) {
      for i in 0..<count {
        var random = SplitMix64(seed: seed, stream: kind.rawValue, index: i)
        pages.append(TextbookPage(kind: kind, text: page(&random)))
      }
    }
    write(.arithmetic, contents.arithmetic, Chemistry.arithmeticPage)
    write(.formulas, contents.formulas, Chemistry.formulaPage)
    write(.elements, contents.elements, Chemistry.elementPage)
    let directory = PeopleDirectory(seed: seed)
    people = directory.recorded(perBucket: contents.peoplePerBucket, exposures: contents.exposures)
    for person in people {
      for i in 0..<person.exposures {
        var random = SplitMix64(seed: seed, stream: "person " + person.person.name, index: i)
        pages.append(
          TextbookPage(kind: .people, text: directory.page(on: person.person, &random)))
      }
    }
    write(.passage, contents.passages, directory.passage)
    write(.prose, contents.prose, Prose.paragraph)
    var random = SplitMix64(seed: seed, stream: "order of pages")
    random.shuffle(&pages)
    self.pages = pages
  }
}

/// Pages of chemistry and of its arithmetic.
enum Chemistry {
  /// Products of a valence and a count, then sums as they come up when one adds electrons.
  static func arithmeticPage(_ random: inout SplitMix64) -> String {
    if random.below(4) == 0 {
      let products = (0..<10).map { _ -> String in
        let (a, b) = (random.within(1...7), random.within(1...6))
        return "\(a)*\(b)=\(a * b)"
      }
      return "Products: " + products.joined(separator: "; ")
    }
    let sums = (0..<8).map { _ -> String in
      let b = random.within(1...7) * random.within(1...6)
      // Smaller totals come up more often.
      let a = random.below(random.below(3) == 0 ? 150 : 80)
      return "\(a)+\(b)=\(a + b)"
    }
    return "Sums: " + sums.joined(separator: "; ")
  }

  /// Formulas of the training portion, taken apart.
  static func formulaPage(_ random: inout SplitMix64) -> String {
    let space = FormulaSpace(elements: 1...5, counts: 1...6)
    let lines = (0..<4).map { _ -> String in
      let formula = trainFormula(space, &random)
      let parts = formula.parts
      switch random.below(3) {
      case 0:
        return "\(formula.text) is "
          + parts.map { "\($0.count) \($0.element.symbol)" }.joined(separator: ", ") + "."
      case 1:
        return "\(formula.text): "
          + parts.map { "\($0.element.symbol) \($0.element.valence)*\($0.count)" }
          .joined(separator: ", ") + "."
      default:
        let part = random.pick(parts)
        return "In \(formula.text) there \(part.count == 1 ? "is" : "are") \(part.count) "
          + "\(part.element.symbol)."
      }
    }
    return lines.joined(separator: " ")
  }

  private static func trainFormula(_ space: FormulaSpace, _ random: inout SplitMix64) -> Formula {
    while true {
      let formula = space.sample(&random)
      if formula.portion == .train { return formula }
    }
  }

  static func elementPage(_ random: inout SplitMix64) -> String {
    let sentences = (0..<4).map { _ -> String in
      let element = random.pick(Element.all)
      let electrons = element.valence == 1 ? "electron" : "electrons"
      switch random.below(5) {
      case 0:
        return "\(element.name) has the symbol \(element.symbol) and the number \(element.number)."
      case 1: return "\(element.symbol) has \(element.valence) valence \(electrons)."
      case 2: return "an atom of \(element.name) brings \(element.valence) valence \(electrons)."
      case 3: return "\(element.symbol) is \(element.name)."
      default: return "the valence of \(element.symbol) is \(element.valence)."
      }
    }
    return sentences.joined(separator: " ")
  }
}
