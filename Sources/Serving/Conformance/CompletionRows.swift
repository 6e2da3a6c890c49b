import Foundation
import TemplateLanguage

extension Conformance {
  private static func completion(_ probe: Probe, _ fields: String) async throws -> JSONValue {
    let answer = try await probe.post("/v1/completions", #""model":"$base","# + fields)
    try expect(answer.status == 200, "status \(answer.status): \(answer.text.prefix(300))")
    return try answer.json
  }

  private static func texts(_ value: JSONValue) -> [String] {
    (value["choices"]?.array ?? []).map { $0["text"]?.string ?? "" }
  }

  /// POST /v1/completions.
  static var completionRows: [Row] {
    [
      Row("C1", "prompts are strings, token ids, or lists of either") { probe in
        for (prompt, count) in [
          (#""a""#, 1), (#"["a","b"]"#, 2), ("[1,2]", 1), ("[[1,2],[3]]", 2),
        ] {
          let value = try await completion(probe, #""max_tokens":1,"prompt":"# + prompt)
          try expect(texts(value).count == count, "\(prompt) gives \(texts(value).count) choices")
        }
      },
      Row("C2", "the answer has all of OpenAI's fields") { probe in
        let value = try await completion(probe, #""max_tokens":1,"prompt":"a""#)
        try expect(value["id"]?.string?.hasPrefix("cmpl-") == true, "id")
        try expect(value["object"]?.string == "text_completion", "object")
        let keys = Set((value.at("choices.0")?.members ?? []).map(\.key))
        try expect(keys == ["text", "index", "logprobs", "finish_reason"], "\(keys.sorted())")
        try expect(value.at("usage.total_tokens")?.int != nil, "usage")
      },
      Row("C3", "n and best_of count; choices are numbered prompt by prompt") { probe in
        let value = try await completion(
          probe, #""max_tokens":2,"prompt":["a","b"],"n":2,"best_of":3,"seed":1"#)
        let numbers = (value["choices"]?.array ?? []).map { $0["index"]?.int ?? -1 }
        try expect(numbers == [0, 1, 2, 3], "\(numbers)")
        let few = try await probe.post(
          "/v1/completions", #""model":"$base","prompt":"a","n":3,"best_of":2"#)
        try expect(few.status == 400, "best_of below n gives \(few.status)")
      },
      Row("C4", "max_tokens is 16 by itself, and may be 0 with echo") { probe in
        let usual = try await completion(probe, #""prompt":"a","ignore_eos":true"#)
        try expect(usual.at("usage.completion_tokens")?.int == 16, "not 16 tokens")
        let none = try await completion(probe, #""prompt":"abc","max_tokens":0,"echo":true"#)
        try expect(texts(none) == ["abc"], "\(texts(none))")
      },
      Row("C5", "echo gives the prompt back before the completion") { probe in
        let value = try await completion(probe, #""prompt":"abc def","max_tokens":2,"echo":true"#)
        try expect(texts(value)[0].hasPrefix("abc def"), texts(value)[0])
      },
      Row("C6", "logprobs are four lists, as long as there are tokens") { probe in
        let value = try await completion(
          probe, #""prompt":"a","max_tokens":3,"logprobs":2,"ignore_eos":true"#)
        for name in ["tokens", "token_logprobs", "top_logprobs", "text_offset"] {
          let count = value.at("choices.0.logprobs.\(name)")?.array?.count
          try expect(count == 3, "\(name) has \(count ?? -1)")
        }
      },
      Row("C7", "with echo, the prompt's tokens come too, the first with null") { probe in
        let value = try await completion(
          probe, #""prompt":[1,2,3],"max_tokens":1,"logprobs":1,"echo":true,"ignore_eos":true"#)
        let values = value.at("choices.0.logprobs.token_logprobs")?.array ?? []
        try expect(values.count == 4, "\(values.count) values")
        try expect(values[0].isNull && !values[1].isNull, "the first is not null, or the second is")
        try expect(
          value.at("choices.0.logprobs.top_logprobs.0")?.isNull == true, "top of the first")
      },
      Row("C8", "the likeliest token is always among the top, with the same bits") { probe in
        let value = try await completion(
          probe,
          #""prompt":[1,2,3,4],"max_tokens":4,"logprobs":1,"echo":true,"temperature":0,"#
            + #""ignore_eos":true"#)
        let logprobs = value.at("choices.0.logprobs") ?? .null
        for (i, token) in (logprobs["tokens"]?.array ?? []).enumerated().dropFirst() {
          let top = logprobs.at("top_logprobs.\(i)")?.members ?? []
          let own = logprobs.at("token_logprobs.\(i)")?.number
          let same = top.first { $0.key == token.string }?.value.number
          try expect(
            own != nil && own == same, "token \(i) is \(own ?? 0), and \(same ?? 0) on top")
          // What was written greedily is the likeliest.
          if i >= 4 {
            try expect(
              top.compactMap(\.value.number).max() == own, "token \(i) is not the likeliest")
          }
        }
      },
      Row("C8b", "no infinite number is in a reply") { probe in
        let answer = try await probe.post(
          "/v1/completions",
          #""model":"$base","prompt":"a","max_tokens":4,"logprobs":20,"logit_bias":{"5":-100}"#)
        let text = answer.text.lowercased()
        try expect(
          answer.status == 200 && !text.contains("inf,") && !text.contains("nan"), "it is there")
      },
      Row("C10", "logprobs are the model's own, whatever the sampler does") { probe in
        let fields = #""prompt":[1,2],"max_tokens":1,"logprobs":1,"seed":1,"top_k":1"#
        let a = try await completion(probe, fields + #","temperature":0.1"#)
        let b = try await completion(probe, fields + #","temperature":2"#)
        let path = "choices.0.logprobs.token_logprobs.0"
        try expect(a.at(path)?.number == b.at(path)?.number, "they differ")
      },
      Row("C11", "token ids are taken as they are, strings get the model's opening") { probe in
        let ids = try await completion(probe, #""prompt":[1,2,3],"max_tokens":1"#)
        try expect(ids.at("usage.prompt_tokens")?.int == 3, "a token was added")
      },
      Row("C12", "a stop string ends the text and is not in it") { probe in
        let whole = texts(
          try await completion(probe, #""prompt":"a","max_tokens":24,"seed":5,"ignore_eos":true"#))[
            0]
        let scalars = Array(whole.unicodeScalars)
        guard
          let at = scalars.indices.dropFirst().dropLast().first(where: {
            scalars[$0].isASCII && scalars[$0 + 1].isASCII
          })
        else { throw Probe.Skipped("the model wrote no two plain characters") }
        let stop = scalars[at...at + 1].reduce(into: "") { $0.unicodeScalars.append($1) }
        let first = scalars.indices.first { scalars[$0...].starts(with: stop.unicodeScalars) } ?? at
        let wanted = scalars[..<first].reduce(into: "") { $0.unicodeScalars.append($1) }
        let value = try await completion(
          probe,
          #""prompt":"a","max_tokens":24,"seed":5,"ignore_eos":true,"stop":["#
            + JSONValue.quoted(stop) + "]")
        try expect(texts(value)[0] == wanted, "\(texts(value)[0]) is not \(wanted)")
        try expect(value.at("choices.0.finish_reason")?.string == "stop", "reason")
        let many = try await probe.post(
          "/v1/completions",
          #""model":"$base","prompt":"a","stop":["#
            + (0..<17).map { "\"\($0)\"" }.joined(separator: ",") + "]")
        try expect(many.status == 400, "17 stop strings give \(many.status)")
      },
      Row("C13", "the same seed gives the same text and bits") { probe in
        let fields = #""prompt":"ab","max_tokens":12,"seed":1234,"logprobs":1,"temperature":1"#
        async let first = completion(probe, fields)
        async let second = completion(probe, fields)
        async let other = completion(probe, fields.replacing("1234", with: "7"))
        let (a, b, _) = try await (first, second, other)
        try expect(texts(a) == texts(b), "the texts differ")
        let path = "choices.0.logprobs.token_logprobs"
        try expect(a.at(path)?.text == b.at(path)?.text, "the log-probabilities differ")
      },
      Row("C14", "streams give the same text, and usage where it is asked for") { probe in
        let fields = #""prompt":"ab","max_tokens":10,"seed":9,"temperature":1"#
        let whole = texts(try await completion(probe, fields))[0]
        let answer = try await probe.post(
          "/v1/completions",
          #""model":"$base","# + fields + #","stream":true,"stream_options":{"include_usage":true}"#
        )
        let events = try answer.events
        let text = events.compactMap { $0.at("choices.0.text")?.string }.joined()
        try expect(text == whole, "\(text) is not \(whole)")
        try expect(events.last?.at("usage.prompt_tokens")?.int != nil, "no usage at the end")
      },
      Row("C14", "penalties and biases are taken; a suffix is refused") { probe in
        _ = try await completion(
          probe,
          #""prompt":"a","max_tokens":2,"presence_penalty":1,"frequency_penalty":-1,"#
            + #""logit_bias":{"3":5}"#)
        let suffix = try await probe.post(
          "/v1/completions", #""model":"$base","prompt":"a","suffix":"b""#)
        try expect(suffix.status == 400, "suffix gives \(suffix.status)")
        try expect(try suffix.json.at("error.param")?.string == "suffix", suffix.text)
      },
      Row("C15", "top_k, min_p, repetition_penalty, ignore_eos and json_schema are taken") {
        probe in
        _ = try await completion(
          probe,
          #""prompt":"a","max_tokens":2,"top_k":5,"min_p":0.1,"repetition_penalty":1.1,"#
            + #""ignore_eos":true"#)
        let value = try await completion(
          probe, #""prompt":"a","max_tokens":30,"json_schema":{"enum":["yes","no"]}"#)
        try expect([#""yes""#, #""no""#].contains(texts(value)[0].trimmed), texts(value)[0])
      },
      Row("C17", "temperature 0 always takes the likeliest token") { probe in
        let fields = #""prompt":"a","max_tokens":8,"temperature":0"#
        let a = texts(try await completion(probe, fields + #","seed":1"#))
        let b = texts(try await completion(probe, fields + #","seed":2"#))
        try expect(a == b, "\(a) and \(b)")
      },
    ]
  }
}
