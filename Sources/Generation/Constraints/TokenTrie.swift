import Tokenization

/// The tokens of a vocabulary by their bytes, as a tree in one array: what a set of tokens that fit a
/// grammar is found by, in one walk. Made once for a tokenizer and shared.
public final class TokenTrie: Sendable {
  /// Tokens of the vocabulary, special ones included.
  public let vocabulary: Int
  /// Nodes in the order of a walk: a node's children stand behind it. The root is left out.
  private let bytes: [UInt8]
  private let depths: [UInt16]
  /// The node before the last byte; −1 for the root.
  private let parents: [Int32]
  /// The first node behind all that begin as this one does.
  private let ends: [Int32]
  /// Where the tokens of a node begin in `tokens`; one more than there are nodes.
  private let first: [Int32]
  private let tokens: [Int32]
  /// The node at which each token ends; −1 where it has no bytes.
  private let nodes: [Int32]

  /// The tokens of `tokenizer`, without the special ones, which stand for no text.
  public convenience init(_ tokenizer: Tokenizer) {
    let specials = Set(tokenizer.specials.compactMap { tokenizer.id(ofSpecial: $0) })
    self.init(
      (0..<Int32(tokenizer.vocabularySize)).map {
        specials.contains($0) ? [] : tokenizer.bytes(of: $0)
      })
  }

  /// The bytes of every token, by id; an empty one never follows.
  public init(_ spellings: [[UInt8]]) {
    vocabulary = spellings.count
    let order = spellings.indices.filter { !spellings[$0].isEmpty }.sorted {
      spellings[$0].lexicographicallyPrecedes(spellings[$1])
    }
    var (bytes, depths, ends): ([UInt8], [UInt16], [Int32]) = ([], [], [])
    var (first, tokens, parents): ([Int32], [Int32], [Int32]) = ([], [], [])
    var path: [Int] = []
    var previous: [UInt8] = []
    func close(to depth: Int) {
      while path.count > depth { ends[path.removeLast()] = Int32(bytes.count) }
    }
    for id in order {
      let spelling = Array(spellings[id].prefix(Int(UInt16.max)))
      var common = 0
      while common < min(previous.count, spelling.count), previous[common] == spelling[common] {
        common += 1
      }
      close(to: common)
      for depth in common..<spelling.count {
        parents.append(Int32(path.last ?? -1))
        path.append(bytes.count)
        bytes.append(spelling[depth])
        depths.append(UInt16(depth))
        ends.append(0)
        first.append(Int32(tokens.count))
      }
      // Spellings come in order, so that this is the last node so far, or the same spelling again.
      tokens.append(Int32(id))
      previous = spelling
    }
    close(to: 0)
    first.append(Int32(tokens.count))
    (self.bytes, self.depths, self.ends) = (bytes, depths, ends)
    self.parents = parents
    (self.first, self.tokens) = (first, tokens)
    var nodes = [Int32](repeating: -1, count: spellings.count)
    for node in bytes.indices {
      for i in first[node]..<first[node + 1] { nodes[Int(tokens[Int(i)])] = Int32(node) }
    }
    self.nodes = nodes
  }

  /// The bytes of a token; none for one that stands for no text.
  func spelling(_ token: Int32) -> [UInt8] {
    guard token >= 0, Int(token) < nodes.count, nodes[Int(token)] >= 0 else { return [] }
    var node = nodes[Int(token)]
    var found: [UInt8] = []
    while node >= 0 {
      found.append(bytes[Int(node)])
      node = parents[Int(node)]
    }
    return found.reversed()
  }

  /// The tokens all of whose bytes `step` takes on from `start`.
  ///
  /// - Parameter step: from a state by a byte to the next one, negative where there is none.
  func matches(from start: Int32, step: (Int32, UInt8) -> Int32) -> TokenMask {
    var mask = TokenMask(vocabulary: vocabulary)
    var states = [start]
    var node = 0
    while node < bytes.count {
      let depth = Int(depths[node])
      let next = step(states[depth], bytes[node])
      guard next >= 0 else {
        node = Int(ends[node])
        continue
      }
      if states.count > depth + 1 { states[depth + 1] = next } else { states.append(next) }
      for i in first[node]..<first[node + 1] { mask.insert(tokens[Int(i)]) }
      node += 1
    }
    return mask
  }
}
