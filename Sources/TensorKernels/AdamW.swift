import SIMDMath

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The settings of one AdamW update (Loshchilov and Hutter 2017, arXiv:1711.05101).
public struct AdamWStep: Sendable {
  public var rate: Float
  public var beta1: Float
  public var beta2: Float
  public var epsilon: Float
  public var weightDecay: Float
  /// Number of this update, from 1.
  public var step: Int
  /// What gradients are multiplied by first: for clipping.
  public var gradientScale: Float

  public init(
    rate: Float, beta1: Float, beta2: Float, epsilon: Float, weightDecay: Float, step: Int,
    gradientScale: Float = 1
  ) {
    (self.rate, self.beta1, self.beta2) = (rate, beta1, beta2)
    (self.epsilon, self.weightDecay) = (epsilon, weightDecay)
    (self.step, self.gradientScale) = (step, gradientScale)
  }
}

/// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w(1 − rate·decay) − rate · m̂/(√v̂ + ε).
public func adamW(
  parameter: MutableFloats, m: MutableFloats, v: MutableFloats, gradient: Floats, _ s: AdamWStep
) {
  precondition(
    m.count == parameter.count && v.count == parameter.count && gradient.count == parameter.count,
    "adamW: \(parameter.count) parameters, \(gradient.count) gradients")
  precondition(s.step >= 1, "adamW counts its steps from 1")
  guard parameter.count > 0 else { return }
  let correction1 = Float(1 - pow(Double(s.beta1), Double(s.step)))
  let correction2 = Float(1 - pow(Double(s.beta2), Double(s.step)))
  let size = s.rate / correction1
  let inverseRoot = 1 / correction2.squareRoot()
  let keep = 1 - s.rate * s.weightDecay
  let (wp, mp, vp, gp) = (parameter.base, m.base, v.base, gradient.base)
  parallelRanges(parameter.count, grain: elementGrain) { range in
    var i = range.lowerBound
    while i < range.upperBound {
      let count = min(8, range.upperBound - i)
      let isFull = count == 8
      let g = (isFull ? load8(gp + i) : loadPart(gp + i, count)) * s.gradientScale
      let first =
        (isFull ? load8(mp + i) : loadPart(mp + i, count)) * s.beta1 + g * (1 - s.beta1)
      let second =
        (isFull ? load8(vp + i) : loadPart(vp + i, count)) * s.beta2 + g * g * (1 - s.beta2)
      let w = isFull ? load8(wp + i) : loadPart(wp + i, count)
      let next = w * keep - size * first / (second.squareRoot() * inverseRoot + s.epsilon)
      if isFull {
        store8(mp + i, first)
        store8(vp + i, second)
        store8(wp + i, next)
      } else {
        storePart(mp + i, first, count)
        storePart(vp + i, second, count)
        storePart(wp + i, next, count)
      }
      i += 8
    }
  }
}
