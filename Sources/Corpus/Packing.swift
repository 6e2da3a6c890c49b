/// Sequences placed into rows of a fixed length. Attention does not cross from one to the next.
public struct Packing: Sendable {
  /// Slots in a row.
  public let length: Int
  /// The sequences of each row, in order.
  public let rows: [[TokenSequence]]

  /// Best fit, longest first: each sequence goes to the fullest row that still holds it. One that is
  /// longer than a row is cut into pieces that overlap by the one token that is both a target and the
  /// next piece's first input. Sequences of fewer than two tokens have nothing to predict.
  public init(_ sequences: [TokenSequence], length: Int) {
    precondition(length > 0, "rows of \(length) slots")
    self.length = length
    let pieces = sequences.flatMap { Self.pieces($0, length: length) }
    let order = pieces.indices.sorted {
      (pieces[$1].slots, $0) < (pieces[$0].slots, $1)
    }
    var rows: [[TokenSequence]] = []
    // Rows by free slots, the latest first taken.
    var byRoom = [[Int]](repeating: [], count: length + 1)
    for index in order {
      let piece = pieces[index]
      if let room = (piece.slots...length).first(where: { !byRoom[$0].isEmpty && $0 < length }),
        let row = byRoom[room].popLast()
      {
        rows[row].append(piece)
        byRoom[room - piece.slots].append(row)
      } else {
        rows.append([piece])
        byRoom[length - piece.slots].append(rows.count - 1)
      }
    }
    self.rows = rows
  }

  private static func pieces(_ sequence: TokenSequence, length: Int) -> [TokenSequence] {
    guard sequence.slots > length else { return sequence.slots > 0 ? [sequence] : [] }
    return stride(from: 0, to: sequence.slots, by: length).map { start in
      let end = min(sequence.tokens.count, start + length + 1)
      return TokenSequence(
        tokens: Array(sequence.tokens[start..<end]), weights: Array(sequence.weights[start..<end]))
    }
  }

  /// The share of slots that hold tokens.
  public var fill: Double {
    let used = rows.reduce(0) { $0 + $1.reduce(0) { $0 + $1.slots } }
    return rows.isEmpty ? 0 : Double(used) / Double(rows.count * length)
  }

  /// The batch of some rows.
  public func batch(rows chosen: [Int]) -> TokenBatch {
    let count = chosen.count * length
    var batch = TokenBatch(
      rows: chosen.count, length: length, tokens: Array(repeating: 0, count: count),
      targets: Array(repeating: 0, count: count), weights: Array(repeating: 0, count: count),
      segments: Array(repeating: -1, count: count))
    for (i, row) in chosen.enumerated() {
      var slot = i * length
      for (segment, sequence) in rows[row].enumerated() {
        for t in 0..<sequence.slots {
          batch.tokens[slot] = sequence.tokens[t]
          batch.targets[slot] = sequence.tokens[t + 1]
          batch.weights[slot] = sequence.weights[t + 1]
          batch.segments[slot] = Int32(segment)
          slot += 1
        }
      }
    }
    return batch
  }

  /// All rows, `size` at a time.
  public func batches(of size: Int) -> [TokenBatch] {
    stride(from: 0, to: rows.count, by: size).map {
      batch(rows: Array($0..<min(rows.count, $0 + size)))
    }
  }
}

/// A packed corpus, read in an order that is a function of the seed alone: any step's batch can be
/// had without those before it, so a resumed run needs no cursor.
public struct PackedCorpus: Sendable {
  public let packing: Packing
  public let seed: UInt64

  /// Throws where there is nothing to learn from.
  public init(_ sequences: [TokenSequence], length: Int, seed: UInt64) throws {
    packing = Packing(sequences, length: length)
    self.seed = seed
    guard !packing.rows.isEmpty else {
      throw CorpusError("the corpus holds no sequence of two tokens or more")
    }
  }

  public var rowsPerEpoch: Int { packing.rows.count }

  /// `rows` rows of step `step`: the rows of all steps run through one shuffled epoch after another.
  public func batch(step: Int, rows: Int) -> TokenBatch {
    let first = step * rows
    var orders: [Int: [Int]] = [:]
    let chosen = (first..<first + rows).map { position in
      let epoch = position / rowsPerEpoch
      let order = orders[epoch] ?? shuffled(epoch: epoch)
      orders[epoch] = order
      return order[position % rowsPerEpoch]
    }
    return packing.batch(rows: chosen)
  }

  /// Fisher and Yates over SplitMix64 of seed and epoch.
  private func shuffled(epoch: Int) -> [Int] {
    var state = seed ^ UInt64(bitPattern: Int64(epoch)) &* 0xD134_2543_DE82_EF95
    func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    var order = Array(0..<rowsPerEpoch)
    for i in stride(from: order.count - 1, to: 0, by: -1) {
      order.swapAt(i, Int(next().multipliedFullWidth(by: UInt64(i + 1)).high))
    }
    return order
  }
}
