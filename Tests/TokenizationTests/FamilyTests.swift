import Foundation
import TemplateLanguage
import Testing

@testable import Tokenization

func cuts(_ text: String, _ kind: PreTokenizer) -> [String] {
  let bytes = Array(text.utf8)
  return bytes.withUnsafeBufferPointer { p in
    guard let base = p.baseAddress else { return [] }
    var scanner = PreTokenScanner(base, count: p.count, kind: kind)
    var (start, pieces): (Int, [String]) = (0, [])
    while start < p.count {
      let stop = scanner.next(after: start)
      pieces.append(String(decoding: bytes[start..<stop], as: UTF8.self))
      start = stop
    }
    return pieces
  }
}

/// A vocabulary of all bytes and of what `merges` makes, as a GGUF file would give it.
private func byteLevel(_ merges: [(String, String)] = [], pre: String? = "gpt-2")
  -> TokenizerMetadata
{
  let spell = { (text: String) in ByteAlphabet.spell(text.utf8) }
  let bytes = (0..<256).map { ByteAlphabet.spell([UInt8($0)]) }
  var file = TokenizerMetadata(
    model: "gpt2", pre: pre,
    tokens: bytes + merges.map { spell($0.0 + $0.1) } + ["<|end|>", "<word>"],
    merges: merges.map { spell($0.0) + " " + spell($0.1) })
  file.types = Array(repeating: 1, count: 256 + merges.count) + [3, 4]
  return file
}

/// A SentencePiece vocabulary: unknown, begin, end, the bytes, and pieces with falling scores.
private func pieces(_ pieces: [String]) -> TokenizerMetadata {
  let bytes = (0..<256).map { "<0x" + String(format: "%02X", $0) + ">" }
  var file = TokenizerMetadata(
    model: "llama", tokens: ["<unk>", "<s>", "</s>"] + bytes + pieces,
    types: [2, 3, 3] + Array(repeating: 6, count: 256) + Array(repeating: 1, count: pieces.count),
    scores: Array(repeating: 0, count: 259) + pieces.indices.map { -Float($0) })
  (file.bos, file.eos) = (1, 2)
  return file
}

@Suite("Cutting text as other families do, against their regular expressions in tokenizers")
struct FamilyCutTests {
  @Test("o200k: upper case, then lower case, with its contraction")
  func o200k() {
    #expect(cuts("HTTPServer's XMLHttp", .o200k) == ["HTTPServer's", " XMLHttp"])
    #expect(cuts("camelCase ABCdef ABC", .o200k) == ["camel", "Case", " ABCdef", " ABC"])
    #expect(cuts("it's IT'S 'tis", .o200k) == ["it's", " IT'S", " '", "tis"])
    #expect(cuts("a//\n/b 12345", .o200k) == ["a", "//\n/", "b", " ", "123", "45"])
    #expect(cuts("e\u{301}A \u{301}\u{301}x", .o200k) == ["e\u{301}A", " \u{301}\u{301}x"])
    #expect(cuts("\u{301}A ", .o200k) == ["\u{301}", "A", " "])
    #expect(cuts("漢字ABC漢", .o200k) == ["漢字ABC漢"])
    #expect(cuts("漢AB", .o200k) == ["漢", "AB"])
    #expect(cuts("  \n x\r\n", .o200k) == ["  \n", " x", "\r\n"])
  }

  @Test("Tekken: single digits, contractions apart")
  func tekken() {
    #expect(cuts("It's 12", .tekken) == ["It", "'s", " ", "1", "2"])
  }

  @Test("SmolLM: digits alone, and the text between them for itself")
  func smollm() {
    #expect(cuts("a  1 22 b", .smollm) == ["a", "  ", "1", " ", "2", "2", " b"])
    #expect(cuts("x\n\n 1", .smollm) == ["x", "\n\n ", "1"])
    #expect(cuts("don't DON'T", .smollm) == ["don", "'t", " DON", "'", "T"])
  }

