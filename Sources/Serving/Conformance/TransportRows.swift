import Foundation
import HTTPTypes
import TemplateLanguage

extension Conformance {
  /// Paths, errors and streams.
  static var transportRows: [Row] {
    [
      Row("T1", "a slash at the end of a path makes no difference") { probe in
        try expect(try await probe.get("/v1/models/").status == 200, "/v1/models/ is not found")
      },
      Row("T1", "any key is taken where none is set, and only the right one where it is") { probe in
        let answer = try await probe.send(
          .get, "/v1/models", nil, headers: [.authorization: "Bearer other"])
        let wanted = probe.site.settings.apiKey == nil ? 200 : 401
        try expect(answer.status == wanted, "another key gives \(answer.status)")
      },
      Row("T2", "fields that only others know are ignored") { probe in
        let answer = try await probe.post(
          "/v1/completions",
          #""model":"$base","prompt":"a","max_tokens":1,"user":"u","store":true,"metadata":{"a":"b"},"#
            + #""service_tier":"auto","prompt_cache_key":"k","safety_identifier":"s""#)
        try expect(answer.status == 200, "status \(answer.status): \(answer.text)")
      },
      Row("T3", "an error has message, type, param and code") { probe in
        let error = try await probe.post("/v1/completions", "").json["error"]
        let keys = Set((error?.members ?? []).map(\.key))
        try expect(keys == ["message", "type", "param", "code"], "the keys are \(keys.sorted())")
        try expect(error?["message"]?.string?.isEmpty == false, "the message is empty")
      },
      Row("T4", "an unknown model is 404 with the code model_not_found") { probe in
        let answer = try await probe.post("/v1/completions", #""model":"none","prompt":"a""#)
        try expect(answer.status == 404, "status \(answer.status)")
        try expect(
          try answer.json.at("error.code")?.string == "model_not_found", "code \(answer.text)")
      },
      Row("T5", "what cannot succeed is 400 and never 500") { probe in
        let answer = try await probe.post(
          "/v1/completions",
          #""model":"$base","prompt":"a","response_format":{"type":"json_schema","json_schema":"#
            + #"{"name":"x","schema":{"type":"strange"}}}"#)
        try expect(answer.status == 400, "status \(answer.status)")
      },
      Row("T6", "a stream is refused before it begins") { probe in
        let answer = try await probe.post(
          "/v1/completions", #""model":"$base","prompt":"a","stream":true,"temperature":9"#)
        try expect(answer.status == 400, "status \(answer.status)")
        try expect(try answer.json.at("error.param")?.string == "temperature", answer.text)
      },
      Row("T7", "streams are server-sent events that end with [DONE]") { probe in
        let answer = try await probe.post(
          "/v1/completions", #""model":"$base","prompt":"a","max_tokens":2,"stream":true"#)
        try expect(
          answer.headers[.contentType]?.hasPrefix("text/event-stream") == true,
          "content type \(answer.headers[.contentType] ?? "none")")
        try expect(answer.headers[.cacheControl] == "no-cache", "cache control")
        try expect(answer.data.last == "[DONE]", "the last event is \(answer.data.last ?? "none")")
      },
      Row("T8", "every answer has an x-request-id") { probe in
        for path in ["/health", "/nowhere"] {
          let id = try await probe.get(path).headers[HTTPField.Name("x-request-id") ?? .server]
          try expect(id?.isEmpty == false, "\(path) has none")
        }
      },
      Row("T10", "pages of other origins are refused") { probe in
        let answer = try await probe.send(
          .get, "/v1/models", nil, headers: [.origin: "http://evil.example"])
        try expect(answer.status == 403, "status \(answer.status)")
      },
      Row("T11", "too long a prompt is 400 with the code context_length_exceeded") { probe in
        let ids = Array(repeating: "1", count: 200_000).joined(separator: ",")
        let answer = try await probe.post(
          "/v1/completions", #""model":"$base","prompt":[\#(ids)],"max_tokens":1"#)
        try expect(answer.status == 400, "status \(answer.status)")
        try expect(
          try answer.json.at("error.code")?.string == "context_length_exceeded",
          answer.text.prefix(300).description)
        try expect(answer.text.contains("200000"), "the message lacks the length")
      },
      Row("T13", "a character that tokens share is sent whole, and its bytes are exact") { probe in
        let answer = try await probe.post(
          "/v1/completions",
          #""model":"$base","prompt":"a","max_tokens":24,"temperature":2,"seed":3,"stream":true"#)
        _ = try answer.events
        try expect(
          String(validating: answer.body, as: UTF8.self) != nil, "the stream is not UTF-8")
      },
    ]
  }

  /// GET /v1/models.
  static var modelRows: [Row] {
    [
      Row("M1", "models are a list of objects with id, object, created and owned_by") { probe in
        let list = try await probe.get("/v1/models").json
        try expect(list["object"]?.string == "list", "no list")
        for model in list["data"]?.array ?? [] {
          try expect(
            model["id"]?.string != nil && model["object"]?.string == "model"
              && model["created"]?.int != nil && model["owned_by"]?.string != nil,
            "a model lacks a field: \(model.text)")
        }
      },
      Row("M2", "a model is found by its id, slashes included; another is 404") { probe in
        guard let id = probe.base ?? probe.chat else { throw Probe.Skipped("no model is served") }
        let answer = try await probe.get("/v1/models/\(id)")
        try expect(try answer.json["id"]?.string == id, answer.text)
        try expect(try await probe.get("/v1/models/no/such:model").status == 404, "not 404")
      },
      Row("M3", "a model says its size, context and kind") { probe in
        guard let id = probe.base ?? probe.chat else { throw Probe.Skipped("no model is served") }
        let model = try await probe.get("/v1/models/\(id)").json
        try expect(
          model.at("meta.n_params")?.int != nil && model["context_length"]?.int != nil
            && model["type"]?.string != nil, model.text)
      },
    ]
  }
}
