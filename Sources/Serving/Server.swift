import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The HTTP server: models of the places it is given, over OpenAI's API and pages of its own.
public struct Server: Sendable {
  private let settings: ServerSettings
  let site: Site
  private let pool: ModelPool
  private let drain: Drain
  private let logger: Logger

  /// - Parameter places: model folders, GGUF files, runs, or folders of any of these.
  public init(_ settings: ServerSettings, places: [URL]) {
    self.settings = settings
    var logger = Logger(label: "lyceum.server")
    logger.logLevel = .error
    self.logger = logger
    let metrics = Metrics()
    drain = Drain(seconds: settings.drainSeconds, metrics: metrics)
    var engines = EngineSettings()
    (engines.slots, engines.queuedJobs) = (settings.slots, settings.queue)
    pool = ModelPool(
      ModelCatalogue(places: places), settings: engines, limit: settings.models)
    let box = SiteBox()
    let endpoints = Endpoints(
      settings: settings, pool: pool, metrics: metrics, drain: drain, siteBox: box)
    site = Site(
      settings: settings, routes: endpoints.routes, guardian: Guard(settings), metrics: metrics,
      drain: drain)
    box.set(site)
  }

  /// The ids that can be served now.
  public func models() async -> [String] { await pool.models().map(\.id) }

  /// Serves until a signal or the end of the task, then lets streams end.
  ///
  /// - Parameters:
  ///   - stopsOnSignals: whether Ctrl-C and SIGTERM end it; the second one at once.
  ///   - onReady: called with the port once clients can connect.
  /// - Throws: a sentence where the port is in use or may not be listened on.
  public func run(stopsOnSignals: Bool = true, onReady: @escaping @Sendable (Int) -> Void)
    async throws
  {
    signal(SIGPIPE, SIG_IGN)
    let settings = settings
    let channel = HTTP1Channel.Configuration(
      additionalChannelHandlers: [
        ConnectionHandler(readTimeout: .milliseconds(Int64(settings.readSeconds * 1000)))
      ],
      idleTimeout: .milliseconds(Int64(settings.idleSeconds * 1000)),
      httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
        maxHeaderFieldSize: settings.headerBytes, maxHeaderListSize: settings.headerBytes,
        maxHeaderFieldCount: settings.headerCount))
    let application = Application(
      responder: site, server: .http1(configuration: channel),
      configuration: ApplicationConfiguration(
        address: .hostname(settings.host, port: settings.port),
        availableConnectionsDelegate: MaximumAvailableConnections(settings.connections)),
      onServerRunning: { [guardian = site.guardian] channel in
        let port = channel.localAddress?.port ?? settings.port
        guardian.listening(on: port)
        onReady(port)
      }, logger: logger)
    // The last is told to stop first: streams end while the server still listens.
    var configuration = ServiceGroupConfiguration(
      services: [application, drain],
      gracefulShutdownSignals: stopsOnSignals ? [.sigterm, .sigint] : [],
      logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(settings.drainSeconds + 5)
    let impatience = stopsOnSignals ? Task { await Self.exitOnSecondSignal() } : nil
    defer { impatience?.cancel() }
    do {
      // The group ends as it does on a signal where this task is cancelled, not at once.
      let group = ServiceGroup(configuration: configuration)
      let running = Task { try await group.run() }
      try await withTaskCancellationHandler {
        try await running.value
      } onCancel: {
        Task { await group.triggerGracefulShutdown() }
      }
    } catch let error as IOError {
      throw ServerError(
        error.errnoCode == EADDRINUSE
          ? "port \(settings.port) is in use: choose another with --port, or end what uses it"
          : "cannot listen on \(settings.host):\(settings.port): "
            + String(cString: strerror(error.errnoCode)))
    }
  }

  /// Streams are given time to end, unless someone asks twice.
  private static func exitOnSecondSignal() async {
    var count = 0
    for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
      count += 1
      if count > 1 { _exit(130) }
    }
  }
}

/// Why the server cannot serve, in a sentence.
public struct ServerError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
