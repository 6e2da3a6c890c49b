import Foundation
import TemplateLanguage

extension Conformance {
  private static let hello = #""messages":[{"role":"user","content":"Hi"}]"#

  private static func chat(_ probe: Probe, _ fields: String) async throws -> JSONValue {
    let answer = try await probe.post("/v1/chat/completions", #""model":"$chat","# + fields)
    try expect(answer.status == 200, "status \(answer.status): \(answer.text.prefix(300))")
    return try answer.json
  }

  private static func stream(_ probe: Probe, _ fields: String) async throws -> [JSONValue] {
    let answer = try await probe.post(
      "/v1/chat/completions", #""model":"$chat","stream":true,"# + fields)
    try expect(answer.status == 200, "status \(answer.status): \(answer.text.prefix(300))")
    return try answer.events
  }

  private static func refused(_ probe: Probe, _ fields: String, _ param: String?) async throws {
    let answer = try await probe.post("/v1/chat/completions", #""model":"$chat","# + fields)
    try expect(answer.status == 400, "\(fields) gives \(answer.status)")
    let named = try answer.json.at("error.param")?.string
    try expect(param == nil || named == param, "it names \(named ?? "nothing"), not \(param ?? "")")
  }

  /// POST /v1/chat/completions.
  static var chatRows: [Row] {
    [
      Row("H1", "content is a string or parts; developer is system") { probe in
        _ = try await chat(
          probe,
          #""max_tokens":1,"messages":[{"role":"developer","content":"Be kind."},"#
            + #"{"role":"user","content":[{"type":"text","text":"Hi"}]}]"#)
      },
      Row("H2", "max_tokens and max_completion_tokens both count") { probe in
        for name in ["max_tokens", "max_completion_tokens"] {
          let value = try await chat(
            probe, hello + #","\#(name)":3,"temperature":0,"ignore_eos":true"#)
          try expect(value.at("usage.completion_tokens")?.int == 3, "\(name) does not count")
        }
      },
      Row("H3", "settings out of range are refused by name") { probe in
        for (name, value) in [
          ("temperature", "2.1"), ("top_p", "-0.1"), ("n", "0"), ("presence_penalty", "3"),
          ("frequency_penalty", "-2.5"), ("max_tokens", "0"), ("temperature", "\"1\""),
        ] { try await refused(probe, hello + #","\#(name)":\#(value)"#, name) }
      },
      Row("H4", "the answer has all of OpenAI's fields") { probe in
        let value = try await chat(probe, hello + #","max_tokens":2"#)
        try expect(value["id"]?.string?.hasPrefix("chatcmpl-") == true, "id")
        try expect(value["object"]?.string == "chat.completion", "object")
        try expect(value.at("choices.0.message.role")?.string == "assistant", "role")
        try expect(value.at("choices.0.message.refusal")?.isNull == true, "refusal")
        try expect(value.at("choices.0.logprobs")?.isNull == true, "logprobs")
        try expect(value["system_fingerprint"]?.string != nil, "fingerprint")
        try expect(
          ["stop", "length"].contains(value.at("choices.0.finish_reason")?.string), "reason")
      },
      Row("H5", "usage is always there") { probe in
        let value = try await chat(probe, hello + #","max_tokens":1"#)
        for name in ["prompt_tokens", "completion_tokens", "total_tokens"] {
          try expect(value.at("usage.\(name)")?.int != nil, name)
        }
      },
      Row("H6", "logprobs spell the content token by token") { probe in
        let value = try await chat(
          probe, hello + #","max_tokens":6,"logprobs":true,"top_logprobs":3,"seed":2"#)
        let tokens = value.at("choices.0.logprobs.content")?.array ?? []
        let bytes = tokens.flatMap {
          ($0["bytes"]?.array ?? []).compactMap { $0.int.map(UInt8.init) }
        }
        let content = value.at("choices.0.message.content")?.string ?? ""
        try expect(String(decoding: bytes, as: UTF8.self) == content, "\(bytes) is not \(content)")
        try expect(
          tokens.allSatisfy { $0["top_logprobs"]?.array?.count == 3 }, "not three alternatives")
        try await refused(probe, hello + #","top_logprobs":3"#, "top_logprobs")
        try await refused(probe, hello + #","logprobs":true,"top_logprobs":21"#, "top_logprobs")
      },
      Row("H7", "a stream begins with the role and ends with the reason") { probe in
        let events = try await stream(probe, hello + #","max_tokens":3"#)
        try expect(
          Set(events.map { $0["id"]?.string ?? "" }).count == 1
            && Set(events.map { $0["created"]?.int ?? 0 }).count == 1, "id or created change")
        try expect(
          events.allSatisfy { $0["object"]?.string == "chat.completion.chunk" }, "object")
        try expect(events.first?.at("choices.0.delta.role")?.string == "assistant", "no role")
        try expect(
          events.dropFirst().allSatisfy { $0.at("choices.0.delta.role") == nil }, "role again")
        try expect(
          events.allSatisfy { $0.at("choices.0.delta")?.members != nil }, "a delta is no object")
        try expect(events.last?.at("choices.0.finish_reason")?.string != nil, "no reason")
        try expect(
          events.last?.at("choices.0.delta")?.members?.isEmpty == true, "the last delta has more")
      },
      Row("H8", "usage comes last, without choices, where it is asked for") { probe in
        let fields = hello + #","max_tokens":2"#
        let without = try await stream(probe, fields)
        try expect(without.allSatisfy { $0["usage"] == nil }, "usage that nobody asked for")
        let events = try await stream(
          probe, fields + #","stream_options":{"include_usage":true}"#)
        try expect(events.last?["choices"]?.array?.isEmpty == true, "choices in the last")
        try expect(events.last?.at("usage.total_tokens")?.int != nil, "no usage")
        try expect(
          events.dropLast().allSatisfy { $0["usage"]?.isNull == true }, "usage is not null")
      },
      Row("H11", "calls and their results are taken back") { probe in
        _ = try await chat(
          probe,
          #""max_tokens":1,"messages":[{"role":"user","content":"2+2?"},{"role":"assistant","#
            + #""content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"#
            + #""calc","arguments":"{\"x\":\"2+2\"}"}}]},{"role":"tool","tool_call_id":"call_1","#
            + #""content":"4"}],"tools":[{"type":"function","function":{"name":"calc","#
            + #""parameters":{"type":"object"}}}]"#)
      },
      Row("H12", "an answer is held to its JSON schema") { probe in
        let value = try await chat(
          probe,
          hello
            + #","max_tokens":300,"seed":4,"response_format":{"type":"json_schema","json_schema":"#
            + #"{"name":"x","strict":true,"schema":{"type":"object","properties":{"yes":"#
            + #"{"type":"boolean"},"n":{"enum":[1,2,3]}},"required":["yes","n"],"#
            + #""additionalProperties":false}}}"#)
        let text = value.at("choices.0.message.content")?.string ?? ""
        let inner = try JSONValue(text.utf8)
        try expect(inner["yes"]?.bool != nil && inner["n"]?.int != nil, text)
        try await refused(
          probe,
          hello + #","response_format":{"type":"json_schema","json_schema":{"name":"x","schema":"#
            + #"{"type":"string","pattern":"a+"}}}"#, "response_format")
      },
      Row("H13", "n answers are told apart by their index") { probe in
        let events = try await stream(probe, hello + #","n":2,"max_tokens":3"#)
        let numbers = Set(events.compactMap { $0.at("choices.0.index")?.int })
        try expect(numbers == [0, 1], "\(numbers)")
      },
      Row("H14", "an assistant's message at the end is continued") { probe in
        let value = try await chat(
          probe,
          #""max_tokens":2,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","#
            + #""content":"Well, "}]"#)
        try expect(value.at("choices.0.message.content")?.string != nil, "no content")
      },
      Row("H15", "reasoning_effort is taken") { probe in
        _ = try await chat(probe, hello + #","max_tokens":1,"reasoning_effort":"low""#)
      },
      Row("H16", "empty messages, unknown roles and wrong types are refused") { probe in
        for messages in [
          "[]", #""Hi""#, #"[{"role":"king","content":"Hi"}]"#, #"[{"role":"user"}]"#,
          #"[{"role":"user","content":7}]"#, "[3]", "{}",
        ] { try await refused(probe, #""messages":"# + messages, nil) }
      },
      Row("H17", "a base model says that it is for /v1/completions") { probe in
        let answer = try await probe.post("/v1/chat/completions", #""model":"$base","# + hello)
        try expect(answer.status == 400, "status \(answer.status)")
        try expect(answer.text.contains("/v1/completions"), answer.text)
      },
      Row("H18", "extras of others are taken, and timings given") { probe in
        let value = try await chat(
          probe,
          hello + #","max_tokens":2,"top_k":4,"min_p":0.05,"repetition_penalty":1.2,"#
            + #""chat_template_kwargs":{}"#)
        try expect(value.at("timings.predicted_n")?.int != nil, "no timings")
      },
    ]
  }

  private static let weather =
    #""tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","#
    + #""properties":{"city":{"enum":["Rome","Oslo"]}},"required":["city"],"#
    + #""additionalProperties":false}}}]"#

  /// Calls of functions.
  static var toolRows: [Row] {
    [
      Row("H9", "a call that is asked for comes with a name and JSON arguments") { probe in
        for choice in [
          #""required""#, #"{"type":"function","function":{"name":"weather"}}"#,
        ] {
          let value = try await chat(
            probe, hello + "," + weather + #","max_tokens":300,"tool_choice":"# + choice)
          let call = value.at("choices.0.message.tool_calls.0") ?? .null
          try expect(call.at("function.name")?.string == "weather", value.text)
          let arguments = try JSONValue((call.at("function.arguments")?.string ?? "").utf8)
          try expect(["Rome", "Oslo"].contains(arguments["city"]?.string), arguments.text)
          try expect(value.at("choices.0.finish_reason")?.string == "tool_calls", "reason")
          try expect(value.at("choices.0.message.content")?.isNull == true, "content")
        }
        let none = try await chat(
          probe, hello + "," + weather + #","max_tokens":4,"tool_choice":"none""#)
        try expect(none.at("choices.0.message.tool_calls") == nil, "a call, though none is allowed")
        try await refused(
          probe,
          hello + "," + weather + #","tool_choice":{"type":"function","function":{"name":"x"}}"#,
          "tool_choice")
      },
      Row("H10", "in a stream, every part of a call has an index, and the first id and name") {
        probe in
        let events = try await stream(
          probe, hello + "," + weather + #","max_tokens":300,"tool_choice":"required""#)
        let parts = events.compactMap { $0.at("choices.0.delta.tool_calls.0") }
        try expect(!parts.isEmpty, "no call")
        try expect(parts.allSatisfy { $0["index"]?.int == 0 }, "a part without an index")
        try expect(
          parts[0]["id"]?.string != nil && parts[0].at("function.name")?.string == "weather",
          "the first part says not who is called")
        let arguments = parts.compactMap { $0.at("function.arguments")?.string }.joined()
        try expect(try JSONValue(arguments.utf8)["city"] != nil, arguments)
        try expect(
          events.last?.at("choices.0.finish_reason")?.string == "tool_calls", "reason")
      },
    ]
  }
}
