import Foundation

/// A line of a stage's `log.jsonl`, as far as the report draws it.
struct StageLogLine: Decodable {
  var step: Double
  var loss: Double?
  var reward: Double?
  var length: Double?
  var lengthRight: Double?
  var lengthWrong: Double?
  var entropy: Double?
  var divergence: Double?
  var withoutVariance: Double?
  var validation: Double?

  private enum CodingKeys: String, CodingKey {
    case step, loss, reward, length, entropy
    case lengthRight = "length_right"
    case lengthWrong = "length_wrong"
    case divergence = "kl_to_start"
    case withoutVariance = "no_variance"
    case validation = "validation_bits_per_byte"
  }

  /// All lines of a stage; a stage that left no log gives none.
  static func read(_ stage: URL) throws -> [StageLogLine] {
    guard let data = try? Data(contentsOf: stage.appendingPathComponent("log.jsonl")) else {
      return []
    }
    return try data.split(separator: 0x0A).map {
      try JSONDecoder().decode(StageLogLine.self, from: Data($0))
    }
  }
}

extension [StageLogLine] {
  /// The mean of a value over windows of steps, at most `count` points.
  func curve(_ value: (StageLogLine) -> Double?, points count: Int = 60) -> [LineChart.Point] {
    let window = Swift.max(1, self.count / count)
    return stride(from: 0, to: self.count, by: window).compactMap { start in
      let part = self[start..<Swift.min(self.count, start + window)]
      let values = part.compactMap(value)
      guard !values.isEmpty, let last = part.last else { return nil }
      return LineChart.Point(last.step + 1, values.reduce(0, +) / Double(values.count))
    }
  }
}
