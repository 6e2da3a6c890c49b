/// out (ids.count, width) = the rows `ids` of `table`.
public func embedding(_ out: MutableFloats, table: Floats, ids: Integers, width: Int) {
  precondition(
    out.count == ids.count * width, "embedding: \(out.count) values for \(ids.count) ids")
  guard ids.count > 0 else { return }
  let rows = table.count / width
  let (op, tp, ip) = (out.base, table.base, ids.base)
  parallelRanges(ids.count, grain: rowGrain(width)) { range in
    for i in range {
      let row = Int(ip[i])
      precondition(row >= 0 && row < rows, "embedding: id \(row) of \(rows)")
      (op + i * width).update(from: tp + row * width, count: width)
    }
  }
}

/// dTable[ids[i]] += dOut[i]. Each task owns some columns, so that repeated ids add in order.
public func embeddingBackward(_ dTable: MutableFloats, dOut: Floats, ids: Integers, width: Int) {
  precondition(dOut.count == ids.count * width, "embeddingBackward: \(dOut.count) values")
  guard ids.count > 0 else { return }
  let (tp, gp, ip) = (dTable.base, dOut.base, ids.base)
  parallelRanges(width, grain: 64) { columns in
    for i in 0..<ids.count {
      let row = tp + Int(ip[i]) * width
      let gradient = gp + i * width
      for j in columns { row[j] += gradient[j] }
    }
  }
}
