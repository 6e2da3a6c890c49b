import Foundation
import TemplateLanguage

extension Conformance {
  /// POST /v1/responses.
  static var responsesRows: [Row] {
    [
      Row("R1", "input is a string or items, with instructions and a format") { probe in
        for input in [
          #""Hi""#, #"[{"role":"user","content":[{"type":"input_text","text":"Hi"}]}]"#,
          #"[{"role":"user","content":"2+2"},{"type":"function_call","call_id":"c","name":"calc","#
            + #""arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"4"}]"#,
        ] {
          let answer = try await probe.post(
            "/v1/responses",
            #""model":"$chat","instructions":"Be kind.","max_output_tokens":2,"input":"# + input)
          try expect(answer.status == 200, "\(input) gives \(answer.status): \(answer.text)")
        }
        let formed = try await probe.post(
          "/v1/responses",
          #""model":"$chat","input":"Hi","max_output_tokens":40,"text":{"format":{"type":"#
            + #""json_schema","name":"x","schema":{"enum":["a","b"]}}}"#)
        let text = try formed.json.at("output.0.content.0.text")?.string ?? ""
        try expect([#""a""#, #""b""#].contains(text.trimmed), formed.text)
      },
      Row("R2", "the answer has an output, a status and usage") { probe in
        let answer = try await probe.post(
          "/v1/responses", #""model":"$chat","input":"Hi","max_output_tokens":3"#)
        let value = try answer.json
        try expect(value["id"]?.string?.hasPrefix("resp_") == true, "id")
        try expect(value["object"]?.string == "response", "object")
        try expect(["completed", "incomplete"].contains(value["status"]?.string), "status")
        try expect(value.at("output.0.content.0.type")?.string == "output_text", "output")
        try expect(value.at("usage.input_tokens_details.cached_tokens")?.int != nil, "usage")
      },
      Row("R3", "events come in their order, numbered") { probe in
        let answer = try await probe.post(
          "/v1/responses", #""model":"$chat","input":"Hi","max_output_tokens":4,"stream":true"#)
        let events = try answer.events
        let types = events.map { $0["type"]?.string ?? "" }
        try expect(
          Array(types.prefix(4)) == [
            "response.created", "response.in_progress", "response.output_item.added",
            "response.content_part.added",
          ], "\(types)")
        try expect(
          Array(types.suffix(4).prefix(3)) == [
            "response.output_text.done", "response.content_part.done", "response.output_item.done",
          ], "\(types)")
        try expect(
          ["response.completed", "response.incomplete"].contains(types.last), types.last ?? "")
        try expect(
          events.map { $0["sequence_number"]?.int ?? -1 } == Array(0..<events.count), "numbers")
        let deltas = events.compactMap { $0["delta"]?.string }.joined()
        let text = events.last?.at("response.output.0.content.0.text")?.string
        try expect(deltas == text, "\(deltas) is not \(text ?? "")")
      },
      Row("R4", "what needs memory is refused as stateless") { probe in
        for field in [
          #""previous_response_id":"r""#, #""conversation":"c""#, #""background":true"#,
        ] {
          let answer = try await probe.post(
            "/v1/responses", #""model":"$chat","input":"Hi","# + field)
          try expect(answer.status == 400, "\(field) gives \(answer.status)")
          try expect(answer.text.contains("stateless"), answer.text)
        }
      },
    ]
  }
}
