import Foundation

/// The value below which a standard normal variable falls with probability `p` in 0...1
/// (±∞ at the ends), to the precision of `erfc`.
public func normalQuantile(_ p: Double) -> Double {
  precondition(p >= 0 && p <= 1, "normalQuantile: \(p) is not a probability")
  guard p > 0 else { return -.infinity }
  guard p < 1 else { return .infinity }
  // In the lower tail, where erfc keeps its relative precision.
  if p > 0.5 { return -normalQuantile(1 - p) }
  return bisect(from: -40, to: 0) { 0.5 * erfc(-$0 / 2.0.squareRoot()) < p }
}

/// The value below which Student's t with `degrees` degrees of freedom falls with probability `p`.
public func studentQuantile(_ p: Double, degrees: Int) -> Double {
  precondition(p > 0 && p < 1, "studentQuantile: \(p) is not inside 0...1")
  precondition(degrees > 0, "studentQuantile: \(degrees) degrees of freedom")
  if p < 0.5 { return -studentQuantile(1 - p, degrees: degrees) }
  if p == 0.5 { return 0 }
  let nu = Double(degrees)
  var high = 2.0
  while studentUpperTail(high, nu) > 1 - p { high *= 2 }
  return bisect(from: 0, to: high) { studentUpperTail($0, nu) > 1 - p }
}

/// P(T > t) for t ≥ 0: half of the incomplete beta function I at ν / (ν + t²) with (ν/2, ½).
private func studentUpperTail(_ t: Double, _ nu: Double) -> Double {
  0.5 * incompleteBeta(nu / (nu + t * t), nu / 2, 0.5)
}

/// The regularised incomplete beta function by its continued fraction (Abramowitz and Stegun 26.5.8)
/// evaluated from the front by Lentz's method.
private func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  guard x > 0 else { return 0 }
  guard x < 1 else { return 1 }
  // The fraction converges fast only below the mean.
  if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
  let logFront = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
  let tiny = 1e-300
  var c = 1.0
  var d = 1 / max(1 - (a + b) * x / (a + 1), tiny)
  var fraction = d
  for m in 1...1_000 {
    let k = Double(m)
    let even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))
    let odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))
    var change = 1.0
    for term in [even, odd] {
      d = 1 + term * d
      c = 1 + term / c
      if abs(d) < tiny { d = tiny }
      if abs(c) < tiny { c = tiny }
      d = 1 / d
      change = c * d
      fraction *= change
    }
    if abs(change - 1) < 1e-15 { break }
  }
  return exp(logFront) * fraction / a
}

/// Where `isBelow` turns false between `low` and `high`, to the last bit.
private func bisect(from low: Double, to high: Double, _ isBelow: (Double) -> Bool) -> Double {
  var (low, high) = (low, high)
  while true {
    let middle = low + (high - low) / 2
    if middle <= low || middle >= high { return middle }
    if isBelow(middle) { low = middle } else { high = middle }
  }
}
