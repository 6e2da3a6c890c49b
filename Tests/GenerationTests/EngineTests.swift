import Foundation
import Generation
import LanguageModel
import Synchronization
import TensorCore
import TensorKernels
import TestSupport
import Testing

@Suite(.serialized) struct EngineTests {
  /// Jobs of all kinds, some with common prompts.
  private func jobs(_ count: Int) -> [GenerationJob] {
    var random = TestRandom(seed: 9)
    let system = (0..<70).map { _ in Int32.random(in: 0..<37, using: &random) }
    let kinds = [
      SamplingSettings(maxTokens: 20), .greedy(maxTokens: 17),
      SamplingSettings(temperature: 0.7, topK: 9, topP: 0.9, maxTokens: 23),
      SamplingSettings(
        repetitionPenalty: 1.2, frequencyPenalty: 0.3, presencePenalty: 0.2, bias: [3: 2, 4: -100],
        maxTokens: 20),
      SamplingSettings(temperature: 1.3, minP: 0.05, maxTokens: 30),
    ]
    return (0..<count).map { i in
      let own = (0..<(1 + i * 13 % 90)).map { _ in Int32.random(in: 0..<37, using: &random) }
      return GenerationJob(
        prompt: i % 3 == 0 ? own : i % 3 == 1 ? system + own : system,
        settings: kinds[i % kinds.count], stops: i % 2 == 0 ? [5] : [], forbidden: [36],
        seed: 7, stream: UInt64(i / 2), sample: i % 2, alternatives: i % 4 == 0 ? 5 : 0,
        isMeasured: i % 4 == 1, scoresPrompt: i % 5 == 4)
    }
  }

  private func alone(_ jobs: [GenerationJob]) async throws -> [Outcome] {
    var outcomes: [Outcome] = []
    for job in jobs {
      let engine = try Engine(Lively.model(), slots: 1)
      outcomes += try await engine.outcomes([job])
    }
    return outcomes
  }

