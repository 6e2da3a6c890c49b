import Hummingbird
import Tokenization

/// What the endpoints share: each file beside this one adds some.
struct Endpoints: Sendable {
  let settings: ServerSettings
  let pool: ModelPool
  let metrics: Metrics
  let drain: Drain
  let siteBox: SiteBox
  /// Seconds since 1970 when the server began.
  let began = now()

  /// All that the server answers to.
  var routes: [Route] {
    api + tokens + native + service + WebPages.routes
  }

  private var api: [Route] {
    [
      Route(method: .get, path: "/v1/models") { try await models($0) },
      Route(method: .get, path: "/v1/models/*") { try await model($0) },
      Route(method: .post, path: "/v1/completions") { try await completions($0) },
      Route(method: .post, path: "/v1/chat/completions") { try await chat($0) },
      Route(method: .post, path: "/v1/responses") { try await responses($0) },
      Route(method: .post, path: "/v1/embeddings") { try await embeddings($0) },
    ]
  }

  /// The model that a request names.
  func model(of fields: Fields) async throws -> ServedModel {
    guard let id = try fields.string("model", limit: 512), !id.isEmpty else {
      throw APIError.invalid(
        "model", "Name a model: GET /v1/models lists them.", code: "missing_required_parameter")
    }
    return try await pool.model(id)
  }

  func surroundings(_ call: Call) -> Writing.Surroundings {
    Writing.Surroundings(metrics: metrics, drain: drain, connection: call.connection)
  }
}

/// Tokens of a request, as the API counts them.
struct Usage: Encodable, Sendable {
  var prompt_tokens: Int
  var completion_tokens: Int
  var total_tokens: Int

  init(prompt: Int, completion: Int) {
    (prompt_tokens, completion_tokens) = (prompt, completion)
    total_tokens = prompt + completion
  }
}

/// What a log-probability is in JSON, which has no infinities.
func finite(_ value: Float) -> Float { value.isFinite ? value : -9999 }
