import ArgumentParser
import Claims
import Foundation
import ModelFiles
import TensorKernels
import Training

/// `quantize`: a model file with smaller weights.
struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize", abstract: "Write a GGUF file with its weights in 16, 8 or 4 bits.",
    discussion: """
      Example:  lyceum quantize smollm2-f16.gguf --to q8_0 --out smollm2-q8.gguf
      Vectors stay 32-bit numbers. With q4_0 the tables of tokens become q8_0: they cost most.
      """)

  enum Target: String, ExpressibleByArgument, CaseIterable {
    case q8_0, q4_0, f16

    var type: WeightType {
      switch self {
      case .q8_0: .q8_0
      case .q4_0: .q4_0
      case .f16: .f16
      }
    }

    /// The number that llama.cpp keeps for a file of mostly this type.
    var fileType: UInt32 {
      switch self {
      case .q8_0: 7
      case .q4_0: 2
      case .f16: 1
      }
    }
  }

  @Argument(help: "A GGUF file.") var model: String
  @Option(help: "q8_0, q4_0 or f16.") var to: Target
  @Option(help: "The file to write.") var out: String
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var bytes_before: Int
    var bytes_after: Int
    var tensors_rounded: Int
    /// ‖rounded − given‖ / ‖given‖ over all that was rounded.
    var relative_error: Double
  }

  func run() throws {
    compute.apply()
    let source = place(model)
    guard GGUFFile.isOne(source) else {
      throw TrainingError(
        "\(model) is not a GGUF file: `lyceum export \(model) --to gguf --out …` makes one")
    }
    let file = try GGUFFile(source)
    var metadata: [(key: String, value: GGUFEntry)] = []
    let own: [(key: String, value: GGUFEntry)] = [
      ("general.file_type", .uint32(to.fileType)), ("general.quantization_version", .uint32(2)),
    ]
    for key in file.keys where !own.contains(where: { $0.key == key }) {
      guard let value = file.entry(key) else { continue }
      metadata.append((key, value))
    }
    var error = RoundingError()
    let tensors = file.tensors.map { tensor in
      let type = type(of: tensor)
      return GGUFOutput(name: tensor.name, shape: tensor.shape, type: type) { bytes in
        if type == tensor.type {
          bytes.copyMemory(from: file.bytes(of: tensor))
        } else {
          error.add(round(file, tensor, type, bytes))
        }
        file.release(tensor)
      }
    }
    try writeGGUF(metadata: metadata + own, tensors: tensors, to: place(out))
    let result = Result(
      bytes_before: file.byteCount, bytes_after: try GGUFFile(place(out)).byteCount,
      tensors_rounded: error.tensors, relative_error: error.relative)
    if compute.json { return try JSONLine.print(result) }
    print(
      "\(out): \(Format.bytes(Double(result.bytes_before))) became "
        + "\(Format.bytes(Double(result.bytes_after))); \(result.tensors_rounded) tensors rounded, "
        + "off by \(Format.fixed(100 * result.relative_error, 2)) %")
  }

  /// What a tensor becomes: vectors, and rows that are no whole blocks, stay what they are.
  private func type(of tensor: GGUFFile.Tensor) -> WeightType {
    guard tensor.shape.count > 1, (tensor.shape.last ?? 0) % to.type.blockCount == 0 else {
      return tensor.type
    }
    let isTable = ["token_embd.weight", "output.weight"].contains(tensor.name)
    return isTable && to == .q4_0 ? .q8_0 : to.type
  }

  private struct RoundingError {
    var tensors = 0
    var difference = 0.0
    var size = 0.0

    var relative: Double { size > 0 ? (difference / size).squareRoot() : 0 }

    mutating func add(_ other: (difference: Double, size: Double)) {
      tensors += 1
      difference += other.difference
      size += other.size
    }
  }

  /// Writes a tensor as `type`; the squares of what that changed and of what there was.
  private func round(
    _ file: GGUFFile, _ tensor: GGUFFile.Tensor, _ type: WeightType,
    _ bytes: UnsafeMutableRawBufferPointer
  ) -> (difference: Double, size: Double) {
    let columns = tensor.shape.last ?? 1
    let rows = tensor.count / columns
    let rowBytes = columns / type.blockCount * type.blockBytes
    var squares = [(difference: Double, size: Double)](repeating: (0, 0), count: rows)
    squares.withUnsafeMutableBufferPointer { squares in
      parallelRanges(rows, grain: max(1, 65_536 / columns)) { range in
        let (given, rounded) = (
          UnsafeMutableBufferPointer<Float>.allocate(capacity: columns),
          UnsafeMutableBufferPointer<Float>.allocate(capacity: columns)
        )
        defer {
          given.deallocate()
          rounded.deallocate()
        }
        for row in range {
          let out = UnsafeMutableRawBufferPointer(
            rebasing: bytes[row * rowBytes..<(row + 1) * rowBytes])
          file.read(tensor, rows: row..<row + 1, into: given)
          quantise(UnsafeBufferPointer(given), as: type, into: out)
          dequantise(type, UnsafeRawBufferPointer(out), into: rounded)
          for i in 0..<columns {
            let difference = Double(rounded[i] - given[i])
            squares[row].difference += difference * difference
            squares[row].size += Double(given[i]) * Double(given[i])
          }
        }
      }
    }
    return squares.reduce((0, 0)) { ($0.0 + $1.difference, $0.1 + $1.size) }
  }
}