  @Test("names of GGUF files and patterns of tokenizer.json are known exactly or not at all")
  func names() throws {
    for cut in PreTokenizer.allCases { #expect(PreTokenizer(pattern: cut.pattern) == cut) }
    #expect(PreTokenizer(pattern: "(a+)+$") == nil)
    let error = #expect(throws: TokenizerError.self) {
      try Tokenizer(metadata: byteLevel(pre: "mystery-7"))
    }
    #expect(error?.description.contains("mystery-7") == true)
    #expect(throws: TokenizerError.self) { try Tokenizer(metadata: byteLevel(pre: nil)) }
  }
}

@Suite("Tokenizers from GGUF metadata")
struct MetadataTests {
  @Test("byte-level: merges, specials on request, user-defined tokens always")
  func bytes() throws {
    var file = byteLevel([("l", "l"), ("h", "e"), ("he", "ll")])
    (file.bos, file.eos, file.addsBOS) = (259, 259, true)
    let tokenizer = try Tokenizer(metadata: file)
    #expect(tokenizer.encode("hello") == [258, 111])
    #expect(tokenizer.specials == ["<|end|>"])
    #expect(tokenizer.markers.bos == 259 && tokenizer.markers.addsBOS)
    #expect(tokenizer.markers.ends == [259])
    #expect(!tokenizer.encode("<|end|>").contains(259))
    #expect(tokenizer.encode("a<|end|>", allowing: ["<|end|>"]) == [97, 259])
    #expect(tokenizer.encode("a<word>b") == [97, 260, 98])
    #expect(tokenizer.decode([97, 260, 259]) == "a<word><|end|>")
  }

  @Test("a whole pre-token that is a token wins only where the family says so")
  func ignoringMerges() throws {
    // "abc" is a token that no merge makes.
    var file = byteLevel([("b", "c")])
    file.tokens.append("abc")
    file.types.append(1)
    #expect(try Tokenizer(metadata: file).encode("abc") == [97, 256])
    file.pre = "llama-bpe"
    #expect(try Tokenizer(metadata: file).encode("abc") == [259])
  }

  @Test("a byte without a token is left out, as the libraries leave it out")
  func gaps() throws {
    var file = byteLevel()
    file.types[1] = 5
    #expect(try Tokenizer(metadata: file).encode("a\u{1}b") == [97, 98])
  }

  @Test("characters: the best score first, bytes for the rest, a blank before every text")
  func characters() throws {
    let tokenizer = try Tokenizer(metadata: pieces(["▁a", "ab", "▁", "a", "b", "▁▁", "é"]))
    func names(_ text: String) -> [String] {
      tokenizer.encode(text).map { tokenizer.decode([$0]) }
    }
    // " a" scores above "ab".
    #expect(names("ab") == [" a", "b"])
    #expect(names("bab") == [" ", "b", "ab"])
    #expect(names("  b") == ["  ", " ", "b"])
    #expect(tokenizer.encode("é") == [261, 265])
    #expect(tokenizer.encode("東") == [261, 3 + 0xE6, 3 + 0x9D, 3 + 0xB1])
    #expect(tokenizer.encode("").isEmpty)
    for text in ["ab", "  b a東é\n", "<s>", "▁a".replacing("▁", with: " ")] {
      #expect(tokenizer.decode(tokenizer.encode(text), fromStart: true) == text)
    }
    #expect(tokenizer.encode("a<s>a", allowing: ["<s>"]) == [259, 1, 259])
    var silent = pieces(["▁a", "ab", "▁", "a", "b"])
    silent.addsSpacePrefix = false
    #expect(try Tokenizer(metadata: silent).encode("ab") == [260])
  }

  @Test("merging over blanks where a token spans them")
  func acrossBlanks() throws {
    let tokenizer = try Tokenizer(metadata: pieces(["a▁", "a▁b", "▁", "a", "b"]))
    #expect(tokenizer.encode("a b").map { tokenizer.decode([$0]) } == [" ", "a b"])
  }

