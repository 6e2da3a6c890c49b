import Foundation
import Generation
import LanguageModel
import TensorCore
import TensorKernels
import TestSupport
import Testing
import Tokenization
import Tools

@Suite(.serialized) struct ToolTurnTests {
  private let tokenizer: Tokenizer
  private let template: ChatTemplate
  private let tokens: ToolTokens
  private let model: Transformer
  private let requests: [GenerationRequest]

  /// Answers anything, in a way that depends on what was asked.
  private struct Echo: Tool {
    var name: String
    var words = 3
    func call(_ argument: String) throws -> String {
      String(repeating: "<|end|>é", count: words) + "\(argument.utf8.count)"
    }
  }

  /// A model with random weights calls by names that do not exist, and is told so.
  private func host(_ limits: ToolHost.Limits = .init(calls: 2, resultTokens: 24)) throws
    -> ToolHost
  {
    try ToolHost(Toolbox([Echo(name: "echo")]), template: template, limits: limits)
  }

  /// A flat model in which calls and ends come often.
  private struct Eager: ParameterSource {
    let likely: [Int32]
    func fill(
      _ values: MutableFloats, name: String, rows: Int, columns: Int, isTransposed: Bool,
      isVector: Bool, initial: Initial
    ) {
      RandomSource(seed: 6).fill(
        values, name: name, rows: rows, columns: columns, isTransposed: isTransposed,
        isVector: isVector, initial: isVector ? initial : .normal(deviation: 0.3))
      guard rows == 266 else { return }
      // The likely tokens' rows are larger, so that they win more often.
      for token in likely {
        for c in 0..<columns { values[Int(token) * columns + c] *= 3 }
      }
    }
  }

  init() throws {
    tokenizer = try Tokenizer.train(
      documents: ["one two three, one two three"], vocabularySize: 266, preTokenizer: .digits)
    template = try ChatTemplate(tokenizer: tokenizer)
    tokens = try #require(template.toolTokens)
    let config = DecoderConfig(
      vocabularySize: 266, width: 32, layers: 2, heads: 2, keyHeads: 1, hiddenWidth: 48,
      context: 160)
    model = try Transformer(
      config,
      source: Eager(
        likely: [tokens.call, tokens.result, tokens.endResult, template.end, template.bos]
          + template.hostTokens))
    let template = template
    requests = (0..<8).map { i in
      GenerationRequest(
        prompt: template.prompt([
          Message(role: .user, content: "one <|result|>\(i)<|end_result|>")
        ]), samples: 1 + i % 4, stream: UInt64(i))
    }
  }

  private func generator(
    _ settings: SamplingSettings = SamplingSettings(maxTokens: 40), host: ToolHost?,
    slots: Int = 256
  ) -> Generator {
    Generator(
      model, settings: settings, stops: [template.end], host: host, seed: 3, slots: slots)
  }

