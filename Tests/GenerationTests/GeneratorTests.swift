import Foundation
import Generation
import LanguageModel
import TensorCore
import TensorKernels
import TestSupport
import Testing

@Suite(.serialized) struct GeneratorTests {
  private let model: Transformer
  private let requests: [GenerationRequest]

  init() throws {
    let config = DecoderConfig(
      vocabularySize: 37, width: 32, layers: 2, heads: 2, keyHeads: 1, hiddenWidth: 48, context: 64)
    model = try Transformer(config, source: Lively())
    var random = TestRandom(seed: 4)
    requests = (0..<9).map { i in
      GenerationRequest(
        prompt: (0..<(1 + i * 3 % 11)).map { _ in Int32.random(in: 0..<37, using: &random) },
        samples: 1 + i % 3, stream: UInt64(i))
    }
  }

  private func generator(
    _ settings: SamplingSettings = SamplingSettings(maxTokens: 12), stops: Set<Int32> = [5],
    seed: UInt64 = 1, slots: Int = 256
  ) -> Generator { Generator(model, settings: settings, stops: stops, seed: seed, slots: slots) }

  @Test("a sequence is the same, bit for bit, alone, in a batch, in any slot, at any thread count")
  func invariant() throws {
    let whole = try generator().run(requests)
    #expect(Set(whole.flatMap { $0 }.map(\.tokens)).count > 5)
    for (request, expected) in zip(requests, whole) {
      #expect(try generator().run([request])[0] == expected)
    }
    #expect(try generator().run(requests.reversed()).reversed() == whole)
    for slots in [1, 2, 5] { #expect(try generator(slots: slots).run(requests) == whole) }
    let threads = try atThreads { Result { try generator().run(requests) } }.map { try $0.get() }
    #expect(threads.allSatisfy { $0 == whole })
  }

  @Test("log-probabilities are those of a forward pass over the whole sequence")
  func logProbabilities() throws {
    for (request, group) in zip(requests, try generator().run(requests)) {
      for continuation in group {
        let tokens = request.prompt + continuation.tokens
        let logits = Tape.paused {
          model.logits(
            model.hidden(tokens, SequenceLayout(rows: 1, length: tokens.count))
          ).array
        }
        for (i, (token, found)) in zip(continuation.tokens, continuation.logProbabilities)
          .enumerated()
        {
          let at = request.prompt.count + i - 1
          let row = logits[at * 37..<(at + 1) * 37].map(Double.init)
          let top = row.max() ?? 0
          let total = row.reduce(0) { $0 + exp($1 - top) }
          #expect(abs(Double(found) - (row[Int(token)] - top - log(total))) < 1e-4)
        }
      }
    }
  }

  @Test("temperature 0 takes the likeliest token, and so do top-k 1, a tiny top-p and min-p 1")
  func greedy() throws {
    let greedy = try generator(.greedy(maxTokens: 12)).run(requests)
    for settings in [
      SamplingSettings(topK: 1, maxTokens: 12), SamplingSettings(topP: 1e-6, maxTokens: 12),
      SamplingSettings(minP: 1, maxTokens: 12), SamplingSettings(temperature: 1e-3, maxTokens: 12),
    ] {
      #expect(try generator(settings).run(requests) == greedy)
    }
  }

  @Test("draws follow the distribution, and top-k, top-p and min-p cut it where they say")
  func distribution() throws {
    let prompt: [Int32] = [3, 1, 4]
    let logits = Tape.paused {
      model.logits(model.hidden(prompt, SequenceLayout(rows: 1, length: 3))).array
    }
    let row = logits[74...].map(Double.init)
    let top = row.max() ?? 0
    let total = row.reduce(0) { $0 + exp($1 - top) }
    let p = row.map { exp($0 - top) / total }
    let order = p.indices.sorted { p[$0] > p[$1] }
    func counts(_ settings: SamplingSettings) throws -> [Int32: Int] {
      let request = GenerationRequest(prompt: prompt, samples: 4_000, stream: 0)
      let found = try generator(settings, stops: []).run([request])[0]
      return found.reduce(into: [:]) { $0[$1.tokens[0], default: 0] += 1 }
    }
    let plain = try counts(SamplingSettings(maxTokens: 1))
    for (token, share) in p.enumerated() {
      let expected = 4_000 * share
      let deviation = (4_000 * share * (1 - share)).squareRoot() + 1
      #expect(abs(Double(plain[Int32(token)] ?? 0) - expected) < 5 * deviation)
    }
    #expect(
      Set(try counts(SamplingSettings(topK: 3, maxTokens: 1)).keys)
        == Set(order.prefix(3).map(Int32.init)))
    var running = 0.0
    let nucleus = order.prefix { token in
      defer { running += p[token] }
      return running < 0.6
    }
    #expect(
      Set(try counts(SamplingSettings(topP: 0.6, maxTokens: 1)).keys)
        == Set(nucleus.map(Int32.init)))
    let likely = order.filter { p[$0] >= 0.3 * p[order[0]] }
    #expect(
      Set(try counts(SamplingSettings(minP: 0.3, maxTokens: 1)).keys).isSubset(
        of: Set(likely.map(Int32.init))))
  }

  @Test("the seed decides; stops, limits, the context and the caller end a sequence")
  func ends() throws {
    let request = GenerationRequest(prompt: [1, 2], samples: 50, stream: 3)
    let first = try generator(seed: 1).run([request])[0]
    #expect(try generator(seed: 1).run([request])[0] == first)
    #expect(try generator(seed: 2).run([request])[0] != first)
    for continuation in first {
      let stop = continuation.tokens.firstIndex(of: 5)
      #expect((continuation.end == .stop) == (stop != nil))
      if let stop {
        #expect(stop == continuation.tokens.count - 1)
      } else {
        #expect(continuation.tokens.count == 12)
      }
    }
    #expect(Set(first.map(\.end)) == [.stop, .length])
    let long = GenerationRequest(prompt: Array(repeating: 1, count: 60), samples: 1, stream: 0)
    #expect(try generator(stops: []).run([long])[0][0].tokens.count == 4)
    var seen = 0
    let cancelled = try generator(stops: []).run([GenerationRequest(prompt: [1], stream: 0)]) {
      _, _, _ in
      seen += 1
      return seen < 3
    }
    #expect(cancelled[0][0].end == .cancelled && cancelled[0][0].tokens.count == 3)
  }

  @Test("prompts that cannot be continued are refused in a sentence")
  func refusals() {
    for prompt: [Int32] in [[], Array(repeating: 1, count: 64), [37], [-1]] {
      #expect(throws: GenerationError.self) {
        try generator().run([GenerationRequest(prompt: prompt, stream: 0)])
      }
    }
    #expect(SamplingSettings(temperature: -1).problem != nil)
    #expect(SamplingSettings(topP: 0).problem != nil)
    #expect(SamplingSettings(minP: 2).problem != nil)
    #expect(SamplingSettings(maxTokens: 0).problem != nil)
    #expect(SamplingSettings(temperature: .nan).problem != nil)
  }
}
