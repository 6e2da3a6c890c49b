/// How a stretch of text became tokens, merge by merge: for showing, encoding is faster without.
public struct MergeReplay: Sendable, Equatable {
  /// The stretch, as it was cut before merging.
  public var text: String
  /// The tokens at the beginning and after each merge; the last are the result.
  public var steps: [[Int32]]
}

extension Tokenizer {
  /// Symbols in a stretch whose merges are listed one by one; longer ones have the first and the last
  /// step only.
  static let longestReplay = 256

  /// The merges of each stretch of a text without special tokens.
  public func replay(_ text: String) -> [MergeReplay] {
    var out: [MergeReplay] = []
    var text = text
    text.withUTF8 { bytes in
      guard let base = bytes.baseAddress, bytes.count > 0 else { return }
      switch scheme {
      case .bytes(let cut, let isNormalised):
        if isNormalised, let composed = composed(base, bytes.count) {
          composed.withUnsafeBufferPointer { text in
            if let base = text.baseAddress { replay(base, text.count, cut, &out) }
          }
        } else {
          replay(base, bytes.count, cut, &out)
        }
      case .characters(let rules):
        rules.withPrepared(base, bytes.count, isFirst: true) { text, count in
          var start = 0
          while start < count {
            let stop = rules.wordEnd(text, from: start, count)
            out.append(replay(text + start, stop - start))
            start = stop
          }
        }
      }
    }
    return out
  }

  private func replay(
    _ p: UnsafePointer<UInt8>, _ count: Int, _ cut: PreTokenizer, _ out: inout [MergeReplay]
  ) {
    var scanner = PreTokenScanner(p, count: count, kind: cut)
    var start = 0
    while start < count {
      let stop = scanner.next(after: start)
      out.append(replay(p + start, stop - start))
      start = stop
    }
  }

  private func replay(_ p: UnsafePointer<UInt8>, _ count: Int) -> MergeReplay {
    var merger = PairMerger()
    // Without merges, what is left are the symbols that merging begins with.
    var ids: [Int32] = []
    scheme.merge(p, count, byteIDs, PairTable(capacity: 0), &merger, &ids)
    var result: [Int32] = []
    appendWord(p, count, &merger, &result)
    var steps = [ids]
    while ids.count <= Self.longestReplay {
      let pairs = zip(ids, ids.dropFirst()).map { merges.find($0, $1) }
      guard let best = pairs.indices.min(by: { pairs[$0].x < pairs[$1].x }), pairs[best].x != .max
      else { break }
      ids.replaceSubrange(best...best + 1, with: [pairs[best].y])
      steps.append(ids)
    }
    // A token that the whole stretch spells wins over its merges in some vocabularies.
    if ids != result { steps.append(result) }
    let text = String(decoding: UnsafeBufferPointer(start: p, count: count), as: UTF8.self)
    return MergeReplay(text: text, steps: steps)
  }
}