  @Test("the model calls, is answered and goes on; only the host writes results")
  func turns() throws {
    let host = try host()
    let written = try generator(host: host).run(requests).flatMap { $0 }
    #expect(written.contains { !$0.injected.isEmpty })
    for continuation in written {
      #expect(continuation.logProbabilities.count == continuation.tokens.count)
      #expect(continuation.injected.count <= 2)
      var turn = ToolTurn(template)
      var at = 0
      for (i, token) in continuation.tokens.enumerated() {
        let isInjected = continuation.injected.contains { $0.contains(i) }
        if case .calls(let call) = turn.accept(token),
          let range = continuation.injected.first(where: {
            $0.lowerBound == i + 1
          })
        {
          #expect(Array(continuation.tokens[range]) == host.result(of: call))
          at += 1
        }
        #expect((continuation.logProbabilities[i] == 0) == isInjected)
        if template.hostTokens.contains(token) { #expect(isInjected) }
        #expect(isInjected || continuation.weights(2)[i] == 2)
        #expect(!isInjected || continuation.weights(2)[i] == 0)
      }
      #expect(at == continuation.injected.count)
      #expect(continuation.sampledCount <= 40)
    }
  }

  @Test("a sequence is the same, bit for bit, whoever else calls tools beside it")
  func invariant() throws {
    let host = try host()
    let whole = try generator(host: host).run(requests)
    for (request, expected) in zip(requests, whole) {
      #expect(try generator(host: host).run([request])[0] == expected)
    }
    for slots in [1, 3] { #expect(try generator(host: host, slots: slots).run(requests) == whole) }
    let threads = try atThreads { Result { try generator(host: host).run(requests) } }
      .map { try $0.get() }
    #expect(threads.allSatisfy { $0 == whole })
  }

  @Test("log-probabilities behind a result are those of a forward pass over all of it")
  func logProbabilities() throws {
    for (request, group) in zip(requests, try generator(host: host()).run(requests)) {
      for continuation in group where !continuation.injected.isEmpty {
        let all = request.prompt + continuation.tokens
        let logits = Tape.paused {
          model.logits(model.hidden(all, SequenceLayout(rows: 1, length: all.count))).array
        }
        for (i, token) in continuation.tokens.enumerated() where continuation.weights(1)[i] == 1 {
          let at = request.prompt.count + i - 1
          let row = logits[at * 266..<(at + 1) * 266].map(Double.init)
          let top = row.max() ?? 0
          let total = row.reduce(0) { $0 + exp($1 - top) }
          let expected = row[Int(token)] - top - log(total)
          #expect(abs(Double(continuation.logProbabilities[i]) - expected) < 1e-3)
        }
      }
    }
  }

  @Test("greedy, top-k and top-p cannot sample a result either")
  func forbidden() throws {
    for settings in [
      SamplingSettings.greedy(maxTokens: 30), SamplingSettings(topK: 3, maxTokens: 30),
      SamplingSettings(temperature: 2, topP: 0.9, maxTokens: 30),
      SamplingSettings(minP: 0.2, maxTokens: 30),
    ] {
      for written in try generator(settings, host: host()).run(requests).flatMap({ $0 }) {
        for (i, token) in written.tokens.enumerated() where template.hostTokens.contains(token) {
          #expect(written.injected.contains { $0.contains(i) })
        }
      }
      let plain = Generator(
        model, settings: settings, stops: [template.end], forbidden: template.hostTokens, seed: 3)
      for written in try plain.run(requests).flatMap({ $0 }) {
        #expect(!written.tokens.contains { template.hostTokens.contains($0) })
      }
    }
  }

  @Test("calls, results and the context have limits")
  func limits() throws {
    let none = try generator(host: host(.init(calls: 0))).run(requests).flatMap { $0 }
    #expect(none.allSatisfy { !$0.tokens.contains(tokens.call) && $0.injected.isEmpty })
    let long = try ToolHost(
      Toolbox([Echo(name: "echo", words: 9_999)]), template: template,
      limits: .init(calls: 3, resultTokens: 7))
    let result = long.result(of: tokenizer.encode("echo x"))
    #expect(result.count <= 9 && result.first == tokens.result && result.last == tokens.endResult)
    #expect(!tokenizer.decode(result).contains("\u{FFFD}"))
    // A result that the context has no room for ends the sequence.
    let huge = try ToolHost(
      Toolbox([Echo(name: "echo", words: 9_999)]), template: template,
      limits: .init(calls: 3, resultTokens: 5_000))
    #expect(huge.result(of: tokenizer.encode("echo x")).count == 5_002)
    let short = requests.map { request in
      GenerationRequest(
        prompt: Array(repeating: 65, count: 120) + request.prompt, samples: 4,
        stream: request.stream)
    }
    let written = try generator(host: host()).run(short).flatMap { $0 }
    #expect(written.allSatisfy { $0.tokens.count <= 40 })
    #expect(
      written.contains {
        $0.end == .length && $0.tokens.last == template.end && $0.injected.isEmpty
      })
  }

  @Test("a turn becomes messages and text, and the messages give its tokens again")
  func messages() throws {
    let messages = [
      Message(role: .user, content: "1+1"),
      Message(
        role: .assistant, content: "one ",
        toolCalls: [ToolCall(id: "call_1", name: "calc", arguments: "1 + 1")]),
      Message(role: .tool, content: "2 <|end|>", toolCallID: "call_1"),
      Message(role: .assistant, content: "two"),
    ]
    let all = template.render(messages).tokens
    let turn = Array(all.dropFirst(template.prompt([messages[0]]).count))
    #expect(template.messages(ofTurn: turn) == Array(messages.dropFirst()))
    #expect(template.spoken(turn) == "one  two")
    // Cut anywhere: no call that is not complete, and no crash.
    for count in turn.indices {
      let part = template.messages(ofTurn: turn.prefix(count))
      let calls = part.flatMap(\.toolCalls)
      #expect(calls.isEmpty || calls == messages[1].toolCalls)
      #expect(!template.spoken(turn.prefix(count)).contains("calc"))
    }
    #expect(template.messages(ofTurn: [Int32]()).count == 1)
  }

  @Test("any tokens can be read as a turn")
  func fuzz() {
    var random = TestRandom(seed: 1)
    let special = [tokens.call, tokens.result, tokens.endResult, template.end]
    for _ in 0..<20_000 {
      var turn = ToolTurn(template)
      var calls = 0
      for _ in 0..<12 {
        let token =
          Bool.random(using: &random) ? special[Int.random(in: 0..<4, using: &random)] : 65
        if case .calls(let call) = turn.accept(token) {
          calls += 1
          #expect(!call.contains(template.end))
        }
      }
      #expect(turn.calls == calls)
    }
  }

  @Test("a tokenizer without tokens for tools has no host")
  func lacking() throws {
    let old = try Tokenizer.train(
      documents: ["one two three, one two three"], vocabularySize: 262, preTokenizer: .digits,
      specials: Array(ChatTemplate.specials.prefix(5)))
    let template = try ChatTemplate(tokenizer: old)
    #expect(throws: GenerationError.self) { try ToolHost(Toolbox([]), template: template) }
  }
}
