/// ‖a − b‖ / ‖b‖, the measure that the tests bound. Infinite where a value is not finite.
public func relativeError(_ a: [Float], _ b: [Double]) -> Double {
  precondition(a.count == b.count, "comparing \(a.count) values with \(b.count)")
  var difference = 0.0
  var size = 0.0
  for (x, y) in zip(a, b) {
    guard x.isFinite, y.isFinite else { return .infinity }
    difference += (Double(x) - y) * (Double(x) - y)
    size += y * y
  }
  return (difference / max(size, 1e-30)).squareRoot()
}

/// ∂f/∂x by central differences in Double.
public func numericGradient(
  _ x: [Double], step: Double = 1e-5, _ f: ([Double]) -> Double
) -> [Double] {
  x.indices.map { i in
    var high = x
    var low = x
    high[i] += step
    low[i] -= step
    return (f(high) - f(low)) / (2 * step)
  }
}

/// max |a − b| / (1 + |b|): for results near zero, where cancellation leaves no relative precision.
public func worstError(_ a: [Float], _ b: [Double]) -> Double {
  precondition(a.count == b.count, "comparing \(a.count) values with \(b.count)")
  return zip(a, b).reduce(0) { worst, pair in
    let error = abs(Double(pair.0) - pair.1) / (1 + abs(pair.1))
    return error.isFinite ? max(worst, error) : .infinity
  }
}
