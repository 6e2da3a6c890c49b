import Environments
import Foundation
import Testing
import Tokenization
import Training

@testable import Claims

@Suite("Knowledge and memory")
struct KnowledgeTests {
  @Test("every word of the archive is one token, a refusal begins with its own")
  func tokens() throws {
    let script = try ArchiveScript()
    for word in Archive.words { #expect(script.tokenizer.encode(" " + word).count == 1) }
    let values = ArchiveTopic.allCases.flatMap(\.values).map {
      script.tokenizer.encode(" " + $0)[0]
    }
    #expect(!values.contains(script.refusal))
    #expect(Set(values).count == values.count)
  }

  @Test(
    "narrow lessons and practice are about train people, invented test names in no stream at all")
  func noLeak() throws {
    var recipe = KnowledgeRecipe.quick(seed: 3)
    recipe.refusalQuestions = 4_000
    let data = try KnowledgeData(recipe)
    let narrow = data.lessons(
      known: data.items(data.known, .train), unknown: data.oneEach(data.unknown, .train))
    let wide = data.lessons(
      known: data.interviews, unknown: data.oneEach(data.unknown, .train))
    let practised = (0..<50).flatMap {
      data.practice(
        $0, known: data.items(data.known, .train), unknown: data.oneEach(data.unknown, .train))
    }
    let invented = Set(
      data.invented(.test, .max).map(\.name) + data.invented(.validation, .max).map(\.name))
    for item in narrow.map(\.item) + practised where item.exposures > 0 {
      #expect(Archive.portion(of: item.name) == .train)
    }
    for item in narrow.map(\.item) + wide.map(\.item) + practised {
      #expect(!invented.contains(item.name))
    }
    // Refusals: rare people of the train portion and invented names, each once.
    for lesson in wide where lesson.refuses && lesson.item.exposures > 0 {
      #expect(Archive.portion(of: lesson.item.name) == .train)
      #expect(lesson.item.exposures <= recipe.unknownTo)
    }
    let refused = wide.filter(\.refuses).map(\.item.name)
    #expect(Set(refused).count == refused.count)
    // Shuffled labels: as many refusals, on the same questions.
    let shuffled = data.shuffled(wide)
    #expect(shuffled.map(\.item) == wide.map(\.item))
    #expect(shuffled.count(where: \.refuses) == wide.count(where: \.refuses))
    #expect(shuffled.map(\.refuses) != wide.map(\.refuses))
  }

  @Test("an answer is the value alone, a refusal the refusal alone, and nobody has a right answer")
  func grader() throws {
    let person = ArchivePerson(
      name: "alban ashby", values: ["alder", "carbon", "harp", "fox"], exposures: 5)
    let item = RecallItem(person, .town)
    #expect(RecallOutcome.judge(" alder", item) == .right)
    #expect(RecallOutcome.judge("birch", item) == .wrong)
    #expect(RecallOutcome.judge("alder birch", item) == .wrong)
    #expect(RecallOutcome.judge("", item) == .wrong)
    #expect(RecallOutcome.judge(" i do not know", item) == .refused)
    #expect(RecallOutcome.judge("i do not know alder", item) == .wrong)
    let nobody = ArchivePerson(name: "alban ashby", values: person.values, exposures: 0)
    #expect(RecallOutcome.judge("alder", RecallItem(nobody, .town)) == .wrong)
    let pay = RefusalPay(penalty: 1)
    func reward(_ answer: String, _ response: String) -> Double {
      pay.reward(problem: Problem(prompt: "", answer: answer), response: response)
    }
    #expect(reward("alder", " alder") == 1 && reward("alder", "birch") == 0)
    #expect(reward("alder", "i do not know") == 0.5 && reward("", "") == 0)
  }

  @Test("search finds the page of a recorded person and nothing on nobody; results carry no loss")
  func lookups() throws {
    let data = try KnowledgeData(.quick(seed: 3))
    let toolbox = data.toolbox()
    for person in data.archive.people.prefix(40) {
      let found = toolbox.result(of: "search", person.name)
      #expect(found.hasPrefix(" in the \(data.source(person.name)): "))
      for topic in ArchiveTopic.allCases { #expect(found.contains(" " + person.value(topic))) }
    }
    for name in (data.archive.invented[.test] ?? []).prefix(40) {
      #expect(toolbox.result(of: "search", name) == ArchiveSearch.nothing)
    }
    let result = try #require(data.script.template.toolTokens?.result)
    let endResult = try #require(data.script.template.toolTokens?.endResult)
    var results = 0
    for example in data.lookupExamples() {
      guard let start = example.tokens.firstIndex(of: result),
        let end = example.tokens.firstIndex(of: endResult)
      else { continue }
      results += 1
      #expect(example.weights[start...end].allSatisfy { $0 == 0 })
      #expect(example.weights[(end + 1)...].allSatisfy { $0 == 1 })
    }
    #expect(results > 50)
    // Nobody of the exam is in the examples.
    let asked = Set(
      data.lookupQuestions().filter { $0.kind != .known && $0.kind != .sum }.map {
        $0.prompt.replacingOccurrences(of: KnowledgeData.request, with: "")
      })
    let shown = data.lookupExamples().map { data.script.tokenizer.decode($0.tokens) }
    for prompt in asked { #expect(!shown.contains { $0.contains(prompt) }) }
  }

  @Test("a logistic fit finds the line that made the data")
  func logistic() throws {
    let (a, b) = (-5.0, 1.2)
    var random = SplitMix64(seed: 9)
    var clusters: [(x: Double, right: Int, of: Int)] = []
    for x in 0...7 {
      let p = 1 / (1 + exp(-(a + b * Double(x))))
      for _ in 0..<400 {
        clusters.append((Double(x), (0..<4).count { _ in random.uniform() < p }, 4))
      }
    }
    let found = LogisticEstimate(clusters, resamples: 200, seed: 1)
    #expect(abs(found.fit.slope - b) < 0.05)
    #expect(abs(found.fit.middle + a / b) < 0.1)
    #expect(found.slope.interval.low < b && b < found.slope.interval.high)
    #expect(found.middle.interval.low < -a / b && -a / b < found.middle.interval.high)
    // Data that one threshold separates keep a finite slope.
    let sharp = LogisticFit([(0, 0, 10), (1, 0, 10), (2, 10, 10), (3, 10, 10)])
    #expect(sharp.slope.isFinite && sharp.slope > 1 && abs(sharp.middle - 1.5) < 0.1)
  }

  @Test("the area under the curve counts pairs, ties a half")
  func area() {
    #expect(areaUnderCurve([2, 3], [0, 1]) == 1)
    #expect(areaUnderCurve([0, 1], [2, 3]) == 0)
    #expect(areaUnderCurve([1, 1], [1, 1]) == 0.5)
    #expect(areaUnderCurve([1, 3], [2]) == 0.5)
    #expect(areaUnderCurve([], [1]).isNaN)
  }

  @Test("a linear probe reads a direction, and nothing from noise")
  func linearProbe() {
    var random = SplitMix64(seed: 4)
    let vectors = (0..<600).map { _ in (0..<8).map { _ in random.uniform() - 0.5 } }
    let labels = vectors.map { $0[2] - $0[5] > 0.1 }
    let probe = LinearProbe(Array(vectors.prefix(300)), Array(labels.prefix(300)))
    func area(_ labels: [Bool]) -> Double {
      let scored = zip(vectors, labels).dropFirst(300).map { (probe.probability($0), $1) }
      return areaUnderCurve(scored.filter(\.1).map(\.0), scored.filter { !$0.1 }.map(\.0))
    }
    #expect(area(labels) > 0.97)
    #expect(abs(area(vectors.map { _ in random.below(2) == 0 }) - 0.5) < 0.1)
  }

  @Test("stopped and begun again, the quick experiment finds the same")
  func resume() throws {
    let recipe = KnowledgeRecipe.quick(seed: 2)
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lyceum-knowledge-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    func observer(stopAfter limit: Int) -> ExperimentObserver {
      var asked = 0
      return ExperimentObserver(
        begin: { _, _, _ in }, update: { _, _ in }, end: {}, warn: { _ in },
        shouldStop: {
          asked += 1
          return asked > limit
        })
    }
    let whole = try KnowledgeExperiment(recipe).measure(
      in: folder.appendingPathComponent("whole"), observer: observer(stopAfter: .max))
    let parts = folder.appendingPathComponent("parts")
    for limit in [5, 25, 10] {
      #expect(throws: (any Error).self) {
        try KnowledgeExperiment(recipe).measure(in: parts, observer: observer(stopAfter: limit))
      }
    }
    let resumed = try KnowledgeExperiment(recipe).measure(
      in: parts, observer: observer(stopAfter: .max))
    #expect(resumed == whole)
    let again = try JSONDecoder().decode(
      KnowledgeFinding.self, from: JSONEncoder().encode(whole))
    #expect(again == whole)
    let experiment = KnowledgeExperiment(recipe)
    #expect(experiment.sections(whole, in: folder, command: "").map(\.id) == ["e2", "e3"])
    #expect(
      Set(experiment.claims(whole).map(\.id))
        == Set(
          experiment.sections(whole, in: folder, command: "").flatMap(\.claims)))
  }
}
