import TensorKernels

/// Which matrices of a model get an adapter of low rank, W·x + alpha/rank · B·A·x (Hu et al. 2021,
/// arXiv:2106.09685), and where its values come from.
public struct AdapterPlan {
  /// What PEFT puts before the name of a module.
  public static let prefix = "base_model.model."

  public var rank: Int
  public var alpha: Float
  /// The last words of the names of adapted matrices ("q_proj"); nil for all inside the layers.
  public var targets: Set<String>?
  public var source: any ParameterSource

  public init(rank: Int, alpha: Float, targets: Set<String>?, source: any ParameterSource) {
    (self.rank, self.alpha, self.targets, self.source) = (rank, alpha, targets, source)
  }

  public var scale: Float { alpha / Float(rank) }

  func adapts(_ name: String) -> Bool {
    guard let targets else { return true }
    return name.split(separator: ".").last.map { targets.contains(String($0)) } ?? false
  }
}

/// What is added to a matrix whose parts have an adapter each.
public struct LowRankAdapter {
  /// B of one part, (rows, rank), and where its rows are in the matrix.
  struct Block {
    let firstRow: Int
    let up: Tensor
  }

  /// A of every part, one below the other: (parts · rank, K).
  let down: Tensor
  let blocks: [Block]
  /// Of the matrix.
  let rows: Int
  let scale: Float

  /// residual + scale · B·A·x for x (N, K): (N, rows).
  public func callAsFunction(_ x: Tensor, residual: Tensor) -> Tensor {
    x.linear(down).linear(spread(), residual: residual)
  }

  /// scale · B of every part beside the ranks of its A, zero elsewhere: (rows, parts · rank).
  private func spread() -> Tensor {
    let width = down.rows
    let rank = width / blocks.count
    let out = Buffer(rows * width, zeroed: true)
    /// Calls `body` with each place of a block and of the whole.
    func each(_ index: Int, _ body: (_ from: Int, _ to: Int) -> Void) {
      let block = blocks[index]
      for row in 0..<block.up.rows {
        for j in 0..<rank {
          body(row * rank + j, (block.firstRow + row) * width + index * rank + j)
        }
      }
    }
    for (index, block) in blocks.enumerated() {
      let values = block.up.values
      each(index) { out.values[$1] = scale * values[$0] }
    }
    return .result([rows, width], out, inputs: blocks.map(\.up)) { dOut in
      for (index, block) in blocks.enumerated() {
        guard let gradient = block.up.gradientToAdd() else { continue }
        each(index) { gradient.values[$0] += scale * dOut.values[$1] }
      }
    }
  }
}
