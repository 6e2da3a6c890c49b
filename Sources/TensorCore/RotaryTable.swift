import TensorKernels

/// Cosines and sines of the angles of positions, filled in as far as positions were met: a context of
/// 128 thousand costs nothing until a text is that long. For one thread at a time.
public final class RotaryTable {
  public let headWidth: Int
  /// Radians a position, one for each pair of a head.
  public let frequencies: [Double]
  private var table = Buffer(0)
  private var filled = 0

  public init(frequencies: [Double]) {
    self.frequencies = frequencies
    headWidth = 2 * frequencies.count
  }

  /// Rows of headWidth values of ``fillRotaryTable(_:first:frequencies:)`` for at least the positions
  /// that occur.
  public func covering(_ positions: Integers) -> Buffer {
    var highest = 0
    for position in positions { highest = max(highest, Int(position)) }
    guard highest >= filled else { return table }
    let wanted = max(256, 2 * filled, highest + 1)
    let grown = Buffer(wanted * headWidth)
    _ = grown.values.update(fromContentsOf: table.reading)
    fillRotaryTable(
      MutableFloats(rebasing: grown.values[filled * headWidth..<wanted * headWidth]),
      first: filled, frequencies: frequencies)
    (table, filled) = (grown, wanted)
    return grown
  }
}
