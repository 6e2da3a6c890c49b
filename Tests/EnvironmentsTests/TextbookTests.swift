import Testing

@testable import Environments

@Suite("Textbook")
struct TextbookTests {
  static let contents = TextbookContents(
    arithmetic: 300, formulas: 600, elements: 60, peoplePerBucket: 2, exposures: [1, 2, 4],
    passages: 120, prose: 20)

  @Test("known molecules have their valence electrons")
  func molecules() throws {
    func formula(_ parts: [(String, Int)]) throws -> Formula {
      Formula(
        parts: try parts.map { symbol, count in
          Formula.Part(
            element: try #require(Element.all.first { $0.symbol == symbol }), count: count)
        })
    }
    #expect(try formula([("H", 2), ("O", 1)]).valenceElectrons == 8)
    #expect(try formula([("C", 1), ("O", 2)]).valenceElectrons == 16)
    #expect(try formula([("C", 2), ("H", 6), ("O", 1)]).valenceElectrons == 20)
    #expect(try formula([("S", 1), ("F", 6)]).valenceElectrons == 48)
    #expect(try formula([("C", 2), ("H", 6), ("O", 1)]).text == "C2H6O")
    #expect(
      try formula([("C", 2), ("H", 6)]).key == formula([("H", 6), ("C", 2)]).key)
  }

  @Test("a solution's steps are right, and a slip makes the sum wrong from there on")
  func solutions() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<200 {
      let formula = FormulaSpace(elements: 2...4, counts: 1...4).sample(&random)
      let right = Solution(formula)
      #expect(right.terse == String(formula.valenceElectrons))
      #expect(right.worked.hasSuffix("; so \(formula.valenceElectrons)"))
      #expect(right.worked.split(separator: ";").count == formula.parts.count + 1)
    }
    let people = Demonstrators(workedShare: 0.3, slipShare: 0.2)
    let space = FormulaSpace(elements: 2...3, counts: 1...4)
    let all = people.demonstrations(2_000, space: space, seed: 5)
    let worked = Double(all.count { $0.style == .worked }) / 2_000
    let slips = Double(all.count { $0.hasSlip }) / 2_000
    #expect(abs(worked - 0.3) < 0.05 && abs(slips - 0.2) < 0.04)
    let wrong = all.count {
      LastInteger().reward(problem: $0.problem, response: $0.solution) == 0
    }
    // A slip below zero is cut off and may cancel: nearly all slips show in the answer.
    #expect(Double(wrong) > 0.9 * slips * 2_000 && Double(wrong) <= slips * 2_000)
  }

  @Test("the same seed writes the same pages; another seed writes others")
  func deterministic() {
    let a = Textbook(seed: 7, contents: Self.contents).pages
    #expect(a == Textbook(seed: 7, contents: Self.contents).pages)
    #expect(a != Textbook(seed: 8, contents: Self.contents).pages)
  }

  @Test("no page holds a formula of the validation or test portion")
  func noLeak() {
    let pages = Textbook(seed: 7, contents: Self.contents).pages
    let space = FormulaSpace(elements: 2...4, counts: 1...4)
    let held = Set(
      space.distinct(2_000, .test, seed: 7, stream: "examination").map(\.text)
        + space.distinct(500, .validation, seed: 7, stream: "validation").map(\.text))
    for page in pages {
      for word in page.text.split(whereSeparator: { " ,.:;?".contains($0) }) {
        #expect(!held.contains(String(word)), "\(page.text)")
      }
    }
    #expect(space.distinct(300, .train, seed: 7, stream: "x").allSatisfy { $0.portion == .train })
  }

  @Test("people have names of their own, and are written about as often as they should be")
  func people() {
    let book = Textbook(seed: 7, contents: Self.contents)
    #expect(Set(book.people.map(\.person.name)).count == book.people.count)
    for person in book.people {
      let pages = book.pages.filter {
        $0.kind == .people && $0.text.contains(person.person.name + " ")
      }
      #expect(pages.count <= person.exposures)
    }
    let total = book.pages.count { $0.kind == .people }
    #expect(total == book.people.reduce(0) { $0 + $1.exposures })
  }

  @Test("a passage says one value of a fact for a person, and answers from itself")
  func passages() {
    let directory = PeopleDirectory(seed: 3)
    for i in 0..<300 {
      var random = SplitMix64(seed: 3, stream: "p", index: i)
      let text = directory.passage(&random)
      var answers: [String: Set<String>] = [:]
      for part in text.components(separatedBy: "question: ").dropFirst() {
        let pieces = part.components(separatedBy: " answer: ")
        guard pieces.count == 2 else { continue }
        let answer = pieces[1].prefix { $0 != "." }
        answers[pieces[0], default: []].insert(String(answer))
        #expect(text.prefix(text.count - part.count).contains(answer), "\(text)")
      }
      #expect(answers.values.allSatisfy { $0.count == 1 }, "\(text)")
    }
  }
}

@Suite("Streams")
struct StreamTests {
  @Test("pass@k is the unbiased estimator")
  func passAtKEstimates() {
    #expect(passAtK(n: 4, correct: 0, k: 2) == 0)
    #expect(passAtK(n: 4, correct: 4, k: 1) == 1)
    #expect(abs(passAtK(n: 4, correct: 1, k: 2) - 0.5) < 1e-12)
    #expect(abs(passAtK(n: 10, correct: 3, k: 5) - (1 - 21.0 / 252.0)) < 1e-12)
  }

  @Test("streams with another name or index are others; a shuffle keeps everything")
  func random() {
    var (a, b) = (
      SplitMix64(seed: 1, stream: "x", index: 0), SplitMix64(seed: 1, stream: "y", index: 0)
    )
    var c = SplitMix64(seed: 1, stream: "x", index: 1)
    let first = a.next()
    #expect(first != b.next() && first != c.next())
    var numbers = Array(0..<50)
    a.shuffle(&numbers)
    #expect(numbers != Array(0..<50) && numbers.sorted() == Array(0..<50))
    #expect((0..<1_000).allSatisfy { _ in (3...5).contains(a.within(3...5)) })
    #expect(stableHash("formula C2 H6") == stableHash("formula C2 H6"))
  }
}
