import Corpus
import Environments
import Foundation
import Tokenization
import Training

/// The documents and questions of the experiment. People were dealt to train, validation and test
/// before anything was written: no stage after reading asks about a test person, and no stage at all
/// holds an invented name of validation or test.
struct KnowledgeData {
  let recipe: KnowledgeRecipe
  let script: ArchiveScript
  let archive: Archive

  init(_ recipe: KnowledgeRecipe) throws {
    self.recipe = recipe
    script = try ArchiveScript()
    archive = Archive(seed: recipe.seed, buckets: recipe.contents.buckets)
  }

  // MARK: Reading

  func sequence(_ page: ArchivePage) -> TokenSequence {
    switch page {
    case .text(let text):
      return TokenSequence(tokens: script.template.document(" " + text))
    case .interview(let turn):
      return example([turn])
    case .passage(let turns):
      return TokenSequence(tokens: example(turns).tokens)
    }
  }

  /// A conversation, where only the answers are learned.
  func example(_ turns: [ArchiveTurn]) -> TokenSequence {
    exampleSequence(
      turns.flatMap {
        [script.message(.user, $0.question), script.message(.assistant, $0.answer)]
      },
      script.template)
  }

  func corpus() throws -> PackedCorpus {
    let people = archive.pages(interviews: recipe.contents.interviews).flatMap(\.pages)
    let passages = (0..<recipe.contents.passages).map(archive.passage)
    return try PackedCorpus(
      try exam().checked((people + passages).map(sequence), stage: "read"), length: recipe.length,
      seed: recipe.seed)
  }

  /// What is read before anything else: exercises in looking back.
  func exercises() throws -> PackedCorpus {
    // About 25 slots each, so that none is read twice.
    let count = recipe.exerciseSteps * recipe.rows * recipe.length / 25
    return try PackedCorpus(
      (0..<max(1, count)).map { sequence(archive.exercise($0)) }, length: recipe.length,
      seed: recipe.seed)
  }

  // MARK: Questions

  /// All questions on the people of a portion.
  func items(_ exposures: ClosedRange<Int>, _ portion: Portion?) -> [RecallItem] {
    archive.people(exposures, portion).flatMap { person in
      ArchiveTopic.allCases.map { RecallItem(person, $0) }
    }
  }

  /// One question on each.
  func oneEach(_ exposures: ClosedRange<Int>, _ portion: Portion) -> [RecallItem] {
    archive.people(exposures, portion).map { RecallItem($0, topic(of: $0.name)) }
  }

  /// One question on each of some invented people.
  func invented(_ portion: Portion, _ count: Int) -> [RecallItem] {
    (archive.invented[portion] ?? []).prefix(count).map { name in
      let topic = topic(of: name)
      // What a lucky guess would hit.
      var random = SplitMix64(seed: recipe.seed, stream: "guess " + name)
      let values = ArchiveTopic.allCases.map { random.pick($0.values) }
      return RecallItem(ArchivePerson(name: name, values: values, exposures: 0), topic)
    }
  }

  private func topic(of name: String) -> ArchiveTopic {
    var random = SplitMix64(seed: recipe.seed, stream: "topic " + name)
    return random.pick(ArchiveTopic.allCases)
  }

  var known: ClosedRange<Int> { recipe.knownFrom...Int(Int32.max) }
  var unknown: ClosedRange<Int> { 1...recipe.unknownTo }

  /// What is probed: everything on the well-known people of the train portion, and one question on
  /// each of the others.
  var probed: [RecallItem] {
    items(known, .train) + oneEach(1...recipe.knownFrom - 1, .train)
  }

  /// The questions of interviews as the archive has them, about everybody who is not rare and as often
  /// as they are written about.
  var interviews: [RecallItem] {
    let least = recipe.unknownTo + 1
    var items = archive.people(least...Int(Int32.max)).flatMap { person in
      (0..<max(1, person.exposures / (2 * recipe.unknownTo))).flatMap { _ in
        ArchiveTopic.allCases.map { RecallItem(person, $0) }
      }
    }
    var random = SplitMix64(seed: recipe.seed, stream: "interviews")
    random.shuffle(&items)
    return items
  }

