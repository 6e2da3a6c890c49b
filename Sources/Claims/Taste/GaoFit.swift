import Foundation

/// The two curves of Gao et al. 2022 (arXiv:2210.10760) for gold over d = √KL: drawn, not judged.
struct GaoFit {
  enum Form {
    /// d (a − b d).
    case bestOfN
    /// d (a − b ln d).
    case practice
  }

  let form: Form
  let a: Double
  let b: Double

  /// Least squares on what was gained since d = 0; nil where the points do not decide it.
  init?(_ form: Form, _ points: [(d: Double, gain: Double)]) {
    let points = points.filter { $0.d > 1e-3 && $0.gain.isFinite }
    var (xx, xy, yy, xg, yg) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for point in points {
      let (x, y) = (point.d, Self.second(form, point.d))
      xx += x * x
      xy += x * y
      yy += y * y
      xg += x * point.gain
      yg += y * point.gain
    }
    let determinant = xx * yy - xy * xy
    guard points.count >= 3, abs(determinant) > 1e-9 * max(1, xx * yy) else { return nil }
    self.form = form
    a = (xg * yy - yg * xy) / determinant
    b = (xx * yg - xy * xg) / determinant
  }

  func callAsFunction(_ d: Double) -> Double { a * d + b * Self.second(form, d) }

  /// What b is multiplied with.
  private static func second(_ form: Form, _ d: Double) -> Double {
    switch form {
    case .bestOfN: -d * d
    case .practice: d > 0 ? -d * log(d) : 0
    }
  }
}
