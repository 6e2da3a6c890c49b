import Corpus
import Environments
import Foundation
import LanguageModel
import ModelFiles
import Tokenization
import Training

/// What E7 is made of beside models: words, jokes to imitate, and people's orders. A function of the
/// seed.
struct TasteData {
  let recipe: TasteRecipe
  let taste: HiddenTaste
  let tokenizer: Tokenizer
  let template: ChatTemplate

  init(_ recipe: TasteRecipe, in folder: URL) throws {
    self.recipe = recipe
    taste = HiddenTaste(seed: recipe.seed)
    tokenizer = try Self.tokenizer(in: folder)
    template = try ChatTemplate(tokenizer: tokenizer)
  }

  /// One that has a token for every word.
  private static func tokenizer(in folder: URL) throws -> Tokenizer {
    let place = folder.appendingPathComponent("tokenizer.json")
    if let data = try? Data(contentsOf: place) { return try Tokenizer(tokenizerJSON: data) }
    let texts = Jokes.vocabulary.flatMap { [$0, " " + $0] }
    let documents = texts + texts
    let tokenizer: Tokenizer
    do {
      tokenizer = try Tokenizer.train(
        documents: documents, vocabularySize: 100_000, preTokenizer: .digits)
    } catch TokenizerError.corpusTooSmall(_, _, let largest) {
      tokenizer = try Tokenizer.train(
        documents: documents, vocabularySize: largest, preTokenizer: .digits)
    }
    try writeAtomically(try tokenizer.tokenizerJSON(), to: place)
    return tokenizer
  }

  /// The animals in their order, as problems without an answer.
  var problems: [Problem] { Jokes.animals.map { Problem(prompt: Jokes.prompt($0), answer: "") } }

  func examples() -> [TokenSequence] {
    (0..<recipe.jokes).map { i in
      let joke = recipe.writers.joke(seed: recipe.seed, index: i)
      return exampleSequence(
        [
          Message(role: .user, content: Jokes.prompt(joke.animal)),
          Message(role: .assistant, content: joke.text),
        ], template)
    }
  }

  /// What people think of the answers to ``problems``, by animal and sample.
  func parts(_ batch: RolloutBatch) -> [[HiddenTaste.Parts]] {
    zip(Jokes.animals, batch.responses).map { animal, group in
      group.map { taste.parts($0, about: animal) }
    }
  }
}

/// Answers of a model with what people think of them.
struct Judged {
  var animal: Int
  var prompt: [Int32]
  var tokens: [Int32]
  var text: String
  var worth: Double

  var answer: AnswerTokens { AnswerTokens(prompt: prompt, answer: tokens) }
}

extension TasteData {
  /// `samples` answers to each animal, judged, animal by animal.
  func sample(_ model: Transformer, samples: Int, stream: String) throws -> [[Judged]] {
    let batch = try rollOut(
      problems, model: model, tokenizer: tokenizer, template: template, samples: samples,
      settings: .init(maxTokens: recipe.maxTokens), seed: recipe.seed ^ stableHash(stream), step: 0)
    let parts = parts(batch)
    return batch.continuations.indices.map { a in
      batch.continuations[a].indices.map { s in
        Judged(
          animal: a, prompt: batch.prompts[a], tokens: batch.continuations[a][s].tokens,
          text: batch.responses[a][s], worth: parts[a][s].total)
      }
    }
  }

  /// `count` orders of ``TasteRecipe/ranked`` answers each, of answers to one animal. With `truth`,
  /// the places are by worth, and equal worths are ties; else as people give them.
  func rankings(_ answers: [[Judged]], count: Int, stream: String, truth: Bool = false)
    -> [RankedAnswers]
  {
    var next = answers.map { _ in 0 }
    return (0..<count).map { i in
      var random = SplitMix64(seed: recipe.seed, stream: "rank " + stream, index: i)
      let animal = i % answers.count
      let group = (0..<recipe.ranked).map { _ -> Judged in
        defer { next[animal] += 1 }
        return answers[animal][next[animal] % answers[animal].count]
      }
      return ranked(group, &random, truth: truth)
    }
  }

  func ranked(_ group: [Judged], _ random: inout SplitMix64, truth: Bool = false) -> RankedAnswers {
    var places = [Int](repeating: 0, count: group.count)
    if truth {
      let worths = Set(group.map(\.worth)).sorted(by: >)
      for (i, item) in group.enumerated() { places[i] = worths.firstIndex(of: item.worth) ?? 0 }
    } else {
      for (place, i) in recipe.raters.order(group.map(\.worth), &random).enumerated() {
        places[i] = place
      }
    }
    return RankedAnswers(prompt: group[0].prompt, answers: group.map(\.tokens), places: places)
  }
}