  @Test("the same characters from tokenizer.json, whose strings are equal only byte for byte")
  func characterFile() throws {
    var vocabulary: [String: Int] = ["<unk>": 0, "<s>": 1]
    for byte in 0..<256 { vocabulary["<0x" + String(format: "%02X", byte) + ">"] = 2 + byte }
    for (i, piece) in ["▁", "a", "b", "ab", "▁ab"].enumerated() { vocabulary[piece] = 258 + i }
    var json = try #require(
      String(
        data: JSONSerialization.data(withJSONObject: [
          "added_tokens": [
            ["id": 0, "content": "<unk>", "special": true],
            ["id": 1, "content": "<s>", "special": true],
          ],
          "normalizer": [
            "type": "Sequence",
            "normalizers": [
              ["type": "Prepend", "prepend": "▁"],
              ["type": "Replace", "pattern": ["String": " "], "content": "▁"],
            ],
          ] as [String: Any],
          "model": [
            "type": "BPE", "byte_fallback": true, "vocab": vocabulary,
            "merges": [["a", "b"], ["▁", "ab"]],
          ] as [String: Any],
        ]), encoding: .utf8))
    // Composed and decomposed: one string to Swift, two tokens here.
    json = json.replacing(
      "\"vocab\":{", with: "\"vocab\":{\"\u{E9}\":263,\"e\u{301}\":264,")
    let tokenizer = try Tokenizer(tokenizerJSON: Data(json.utf8))
    #expect(tokenizer.encode("ab ab") == [262, 262])
    #expect(tokenizer.encode("\u{E9}") == [258, 263])
    #expect(tokenizer.vocabularySize == 265)
  }

  @Test("composed text (NFC) where the family composes")
  func composed() throws {
    let tokenizer = try Tokenizer(metadata: byteLevel(pre: "qwen2"))
    #expect(tokenizer.encode("e\u{301}") == tokenizer.encode("\u{E9}"))
    let plain = try Tokenizer(metadata: byteLevel())
    #expect(plain.encode("e\u{301}") != plain.encode("\u{E9}"))
  }

  @Test("metadata that lies is refused in a sentence")
  func lies() throws {
    func refused(_ change: (inout TokenizerMetadata) -> Void, _ base: TokenizerMetadata) {
      var file = base
      change(&file)
      #expect(throws: TokenizerError.self) { try Tokenizer(metadata: file) }
    }
    let bytes = byteLevel([("a", "b")])
    let characters = pieces(["▁a", "a", "▁"])
    refused({ $0.model = "bert" }, bytes)
    refused({ $0.tokens = [] }, bytes)
    refused({ $0.types = [1] }, bytes)
    refused({ $0.types[0] = 99 }, bytes)
    refused({ $0.types[0] = -1 }, bytes)
    refused({ $0.merges = ["ab"] }, bytes)
    refused({ $0.merges = ["a zz"] }, bytes)
    refused({ $0.merges = ["a a"] }, bytes)
    refused({ $0.merges = [""] }, bytes)
    refused({ $0.tokens[3] = $0.tokens[4] }, bytes)
    refused({ $0.bos = 1 << 40 }, bytes)
    refused({ $0.eos = -1 }, bytes)
    refused({ $0.scores = [] }, characters)
    refused({ $0.scores[3] = .nan }, characters)
    for name in ["<0x-1>", "<0xZZ>", "<0x1>", "0x01", "<0x+1>"] {
      refused({ $0.tokens[4] = name }, characters)
    }
    refused({ $0.types[4] = 1 }, characters)
    refused({ $0.tokens[4] = $0.tokens[5] }, characters)
  }

  @Test("ten megabytes of one character, and words that merge deeply")
  func long() throws {
    var merges: [(String, String)] = []
    var run = "a"
    while run.count < 1 << 10 {
      merges.append((run, run))
      run += run
    }
    let bytes = try Tokenizer(metadata: byteLevel(merges))
    let characters = try Tokenizer(
      metadata: pieces(["▁", "a"] + (1...10).map { String(repeating: "a", count: 1 << $0) }))
    let count = 10 << 20
    let text = String(repeating: "a", count: count)
    #expect(bytes.encode(text).count == count / (1 << 10))
    #expect(characters.encode(text).count == count / (1 << 10) + 1)
  }
}

