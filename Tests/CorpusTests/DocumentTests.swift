import Foundation
import Testing
import Tokenization

@testable import Corpus

/// Files in a folder of its own that goes with the test.
private final class Folder {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("lyceum-corpus-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  @discardableResult
  func write(_ name: String, _ data: Data) throws -> URL {
    let place = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: place)
    return place
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> URL { try write(name, Data(text.utf8)) }
}

private func sentence(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch {
    return "\(error)"
  }
}

@Suite("Documents")
struct DocumentTests {
  @Test("a folder is read in the order of its paths, hidden and binary files passed over")
  func folder() throws {
    let folder = try Folder()
    try folder.write("b.txt", "second")
    try folder.write("a/z.md", "first")
    try folder.write("c.jsonl", #"{"text": "third"}"# + "\n\n" + #"{"text": "fourth"}"#)
    try folder.write("d.bin", Data([0, 1, 2]))
    try folder.write("e.txt", "  \n")
    try folder.write(".git/config", "hidden")
    let documents = try readDocuments(folder.url)
    #expect(documents.map(\.text) == ["first", "second", "third", "fourth"])
    #expect(documents[3].source.hasSuffix("c.jsonl, line 3"))
  }

  @Test("conversations come as messages or as prompt and completion")
  func conversations() throws {
    let folder = try Folder()
    let file = try folder.write(
      "chats.jsonl",
      #"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, "#
        + #"{"role": "assistant", "content": "a"}]}"# + "\n"
        + #"{"prompt": "p", "completion": "c"}"# + "\n")
    let found = try readConversations(file)
    #expect(found.map { $0.map(\.role) } == [[.system, .user, .assistant], [.user, .assistant]])
    #expect(found[1].map(\.content) == ["p", "c"])
  }

  @Test("bad input is one sentence that says where")
  func refusals() throws {
    let folder = try Folder()
    func refusal(_ name: String, _ data: Data) throws -> String {
      let file = try folder.write(name, data)
      return sentence { _ = try readDocuments(file) }
    }
    #expect(try refusal("a.txt", Data()).contains("is empty"))
    #expect(try refusal("b.txt", Data([65, 0, 66])).contains("zero byte"))
    #expect(try refusal("b.txt", Data([65, 0, 66])).contains("at byte 1"))
    #expect(try refusal("c.txt", Data([65, 66, 0xC3, 0x28])).contains("not UTF-8 (at byte 2)"))
    #expect(try refusal("d.jsonl", Data("{\"text\": \"x\"}\nnope\n".utf8)).contains("line 2"))
    #expect(try refusal("e.jsonl", Data("{\"txt\": \"x\"}\n".utf8)).contains("line 1"))
    #expect(try refusal("f.jsonl", Data("{\"text\": 3}\n".utf8)).contains("line 1: text"))
    #expect(try refusal("g.jsonl", Data("\n".utf8)).contains("is empty"))
    #expect(try refusal("h.txt.gz", Data([1, 2, 3])).contains("h.txt.gz"))
    let missing = folder.url.appendingPathComponent("missing")
    #expect(sentence { _ = try readDocuments(missing) }.contains("does not exist"))
    let empty = folder.url.appendingPathComponent("empty")
    try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
    #expect(sentence { _ = try readDocuments(empty) }.contains("holds no text"))
  }

  @Test("conversations without an assistant, or with a role that is none, are refused")
  func noAssistant() throws {
    let folder = try Folder()
    let silent = try folder.write(
      "a.jsonl", #"{"messages": [{"role": "user", "content": "u"}]}"# + "\n")
    #expect(sentence { _ = try readConversations(silent) }.contains("no assistant turn"))
    let odd = try folder.write(
      "b.jsonl", #"{"messages": [{"role": "robot", "content": "u"}]}"# + "\n")
    #expect(sentence { _ = try readConversations(odd) }.contains("line 1"))
  }

  @Test("equal documents fall on the same side, and adding others moves none")
  func split() {
    let documents = (0..<400).map { Document(text: "document \($0 % 200)", source: "\($0)") }
    let (training, validation) = splitDocuments(documents, validationShare: 0.2)
    #expect(training.count + validation.count == 400)
    #expect((40...120).contains(validation.count))
    #expect(Set(training.map(\.text)).isDisjoint(with: validation.map(\.text)))
    let half = splitDocuments(Array(documents[..<200]), validationShare: 0.2)
    #expect(half.validation == Array(validation.filter { (Int($0.source) ?? 0) < 200 }))
    #expect(splitDocuments([documents[0]], validationShare: 1).training.count == 1)
  }
}

@Suite("Conversations with tools")
struct ToolConversationTests {
  @Test("OpenAI's tool calls are read, and a line with a result out of place is named")
  func reads() throws {
    let folder = try Folder()
    let call =
      #"{"role":"assistant","tool_calls":[{"function":{"name":"calc","arguments":"1+1"}}]}"#
    let result = #"{"role":"tool","content":"2"}"#
    let end = #"{"role":"assistant","content":"2"}"#
    let good = try folder.write("a.jsonl", "{\"messages\":[\(call),\(result),\(end)]}\n")
    let read = try readConversations(good)
    #expect(read[0].map(\.role) == [.assistant, .tool, .assistant])
    #expect(read[0][0].toolCalls == [ToolCall(name: "calc", arguments: "1+1")])
    let odd = try folder.write("b.jsonl", "{\"messages\":[\(result),\(end)]}\n")
    #expect(sentence { _ = try readConversations(odd) }.contains("line 1: message 1 is a tool"))
    let bare = try folder.write("c.jsonl", #"{"messages":[{"role":"robot","content":"a"}]}"#)
    #expect(sentence { _ = try readConversations(bare) }.contains("\"tool\""))
  }
}
