import Foundation
import Generation
import Hummingbird
import HTTPTypes

/// Why a request was refused, in the shape of OpenAI's errors: clients choose the class of their
/// exception by the status, and what to do by the code.
struct APIError: Error, Sendable {
  var status: HTTPResponse.Status
  /// One sentence that says what to do.
  var message: String
  var type: String
  /// The field of the request that is wrong.
  var param: String?
  var code: String?
  /// Seconds after which to try again.
  var retryAfter: Int?
  /// Methods that the path knows.
  var allow: String?
  /// Whether the connection ends with the reply: where a body was not read to its end.
  var closes = false

  init(
    _ status: HTTPResponse.Status, _ message: String, type: String = "invalid_request_error",
    param: String? = nil, code: String? = nil, retryAfter: Int? = nil, allow: String? = nil
  ) {
    (self.status, self.message, self.type) = (status, message, type)
    (self.param, self.code, self.retryAfter, self.allow) = (param, code, retryAfter, allow)
  }

  /// 400: a field that is not as it should be.
  static func invalid(_ param: String?, _ message: String, code: String? = nil) -> APIError {
    APIError(.badRequest, message, param: param, code: code)
  }

  static func unsupported(_ param: String, _ message: String) -> APIError {
    APIError(.badRequest, message, param: param, code: "unsupported_value")
  }

  static func tooLong(prompt: Int, asked: Int, context: Int) -> APIError {
    let sum = asked > 0 ? " and \(asked) to write" : ""
    return APIError(
      .badRequest,
      "This model's maximum context length is \(context) tokens, but the request has \(prompt) tokens "
        + "of prompt\(sum). Shorten the prompt or lower max_tokens.",
      param: "messages", code: "context_length_exceeded")
  }

  static func busy(retryAfter: Int) -> APIError {
    APIError(
      .tooManyRequests,
      "The model has as many requests waiting as it takes. Try again in \(retryAfter) s.",
      type: "rate_limit_error", code: "rate_limit_exceeded", retryAfter: retryAfter)
  }

  static let shuttingDown = APIError(
    .serviceUnavailable, "The server is shutting down. Try again when it is back.",
    type: "server_error", code: "shutting_down", retryAfter: 5)

  static let timedOut = APIError(
    .requestTimeout, "The request did not arrive in time. Send it again, and faster.",
    type: "invalid_request_error", code: "request_timeout")

  /// What a client is told of an error that reached the top: sentences of this project's own errors,
  /// and nothing of the others.
  init(_ error: any Error) {
    switch error {
    case let error as APIError: self = error
    case let error as GenerationError: self = .invalid(nil, error.description)
    default:
      self.init(
        .internalServerError, "Something went wrong inside of the server; its log says more.",
        type: "server_error", code: "internal_error")
    }
  }

  /// `{"error": {message, type, param, code}}`, all four there.
  struct Body: Encodable, Sendable {
    struct Inner: Encodable, Sendable {
      var message: String
      var type: String
      @Nullable var param: String?
      @Nullable var code: String?
    }
    var error: Inner
  }

  var body: Body {
    Body(error: Body.Inner(message: message, type: type, param: param, code: code))
  }

  var response: Response {
    var headers: HTTPFields = [.contentType: "application/json; charset=utf-8"]
    if let retryAfter { headers[.retryAfter] = String(retryAfter) }
    if let allow { headers[.allow] = allow }
    if closes { headers[.connection] = "close" }
    let data = (try? json(body)) ?? Data()
    return Response(
      status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
  }
}
