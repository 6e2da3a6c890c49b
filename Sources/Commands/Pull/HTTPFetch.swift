import Foundation
import Synchronization

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Requests whose bodies are handed on as they come.
struct HTTPFetch: Sendable {
  /// Seconds without a byte after which a connection counts as cut.
  var timeoutSeconds = 30.0
  /// Sent to the host of the hub alone, and only where nobody can read along.
  var token = ProcessInfo.processInfo.environment["HF_TOKEN"]
  /// Attempts without a byte of progress.
  var attempts = 5
  /// Before the second attempt; twice as long before the third, and so on.
  var pauseSeconds = 1.0

  /// What the head of an answer says.
  struct Head: Sendable {
    var status: Int
    /// In lower case.
    var fields: [String: String]
  }

  /// Why an attempt ended.
  struct Failure: Error {
    var description: String
    /// Whether another attempt may do better.
    var isPassing: Bool
  }

  /// One request. `onHead` is told the status and may refuse the body by throwing.
  func get(
    _ url: URL, headers: [String: String] = [:], onHead: @escaping @Sendable (Head) throws -> Void,
    onData: @escaping @Sendable (Data) throws -> Void
  ) throws {
    var request = URLRequest(url: url)
    request.timeoutInterval = max(1, timeoutSeconds.rounded(.up))
    request.cachePolicy = .reloadIgnoringLocalCacheData
    request.setValue("lyceum", forHTTPHeaderField: "User-Agent")
    // Without it, servers may compress: lengths and ranges would be of something else.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    let isPrivate = url.scheme == "https" || ["localhost", "127.0.0.1"].contains(url.host ?? "")
    if let token, !token.isEmpty, isPrivate {
      request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
    }
    let reader = Reader(host: url.host, onHead: onHead, onData: onData)
    let session = URLSession(configuration: .ephemeral, delegate: reader, delegateQueue: nil)
    defer { session.invalidateAndCancel() }
    let task = session.dataTask(with: request)
    task.resume()
    try reader.wait(task, silence: timeoutSeconds)
  }

  /// The whole body, of at most `limit` bytes, with attempts.
  ///
  /// - Parameter explain: a sentence for a status that is not 200.
  func data(_ url: URL, limit: Int, explain: @escaping @Sendable (Int) -> String?) throws -> Data {
    try attempting {
      let body = Landing(Data())
      try get(url) { head in
        guard head.status == 200 else {
          throw Failure(
            description: explain(head.status) ?? "\(url.absoluteString) answers \(head.status)",
            isPassing: head.status >= 500 || head.status == 429)
        }
      } onData: { data in
        let count = body.value.withLock {
          $0.append(data)
          return $0.count
        }
        guard count <= limit else {
          throw Failure(
            description: "\(url.absoluteString) answers more than \(limit) bytes", isPassing: false)
        }
      }
      return body.value.withLock { $0 }
    }
  }

  /// Tries until `body` succeeds, or has failed several times in a row without ``Progress``.
  func attempting<Value>(_ body: () throws -> Value) throws -> Value {
    var failures = 0
    while true {
      try Interrupt.check()
      do {
        return try body()
      } catch let failure as Failure {
        failures += 1
        guard failure.isPassing, failures < attempts else {
          throw PullError(
            failure.description + (failure.isPassing ? " (\(failures) attempts)" : ""))
        }
      } catch is Progress {
        failures = 0
      }
      var left = failures == 0 ? 0 : pauseSeconds * Double(1 << min(failures - 1, 5))
      while left > 0 {
        try Interrupt.check()
        Thread.sleep(forTimeInterval: min(left, 0.2))
        left -= 0.2
      }
    }
  }

  /// Thrown by an attempt that failed but brought something: the next one is a first one.
  struct Progress: Error {}
}

/// A value that a request fills from another thread.
final class Landing<Value: Sendable>: Sendable {
  let value: Mutex<Value>

  init(_ value: Value) { self.value = Mutex(value) }
}

/// Follows one request.
private final class Reader: NSObject, URLSessionDataDelegate, Sendable {
  private struct State {
    var problem: (any Error)?
    var isDone = false
    var last = ContinuousClock.now
  }

  private let state = Mutex(State())
  private let signal = DispatchSemaphore(value: 0)
  private let host: String?
  private let onHead: @Sendable (HTTPFetch.Head) throws -> Void
  private let onData: @Sendable (Data) throws -> Void

  init(
    host: String?, onHead: @escaping @Sendable (HTTPFetch.Head) throws -> Void,
    onData: @escaping @Sendable (Data) throws -> Void
  ) {
    (self.host, self.onHead, self.onData) = (host, onHead, onData)
  }

  /// Waits for the end; cancels after `silence` seconds without a byte, or when someone asks to stop.
  func wait(_ task: URLSessionDataTask, silence: Double) throws {
    while signal.wait(timeout: .now() + 0.2) == .timedOut {
      if Interrupt.isRequested {
        task.cancel()
        throw Interrupted()
      }
      let waited = state.withLock { (ContinuousClock.now - $0.last) / .seconds(1) }
      if waited > silence {
        task.cancel()
        throw HTTPFetch.Failure(
          description: "the server has said nothing for \(Int(waited)) seconds", isPassing: true)
      }
    }
    if let problem = state.withLock({ $0.problem }) { throw problem }
  }

  private func fail(_ error: any Error) {
    state.withLock { if $0.problem == nil { $0.problem = error } }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
    completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    var next = request
    // The hub sends large files from elsewhere: nobody else is to see the token.
    if request.url?.host != host { next.setValue(nil, forHTTPHeaderField: "Authorization") }
    // What was secret stays so.
    if response.url?.scheme == "https", request.url?.scheme != "https" {
      fail(
        HTTPFetch.Failure(
          description: "the server sends on to an address that is not https", isPassing: false))
      return completionHandler(nil)
    }
    completionHandler(next)
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    state.withLock { $0.last = .now }
    guard let answer = response as? HTTPURLResponse else {
      fail(HTTPFetch.Failure(description: "the server does not speak HTTP", isPassing: false))
      return completionHandler(.cancel)
    }
    var fields: [String: String] = [:]
    for (name, value) in answer.allHeaderFields {
      fields["\(name)".lowercased()] = "\(value)"
    }
    do {
      try onHead(HTTPFetch.Head(status: answer.statusCode, fields: fields))
      completionHandler(.allow)
    } catch {
      fail(error)
      completionHandler(.cancel)
    }
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    let isGood = state.withLock {
      $0.last = .now
      return $0.problem == nil
    }
    guard isGood else { return }
    do {
      try onData(data)
    } catch {
      fail(error)
      dataTask.cancel()
    }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    if let error {
      fail(
        HTTPFetch.Failure(
          description: "the connection failed: \(error.localizedDescription)", isPassing: true))
    }
    signal.signal()
  }
}
