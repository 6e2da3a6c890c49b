import ArgumentParser
import TensorKernels

/// `bench matmul`: the products of a training step.
struct BenchMatmul: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "matmul", abstract: "Time the matrix products of a training step.",
    discussion: "Example:  lyceum bench matmul --threads 1 --json")

  @OptionGroup var compute: ComputeOptions

  struct Row: Encodable {
    var kind: String
    var m: Int
    var n: Int
    var k: Int
    var gflops: Double
  }

  struct Result: Encodable {
    var threads: Int
    var products: [Row]
  }

  /// (outputs, inputs) of the linear maps of a model of width 256, and 4,096 tokens.
  static let shapes = [(768, 256), (256, 256), (1408, 256), (256, 704), (4096, 256)]

  func run() throws {
    compute.apply()
    var rows: [Row] = []
    for (outputs, inputs) in Self.shapes {
      rows.append(forward(tokens: 4096, outputs: outputs, inputs: inputs))
      rows.append(weightGradient(tokens: 4096, outputs: outputs, inputs: inputs))
    }
    for row in rows where !compute.json {
      print("\(row.kind)  \(row.m) x \(row.n) x \(row.k)  \(Int(row.gflops)) GFLOP/s")
    }
    if compute.json { try JSONLine.print(Result(threads: kernelThreads, products: rows)) }
  }

  private func forward(tokens m: Int, outputs n: Int, inputs k: Int) -> Row {
    let (a, b) = (ramp(m * k), ramp(n * k))
    var packed = [Float](repeating: 0, count: packedCount(k: k, n: n))
    var c = [Float](repeating: 0, count: m * n)
    let rate = best(operations: 2 * Double(m * n * k)) {
      packed.withUnsafeMutableBufferPointer { packed in
        a.withUnsafeBufferPointer { a in
          b.withUnsafeBufferPointer { b in
            c.withUnsafeMutableBufferPointer { c in
              packMatrix(
                packed, b: Matrix(b, rows: k, columns: n, isTransposed: true), k: k, n: n)
              matmulPacked(c: c, a: a, packedB: Floats(packed), m: m, n: n, k: k)
            }
          }
        }
      }
    }
    return Row(kind: "x·Wᵀ ", m: m, n: n, k: k, gflops: rate)
  }

  private func weightGradient(tokens k: Int, outputs m: Int, inputs n: Int) -> Row {
    let (a, b) = (ramp(k * m), ramp(k * n))
    var workspace = [Float](repeating: 0, count: transposedWorkspace(m: m, n: n, k: k))
    var c = [Float](repeating: 0, count: m * n)
    let rate = best(operations: 2 * Double(m * n * k)) {
      workspace.withUnsafeMutableBufferPointer { workspace in
        a.withUnsafeBufferPointer { a in
          b.withUnsafeBufferPointer { b in
            c.withUnsafeMutableBufferPointer { c in
              matmulTransposed(c: c, a: a, b: b, m: m, n: n, k: k, workspace: workspace)
            }
          }
        }
      }
    }
    return Row(kind: "dyᵀ·x", m: m, n: n, k: k, gflops: rate)
  }

  private func ramp(_ count: Int) -> [Float] { (0..<count).map { Float($0 % 97) * 0.01 - 0.5 } }

  /// The best of several timings, in GFLOP/s.
  private func best(operations: Double, _ body: () -> Void) -> Double {
    var best = Double.infinity
    for _ in 0..<7 {
      let start = ContinuousClock.now
      body()
      best = min(best, (ContinuousClock.now - start) / .seconds(1))
    }
    return operations / best / 1e9
  }
}
