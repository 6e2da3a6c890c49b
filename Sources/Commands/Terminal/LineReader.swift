import Foundation

/// Reads lines from a terminal with editing and a history. While it reads, keys come one by one and
/// Ctrl-C is a key; between lines the terminal is as it was.
final class LineReader {
  private var editor = LineEditor()
  private let terminal = Terminal.standardError

  /// The next line; nil at the end of input, or when the program is asked to end.
  func read(prompt: String) -> String? {
    var before = termios()
    guard tcgetattr(STDIN_FILENO, &before) == 0 else { return Swift.readLine() }
    var raw = before
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
    raw.c_iflag &= ~tcflag_t(IXON | ICRNL | ISTRIP)
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
    defer { tcsetattr(STDIN_FILENO, TCSADRAIN, &before) }
    show(prompt)
    while let byte = next() {
      switch editor.accept(byte) {
      case .none: show(prompt)
      case .line(let line):
        Terminal.write("\n")
        return line
      case .end:
        Terminal.write("\n")
        return nil
      case .interrupt:
        Terminal.write("\n(Ctrl-D, or /quit, ends)\n")
        show(prompt)
      }
    }
    return nil
  }

  private func show(_ prompt: String) {
    // What is pasted or typed ahead is shown once, when all of it is read.
    var pollfd = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard poll(&pollfd, 1, 0) == 0 else { return }
    Terminal.write(editor.shown(prompt: prompt, width: terminal.width))
  }

  /// The next byte; nil at the end, or after a signal that asks to end.
  private func next() -> UInt8? {
    while !Interrupt.isRequested {
      var pollfd = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      guard poll(&pollfd, 1, 200) > 0 else { continue }
      var byte: UInt8 = 0
      return Foundation.read(STDIN_FILENO, &byte, 1) == 1 ? byte : nil
    }
    return nil
  }
}
