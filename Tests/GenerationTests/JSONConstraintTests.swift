import Foundation
import Generation
import TestSupport
import Testing
import Tokenization

@Suite struct JSONConstraintTests {
  private static let end: Int32 = 300
  /// All bytes, and pieces that cut across the seams of JSON and of characters.
  private static let spellings: [[UInt8]] = {
    let pieces = [
      "{\"", "\":", "\": ", "\", \"", "\"}", "\"]", "]}", "}}", "true", "false", "null", "tru",
      "e,",
      "\n  ", "\n    \"", "12", "3.5", "-1", "0.", "e-", "abc", "name", "\"name", "\"name\": \"",
      "id",
      "{}", "[]", "[{", "}, {", " \"", "é", "日本", "😀", "\\n", "\\u00e9", "\\\"", ", ", ",\n", "red",
      "green\"", "\u{1}", "a\"b",
    ]
    let all =
      (0...255).map { [UInt8($0)] } + pieces.map { Array($0.utf8) } + [[0xC3], [0xE6, 0x97]]
    // The end stands for no text.
    return all + Array(repeating: [], count: 301 - all.count)
  }()
  private static let trie = TokenTrie(spellings)

  /// A text that the constraint allows, by random tokens; after a while those that close something.
  private func text(_ constraint: JSONConstraint, _ random: inout TestRandom) throws -> [UInt8] {
    var constraint = constraint
    var bytes: [UInt8] = []
    for step in 0..<3_000 {
      let mask = constraint.allowed()
      var allowed = (0..<Int32(Self.spellings.count)).filter { mask.contains($0) }
      try #require(!allowed.isEmpty, "nothing follows \(String(decoding: bytes, as: UTF8.self))")
      if allowed.contains(Self.end), step > 20 || Bool.random(using: &random) {
        allowed = [Self.end]
      } else if step > 20 {
        let closing = allowed.filter { id in
          let spelling = Self.spellings[Int(id)]
          return spelling.count == 1 && "\"}]:".utf8.contains(spelling[0])
        }
        if !closing.isEmpty, step > 60 || Bool.random(using: &random) { allowed = closing }
      }
      let token = try #require(allowed.randomElement(using: &random))
      constraint.accept(token)
      if token == Self.end {
        #expect(constraint.isFinished)
        return bytes
      }
      bytes += Self.spellings[Int(token)]
    }
    Issue.record("no end: \(String(decoding: bytes.prefix(500), as: UTF8.self))")
    return bytes
  }

  private func value(_ bytes: [UInt8]) throws -> Any {
    #expect(String(validating: bytes, as: UTF8.self) != nil)
    return try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
  }

  private func schema(_ object: Any) throws -> (text: String, schema: JSONSchema) {
    let data = try JSONSerialization.data(withJSONObject: object, options: .fragmentsAllowed)
    let text = String(decoding: data, as: UTF8.self)
    return (text, try JSONSchema(text))
  }

  private func random(depth: Int, _ random: inout TestRandom) -> [String: Any] {
    let names = ["name", "id", "a\"b", "é", "list", "x y"]
    switch Int.random(in: 0..<(depth > 2 ? 7 : 11), using: &random) {
    case 0: return ["type": "string"]
    case 1:
      let least = Int.random(in: 0..<4, using: &random)
      return ["type": "string", "minLength": least, "maxLength": least + 3]
    case 2: return ["type": "integer"]
    case 3: return ["type": "number"]
    case 4: return ["type": ["boolean", "null"]]
    case 5: return ["enum": ["red", "green", 3, -1.5, true, NSNull(), "é\n\"", ["a": [1]]]]
    case 6: return ["const": "abc"]
    case 7:
      let least = Int.random(in: 0..<3, using: &random)
      var schema: [String: Any] = [
        "type": "array", "items": self.random(depth: depth + 1, &random), "minItems": least,
      ]
      if Bool.random(using: &random) { schema["maxItems"] = least + 2 }
      return schema
    case 8:
      return [
        "anyOf": (0..<3).map { _ in self.random(depth: depth + 1, &random) }, "title": "choices",
      ]
    case 9:
      return ["type": "object", "additionalProperties": self.random(depth: depth + 1, &random)]
    default:
      var properties: [String: Any] = [:]
      for name in names.shuffled(using: &random).prefix(3) {
        properties[name] = self.random(depth: depth + 1, &random)
      }
      let required = properties.keys.filter { _ in Bool.random(using: &random) }
      return [
        "type": "object", "properties": properties, "required": Array(required),
        "additionalProperties": false,
      ]
    }
  }

