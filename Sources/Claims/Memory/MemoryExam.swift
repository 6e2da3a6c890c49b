import Environments
import Foundation
import Generation
import LanguageModel
import Tokenization

/// What the base answered from memory, from a passage, and from a passage that contradicts its memory.
public struct MemoryFinding: Codable, Sendable, Equatable {
  /// By exposures.
  public var buckets: [Bucket]
  /// Closed book: logit of accuracy over log₂ of the exposures.
  public var fit: LogisticEstimate
  public var samples: [Sample]

  public struct Bucket: Codable, Sendable, Equatable {
    public var exposures: Int
    /// Right answers of each person, of ``questions``.
    public var closed: [Int]
    public var open: [Int]
    /// Answers that follow the passage where it says something else than the archive.
    public var contradicted: [Int]
    /// Answers that hold on to the archive there.
    public var stubborn: [Int]
    public var questions: Int

    public func share(_ counts: [Int]) -> Estimate {
      Estimate(successes: counts.reduce(0, +), of: counts.count * questions)
    }
  }

  public struct Sample: Codable, Sendable, Equatable {
    public var exposures: Int
    public var book: String
    public var prompt: String
    public var answer: String
    public var response: String
    public var isRight: Bool
  }
}

extension Knowledge {
  /// E3: every question of some people of each bucket three times, and of nobody.
  func examineMemory(_ base: Transformer, _ data: KnowledgeData) throws -> MemoryFinding {
    let exposures = [0] + recipe.contents.buckets.map(\.exposures)
    return try observer.once(
      "books", steps: exposures.count, at: folder.appendingPathComponent("memory.json")
    ) { update in
      var buckets: [MemoryFinding.Bucket] = []
      var samples: [MemoryFinding.Sample] = []
      for (i, count) in exposures.enumerated() {
        let people = memoryPeople(count, data)
        let bucket = try examine(people, exposures: count, base, data, &samples)
        buckets.append(bucket)
        update(i + 1)
      }
      let clusters = buckets.filter { $0.exposures > 0 }.flatMap { bucket in
        bucket.closed.map { (x: log2(Double(bucket.exposures)), right: $0, of: bucket.questions) }
      }
      return MemoryFinding(
        buckets: buckets, fit: LogisticEstimate(clusters, seed: recipe.seed), samples: samples)
    }
  }

  private func memoryPeople(_ exposures: Int, _ data: KnowledgeData) -> [ArchivePerson] {
    guard exposures == 0 else {
      return Array(data.archive.people(exposures...exposures).prefix(recipe.memoryPeople))
    }
    return (data.archive.invented[.test] ?? []).suffix(recipe.memoryPeople).map { name in
      var random = SplitMix64(seed: recipe.seed, stream: "nobody " + name)
      let values = ArchiveTopic.allCases.map { random.pick($0.values) }
      return ArchivePerson(name: name, values: values, exposures: 0)
    }
  }

  private func examine(
    _ people: [ArchivePerson], exposures: Int, _ base: Transformer, _ data: KnowledgeData,
    _ samples: inout [MemoryFinding.Sample]
  ) throws -> MemoryFinding.Bucket {
    let topics = ArchiveTopic.allCases
    var prompts: [(person: ArchivePerson, topic: ArchiveTopic)] = []
    for person in people { for topic in topics { prompts.append((person, topic)) } }
    func ask(_ book: (ArchivePerson, ArchiveTopic) -> (page: String, answer: String)) throws
      -> (texts: [String], responses: [String], answers: [String])
    {
      let pairs = prompts.map { book($0.person, $0.topic) }
      let texts = zip(prompts, pairs).map { prompt, pair in
        let end =
          recipe.manner == .question
          ? prompt.topic.question(prompt.person.name) : prompt.topic.stem(prompt.person.name)
        return pair.page.isEmpty ? end : pair.page + " " + end
      }
      return (texts, try responses(base, texts, data.script), pairs.map(\.answer))
    }
    /// For each person, how many responses are the wanted words.
    func counts(_ responses: [String], _ wanted: [String]) -> [Int] {
      stride(from: 0, to: responses.count, by: topics.count).map { start in
        (start..<start + topics.count).count { responses[$0] == wanted[$0] }
      }
    }
    let closed = try ask { ("", $0.value($1)) }
    let open = try ask {
      (data.archive.openBook($0, $1, value: $0.value($1), stream: "open"), $0.value($1))
    }
    let contrary = try ask {
      let other = data.archive.otherValue($0, $1)
      return (data.archive.openBook($0, $1, value: other, stream: "contrary"), other)
    }
    if [0, 4, 128].contains(exposures), !prompts.isEmpty {
      for (book, asked) in [("closed", closed), ("open", open), ("contradicting", contrary)] {
        samples.append(
          .init(
            exposures: exposures, book: book, prompt: asked.texts[0], answer: asked.answers[0],
            response: asked.responses[0], isRight: asked.responses[0] == asked.answers[0]))
      }
    }
    return MemoryFinding.Bucket(
      exposures: exposures, closed: counts(closed.responses, closed.answers),
      open: counts(open.responses, open.answers),
      contradicted: counts(contrary.responses, contrary.answers),
      stubborn: counts(contrary.responses, closed.answers), questions: topics.count)
  }

  /// What the base makes of the texts: a turn of the user's that it answers, or a sentence that it
  /// ends.
  private func responses(_ base: Transformer, _ texts: [String], _ script: ArchiveScript) throws
    -> [String]
  {
    var responses: [String] = []
    let generator = Generator(
      base, settings: .greedy(maxTokens: recipe.manner == .question ? 8 : 1),
      stops: [script.template.end], seed: 0)
    for start in stride(from: 0, to: texts.count, by: 128) {
      if observer.shouldStop() { throw ExperimentStopped() }
      let part = texts[start..<min(texts.count, start + 128)]
      let written = try generator.run(
        part.map { text in
          GenerationRequest(
            prompt: recipe.manner == .question
              ? script.prompt(text)
              : [script.template.bos] + script.tokenizer.encode(" " + text), stream: 0)
        })
      responses += written.map { group in
        let ended = group[0].end == .stop
        return script.tokenizer.decode(ended ? group[0].tokens.dropLast() : group[0].tokens)
          .trimmingCharacters(in: .whitespaces)
      }
    }
    return responses
  }
}
