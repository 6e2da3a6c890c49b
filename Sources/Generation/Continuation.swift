/// What the model wrote after a prompt.
public struct Continuation: Sendable, Equatable {
  /// Why the model wrote no further.
  public enum End: String, Codable, Sendable {
    /// A stop token, which is the last of `tokens`; or the end of what a constraint allows, where
    /// there are no stop tokens.
    case stop
    /// The limit of tokens or of the context.
    case length
    /// The caller asked.
    case cancelled
  }

  public var tokens: [Int32]
  /// log p of each token under the model at temperature 1, in nats; 0 for what a tool answered.
  public var logProbabilities: [Float]
  public var end: End
  /// Where in `tokens` the host wrote what a tool answered: nothing there was sampled.
  public var injected: [Range<Int>] = []

  /// How many tokens the model wrote itself.
  public var sampledCount: Int { tokens.count - injected.reduce(0) { $0 + $1.count } }

  /// `value` for every token that was sampled, 0 for the others: weights that teach only what the
  /// model wrote itself.
  public func weights(_ value: Float) -> [Float] {
    var weights = Array(repeating: value, count: tokens.count)
    for range in injected { for i in range { weights[i] = 0 } }
    return weights
  }
}
