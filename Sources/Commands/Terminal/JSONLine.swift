import Foundation

/// The one line of JSON that ends the output of `--json`.
public enum JSONLine {
  /// Prints `value` on standard output as one line with sorted keys.
  public static func print(_ value: some Encodable) throws {
    var line = try encode(value)
    line.append(0x0A)
    try FileHandle.standardOutput.write(contentsOf: line)
  }

  static func encode(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(value)
  }
}
