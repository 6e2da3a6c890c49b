import Foundation

/// What a worker tells the tour that started it: one line of JSON each on its standard output.
struct TourMessage: Codable, Equatable, Sendable {
  enum Event: String, Codable, Sendable {
    /// A stage begins: `stage`, `steps`, and in `step` how many an earlier run took.
    case begin
    /// `step` steps are done, with a `text` such as `loss 2.31`.
    case update
    case end
    /// `text` is news for the person who watches.
    case warn
    /// The experiment cannot go on; `text` says why.
    case failed
  }

  var event: Event
  var stage: String?
  var step: Int?
  var steps: Int?
  var text: String?

  /// The line, its end included.
  func line() throws -> Data { try JSONEncoder().encode(self) + Data("\n".utf8) }
}

/// Messages cut from a stream of bytes that comes in pieces. Lines that are no message (a library
/// that prints) are passed over.
struct TourMessageReader {
  private var pending = Data()

  mutating func read(_ bytes: Data) -> [TourMessage] {
    pending.append(bytes)
    var messages: [TourMessage] = []
    while let end = pending.firstIndex(of: 0x0A) {
      if let message = try? JSONDecoder().decode(TourMessage.self, from: pending[..<end]) {
        messages.append(message)
      }
      pending = Data(pending[(end + 1)...])
    }
    return messages
  }
}