  @Test("a job gives the same bits alone, in batches, in any slot, in pieces, at any thread count")
  func invariant() async throws {
    let jobs = jobs(32)
    let expected = try await alone(jobs)
    #expect(expected.allSatisfy { $0.error == nil && !$0.scores.isEmpty })
    #expect(Set(expected.map(\.tokens)).count > 20)
    let threads = kernelThreads
    defer { kernelThreads = threads }
    for (slots, chunk, width) in [(1, nil, 1), (3, 7, 2), (8, 48, 1), (32, 5, 2), (32, nil, 2)] {
      kernelThreads = width
      let engine = try Engine(Lively.model(), slots: slots, prefillTokens: chunk)
      for size in [1, 2, 7, 32] {
        // Twice: the second time much of the prompts is there.
        for _ in 0..<2 {
          let found = try await engine.outcomes(Array(jobs.prefix(size)))
          for (found, expected) in zip(found, expected) { #expect(found.matches(expected)) }
        }
      }
      #expect(engine.status.reusedTokens > 0)
      #expect(engine.status.running == 0 && engine.status.waiting == 0)
      await engine.shutdown()
    }
  }

  @Test("log-probabilities are, bit for bit, those of a forward pass over the whole sequence")
  func fullForward() async throws {
    let model = try Lively.model()
    let engine = try Engine(Lively.model(), slots: 4, prefillTokens: 11)
    let jobs = jobs(12)
    for (job, outcome) in zip(jobs, try await engine.outcomes(jobs)) {
      let tokens = job.prompt + outcome.tokens
      let logits = Tape.paused {
        model.logits(model.hidden(tokens, SequenceLayout(rows: 1, length: tokens.count)))
      }
      let p = Buffer(logits.count)
      softmaxRows(p.values, x: logits.values, width: 37)
      func expected(_ at: Int) -> Float {
        Float(log(Double(p.values[(at - 1) * 37 + Int(tokens[at])])))
      }
      for (i, score) in outcome.scores.enumerated() {
        #expect(score.logProbability == expected(job.prompt.count + i))
      }
      if job.scoresPrompt {
        #expect(outcome.prompt.map(\.token) == job.prompt)
        #expect(outcome.prompt.first?.isScored == false)
        for i in 1..<job.prompt.count {
          #expect(outcome.prompt[i].logProbability == expected(i))
        }
      }
    }
  }

  @Test("where memory runs out, sequences wait, and give the same bits as with plenty")
  func parking() async throws {
    let jobs = jobs(24)
    let expected = try await alone(jobs)
    let page = KeyValueCache.pageBytes(try Lively.model().config)
    for pages in [5, 7, 12] {
      let engine = try Engine(
        Lively.model(), slots: 9, cacheBytes: pages * page, prefillTokens: 40)
      for _ in 0..<2 {
        for (found, expected) in zip(try await engine.outcomes(jobs), expected) {
          #expect(found.matches(expected))
        }
      }
      #expect(engine.status.longest == min(512, pages * KeyValueCache.pageTokens))
    }
  }

  @Test("a cache of halves gives the same bits in any batch, close to those of Floats")
  func halves() async throws {
    let jobs = jobs(20)
    var expected: [Outcome] = []
    for job in jobs {
      expected += try await Engine(Lively.model(), slots: 1, cacheFormat: .half).outcomes([job])
    }
    for (slots, chunk) in [(3, 7), (20, 40)] {
      let engine = try Engine(
        Lively.model(), slots: slots, cacheFormat: .half, prefillTokens: chunk)
      for (found, expected) in zip(try await engine.outcomes(jobs), expected) {
        #expect(found.matches(expected))
      }
    }
    // The same tokens under both: scores of a prompt.
    let job = GenerationJob(
      prompt: (0..<200).map { Int32($0 * $0 % 37) }, settings: SamplingSettings(maxTokens: 0),
      scoresPrompt: true)
    let exact = try await Engine(Lively.model()).outcomes([job])[0].prompt
    let close = try await Engine(Lively.model(), cacheFormat: .half).outcomes([job])[0].prompt
    let errors = zip(exact, close).map { abs($0.logProbability - $1.logProbability) }
    #expect((errors.max() ?? 1) < 0.05 && (errors.max() ?? 0) > 0)
  }

  @Test("the engine writes what the generator writes")
  func generator() async throws {
    let model = try Lively.model()
    let requests = (0..<6).map { i in
      GenerationRequest(
        prompt: (0..<(3 + 9 * i)).map { Int32(($0 * 7 + i) % 37) }, samples: 1 + i % 3,
        stream: UInt64(i))
    }
    let settings = SamplingSettings(temperature: 0.8, maxTokens: 25)
    let expected = try Generator(model, settings: settings, stops: [5], seed: 4, slots: 3)
      .run(requests).flatMap { $0 }
    let jobs = requests.flatMap { request in
      (0..<request.samples).map { sample in
        GenerationJob(
          prompt: request.prompt, settings: settings, stops: [5], seed: 4, stream: request.stream,
          sample: sample)
      }
    }
    let found = try await Engine(model, slots: 4).outcomes(jobs)
    #expect(found.map(\.tokens) == expected.map(\.tokens))
    #expect(found.map(\.bits) == expected.map { $0.logProbabilities.map(\.bitPattern) })
    #expect(found.map(\.end) == expected.map(\.end))
  }

  @Test("ranks, entropies, what is kept and the likeliest tokens are those of the distribution")
  func measures() async throws {
    let prompt: [Int32] = [3, 1, 4, 1, 5]
    let model = try Lively.model()
    let logits = Tape.paused {
      model.logits(model.hidden(prompt, SequenceLayout(rows: 1, length: 5))).array
    }
    let row = logits[(4 * 37)...].map(Double.init)
    let top = row.max() ?? 0
    let total = row.reduce(0) { $0 + exp($1 - top) }
    let p = row.map { exp($0 - top) / total }
    let order = p.indices.sorted { p[$0] > p[$1] }
    let engine = try Engine(model)
    for (settings, kept) in [
      (SamplingSettings(maxTokens: 1), 35), (SamplingSettings(temperature: 2, maxTokens: 1), 35),
      (SamplingSettings(topK: 4, maxTokens: 1), 4), (.greedy(maxTokens: 1), 1),
    ] {
      let job = GenerationJob(
        prompt: prompt, settings: settings,
        forbidden: [Int32(order[20]), Int32(order[21])], alternatives: 10)
      let score = try #require(try await engine.outcomes([job])[0].scores.first)
      #expect(score.rank == order.firstIndex(of: Int(score.token)))
      #expect(score.kept == kept)
      #expect(abs(Double(score.entropy) - p.reduce(0) { $0 - $1 * log($1) }) < 1e-4)
      #expect(score.alternatives.map { Int($0.token) } == Array(order.prefix(10)))
      for alternative in score.alternatives {
        #expect(abs(Double(alternative.logProbability) - log(p[Int(alternative.token)])) < 1e-4)
      }
      if let same = score.alternatives.first(where: { $0.token == score.token }) {
        #expect(same.logProbability == score.logProbability)
      }
    }
  }

  @Test("biases and penalties move the draws")
  func reshaping() async throws {
    let engine = try Engine(Lively.model())
    func tokens(_ settings: SamplingSettings) async throws -> [Int32] {
      try await engine.outcomes([GenerationJob(prompt: [1, 2], settings: settings)])[0].tokens
    }
    let always = try await tokens(SamplingSettings(bias: [9: 100], maxTokens: 10))
    #expect(always == Array(repeating: 9, count: 10))
    let never = try await tokens(SamplingSettings(bias: [9: -100], maxTokens: 300))
    #expect(!never.contains(9))
    let free = try await tokens(.greedy(maxTokens: 36))
    var settings = SamplingSettings.greedy(maxTokens: 36)
    settings.presencePenalty = 2
    settings.frequencyPenalty = 2
    settings.repetitionPenalty = 5
    let penalised = try await tokens(settings)
    #expect(Set(penalised).count > Set(free).count)
  }

  @Test("a prompt can be scored without writing anything, up to the whole context")
  func scoring() async throws {
    let engine = try Engine(Lively.model(context: 64), slots: 2, prefillTokens: 10)
    let prompt = (0..<64).map { Int32($0 * 5 % 37) }
    let job = GenerationJob(
      prompt: prompt, settings: SamplingSettings(maxTokens: 0), alternatives: 2, scoresPrompt: true)
    let outcome = try await engine.outcomes([job])[0]
    #expect(outcome.end == .length && outcome.scores.isEmpty)
    #expect(outcome.prompt.map(\.token) == prompt)
    #expect(outcome.prompt.dropFirst().allSatisfy { $0.isScored && $0.alternatives.count == 2 })
    var silent = job
    silent.scoresPrompt = false
    #expect(throws: GenerationError.self) { try engine.submit(silent) }
  }

  @Test("what a prompt has in common with an earlier one or with another is not computed again")
  func reuse() async throws {
    let engine = try Engine(Lively.model(), slots: 4)
    let system = (0..<100).map { Int32($0 * 11 % 37) }
    let settings = SamplingSettings(maxTokens: 8)
    let first = try await engine.outcomes([GenerationJob(prompt: system, settings: settings)])[0]
    #expect(first.report?.reused == 0)
    // The next turn of a conversation.
    let turn = system + first.tokens + [1, 2, 3]
    let second = try await engine.outcomes([GenerationJob(prompt: turn, settings: settings)])[0]
    #expect(second.report?.reused == system.count + 7)
    // Another conversation with the same system message leaves the first one as it is.
    let other = system + [9, 9, 9, 9]
    let third = try await engine.outcomes([GenerationJob(prompt: other, settings: settings)])[0]
    #expect((third.report?.reused ?? 0) >= system.count)
    // Samples of a new prompt compute it once.
    let new = (0..<80).map { Int32($0 * 3 % 37) }
    let samples = (0..<4).map { GenerationJob(prompt: new, settings: settings, sample: $0) }
    let reused = try await engine.outcomes(samples).compactMap { $0.report?.reused }
    #expect(reused.filter { $0 >= 79 }.count == 3)
  }

  @Test("dropping a stream, cancelling its task, or its number frees the slot")
  func cancellation() async throws {
    let engine = try Engine(Lively.model(context: 4_096), slots: 2)
    let endless = GenerationJob(prompt: [1], settings: SamplingSettings(maxTokens: 1_000_000))
    for _ in 0..<3 {
      do {
        var seen = 0
        for await event in try engine.submit(endless) {
          if case .token = event { seen += 1 }
          if seen == 3 { break }
        }
      }
      let task = Task {
        for await _ in try engine.submit(endless) {}
        return Task.isCancelled
      }
      try await Task.sleep(for: .milliseconds(20))
      task.cancel()
      #expect(try await task.value)
      let done = Mutex<Continuation.End?>(nil)
      let id = try engine.submit(endless) { event in
        if case .end(let end) = event { done.withLock { $0 = end } }
        return true
      }
      engine.cancel(id)
      while done.withLock({ $0 }) == nil { try await Task.sleep(for: .milliseconds(1)) }
      #expect(done.withLock { $0 } == .cancelled)
    }
    // Both slots are free again.
    let short = GenerationJob(prompt: [2], settings: SamplingSettings(maxTokens: 3))
    let outcomes = try await engine.outcomes([short, short, short])
    #expect(outcomes.allSatisfy { $0.tokens.count == 3 && $0.end == .length })
    #expect(engine.status.running == 0 && engine.status.jobsCancelled == 9)
  }

  @Test("the queue is bounded by jobs and by tokens, and what waits can be cancelled")
  func limits() async throws {
    let engine = try Engine(
      Lively.model(context: 4_096), slots: 1, queueLimit: QueueLimit(jobs: 3, tokens: 10_000))
    let endless = GenerationJob(prompt: [1], settings: SamplingSettings(maxTokens: 4_000))
    let blocker = try engine.submit(endless)
    while engine.status.running == 0 { try await Task.sleep(for: .milliseconds(1)) }
    let second = try engine.submit(endless)
    let third = try engine.submit(endless)
    // By tokens.
    #expect(throws: EngineBusy.self) { try engine.submit(endless) }
    let small = GenerationJob(prompt: [1], settings: SamplingSettings(maxTokens: 5))
    let fourth = try engine.submit(small)
    // By jobs.
    let busy = #expect(throws: EngineBusy.self) { try engine.submit(small) }
    #expect((busy?.retryAfter ?? 0) >= 1)
    #expect(engine.status.waiting == 3 && engine.status.jobsRefused == 2)
    for stream in [blocker, second, third] {
      let task = Task { for await _ in stream {} }
      task.cancel()
      await task.value
    }
    var outcome = Outcome()
    for await event in fourth { outcome.add(event) }
    #expect(outcome.tokens.count == 5)
    #expect(engine.status.waiting == 0 && engine.status.waitingTokens == 0)
  }

  @Test("first come, first served; but one client's many jobs do not hold up another's one")
  func fairness() async throws {
    let engine = try Engine(Lively.model(), slots: 1)
    let order = Mutex<[String]>([])
    func submit(_ name: String, _ client: String?) throws {
      let job = GenerationJob(
        prompt: [1, 2], settings: SamplingSettings(maxTokens: 200), client: client)
      try engine.submit(job) { event in
        if case .started = event { order.withLock { $0.append(name) } }
        return true
      }
    }
    for i in 0..<5 { try submit("a\(i)", "a") }
    try submit("b", "b")
    try submit("c", nil)
    await engine.shutdown(draining: true)
    let found = order.withLock { $0 }
    #expect(found.filter { $0.hasPrefix("a") } == (0..<5).map { "a\($0)" })
    #expect(found.count == 7)
    // One slot: whoever is served holds it alone, so that turns go by arrival.
    #expect(found.last == "c")
    let wide = try Engine(Lively.model(context: 4_096), slots: 2)
    order.withLock { $0 = [] }
    func submitWide(_ name: String, _ client: String, _ tokens: Int) throws {
      let job = GenerationJob(
        prompt: [1, 2], settings: SamplingSettings(maxTokens: tokens), client: client)
      try wide.submit(job) { event in
        if case .started = event { order.withLock { $0.append(name) } }
        return true
      }
    }
    try submitWide("a0", "a", 4_000)
    for i in 1..<6 { try submitWide("a\(i)", "a", 100) }
    try submitWide("b0", "b", 100)
    await wide.shutdown(draining: true)
    let place = order.withLock { $0.firstIndex(of: "b0") } ?? .max
    #expect(place <= 2)
  }

  @Test("a long prompt does not hold up a sequence under way, nor a short prompt")
  func interleaving() async throws {
    let engine = try Engine(Lively.model(context: 4_096), slots: 3, prefillTokens: 16)
    let events = Mutex<[String]>([])
    func submit(_ name: String, prompt: Int, tokens: Int) throws {
      let job = GenerationJob(
        prompt: (0..<prompt).map { Int32(($0 * $0 + prompt) % 37) },
        settings: SamplingSettings(maxTokens: tokens))
      try engine.submit(job) { event in
        switch event {
        case .started: events.withLock { $0.append(name + "!") }
        case .token: events.withLock { $0.append(name) }
        default: break
        }
        return true
      }
    }
    try submit("running", prompt: 2, tokens: 1_000)
    while events.withLock({ $0.count }) < 3 { try await Task.sleep(for: .milliseconds(1)) }
    try submit("long", prompt: 640, tokens: 1)
    try submit("short", prompt: 40, tokens: 1)
    await engine.shutdown(draining: true)
    let found = events.withLock { $0 }
    let long = try #require(found.firstIndex(of: "long!"))
    let short = try #require(found.firstIndex(of: "short!"))
    #expect(short < long)
    // 640 tokens in steps of 16, each with a token of the running sequence.
    #expect(found[..<long].filter { $0 == "running" }.count >= 30)
  }

  @Test("jobs that cannot be done are refused in a sentence, and a cache that is too small too")
  func refusals() throws {
    let engine = try Engine(Lively.model(context: 64))
    var odd = GenerationJob(prompt: [1], forbidden: [99])
    for prompt: [Int32] in [[], Array(repeating: 1, count: 64), [37], [-1]] {
      #expect(throws: GenerationError.self) { try engine.submit(GenerationJob(prompt: prompt)) }
    }
    #expect(throws: GenerationError.self) { try engine.submit(odd) }
    odd.forbidden = []
    odd.settings.bias = [40: 1]
    #expect(throws: GenerationError.self) { try engine.submit(odd) }
    odd.settings.bias = [1: 101]
    #expect(throws: GenerationError.self) { try engine.submit(odd) }
    for settings in [
      SamplingSettings(repetitionPenalty: 0), SamplingSettings(frequencyPenalty: 3),
      SamplingSettings(presencePenalty: -3), SamplingSettings(temperature: .infinity),
    ] {
      #expect(settings.problem != nil)
    }
    #expect(throws: GenerationError.self) { try Engine(Lively.model(), cacheBytes: 1_000) }
  }

  @Test("where nothing may follow, the job fails and the others go on")
  func nothingLeft() async throws {
    let engine = try Engine(Lively.model())
    let none = GenerationJob(prompt: [1], forbidden: Array(0..<37))
    let some = GenerationJob(prompt: [1], settings: SamplingSettings(maxTokens: 9))
    let outcomes = try await engine.outcomes([none, some])
    #expect(outcomes[0].error != nil && outcomes[0].scores.isEmpty)
    #expect(outcomes[1].tokens.count == 9)
  }

  @Test("an engine drains or stops, and then takes no more")
  func shutdown() async throws {
    let job = GenerationJob(prompt: [1], settings: SamplingSettings(maxTokens: 50))
    let drained = try Engine(Lively.model(), slots: 2)
    let streams = try (0..<5).map { _ in try drained.submit(job) }
    await drained.shutdown(draining: true)
    for stream in streams {
      var outcome = Outcome()
      for await event in stream { outcome.add(event) }
      #expect(outcome.end == .length && outcome.tokens.count == 50)
    }
    #expect(throws: GenerationError.self) { try drained.submit(job) }
    await #expect(throws: GenerationError.self) { try await drained.withModel { _ in 1 } }
    let stopped = try Engine(Lively.model(context: 4_096), slots: 1)
    let endless = GenerationJob(prompt: [1], settings: SamplingSettings(maxTokens: 1_000_000))
    let cut = try (0..<3).map { _ in try stopped.submit(endless) }
    #expect(try await stopped.withModel { $0.config.width } == 32)
    await stopped.shutdown()
    for stream in cut {
      var outcome = Outcome()
      for await event in stream { outcome.add(event) }
      #expect(outcome.end == .cancelled)
    }
  }
}
