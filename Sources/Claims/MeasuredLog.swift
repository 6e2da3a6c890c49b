import Foundation

/// What a stage measured on its way, by step: the values of its `log.jsonl` under one key.
func measuredCurve(_ stage: URL, _ key: String) throws -> [LineChart.Point] {
  guard let data = try? Data(contentsOf: stage.appendingPathComponent("log.jsonl")) else {
    return []
  }
  return try data.split(separator: 0x0A).compactMap { line in
    let values = try JSONDecoder().decode([String: Double].self, from: Data(line))
    guard let step = values["step"], let value = values[key] else { return nil }
    return LineChart.Point(step + 1, value)
  }
}