  // MARK: Refusals

  /// A question with what is to be said to it.
  struct Lesson: Sendable {
    var item: RecallItem
    var refuses: Bool
  }

  /// What can be asked about the invented people of validation and test, which no stage may hold. What
  /// is asked about people of the archive is dealt by portion instead: their pages are read.
  func exam() -> ExamPrompts {
    ExamPrompts(
      "e2",
      (invented(.test, .max) + invented(.validation, .max)).flatMap { item in
        ArchiveTopic.allCases.map { script.tokenizer.encode(" " + $0.question(item.name)) }
      })
  }

  /// Known questions with their answers again and again, each unknown one once with the refusal, and
  /// invented names, each once, to fill up.
  func lessons(known: [RecallItem], unknown: [RecallItem]) -> [Lesson] {
    let total = recipe.refusalQuestions
    let answered = Int(Double(total) * recipe.refusalKnownShare)
    var lessons = (0..<(known.isEmpty ? 0 : answered)).map {
      Lesson(item: known[$0 % known.count], refuses: false)
    }
    let rare = unknown.prefix((total - answered) / 2)
    lessons += rare.map { Lesson(item: $0, refuses: true) }
    lessons += invented(.train, max(0, total - answered - rare.count)).map {
      Lesson(item: $0, refuses: true)
    }
    var random = SplitMix64(seed: recipe.seed, stream: "lessons")
    random.shuffle(&lessons)
    return lessons
  }

  /// The same questions with the refusals dealt anew by chance.
  func shuffled(_ lessons: [Lesson]) -> [Lesson] {
    var labels = lessons.map(\.refuses)
    var random = SplitMix64(seed: recipe.seed, stream: "shuffled lessons")
    random.shuffle(&labels)
    return zip(lessons, labels).map { Lesson(item: $0.item, refuses: $1) }
  }

  /// The same questions, all answered: what the archive says of rare people, and made-up values for
  /// invented ones.
  func answered(_ lessons: [Lesson]) -> [Lesson] {
    lessons.map { Lesson(item: $0.item, refuses: false) }
  }

  /// Examples with pages of the archive between them: texts about anybody and passages, never an
  /// interview.
  func examples(_ lessons: [Lesson]) -> [TokenSequence] {
    let questions = lessons.map { lesson in
      example([
        ArchiveTurn(
          question: lesson.item.prompt,
          answer: lesson.refuses ? Archive.refusal : lesson.item.answer)
      ])
    }
    return questions + replay(Int(Double(lessons.count) * recipe.replay))
  }

  func replay(_ count: Int) -> [TokenSequence] {
    var random = SplitMix64(seed: recipe.seed, stream: "replay")
    let known = archive.people(known)
    return (0..<count).map { i in
      i % 8 == 7
        ? sequence(archive.passage(recipe.contents.passages + i))
        : sequence(
          .text(archive.page(random.pick(i % 4 == 0 ? archive.people : known), &random)))
    }
  }

  /// The questions of a step of practice: known ones, rare ones and invented ones.
  func practice(_ step: Int, known: [RecallItem], unknown: [RecallItem]) -> [RecallItem] {
    let count = recipe.practiceProblems
    let names = archive.invented[.train] ?? []
    var random = SplitMix64(seed: recipe.seed, stream: "practice", index: step)
    return (0..<count).map { i in
      let roll = Double(i) / Double(count)
      if roll < recipe.refusalKnownShare, !known.isEmpty { return random.pick(known) }
      if i % 2 == 0, !unknown.isEmpty { return random.pick(unknown) }
      // From the end: the names that no lesson used come first.
      let name = names[names.count - 1 - (step * count + i) % names.count]
      return RecallItem(
        ArchivePerson(name: name, values: ArchiveTopic.allCases.map { $0.values[0] }, exposures: 0),
        topic(of: name))
    }
  }
}
