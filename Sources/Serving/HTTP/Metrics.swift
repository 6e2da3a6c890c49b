import Synchronization

/// What the server counts, for `/metrics`.
final class Metrics: Sendable {
  struct Counts: Sendable {
    var requests: [String: Int] = [:]
    var promptTokens = 0
    var writtenTokens = 0
    var refused = 0
    var disconnected = 0
    var active = 0
    /// Requests by the seconds that they took: at most 0.01, 0.1, 1, 10, and all.
    var seconds = Array(repeating: 0, count: 5)
    var secondsSum = 0.0
  }

  private static let bounds = [0.01, 0.1, 1, 10]
  private let counts = Mutex(Counts())

  var snapshot: Counts { counts.withLock { $0 } }

  func prompted(_ tokens: Int) { counts.withLock { $0.promptTokens += tokens } }
  func written(_ tokens: Int) { counts.withLock { $0.writtenTokens += tokens } }
  func refused() { counts.withLock { $0.refused += 1 } }
  func disconnected() { counts.withLock { $0.disconnected += 1 } }
  func began() { counts.withLock { $0.active += 1 } }
  func ended() { counts.withLock { $0.active -= 1 } }

  /// A request was answered.
  func answered(route: String, status: Int, seconds: Double) {
    counts.withLock { counts in
      counts.requests["route=\"\(route)\",status=\"\(status)\"", default: 0] += 1
      for (i, bound) in Self.bounds.enumerated() where seconds <= bound { counts.seconds[i] += 1 }
      counts.seconds[4] += 1
      counts.secondsSum += seconds
    }
  }

  /// The counts in Prometheus' text format.
  func text(loaded: Int) -> String {
    let now = snapshot
    var out = ""
    func add(_ name: String, _ kind: String, _ help: String, _ lines: [(String, String)]) {
      out += "# HELP lyceum_\(name) \(help)\n# TYPE lyceum_\(name) \(kind)\n"
      for (labels, value) in lines { out += "lyceum_\(name)\(labels) \(value)\n" }
    }
    add(
      "requests_total", "counter", "Requests answered.",
      now.requests.sorted { $0.key < $1.key }.map { ("{\($0.key)}", "\($0.value)") })
    add("prompt_tokens_total", "counter", "Tokens of prompts.", [("", "\(now.promptTokens)")])
    add("generated_tokens_total", "counter", "Tokens written.", [("", "\(now.writtenTokens)")])
    add("refused_total", "counter", "Requests refused with 429.", [("", "\(now.refused)")])
    add(
      "disconnected_total", "counter", "Requests whose client went away.",
      [("", "\(now.disconnected)")])
    add("requests_active", "gauge", "Requests being answered.", [("", "\(now.active)")])
    add("models_loaded", "gauge", "Models in memory.", [("", "\(loaded)")])
    out += "# HELP lyceum_request_seconds How long requests took.\n"
    out += "# TYPE lyceum_request_seconds histogram\n"
    for (bound, count) in zip(Self.bounds.map { "\($0)" } + ["+Inf"], now.seconds) {
      out += "lyceum_request_seconds_bucket{le=\"\(bound)\"} \(count)\n"
    }
    out += "lyceum_request_seconds_sum \(now.secondsSum)\n"
    out += "lyceum_request_seconds_count \(now.seconds[4])\n"
    return out
  }
}
