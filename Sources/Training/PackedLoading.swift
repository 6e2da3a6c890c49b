import Foundation
import LanguageModel
import ModelFiles
import TensorCore
import TensorKernels

// Models for use: their matrices stay in the form of the file.

extension LoadedModel {
  /// As `load`, for a model that will answer and not be trained: weights of a GGUF file stay packed, so
  /// that memory holds about what the file does.
  public static func open(_ place: URL, arithmetic: PackedArithmetic = .float) throws -> LoadedModel
  {
    // What held the Floats of a tensor on their way is not needed again.
    defer { Buffer.trim() }
    return try PackedWeights.$loading.withValue(arithmetic) { try load(place) }
  }
}

extension Transformer {
  /// As `load`, for a model that will answer and not be trained.
  public static func open(_ place: URL, arithmetic: PackedArithmetic = .float) throws -> Transformer
  {
    // What held the Floats of a tensor on their way is not needed again.
    defer { Buffer.trim() }
    return try PackedWeights.$loading.withValue(arithmetic) { try load(place) }
  }
}

extension Transformer {
  /// Bytes of memory of its parameters, without what training adds.
  public var weightBytes: Int {
    parameters.reduce(0) { $0 + ($1.tensor.packedWeights?.byteCount ?? 4 * $1.tensor.count) }
  }
}

extension WeightType {
  /// The form that holds every value of this type exactly.
  var packedForm: PackedForm {
    switch self {
    case .q4_0: .centred4
    case .q4_1: .shifted4
    case .q4_K: .wide4
    case .q8_0, .q5_0: .signed8
    case .q5_1: .shifted8
    case .q5_K: .wide8
    case .q6_K: .fine8
    case .f16: .half
    case .bf16: .brain
    case .f32: .single
    }
  }
}

extension GGUFSource {
  public func packed(parts: [(name: String, rows: Int)], columns: Int) throws -> PackedWeights? {
    guard let arithmetic = PackedWeights.loading, columns % PackedForm.blockTerms == 0 else {
      return nil
    }
    var blocks: [PackedWeights.Block] = []
    var tensors: [(tensor: GGUFFile.Tensor, name: String)] = []
    func close() {
      guard let form = tensors.first?.tensor.type.packedForm else { return }
      blocks.append(
        PackedWeights.Block(form: form, rows: tensors.reduce(0) { $0 + $1.tensor.shape[0] }) {
          [tensors] in pack(tensors, columns, form, $0)
        })
      tensors = []
    }
    for part in parts {
      let tensor = try tensor(part.name, shape: [part.rows, columns])
      if let last = tensors.last, last.tensor.type.packedForm != tensor.type.packedForm { close() }
      tensors.append((tensor, part.name))
    }
    close()
    return try PackedWeights(blocks, columns: columns, arithmetic: arithmetic)
  }

  /// Writes the rows of some tensors, one below the other, as panels of 16.
  private func pack(
    _ tensors: [(tensor: GGUFFile.Tensor, name: String)], _ columns: Int, _ form: PackedForm,
    _ out: UnsafeMutableRawPointer
  ) {
    let rows = tensors.reduce(0) { $0 + $1.tensor.shape[0] }
    let panelBytes = PackedView.panelBytes(form, columns: columns)
    let panels = (rows + 15) / 16
    // Of every row: its tensor and its place there.
    var places: [(tensor: Int, row: Int)] = []
    places.reserveCapacity(rows)
    for (index, (tensor, name)) in tensors.enumerated() {
      let height = tensor.shape[0]
      let heads = permutesHeads ? GGUFNames.permutedHeads(name, config) : nil
      for row in 0..<height {
        let source = heads.map { GGUFNames.permuted(row, perHead: height / $0) } ?? row
        places.append((index, source))
      }
    }
    if rows % 16 != 0 {
      (out + (panels - 1) * panelBytes).initializeMemory(
        as: UInt8.self, repeating: 0, count: panelBytes)
    }
    parallelRanges(panels, grain: max(1, 65_536 / (16 * columns))) { [places] range in
      let scratch = RowScratch(columns: columns)
      for row in range.lowerBound * 16..<min(rows, range.upperBound * 16) {
        let place = places[row]
        scratch.pack(
          out + row / 16 * panelBytes, column: row % 16,
          file.rowBytes(tensors[place.tensor].tensor, row: place.row),
          tensors[place.tensor].tensor.type, form)
      }
    }
    for (tensor, _) in tensors { file.release(tensor) }
  }
}

/// Memory for one row on its way into a panel.
private final class RowScratch {
  private let columns: Int
  private let values: UnsafeMutablePointer<Int8>
  private let scales: UnsafeMutablePointer<Float>
  private let offsets: UnsafeMutablePointer<Float>

  init(columns: Int) {
    self.columns = columns
    values = .allocate(capacity: columns)
    scales = .allocate(capacity: columns / 16)
    offsets = .allocate(capacity: columns / 16)
  }

  deinit {
    values.deallocate()
    scales.deallocate()
    offsets.deallocate()
  }

  func pack(
    _ panel: UnsafeMutableRawPointer, column: Int, _ bytes: UnsafeRawBufferPointer,
    _ type: WeightType, _ form: PackedForm
  ) {
    guard let base = bytes.baseAddress else { return }
    if form.isPlain { return packPlainRow(panel, column: column, base, columns: columns, form) }
    takeApart(type, bytes, values: values, scales: scales, offsets: offsets)
    packRow(
      panel, column: column, UnpackedRow(values: values, scales: scales, offsets: offsets),
      columns: columns, form)
  }
}