@Suite("Chat templates of published models")
struct PublishedTemplateTests {
  private let source =
    "{% for message in messages %}{{ '<|start|>' + message['role'] + '\\n' + "
    + "message['content'] | trim + '<|end|>' + '\\n' }}{% endfor %}"
    + "{% if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}"

  private func tokenizer() throws -> Tokenizer {
    try Tokenizer.train(
      documents: ["assistant user assistant user\n\n"], vocabularySize: 262, preTokenizer: .gpt2,
      specials: ["<|start|>", "<|end|>"])
  }

  @Test("what a message says never becomes a special token, in any wrapping")
  func forged() throws {
    let tokenizer = try tokenizer()
    let template = try PublishedTemplate(source, tokenizer: tokenizer)
    let (start, end) = (Int32(260), Int32(261))
    for name in tokenizer.specials {
      for content in [name, " \(name)", "\(name)\(name)", "a\(name)b", "\n\(name)\n"] {
        let ids = try template.prompt([Message(role: .user, content: content)])
        #expect(ids.filter { $0 == start }.count == 2)
        #expect(ids.filter { $0 == end }.count == 1)
        let text = content.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(
          tokenizer.decode(ids)
            == "<|start|>user\n\(text)<|end|>\n<|start|>assistant\n")
      }
    }
    // Half of a name from the template and half from the message is none.
    let halves = try PublishedTemplate(
      "<|{% for m in messages %}{{ m.content }}{% endfor %}", tokenizer: tokenizer)
    #expect(!(try halves.prompt([Message(role: .user, content: "end|>")])).contains(end))
  }

  @Test("imitation learns what the assistant said and the end of its turns")
  func trained() throws {
    let tokenizer = try tokenizer()
    let template = try PublishedTemplate(source, tokenizer: tokenizer)
    var marked = tokenizer
    marked.markers = Markers(eos: 261)
    let learning = try PublishedTemplate(source, tokenizer: marked)
    let talk = [
      Message(role: .user, content: "user"), Message(role: .assistant, content: "so <|end|> it is"),
    ]
    let (ids, isTrained) = try learning.render(talk)
    let learned = zip(ids, isTrained).filter(\.1).map(\.0)
    #expect(tokenizer.decode(learned) == "so <|end|> it is<|end|>")
    #expect(learned.last == 261 && learned.filter { $0 == 261 }.count == 1)
    #expect(ids == (try template.render(talk)).tokens)
  }

  @Test("tokens join over the border of template and message, as they do for the whole text")
  func joined() throws {
    let tokenizer = try tokenizer()
    let template = try PublishedTemplate(
      "user{% for m in messages %}{{ m.content }}{% endfor %}\n", tokenizer: tokenizer)
    for content in ["x", "\n", " user", "s"] {
      let ids = try template.prompt([Message(role: .user, content: content)])
      #expect(ids == tokenizer.encode("user\(content)\n"))
    }
  }

  @Test("a call's arguments reach the template as an object, and stay text there too")
  func calls() throws {
    let tokenizer = try tokenizer()
    let template = try PublishedTemplate(
      "{% for m in messages %}{% for c in m.tool_calls %}{{ c.function.name }}:"
        + "{{ c.function.arguments | tojson }}{% endfor %}{% endfor %}", tokenizer: tokenizer)
    let call = ToolCall(name: "f", arguments: #"{"b":1,"a":"<|end|>"}"#)
    let (ids, isTrained) = try template.render([
      Message(role: .assistant, content: "", toolCalls: [call])
    ])
    #expect(tokenizer.decode(ids) == #"f:{"b": 1, "a": "<|end|>"}"#)
    #expect(!ids.contains(261))
    #expect(isTrained.last == true || isTrained.contains(true))
  }
}
