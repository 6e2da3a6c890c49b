import Foundation

/// What the terminal behind a stream can show. Progress goes to standard error, results to standard
/// output.
public struct Terminal: Sendable {
  /// A person watches: lines may be redrawn.
  public let isTTY: Bool
  /// Colours are welcome: a terminal, and `NO_COLOR` (no-color.org) is unset or empty.
  public let usesColor: Bool
  /// The locale is UTF-8, so bars may use box-drawing characters.
  public let isUTF8: Bool
  private let descriptor: Int32
  private let fixedWidth: Int?

  public static let standardError = Terminal(descriptor: STDERR_FILENO)
  public static let standardOutput = Terminal(descriptor: STDOUT_FILENO)

  private init(descriptor: Int32) {
    let environment = ProcessInfo.processInfo.environment
    self.descriptor = descriptor
    isTTY = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
    usesColor = isTTY && (environment["NO_COLOR"] ?? "").isEmpty
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }
      .first { !$0.isEmpty }
    let name = (locale ?? "").lowercased()
    isUTF8 = name.contains("utf-8") || name.contains("utf8")
    fixedWidth = nil
  }

  /// A terminal of known abilities, for tests.
  public init(isTTY: Bool, usesColor: Bool = false, isUTF8: Bool = true, width: Int = 80) {
    self.isTTY = isTTY
    self.usesColor = usesColor
    self.isUTF8 = isUTF8
    descriptor = -1
    fixedWidth = width
  }

  /// Columns now (a window can be resized), 80 where nobody says.
  public var width: Int {
    if let fixedWidth { return fixedWidth }
    var size = winsize()
    if isTTY, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return 80
  }

  /// `text` in a colour where colours are welcome.
  public func styled(_ text: String, _ style: Style) -> String {
    usesColor && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// Looks of text, as the codes that terminals know.
  public enum Style: String, Sendable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
  }

  /// One line of news on standard error.
  public static func note(_ line: String) { write(line + "\n") }

  /// Writes to standard error at once.
  static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
