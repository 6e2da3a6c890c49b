import HTTPTypes
import TemplateLanguage
import Testing

@testable import Serving

/// Requests that must be refused with 4xx and the four keys, and change nothing.
@Suite struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var path: String
    /// With the braces.
    var body: String
    var testDescription: String { name }
  }

  /// Numbers that are out of range, of another kind, or none.
  static let numeric: [Case] = {
    let fields: [(String, [String])] = [
      ("temperature", ["-1", "2.001", "1e308"]), ("top_p", ["-1", "1.01", "2147483648"]),
      ("top_k", ["-2", "1.5", "9223372036854775808"]), ("min_p", ["-0.1", "1.1", "1e308"]),
      ("presence_penalty", ["-2.1", "2.1", "1e308"]),
      ("frequency_penalty", ["-2.1", "2.1", "-1e308"]),
      ("repetition_penalty", ["0", "-1", "1e308"]),
      ("max_tokens", ["-1", "2147483648", "9223372036854775808", "0.5", "1e308"]),
      ("n", ["-1", "0", "17", "2147483648", "9223372036854775808", "1.5"]),
      ("best_of", ["-1", "0", "17", "2147483648"]), ("logprobs", ["-1", "21", "2147483648"]),
      ("seed", ["1.5", "9223372036854775808"]),
    ]
    return fields.flatMap { name, values in
      (values + ["NaN", #""1""#, "true", "[1]", "{}"]).map { value in
        Case(
          name: "\(name) \(value)", path: "/v1/completions",
          body: #"{"model":"base","prompt":"a","\#(name)":\#(value)}"#)
      }
    }
  }()

  static let shapes: [Case] = {
    func completion(_ name: String, _ fields: String) -> Case {
      Case(name: name, path: "/v1/completions", body: #"{"model":"base",\#(fields)}"#)
    }
    func chat(_ name: String, _ fields: String) -> Case {
      Case(name: name, path: "/v1/chat/completions", body: #"{"model":"talk",\#(fields)}"#)
    }
    func raw(_ name: String, _ body: String) -> Case {
      Case(name: name, path: "/v1/completions", body: body)
    }
    let hello = #""messages":[{"role":"user","content":"a"}]"#
    return [
      raw("no body", ""), raw("no object", "[]"), raw("a string", #""a""#), raw("cut off", "{"),
      raw("no model", #"{"prompt":"a"}"#), raw("a model of null", #"{"model":null,"prompt":"a"}"#),
      raw("a model of a number", #"{"model":7,"prompt":"a"}"#),
      raw("a model that is a path", #"{"model":"../../etc/passwd","prompt":"a"}"#),
      raw("a key twice", #"{"model":"base","model":"talk","prompt":"a"}"#),
      raw("deep", String(repeating: "[", count: 100_000)),
      raw("half a surrogate pair", #"{"model":"base","prompt":"\ud800"}"#),
      raw("a control character", "{\"model\":\"base\",\"prompt\":\"\u{1}\"}"),
      raw("a comment", #"{"model":"base",/* */"prompt":"a"}"#),
      raw("a comma too many", #"{"model":"base","prompt":"a",}"#),
      completion("no prompt", #""max_tokens":1"#), completion("a null prompt", #""prompt":null"#),
      completion("an empty list", #""prompt":[]"#),
      completion("an empty list in one", #""prompt":[[]]"#),
      completion("a number", #""prompt":7"#), completion("mixed", #""prompt":["a",1]"#),
      completion("a negative id", #""prompt":[-1]"#), completion("a large id", #""prompt":[300]"#),
      completion("an id beyond 32 bits", #""prompt":[4294967296]"#),
      completion("a fraction", #""prompt":[1.5]"#), completion("an object", #""prompt":{}"#),
      completion(
        "too many prompts",
        #""prompt":[\#(Array(repeating: "\"a\"", count: 65).joined(separator: ","))]"#),
      completion(
        "too long", #""prompt":[\#(Array(repeating: "1", count: 513).joined(separator: ","))]"#),
      completion("too much to write", #""prompt":"a","max_tokens":5000"#),
      completion("nothing to do", #""prompt":"a","max_tokens":0"#),
      completion("a stop of a number", #""prompt":"a","stop":1"#),
      completion(
        "a stop that is long", #""prompt":"a","stop":"\#(String(repeating: "x", count: 300))""#),
      completion("a bias of a list", #""prompt":"a","logit_bias":[1]"#),
      completion("a bias for no token", #""prompt":"a","logit_bias":{"a":1}"#),
      completion("a bias out of range", #""prompt":"a","logit_bias":{"1":101}"#),
      completion("a bias for a token beyond", #""prompt":"a","logit_bias":{"9999":1}"#),
      completion("echo of a word", #""prompt":"a","echo":"yes""#),
      completion("stream of a number", #""prompt":"a","stream":1"#),
      completion(
        "options without a stream", #""prompt":"a","stream_options":{"include_usage":true}"#),
      completion("a suffix", #""prompt":"a","suffix":"b""#),
      completion("a grammar", #""prompt":"a","grammar":"root ::= a""#),
      completion("a stream of the best", #""prompt":"a","n":1,"best_of":2,"stream":true"#),
      completion("a format of a word", #""prompt":"a","response_format":"json""#),
      completion("an unknown format", #""prompt":"a","response_format":{"type":"xml"}"#),
      completion("a schema that never ends", ##""prompt":"a","json_schema":{"$ref":"#"}"##),
      chat("no messages", #""max_tokens":1"#), chat("none", #""messages":[]"#),
      chat("messages of a word", #""messages":"a""#),
      chat("a message of a word", #""messages":["a"]"#),
      chat("no role", #""messages":[{"content":"a"}]"#),
      chat("an unknown role", #""messages":[{"role":"king","content":"a"}]"#),
      chat("no content", #""messages":[{"role":"user"}]"#),
      chat("an image", #""messages":[{"role":"user","content":[{"type":"image_url"}]}]"#),
      chat("a result without a call", #""messages":[{"role":"tool","content":"a"}]"#),
      chat(
        "many messages",
        #""messages":[\#(Array(repeating: #"{"role":"user","content":""}"#, count: 10_000).joined(separator: ","))]"#
      ),
      chat("top without logprobs", hello + #","top_logprobs":1"#),
      chat("many alternatives", hello + #","logprobs":true,"top_logprobs":21"#),
      chat("tools of a word", hello + #","tools":"a""#),
      chat("a tool of another type", hello + #","tools":[{"type":"shell"}]"#),
      chat("a tool without a name", hello + #","tools":[{"type":"function","function":{}}]"#),
      chat(
        "a tool with an odd name",
        hello + #","tools":[{"type":"function","function":{"name":"a b"}}]"#),
      chat("a choice of nothing", hello + #","tool_choice":"required""#),
      chat("an odd choice", hello + #","tool_choice":"maybe""#),
      Case(
        name: "a base model in a chat", path: "/v1/chat/completions",
        body: #"{"model":"base",\#(hello)}"#),
      Case(name: "no input", path: "/v1/embeddings", body: #"{"model":"base"}"#),
      Case(
        name: "an odd encoding", path: "/v1/embeddings",
        body: #"{"model":"base","input":"a","encoding_format":"hex"}"#),
      Case(
        name: "other dimensions", path: "/v1/embeddings",
        body: #"{"model":"base","input":"a","dimensions":7}"#),
      Case(name: "nothing to tokenize", path: "/tokenize", body: #"{"model":"base"}"#),
      Case(
        name: "tokens beyond", path: "/detokenize", body: #"{"model":"base","tokens":[300]}"#),
      Case(name: "a layer beyond", path: "/api/trace", body: #"{"model":"base","layers":[9]}"#),
      Case(name: "nothing to continue", path: "/api/generate", body: #"{"model":"base"}"#),
      Case(
        name: "many tops", path: "/api/generate",
        body: #"{"model":"base","prompt":"a","top":51}"#),
      Case(
        name: "a state", path: "/v1/responses",
        body: #"{"model":"talk","previous_response_id":"a"}"#),
    ]
  }()

  @Test("is refused, by name", arguments: numeric + shapes)
  func refused(_ bad: Case) async throws {
    let probe = try Fixture.aProbe()
    let answer = try await probe.send(.post, bad.path, bad.body)
    #expect((400..<500).contains(answer.status), "\(answer.status): \(answer.text.prefix(200))")
    #expect(isError(answer), "\(answer.text.prefix(200))")
    #expect(try await probe.get("/health").status == 200)
  }

  @Test("there are more than 120 of them") func many() {
    #expect(Self.numeric.count + Self.shapes.count >= 120)
  }

  @Test(
    "a path that leads elsewhere leads nowhere",
    arguments: [
      "/../Package.swift", "/js/../../Package.swift", "/%2e%2e/Package.swift",
      "/js/%2e%2e%2f%2e%2e%2fa",
      "/js/..%2f", "//etc/passwd", "/etc/passwd", "/js/api.js%00", "/%252e%252e/a", "/js/", "/css",
      "/js/api.js/", "/index.html", "/\u{FFFD}",
    ]) func traversal(_ path: String) async throws
  {
    let answer = try await Fixture.aProbe().get(path)
    // A slash at the end is forgiven, and that is all.
    let isForgiven = path == "/js/api.js/"
    #expect(
      isForgiven ? answer.status == 200 : (400..<500).contains(answer.status), "\(answer.status)")
  }
}