  private func fits(_ value: Any, _ schema: [String: Any]) -> Bool {
    if let choices = schema["anyOf"] as? [[String: Any]] {
      return choices.contains { fits(value, $0) }
    }
    if let list = schema["enum"] as? [Any] { return list.contains { same($0, value) } }
    if let one = schema["const"] { return same(one, value) }
    if let types = schema["type"] as? [String] {
      return types.contains { type in
        var one = schema
        one["type"] = type
        return fits(value, one)
      }
    }
    // A number from JSON is a Bool only where it was written as one.
    let isBool = (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? false
    switch schema["type"] as? String {
    case "string":
      guard let text = value as? String else { return false }
      let count = text.unicodeScalars.count
      return count >= schema["minLength"] as? Int ?? 0
        && count <= schema["maxLength"] as? Int ?? .max
    case "integer":
      guard let number = value as? NSNumber, !isBool else { return false }
      return number.doubleValue == number.doubleValue.rounded()
    case "number": return value is NSNumber && !isBool
    case "boolean": return isBool
    case "null": return value is NSNull
    case "array":
      guard let list = value as? [Any] else { return false }
      let items = schema["items"] as? [String: Any] ?? [:]
      return list.count >= schema["minItems"] as? Int ?? 0
        && list.count <= schema["maxItems"] as? Int ?? .max && list.allSatisfy { fits($0, items) }
    case "object":
      guard let object = value as? [String: Any] else { return false }
      if let properties = schema["properties"] as? [String: [String: Any]] {
        let required = schema["required"] as? [String] ?? []
        return required.allSatisfy { object[$0] != nil }
          && object.allSatisfy { key, value in properties[key].map { fits(value, $0) } ?? false }
      }
      guard let others = schema["additionalProperties"] as? [String: Any] else { return true }
      return object.values.allSatisfy { fits($0, others) }
    default: return true
    }
  }

  private func same(_ a: Any, _ b: Any) -> Bool {
    (a as? NSObject)?.isEqual(b) ?? false
  }

  @Test("whatever is drawn under a random schema is JSON and fits the schema")
  func randomSchemas() throws {
    var random = TestRandom(seed: 21)
    for _ in 0..<150 {
      let object = self.random(depth: 0, &random)
      let (text, schema) = try schema(object)
      let constraint = JSONConstraint(schema, Self.trie, ends: [Self.end])
      for _ in 0..<4 {
        let bytes = try self.text(constraint, &random)
        let value = try value(bytes)
        #expect(fits(value, object), "\(String(decoding: bytes, as: UTF8.self)) for \(text)")
      }
    }
  }

  @Test("any object is JSON, and its nesting ends")
  func anyObject() throws {
    var random = TestRandom(seed: 22)
    for _ in 0..<200 {
      let bytes = try text(JSONConstraint(.object, Self.trie, ends: [Self.end]), &random)
      #expect(try value(bytes) is [String: Any])
    }
    var deep = JSONConstraint(.object, Self.trie, ends: [Self.end])
    for byte in "{\"a\":".utf8 { deep.accept(Int32(byte)) }
    var depth = 0
    while deep.allowed().contains(Int32(UInt8(ascii: "["))) {
      deep.accept(Int32(UInt8(ascii: "[")))
      depth += 1
      try #require(depth < 200)
    }
    #expect(depth > 40)
    for _ in 0..<depth { deep.accept(Int32(UInt8(ascii: "]"))) }
    deep.accept(Int32(UInt8(ascii: "}")))
    #expect(!deep.isFinished && deep.allowed().contains(Self.end))
  }

  private func accepts(_ schema: JSONSchema, _ text: String) -> Bool {
    var constraint = JSONConstraint(schema, Self.trie, ends: [Self.end])
    for byte in text.utf8 {
      guard constraint.allowed().contains(Int32(byte)) else { return false }
      constraint.accept(Int32(byte))
    }
    return constraint.allowed().contains(Self.end)
  }

  @Test("what a schema says is what is allowed, references and recursion included")
  func cases() throws {
    let person = try JSONSchema(
      """
      {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"},
       "tags": {"type": "array", "items": {"enum": ["red", "green"]}}},
       "required": ["name", "age"], "additionalProperties": false}
      """)
    #expect(accepts(person, #"{"name":"Zoë","age":3}"#))
    #expect(
      accepts(person, "{\n  \"name\": \"\\ud83d\\ude00\",\n  \"age\": -30,\n  \"tags\": []\n}"))
    #expect(accepts(person, #"{"name": "a", "age": 3, "tags": ["red", "green"]}"#))
    for wrong in [
      #"{"age":3,"name":"a"}"#, #"{"name":"a"}"#, #"{"name":"a","age":3.5}"#,
      #"{"name":"a","age":03}"#,
      #"{"name":"a","age":3,}"#, #"{"name":"a","age":3,"tags":["blue"]}"#,
      #"{"name":"\ud83d","age":3}"#,
      #"{"name":"a" "age":3}"#, "{\"name\":\"\u{1}\",\"age\":3}", #" {"name":"a","age":3}"#,
    ] {
      #expect(!accepts(person, wrong), "\(wrong)")
    }
    let tree = try JSONSchema(
      """
      {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties":
        {"value": {"type": "number"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
        "required": ["value", "next"], "additionalProperties": false}}}
      """)
    #expect(accepts(tree, #"{"value":1,"next":{"value":-2.5e3,"next":null}}"#))
    #expect(!accepts(tree, #"{"value":1,"next":{"value":2}}"#))
    let list = try JSONSchema(
      ##"{"anyOf":[{"type":"array","items":{"$ref":"#"}},{"type":"null"}]}"##)
    #expect(accepts(list, "[null,[[],null]]"))
    let map = try JSONSchema(#"{"type":"object","additionalProperties":{"type":"integer"}}"#)
    #expect(accepts(map, "{}") && accepts(map, #"{"a": 1, "b": 2}"#))
    #expect(!accepts(map, #"{"a": 1,}"#) && !accepts(map, #"{"a": "b"}"#))
    // A number may go on or end; without stop tokens it ends where nothing can follow.
    let word = try JSONSchema(#"{"const": "ab"}"#)
    var constraint = JSONConstraint(word, Self.trie, ends: [])
    for byte in "\"ab\"".utf8 {
      #expect(!constraint.isFinished)
      constraint.accept(Int32(byte))
    }
    #expect(constraint.isFinished)
  }

  @Test("a token is allowed exactly where all its bytes are, one by one")
  func tokens() throws {
    let schema = try JSONSchema(
      """
      {"type":"object","properties":{"name":{"type":"string"},"id":{"type":["number","null"]}},
       "required":["name"]}
      """)
    var random = TestRandom(seed: 23)
    for _ in 0..<6 {
      let bytes = try text(JSONConstraint(schema, Self.trie, ends: [Self.end]), &random)
      var constraint = JSONConstraint(schema, Self.trie, ends: [Self.end])
      for byte in bytes.prefix(40) {
        let mask = constraint.allowed()
        for (id, spelling) in Self.spellings.enumerated() where !spelling.isEmpty {
          var slow = constraint
          let fits = spelling.allSatisfy { byte in
            let isAllowed = slow.allowed().contains(Int32(byte))
            if isAllowed { slow.accept(Int32(byte)) }
            return isAllowed
          }
          #expect(mask.contains(Int32(id)) == fits)
        }
        constraint.accept(Int32(byte))
      }
    }
  }

  @Test("what cannot be enforced is an error that names it and its place")
  func errors() {
    for (text, words) in [
      (
        #"{"type":"object","properties":{"a":{"type":"string","pattern":"x"}}}"#, ["pattern", "/a"]
      ),
      (#"{"type":"integer","minimum":3}"#, ["minimum"]), (#"{"oneOf":[{}]}"#, ["oneOf"]),
      (#"{"not":{}}"#, ["not"]), (#"{"type":"thing"}"#, ["thing"]),
      (##"{"$ref":"#/$defs/none"}"##, ["none"]), (#"{"$ref":"http://x"}"#, ["http://x"]),
      (#"{"type":"array","prefixItems":[]}"#, ["prefixItems"]),
      (#"{"type":"array","minItems":5,"maxItems":2}"#, ["minItems"]),
      (#"{"type":"string","maxLength":100000}"#, ["maxLength"]), (#"{"enum":[]}"#, ["enum"]),
      (#"{"type":"string","enum":[1]}"#, ["no value"]), ("[1", ["no JSON"]), ("3", ["object"]),
      (#"{"type":"object","properties":{},"required":["a"]}"#, ["required", "a"]),
      (##"{"$ref":"#"}"##, ["no end"]),
      (##"{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}"##, ["no end"]),
    ] {
      let error = #expect(throws: GenerationError.self) { try JSONSchema(text) }
      for word in words { #expect(error?.description.contains(word) == true, "\(text)") }
    }
  }

  @Test("the engine writes what fits, beside sequences that are free")
  func engine() async throws {
    let tokenizer = try Tokenizer.train(
      documents: [#"{"name": "one", "list": [1, 2, 3]}, {"name": "two", "list": []}"#],
      vocabularySize: 276, preTokenizer: .digits)
    let end = try #require(tokenizer.id(ofSpecial: "<|end|>"))
    let trie = TokenTrie(tokenizer)
    let schema = try JSONSchema(
      """
      {"type":"object","properties":{"name":{"type":"string","maxLength":12},
       "list":{"type":"array","items":{"type":"integer"},"maxItems":4}},"required":["name","list"]}
      """)
    let engine = try Engine(Lively.model(vocabulary: 276), slots: 5)
    let jobs: [GenerationJob] = (0..<12).map { (i: Int) -> GenerationJob in
      var job = GenerationJob(prompt: [1, 2, Int32(i)], stops: [end], seed: 5, stream: UInt64(i))
      job.settings = SamplingSettings(temperature: i % 2 == 0 ? 1 : 0.6, maxTokens: 300)
      if i % 3 != 2 { job.constraint = JSONConstraint(schema, trie, ends: [end]) }
      return job
    }
    let outcomes = try await engine.outcomes(jobs)
    for (job, outcome) in zip(jobs, outcomes) where job.constraint != nil {
      #expect(outcome.end == .stop && outcome.tokens.last == end)
      let object = try value(tokenizer.bytes(of: outcome.tokens.dropLast())) as? [String: Any]
      #expect(object?["name"] is String && object?["list"] is [Any])
    }
    let again = try await engine.outcomes(jobs.reversed()).reversed()
    #expect(zip(outcomes, again).allSatisfy { $0.matches($1) })
  }
}
