import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// A client's connection, as far as requests care: whether it is still there.
final class Connection: Sendable {
  private let gone = Signal()

  /// Calls `body` once when the client goes away, at once where it has. The number is for
  /// ``forget(_:)``.
  func whenGone(_ body: @escaping @Sendable () -> Void) -> Int { gone.listen(body) }

  func forget(_ number: Int) { gone.forget(number) }

  fileprivate func goneAway() { gone.happen() }
}

/// Watches a connection beneath the request handlers: notices that the client has gone, drops one that
/// does not read what it is sent, answers what is not HTTP, and closes after a reply that says so.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  let connection = Connection()
  private let readTimeout: TimeAmount
  private var closesAfterReply = false
  private var isReplying = false
  private var deadline: Scheduled<Void>?

  init(readTimeout: TimeAmount) { self.readTimeout = readTimeout }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    connection.goneAway()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent { connection.goneAway() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    deadline?.cancel()
    deadline = nil
    if !context.channel.isWritable {
      let channel = context.channel
      deadline = context.eventLoop.scheduleTask(in: readTimeout) {
        channel.close(mode: .all, promise: nil)
      }
    }
    context.fireChannelWritabilityChanged()
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head):
      isReplying = true
      if head.headerFields[.connection] == "close" { closesAfterReply = true }
      context.write(data, promise: promise)
    case .body: context.write(data, promise: promise)
    case .end:
      isReplying = false
      context.write(data, promise: promise)
      if closesAfterReply { close(context) }
    }
  }

  /// Sends what is left and gives the client time to read it, even while it still sends.
  private func close(_ context: ChannelHandlerContext) {
    context.flush()
    let channel = context.channel
    context.eventLoop.scheduleTask(in: .milliseconds(500)) {
      channel.close(mode: .all, promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard error is HTTPParserError || error is HTTP1TypeConversionError else {
      return context.fireErrorCaught(error)
    }
    if !isReplying {
      let isTooLarge = (error as? HTTPParserError) == .headerOverflow
      let refusal = APIError(
        isTooLarge ? .requestHeaderFieldsTooLarge : .badRequest,
        isTooLarge
          ? "The headers are larger than this server takes." : "The request is not valid HTTP/1.1.",
        code: "invalid_http")
      let body = ByteBuffer(bytes: (try? json(refusal.body)) ?? Data())
      let fields: HTTPFields = [
        .contentType: "application/json; charset=utf-8", .connection: "close",
        .contentLength: String(body.readableBytes),
      ]
      let head = HTTPResponse(status: refusal.status, headerFields: fields)
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(body)), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
    close(context)
    connection.goneAway()
  }
}
