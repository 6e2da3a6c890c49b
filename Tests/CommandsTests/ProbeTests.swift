import Corpus
import Environments
import Foundation
import Synchronization
import Testing
import Tokenization
import Training

@testable import Commands

#if canImport(Glibc)
import Glibc

/// A server on a free port of this machine that answers each connection with the next of its answers,
/// and the last of them for ever.
private final class FakeServer: Sendable {
  let port: UInt16
  let requests = Mutex<[String]>([])
  private let listener: Int32

  /// - Parameter answers: status and body; a status of 0 closes without an answer.
  init(_ answers: [(status: Int, body: String)]) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && listen(listener, 16) == 0
          && getsockname(listener, $0, &size) == 0
      }
    }
    try #require(isOpen)
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    Thread { [self] in serve(answers) }.start()
  }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func serve(_ answers: [(status: Int, body: String)]) {
    var next = 0
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { return }
      let request = read(connection)
      requests.withLock { $0.append(request) }
      let answer = answers[min(next, answers.count - 1)]
      next += 1
      if answer.status == 200 || answer.status >= 400 {
        let text =
          "HTTP/1.1 \(answer.status) X\r\nContent-Length: \(answer.body.utf8.count)\r\n"
          + "Connection: close\r\n\r\n" + answer.body
        let bytes = Array(text.utf8)
        _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
      } else if answer.status == 1 {
        // Says nothing for longer than anyone waits.
        usleep(2_500_000)
      }
      close(connection)
    }
  }

  /// Header and body of a request.
  private func read(_ connection: Int32) -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = recv(connection, &chunk, chunk.count, 0)
      guard count > 0 else { break }
      bytes += chunk[..<count]
      let text = String(decoding: bytes, as: UTF8.self)
      guard let header = text.range(of: "\r\n\r\n") else { continue }
      let length = text[..<header.lowerBound].split(separator: "\r\n").first {
        $0.lowercased().hasPrefix("content-length:")
      }.flatMap { Int($0.split(separator: " ").last ?? "") }
      if text[header.upperBound...].utf8.count >= length ?? 0 { break }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

private func said(_ text: String) -> String {
  let data = (try? JSONEncoder().encode(text)) ?? Data()
  return "{\"choices\":[{\"message\":{\"content\":" + String(decoding: data, as: UTF8.self) + "}}]}"
}

@Suite("Probe", .serialized)
struct ProbeTests {
  private let question = ProbeQuestion(question: "Where was Mara born?", answer: "Oslo")

  private func endpoint(_ server: FakeServer, timeout: Double = 5) throws -> Endpoint {
    var endpoint = try Endpoint("http://127.0.0.1:\(server.port)/v1", model: "judge")
    (endpoint.timeoutSeconds, endpoint.pauseSeconds) = (timeout, 0.01)
    return endpoint
  }

  @Test("an endpoint judges, and its failures are passed over or named")
  func judges() throws {
    let good = try FakeServer([(200, said("RIGHT")), (200, said("wrong."))])
    defer { good.stop() }
    let examiner = EndpointExaminer(endpoint: try endpoint(good))
    #expect(try examiner.judge(question, "In Oslo."))
    #expect(try !examiner.judge(question, "In Lima."))
    #expect(try !examiner.judge(question, " ?!"))
    let requests = good.requests.withLock { $0 }
    #expect(requests.count == 2)
    #expect(requests[0].hasPrefix("POST /v1/chat/completions"))
    #expect(requests[0].contains("In Oslo.") && requests[0].contains("\"model\":\"judge\""))

    let shaky = try FakeServer([(500, "down"), (200, "no JSON"), (200, said("RIGHT"))])
    defer { shaky.stop() }
    #expect(try EndpointExaminer(endpoint: try endpoint(shaky)).judge(question, "Oslo"))
  }

