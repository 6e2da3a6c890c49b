/// What the measurement says about a claim, judged on the bound of its interval, never on the
/// estimate alone.
public enum Verdict: String, Sendable, Codable, CaseIterable {
  case pass = "PASS"
  case fail = "FAIL"
  case inconclusive = "INCONCLUSIVE"

  /// On which side of its threshold a claim says that the true value lies.
  public enum Direction: String, Sendable, Codable {
    case above
    case below
  }

  /// Passes when the whole `interval` lies beyond the threshold, fails when none of it does, and is
  /// inconclusive when the threshold lies inside or nothing was measured. A value exactly at the
  /// threshold is not beyond it.
  public static func judge(
    interval: Interval, threshold: Double, direction: Direction
  ) -> Verdict {
    guard interval.low <= interval.high, !threshold.isNaN else { return .inconclusive }
    switch direction {
    case .above:
      if interval.low > threshold { return .pass }
      return interval.high <= threshold ? .fail : .inconclusive
    case .below:
      if interval.high < threshold { return .pass }
      return interval.low >= threshold ? .fail : .inconclusive
    }
  }
}
