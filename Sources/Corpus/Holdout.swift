// What is kept for validation when there are few documents, or when one of them is most of the text.

/// Training and validation documents, and whether the documents had to be cut for it.
public struct Holdout: Sendable {
  public var training: [Document]
  public var validation: [Document]
  public var wasCut: Bool
}

/// Deals documents by ``splitDocuments(_:validationShare:)``. Where that leaves validation without
/// text, or with more than four times its share of the bytes, the documents are first cut at blank
/// lines into parts, and the parts are dealt.
public func holdOut(_ documents: [Document], share: Double) -> Holdout {
  let total = byteCount(documents)
  let whole = splitDocuments(documents, validationShare: share)
  let kept = Double(byteCount(whole.validation))
  if kept > 0, kept <= 4 * share * Double(total) {
    return Holdout(training: whole.training, validation: whole.validation, wasCut: false)
  }
  // A hundred parts at least, of a page at least.
  let size = max(1_024, min(16_384, total / 100))
  let parts = documents.flatMap { document in
    cut(document.text, near: size).enumerated().map { i, text in
      Document(text: text, source: "\(document.source), part \(i + 1)")
    }
  }
  let dealt = splitDocuments(parts, validationShare: share)
  guard !dealt.validation.isEmpty else {
    return Holdout(training: documents, validation: [], wasCut: false)
  }
  return Holdout(training: dealt.training, validation: dealt.validation, wasCut: true)
}

private func byteCount(_ documents: [Document]) -> Int {
  documents.reduce(0) { $0 + $1.text.utf8.count }
}

/// Parts of `size` to twice as many bytes that end at a blank line; else at the end of a line, at a
/// space, or at least between characters. Together they are the text.
func cut(_ text: String, near size: Int) -> [String] {
  precondition(size > 0, "parts of \(size) bytes")
  let bytes = Array(text.utf8)
  let (newline, space) = (UInt8(ascii: "\n"), UInt8(ascii: " "))
  var parts: [String] = []
  var start = 0
  while start < bytes.count {
    var end = min(bytes.count, start + size)
    let window = end..<min(bytes.count, end + size)
    if window.upperBound < bytes.count {
      let place =
        window.first { bytes[$0] == newline && bytes[$0 - 1] == newline }
        ?? window.first { bytes[$0] == newline } ?? window.first { bytes[$0] == space }
      let isContinuation = { (i: Int) in bytes[i] & 0xC0 == 0x80 }
      end = place.map { $0 + 1 } ?? (end..<bytes.count).first { !isContinuation($0) } ?? bytes.count
    } else {
      end = bytes.count
    }
    parts.append(String(decoding: bytes[start..<end], as: UTF8.self))
    start = end
  }
  return parts
}