  @Test(
    "what an endpoint cannot do is one sentence",
    arguments: [
      (500, "down", "status 500 (3 attempts)"), (404, "", "status 404"),
      (200, "<html>", "not a chat completion"), (200, "{\"choices\":[]}", "not a chat completion"),
      (0, "", "no answer"), (1, "", "no answer"), (200, said("perhaps"), "RIGHT or WRONG"),
    ])
  func faults(status: Int, body: String, sentence: String) throws {
    let server = try FakeServer([(status, body)])
    defer { server.stop() }
    let examiner = EndpointExaminer(endpoint: try endpoint(server, timeout: 1))
    let error = #expect(throws: EnvironmentError.self) { try examiner.judge(question, "Oslo") }
    #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    // What may pass is tried again; a server that is silent does not see all of it.
    let isFinal = status == 404 || body.contains("perhaps")
    #expect(status == 1 || server.requests.withLock { $0.count } == (isFinal ? 1 : 3))
  }

  @Test("an endpoint writes questions; what is none is passed over")
  func writes() throws {
    let server = try FakeServer([
      (200, said("```json\n{\"question\": \"Who?\", \"answer\": \"Mara\"}\n```")),
      (200, said("no")),
      (200, said("{\"question\": \"Who?\"}")),
    ])
    defer { server.stop() }
    let examiner = EndpointExaminer(endpoint: try endpoint(server))
    #expect(
      try examiner.question(about: "Mara paints.")
        == ProbeQuestion(question: "Who?", answer: "Mara"))
    #expect(try examiner.question(about: "x") == nil)
    #expect(try examiner.question(about: "x") == nil)
    for wrong in ["", "localhost:80", "ftp://a", "http://"] {
      #expect(throws: EnvironmentError.self) { try Endpoint(wrong, model: "m") }
    }
  }

  @Test("answers are judged by their words or their number")
  func meets() {
    #expect(question.isMet(by: "She was born in OSLO, I think."))
    #expect(!question.isMet(by: "Osloford") && !question.isMet(by: "") && !question.isMet(by: "?"))
    let year = ProbeQuestion(question: "When?", answer: "1912", accept: ["twelve"])
    #expect(year.isMet(by: "It was 1912."))
    #expect(year.isMet(by: "in Twelve"))
    #expect(!year.isMet(by: "19120") && !year.isMet(by: "1912 or 1913"))
  }

  @Test("a file without answers, or without questions, is named with its line")
  func files() {
    func sentence(_ text: String) -> String {
      do {
        _ = try ProbeQuestion.read(Data(text.utf8), name: "q.jsonl")
        return ""
      } catch {
        return "\(error)"
      }
    }
    let good = "{\"question\": \"a\", \"answer\": \"b\"}\n"
    #expect(sentence(good).isEmpty)
    #expect(
      sentence(good + "{\"question\": \"a\"}\n").contains("line 2: the question has no \"answer\""))
    #expect(sentence("{\"question\": \"a\", \"answer\": \" \"}").contains("no \"answer\""))
    #expect(sentence("{\"answer\": \"a\"}").contains("line 1: not a question"))
    #expect(sentence("\n\n").contains("holds no question"))
  }

  @Test("what is known is kept, what is not is refused, what may be is left out")
  func examples() throws {
    func result(_ right: [Bool]) -> ProbeResult {
      ProbeResult(
        question: "\(right)", answer: "Oslo", responses: right.map { $0 ? "In Oslo." : "Lima." },
        right: right)
    }
    let results = [result([true, true]), result([true, false]), result([false, false])]
    #expect(results.map(\.knowledge) == [.known, .maybe, .unknown])
    let examples = refusalExamples(results)
    #expect(examples.count == 2)
    #expect(examples[0][1].content == "In Oslo.")
    #expect(refusals.contains(examples[1][1].content))
    let data = try JSONEncoder().encode(results[0])
    #expect(String(decoding: data, as: UTF8.self).contains("\"knowledge\":\"known\""))
    #expect(try JSONDecoder().decode(ProbeResult.self, from: data) == results[0])
  }
}
#endif
