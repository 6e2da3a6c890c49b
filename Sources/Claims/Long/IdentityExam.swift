import Corpus
import Environments
import Foundation
import Generation
import LanguageModel
import TensorCore
import Training

/// What E11 found.
public struct IdentityFinding: Codable, Sendable, Equatable {
  public var recipe: IdentityRecipe
  var parameters: Int
  /// By arm; see ``Identity``.
  var exams: [String: [Item]]

  struct Item: Codable, Sendable, Equatable {
    var prompt: String
    var response: String
    /// What the data or the system message say.
    var answer: String
    /// Whose name or maker the answer gives: the place of another assistant on the pages, −1 for its
    /// own, nil for anybody else.
    var other: Int?
    var isRight: Bool { response == answer }
  }
}

/// One base, three imitators of it, and questions about themselves.
///
/// Arms of the exam: `base`, `sft`, `sft-identity`, `sft-system` with names of its lessons or with new
/// ones, `sft-identity` under a system message, and a control of other questions.
struct Identity {
  let recipe: IdentityRecipe
  let folder: URL
  let observer: ExperimentObserver

  func measure() throws -> IdentityFinding {
    let world = IdentityWorld(seed: recipe.seed)
    let vocabulary = IdentityWorld.vocabulary
    // Whatever stands before and after: the questions themselves are new.
    let exam = ExamPrompts(
      "e11",
      IdentityWorld.questions(.test).map {
        vocabulary.encode(["<user>"] + $0.words + ["<assistant>"])
      })
    let pages = recipe.reading.examples
    let base = try recipe.reading.train(
      "read", vocabulary, seed: recipe.seed, exam: exam, in: folder, observer
    ) { step in (0..<pages).map { world.page(recipe, step * pages + $0) } }
    var imitators: [IdentityWorld.Lessons: Transformer] = [:]
    for lessons in IdentityWorld.Lessons.allCases {
      imitators[lessons] = try imitate(lessons, world, base, exam)
      if observer.shouldStop() { throw ExperimentStopped() }
    }
    let (given, makers) = (IdentityWorld.given, IdentityWorld.makers)
    let lessonNames = (IdentityWorld.trained(given), IdentityWorld.trained(makers))
    let newNames = (IdentityWorld.kept(given), IdentityWorld.kept(makers))
    return try observer.once(
      "who are you", steps: 6, at: folder.appendingPathComponent("exam.json")
    ) {
      update in
      var exams: [String: [IdentityFinding.Item]] = [:]
      func sit(_ name: String, _ model: Transformer?, _ names: ([String], [String])? = nil) throws {
        guard let model else { return }
        exams[name] = try examine(model, names)
        update(exams.count)
      }
      try sit("base", base)
      try sit("sft", imitators[.none])
      try sit("sft-identity", imitators[.hardCoded])
      try sit("sft-system", imitators[.system], newNames)
      try sit("sft-system, names of its lessons", imitators[.system], lessonNames)
      try sit("sft-identity, under a system message", imitators[.hardCoded], newNames)
      return IdentityFinding(
        recipe: recipe, parameters: base.config.parameterCount, exams: exams)
    }
  }

  private func imitate(
    _ lessons: IdentityWorld.Lessons, _ world: IdentityWorld, _ base: Transformer,
    _ exam: ExamPrompts
  ) throws -> Transformer {
    let each = recipe.imitation.examples
    let stage = recipe.imitation
    return try stage.train(
      lessons.rawValue, IdentityWorld.vocabulary, seed: recipe.seed, from: base, exam: exam,
      in: folder, observer
    ) { step in (0..<each).map { world.lesson(recipe, lessons, step * each + $0) } }
  }

  /// Questions of the exam, with a system message where names are given.
  private func examine(_ model: Transformer, _ names: ([String], [String])?) throws
    -> [IdentityFinding.Item]
  {
    let vocabulary = IdentityWorld.vocabulary
    let questions = IdentityWorld.questions(.test)
    let asked = (0..<recipe.items).map { i -> (prompt: [String], answer: [String]) in
      var random = SplitMix64(seed: recipe.seed, stream: "who", index: i)
      let question = questions[i % questions.count]
      var prompt = ["<page>"]
      var (name, maker) = IdentityWorld.own
      if let names {
        (name, maker) = (random.pick(names.0), random.pick(names.1))
        prompt += IdentityWorld.system(name, maker)
      }
      return (
        prompt + ["<user>"] + question.words + ["<assistant>"],
        IdentityWorld.answer(question, name, maker)
      )
    }
    let generator = Generator(
      model, settings: .greedy(maxTokens: 8), stops: [vocabulary["<end>"]], seed: recipe.seed)
    // A question is asked as often as the exam has it; the same prompt always gets the same answer.
    let written = try generator.run(
      asked.map { GenerationRequest(prompt: vocabulary.encode($0.prompt), stream: 0) })
    return zip(asked, written).map { item, group in
      let words = vocabulary.decode(group[0].tokens.filter { $0 != vocabulary["<end>"] })
      let other = IdentityWorld.others.firstIndex { words.contains($0.0) || words.contains($0.1) }
      let isOwn = words.contains(IdentityWorld.own.0) || words.contains(IdentityWorld.own.1)
      return IdentityFinding.Item(
        prompt: item.prompt.dropFirst().joined(separator: " "),
        response: words.joined(separator: " "), answer: item.answer.joined(separator: " "),
        other: other ?? (isOwn ? -1 : nil))
    }
  }
}

extension IdentityFinding {
  func exam(_ arm: String) -> [Item] { exams[arm] ?? [] }

  func right(_ arm: String) -> Estimate {
    Estimate(successes: exam(arm).count(where: \.isRight), of: exam(arm).count)
  }

  /// How often it says that it is another assistant, one of those on the pages.
  func saysOther(_ arm: String) -> Estimate {
    Estimate(successes: exam(arm).count { ($0.other ?? -1) >= 0 }, of: exam(arm).count)
  }

  var claims: [Claim] {
    func claim(
      _ id: String, _ statement: String, _ metric: String, _ arm: String, _ estimate: Estimate,
      _ threshold: Double
    ) -> Claim {
      Claim(
        id: "e11." + id, statement: statement, metric: metric, estimate: estimate, .above,
        threshold: threshold, unit: .share, n: exam(arm).count, seeds: [recipe.seed])
    }
    return [
      claim(
        "untold-it-is-another",
        "A model that nobody told who it is says that it is whoever its pages spoke of.",
        "SFT without identity: names another assistant or its maker", "sft", saysOther("sft"), 0.8),
      claim(
        "data-tell-it", "Some conversations among those imitated tell it who it is.",
        "SFT with identity: right, questions worded anew", "sft-identity", right("sft-identity"),
        0.9
      ),
      claim(
        "the-system-message-tells-it", "So does a message before the conversation, of any name.",
        "SFT with system messages: says what the message says, new names", "sft-system",
        right("sft-system"), 0.8),
    ]
  }
}
