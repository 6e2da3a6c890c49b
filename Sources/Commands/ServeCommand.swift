import ArgumentParser
import Dispatch
import Foundation
import Serving
import TensorKernels

/// `serve`: models over HTTP.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serve models: pages to play with, and OpenAI's API.",
    discussion: """
      Example:  lyceum serve runs/tour SmolLM2.gguf
      Without a model, those of runs/. Each stage of a run is a model of its own: tour/base, tour/sft,
      tour/rl, tour/base@step-500.
      """)

  @Argument(help: "GGUF files, model folders, runs, or folders of them.") var models: [String] = []
  @Option(help: "Address to listen on; beyond this machine only with a key.")
  var host = "127.0.0.1"
  @Option(help: "Port; 0 for any that is free.") var port = 8080
  @Option(help: "Key that clients must send; LYCEUM_API_KEY does as well.") var apiKey: String?
  @Option(help: "A name beside localhost under which clients may call.") var hostName: [String] = []
  @Option(help: "Another origin whose pages may ask, as http://localhost:3000.")
  var allowOrigin: [String] = []
  @Option(help: "Sequences that a model writes at one time.") var slots = 16
  @Option(help: "Requests that may wait for a model.") var queue = 64
  @Option(help: "Models in memory at most.") var loaded = 8
  @OptionGroup var compute: ComputeOptions

  private var settings: ServerSettings {
    var settings = ServerSettings()
    (settings.host, settings.port) = (host, port)
    settings.apiKey = apiKey ?? ProcessInfo.processInfo.environment["LYCEUM_API_KEY"]
    (settings.hostNames, settings.origins) = (hostName, allowOrigin)
    (settings.slots, settings.queue, settings.models) = (slots, queue, loaded)
    return settings
  }

  func validate() throws {
    if let problem = settings.problem { throw ValidationError(problem) }
    guard (1...256).contains(slots), (1...4096).contains(queue), (1...64).contains(loaded) else {
      throw ValidationError("--slots is 1 to 256, --queue 1 to 4096, --loaded 1 to 64")
    }
  }

  func run() throws {
    compute.apply()
    let places = (models.isEmpty ? ["runs"] : models).map { place($0) }
    for (url, name) in zip(places, models.isEmpty ? ["runs"] : models)
    where !FileManager.default.fileExists(atPath: url.path) {
      throw ServerError("\(name) does not exist: `lyceum tour` makes models in runs/tour")
    }
    let server = Server(settings, places: places)
    let (host, isJSON) = (host, compute.json)
    try waiting {
      let ids = await server.models()
      if ids.isEmpty {
        Terminal.note("No model yet; those that come are served without a restart.")
      }
      try await server.run { port in
        let address = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        if isJSON {
          try? JSONLine.print(Ready(address: address, models: ids))
        } else {
          Terminal.note("Serving \(ids.count) models at \(address) (Ctrl-C ends).")
        }
      }
    }
  }

  private struct Ready: Encodable {
    var address: String
    var models: [String]
  }
}

/// Runs asynchronous work to its end.
private func waiting(_ body: @escaping @Sendable () async throws -> Void) throws {
  let done = DispatchSemaphore(value: 0)
  let outcome = Outcome()
  Task {
    do { try await body() } catch { outcome.error = error }
    done.signal()
  }
  done.wait()
  if let error = outcome.error { throw error }
}

/// Written before the semaphore is signalled, read after.
private final class Outcome: @unchecked Sendable { var error: (any Error)? }
