import Foundation
import HTTPTypes
import TemplateLanguage

extension Conformance {
  /// Tokens, service and the rest.
  static var tokenRows: [Row] {
    [
      Row("S1", "/tokenize takes llama.cpp's and vLLM's form, at the root and under /v1") { probe in
        for path in ["/tokenize", "/v1/tokenize"] {
          let plain = try await probe.post(path, #""model":"$base","prompt":"ab""#).json
          try expect(plain.at("tokens.0")?.int != nil, plain.text)
          let lines = try await probe.post(path, #""model":"$base","content":"ab""#).json
          try expect(lines.at("tokens.0.id")?.int != nil, lines.text)
        }
        let pieces = try await probe.post(
          "/tokenize", #""model":"$base","content":"ab","with_pieces":true"#
        ).json
        try expect(pieces.at("tokens.0.piece") != nil, pieces.text)
      },
      Row("S2", "/detokenize gives content and prompt") { probe in
        let ids = try await probe.post(
          "/tokenize", #""model":"$base","prompt":"ab c","add_special_tokens":false"#
        ).json["tokens"]
        let text = try await probe.post(
          "/detokenize", #""model":"$base","tokens":"# + (ids?.text ?? "[]")
        ).json
        try expect(
          text["content"]?.string == "ab c" && text["prompt"]?.string == "ab c", text.text)
      },
      Row("S3", "/tokenizer_info names the special tokens and the template") { probe in
        guard let id = probe.base ?? probe.chat else { throw Probe.Skipped("no model is served") }
        let info = try await probe.get("/tokenizer_info?model=\(id)").json
        let keys = Set((info.members ?? []).map(\.key))
        try expect(
          keys.isSuperset(of: ["eos_token", "bos_token", "pad_token", "chat_template"]), info.text)
      },
      Row("S4", "/apply-template renders a conversation") { probe in
        let value = try await probe.post(
          "/apply-template", #""model":"$chat","messages":[{"role":"user","content":"Hi"}]"#
        ).json
        try expect(value["prompt"]?.string?.contains("Hi") == true, value.text)
      },
      Row("S5", "/health, /v1/health, /metrics, /props and /slots answer") { probe in
        for path in ["/health", "/v1/health", "/metrics", "/props", "/slots"] {
          try expect(try await probe.get(path).status == 200, path)
        }
        try expect(
          try await probe.get("/metrics").text.contains("lyceum_generated_tokens_total"), "metrics")
      },
      Row("S6", "embeddings come as numbers or base64, for strings, lists and ids") { probe in
        let numbers = try await probe.post(
          "/v1/embeddings", #""model":"$base","input":["a","b c"],"encoding_format":"float""#
        ).json
        let count = numbers.at("data.1.embedding")?.array?.count ?? 0
        try expect(count > 0, numbers.text.prefix(200).description)
        let packed = try await probe.post(
          "/v1/embeddings", #""model":"$base","input":"a","encoding_format":"base64""#
        ).json
        let data = packed.at("data.0.embedding")?.string.flatMap { Data(base64Encoded: $0) }
        try expect(data?.count == 4 * count, "\(data?.count ?? 0) bytes")
        let ids = try await probe.post("/v1/embeddings", #""model":"$base","input":[1,2]"#)
        try expect(ids.status == 200, "ids give \(ids.status)")
      },
      Row("S7", "/openapi.json and /docs describe the API") { probe in
        let document = try await probe.get("/openapi.json").json
        try expect(document["openapi"]?.string?.hasPrefix("3.") == true, "no OpenAPI")
        try expect(document["paths"]?["/v1/chat/completions"] != nil, "no chat")
        try expect(try await probe.get("/docs").status == 200, "/docs")
      },
      Row("S10", "/api/trace gives what is computed on the way") { probe in
        let answer = try await probe.post(
          "/api/trace", #""model":"$base","prompt_tokens":[1,2,3],"layers":[0],"dtype":"f32""#)
        try expect(answer.status == 200, answer.text.prefix(200).description)
        guard let end = answer.body.firstIndex(of: 0x0A) else { throw Probe.Failure("no head") }
        let head = try JSONValue(answer.body[..<end])
        let width = head["width"]?.int ?? 0
        try expect(answer.body.count - end - 1 == 3 * width * 4, "\(answer.body.count) bytes")
      },
      Row("N1", "/api/generate tells all about every token") { probe in
        let answer = try await probe.post(
          "/api/generate",
          #""model":"$base","prompt":"ab","max_tokens":2,"top":3,"echo":true,"n":2"#)
        let events = try answer.events
        try expect(events.first?["type"]?.string == "prompt", answer.text.prefix(200).description)
        let tokens = events.filter { $0["type"]?.string == "token" }
        try expect(
          tokens.allSatisfy { $0.at("token.top")?.array?.count == 3 }, "not three alternatives")
        try expect(events.filter { $0["type"]?.string == "end" }.count == 2, "not two ends")
      },
      Row("N2", "/api/merges and /api/vocabulary show the tokenizer at work") { probe in
        let merges = try await probe.post("/api/merges", #""model":"$base","text":"the the""#).json
        try expect(merges.at("pieces.0.steps.0")?.array?.isEmpty == false, merges.text)
        guard let id = probe.base else { throw Probe.Skipped("no base model is served") }
        let page = try await probe.get("/api/vocabulary?model=\(id)&q=a&limit=2").json
        try expect(page["total"]?.int ?? 0 > 0, page.text)
      },
    ]
  }
}
