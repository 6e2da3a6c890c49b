/// A line as a person types it: keys in, text and a cursor out. It knows nothing of the terminal but
/// the bytes that keys send.
struct LineEditor {
  enum Event: Equatable {
    /// The line goes on.
    case none
    case line(String)
    /// Ctrl-D on an empty line.
    case end
    /// Ctrl-C on an empty line.
    case interrupt
  }

  private(set) var text: [Character] = []
  private(set) var cursor = 0
  private(set) var history: [String] = []
  /// Which line of the history is shown; its count for the one that is new.
  private var place = 0
  /// The new line, while an old one is shown.
  private var draft: [Character] = []
  /// Bytes of a character or of a key that is not complete.
  private var pending: [UInt8] = []

  /// Lines to keep.
  private let mostHistory = 1_000

  mutating func accept(_ byte: UInt8) -> Event {
    if !pending.isEmpty {
      pending.append(byte)
      if pending[0] == 0x1B { return escape() }
      return character()
    }
    switch byte {
    case 0x0D, 0x0A: return finish()
    case 0x03:
      if text.isEmpty { return .interrupt }
      replace([])
    case 0x04:
      if text.isEmpty { return .end }
      delete()
    case 0x01: cursor = 0
    case 0x05: cursor = text.count
    case 0x02: cursor = max(0, cursor - 1)
    case 0x06: cursor = min(text.count, cursor + 1)
    case 0x08, 0x7F: backspace()
    case 0x0B: text.removeSubrange(cursor...)
    case 0x15:
      text.removeSubrange(..<cursor)
      cursor = 0
    case 0x17: deleteWord()
    case 0x10: step(-1)
    case 0x0E: step(1)
    case 0x1B: pending = [byte]
    case 0x09, 0x20...0x7E: insert(Character(Unicode.Scalar(byte)))
    case 0x80...:
      pending = [byte]
      return character()
    default: break
    }
    return .none
  }

  private mutating func insert(_ character: Character) {
    text.insert(character, at: cursor)
    // A mark joins the character before it.
    let before = text.count
    text = Array(String(text))
    cursor = min(max(0, cursor + 1 + text.count - before), text.count)
  }

  private mutating func backspace() {
    guard cursor > 0 else { return }
    cursor -= 1
    text.remove(at: cursor)
  }

  private mutating func delete() {
    if cursor < text.count { text.remove(at: cursor) }
  }

  private mutating func deleteWord() {
    var start = cursor
    while start > 0, text[start - 1].isWhitespace { start -= 1 }
    while start > 0, !text[start - 1].isWhitespace { start -= 1 }
    text.removeSubrange(start..<cursor)
    cursor = start
  }

  private mutating func replace(_ new: [Character]) {
    text = new
    cursor = new.count
  }

  /// Up and down in the history.
  private mutating func step(_ by: Int) {
    let next = place + by
    guard (0...history.count).contains(next) else { return }
    if place == history.count { draft = text }
    place = next
    replace(next == history.count ? draft : Array(history[next]))
  }

  private mutating func finish() -> Event {
    let line = String(text)
    if !line.allSatisfy(\.isWhitespace), history.last != line { history.append(line) }
    if history.count > mostHistory { history.removeFirst() }
    place = history.count
    draft = []
    replace([])
    return .line(line)
  }

  /// The rest of a character of several bytes.
  private mutating func character() -> Event {
    let length = pending[0] >= 0xF0 ? 4 : pending[0] >= 0xE0 ? 3 : 2
    guard pending.count >= length else { return .none }
    if let text = String(validating: pending, as: UTF8.self) { text.forEach { insert($0) } }
    pending = []
    return .none
  }

  /// The rest of a key that begins with escape: an arrow, Home, End or Delete; others do nothing.
  private mutating func escape() -> Event {
    guard pending.count > 2 else {
      if pending.count == 2, pending[1] != 0x5B, pending[1] != 0x4F { pending = [] }
      return .none
    }
    // Parameters go on until a letter or a tilde.
    guard let last = pending.last, (0x40...0x7E).contains(last) else {
      if pending.count > 16 { pending = [] }
      return .none
    }
    let key = String(decoding: pending[2...], as: UTF8.self)
    pending = []
    switch key {
    case "A": step(-1)
    case "B": step(1)
    case "C": cursor = min(text.count, cursor + 1)
    case "D": cursor = max(0, cursor - 1)
    case "H", "1~", "7~": cursor = 0
    case "F", "4~", "8~": cursor = text.count
    case "3~": delete()
    default: break
    }
    return .none
  }

  /// What to write so that the terminal shows the line: one row, of which a window around the cursor
  /// is seen where it is wider than the terminal.
  func shown(prompt: String, width: Int) -> String {
    let room = max(8, width - prompt.count - 1)
    var start = 0
    while Self.columns(text[start..<cursor]) > room { start += 1 }
    var end = cursor
    while end < text.count, Self.columns(text[start...end]) <= room { end += 1 }
    let back = Self.columns(text[cursor..<end])
    return "\r" + prompt + String(text[start..<end]) + "\u{1B}[K"
      + (back > 0 ? "\u{1B}[\(back)D" : "")
  }

  /// Columns that a terminal gives to characters: two to those of East Asia and to pictures.
  private static func columns(_ text: ArraySlice<Character>) -> Int {
    text.reduce(0) { sum, character in
      guard let scalar = character.unicodeScalars.first else { return sum }
      let isWide =
        (0x1100...0x115F).contains(scalar.value) || (0x2E80...0xA4CF).contains(scalar.value)
        || (0xAC00...0xD7A3).contains(scalar.value) || (0xF900...0xFAFF).contains(scalar.value)
        || (0xFE30...0xFE6F).contains(scalar.value) || (0xFF00...0xFF60).contains(scalar.value)
        || (0x1F300...0x1FAFF).contains(scalar.value) || (0x20000...0x3FFFD).contains(scalar.value)
      return sum + (isWide ? 2 : 1)
    }
  }
}
