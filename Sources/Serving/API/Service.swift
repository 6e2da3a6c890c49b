import Hummingbird

// What those ask who run the server.

extension Endpoints {
  var service: [Route] {
    ["/health", "/v1/health"].map { path in
      Route(method: .get, path: path, isPublic: true) { try health($0) }
    } + [
      Route(method: .get, path: "/metrics") { await metrics($0) },
      Route(method: .get, path: "/props") { try await props($0) },
      Route(method: .get, path: "/slots") { try await slots($0) },
      Route(method: .get, path: "/conformance") { try await conformance($0) },
      Route(method: .get, path: "/docs", isPublic: true) { docs($0) },
    ]
  }

  private struct Health: Encodable { var status: String }

  private func health(_ call: Call) throws -> Response {
    try reply(
      Health(status: drain.isDraining ? "shutting down" : "ok"),
      status: drain.isDraining ? .serviceUnavailable : .ok)
  }

  private func metrics(_ call: Call) async -> Response {
    reply(
      metrics.text(loaded: await pool.loadedModels().count),
      type: "text/plain; version=0.0.4; charset=utf-8")
  }

  private func props(_ call: Call) async throws -> Response {
    struct Props: Encodable {
      var name = "lyceum"
      var total_slots: Int
      var models: [String]
      var body_bytes: Int
      var max_choices: Int
      var max_stop_strings: Int
    }
    return try reply(
      Props(
        total_slots: settings.slots, models: await pool.models().map(\.id),
        body_bytes: settings.bodyBytes, max_choices: GenerationOptions.mostSamples,
        max_stop_strings: GenerationOptions.mostStops))
  }

  /// The models in memory, and how many requests each serves.
  private func slots(_ call: Call) async throws -> Response {
    struct Slot: Encodable {
      var model: String
      var requests: Int
    }
    return try reply(
      await pool.loadedModels().map { Slot(model: $0.id, requests: $0.users) })
  }
}
