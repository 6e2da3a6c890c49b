import Foundation

/// How the server listens, and what it takes.
public struct ServerSettings: Sendable {
  /// The address to listen on; only loopback without a key.
  public var host = "127.0.0.1"
  /// 0 for one that the system chooses.
  public var port = 8080
  /// What clients must send as `Authorization: Bearer`; nil where everyone may ask.
  public var apiKey: String?
  /// Names beside localhost under which clients may call.
  public var hostNames: [String] = []
  /// Pages of other origins that may ask, as "http://localhost:3000".
  public var origins: [String] = []
  /// Bytes of a body at most.
  public var bodyBytes = 2 << 20
  /// Bytes of all headers at most, and of one.
  public var headerBytes = 64 << 10
  public var headerCount = 256
  /// Connections at one time.
  public var connections = 256
  /// Seconds to wait for the rest of a body, for a client to read, and on an idle connection.
  public var bodySeconds = 30.0
  public var readSeconds = 30.0
  public var idleSeconds = 60.0
  /// Seconds that streams get to end when the server is told to stop.
  public var drainSeconds = 30.0
  /// Models in memory at most.
  public var models = 8
  /// Sequences that a model writes at one time.
  public var slots = 16
  /// Requests that wait for a model at most.
  public var queue = 64

  public init() {}

  /// Whether only programs of this machine can reach the address.
  var isLoopback: Bool { ["127.0.0.1", "::1", "localhost"].contains(host) }

  /// What is wrong with the settings, in a sentence; nil where nothing is.
  public var problem: String? {
    if !(0...65_535).contains(port) { return "a port lies between 0 and 65535, not at \(port)" }
    if !isLoopback, apiKey == nil {
      return
        "listening on \(host) lets other machines ask: set a key with --api-key or LYCEUM_API_KEY, or "
        + "listen on 127.0.0.1"
    }
    if let apiKey, apiKey.isEmpty { return "the API key is empty: give one, or none at all" }
    return nil
  }
}
