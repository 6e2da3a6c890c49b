import Foundation

// GGUF, the file of llama.cpp: a header, keys with values, a description of every tensor, then their
// bytes. The whole of it is checked on opening, so that what is handed out later always exists.

/// A GGUF file of version 2 or 3, mapped into memory.
///
/// Opening it allocates in proportion to the keys and tensors that the file really holds, never to a
/// number that it claims. Errors name the key or the tensor.
public struct GGUFFile: Sendable {
  /// One tensor of the file.
  public struct Tensor: Sendable {
    public let name: String
    /// Rows first: a matrix is [rows, columns], as in safetensors.
    public let shape: [Int]
    public let type: WeightType
    /// Where its bytes are in the file.
    let range: Range<Int>

    /// Values.
    public var count: Int { range.count / type.blockBytes * type.blockCount }
    public var byteCount: Int { range.count }
  }

  public let version: Int
  /// In the order of the file.
  public let tensors: [Tensor]
  /// In the order of the file.
  public let keys: [String]
  public let file: MappedFile
  let values: [ByteName: GGUFValue]
  /// Where the type and the value of each key are in the file.
  let valueRanges: [ByteName: Range<Int>]
  private let places: [ByteName: Int]

  public var url: URL { file.url }
  public var byteCount: Int { file.bytes.count }

  public init(_ url: URL) throws { try self.init(MappedFile(url)) }

  init(_ file: MappedFile) throws {
    var parser = GGUFParser(file)
    do {
      try parser.parse()
    } catch let error as ByteCursor.Exhausted {
      throw parser.broken(
        "it ends inside \(parser.place): \(file.bytes.count) bytes, of which \(error.at) were read; "
          + "fetch it again")
    }
    self.file = file
    (version, tensors, keys) = (parser.version, parser.tensors, parser.keys)
    (values, valueRanges, places) = (parser.values, parser.valueRanges, parser.places)
  }

  /// Whether a file begins as a GGUF does.
  public static func isOne(_ url: URL) -> Bool {
    guard let file = try? FileHandle(forReadingFrom: url) else { return false }
    defer { try? file.close() }
    return (try? file.read(upToCount: 4)) == Data("GGUF".utf8)
  }

  public func tensor(_ name: String) -> Tensor? { places[ByteName(name)].map { tensors[$0] } }

  /// The bytes of a tensor; valid as long as this file is.
  public func bytes(of tensor: Tensor) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.bytes[tensor.range])
  }

  /// Fills `out` with the rows `rows` of a tensor, whose columns are its last dimension.
  public func read(
    _ tensor: Tensor, rows: Range<Int>, into out: UnsafeMutableBufferPointer<Float>
  ) {
    let columns = tensor.shape.last ?? 1
    let rowBytes = columns / tensor.type.blockCount * tensor.type.blockBytes
    precondition(
      rows.lowerBound >= 0 && rows.upperBound * rowBytes <= tensor.range.count
        && out.count == rows.count * columns, "rows \(rows) of \(tensor.name)")
    let start = tensor.range.lowerBound + rows.lowerBound * rowBytes
    withExtendedLifetime(file) {
      dequantise(
        tensor.type,
        UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + rows.count * rowBytes]),
        into: out)
    }
  }

  /// The bytes of one row of a tensor; valid as long as this file is.
  public func rowBytes(_ tensor: Tensor, row: Int) -> UnsafeRawBufferPointer {
    let columns = tensor.shape.last ?? 1
    let size = columns / tensor.type.blockCount * tensor.type.blockBytes
    precondition(
      row >= 0 && (row + 1) * size <= tensor.range.count, "row \(row) of \(tensor.name)")
    let start = tensor.range.lowerBound + row * size
    return UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + size])
  }

  /// Says that a tensor was read: the memory of its bytes may go.
  public func release(_ tensor: Tensor) { file.forget(tensor.range) }

  /// All values of a tensor.
  public func floats(_ name: String) throws -> [Float] {
    guard let tensor = tensor(name) else {
      throw ModelFileError("\(url.path) has no tensor called \"\(shownName(name))\"")
    }
    let columns = max(1, tensor.shape.last ?? 1)
    return [Float](unsafeUninitializedCapacity: tensor.count) { buffer, count in
      read(tensor, rows: 0..<tensor.count / columns, into: buffer)
      count = tensor.count
    }
  }
}

/// The state of reading a GGUF file.
private struct GGUFParser {
  private let file: MappedFile
  private var cursor: ByteCursor
  /// What is being read, for messages.
  private(set) var place = "its header"
  private(set) var version = 0
  private(set) var keys: [String] = []
  private(set) var values: [ByteName: GGUFValue] = [:]
  private(set) var valueRanges: [ByteName: Range<Int>] = [:]
  private(set) var tensors: [GGUFFile.Tensor] = []
  private(set) var places: [ByteName: Int] = [:]

  init(_ file: MappedFile) {
    self.file = file
    cursor = ByteCursor(file.bytes)
  }

  func broken(_ what: String) -> ModelFileError {
    ModelFileError("\(file.url.path) is not a whole GGUF file: \(what)")
  }

  mutating func parse() throws {
    guard file.bytes.count >= 4, file.bytes.prefix(4).elementsEqual("GGUF".utf8) else {
      throw broken("it does not begin with \"GGUF\"")
    }
    _ = try cursor.skip(4)
    let number: UInt32 = try cursor.integer()
    guard number == 2 || number == 3 else {
      let reason =
        number.byteSwapped == 2 || number.byteSwapped == 3
        ? "it is written big-endian; convert it to little-endian"
        : "it is of version \(number); versions 2 and 3 are read"
      throw broken(reason)
    }
    version = Int(number)
    let tensorCount: UInt64 = try cursor.integer()
    let keyCount: UInt64 = try cursor.integer()
    // The shortest key takes 14 bytes, the shortest tensor 33: larger counts are lies.
    guard keyCount <= UInt64(cursor.remaining / 14) else {
      throw broken("it cannot hold the \(keyCount) keys that it claims")
    }
    guard tensorCount <= UInt64(cursor.remaining / 33) else {
      throw broken("it cannot hold the \(tensorCount) tensors that it claims")
    }
    for index in 0..<keyCount { try readKey(index) }
    let alignment = try readAlignment()
    var expected: UInt64 = 0
    var infos: [(tensor: GGUFInfo, offset: UInt64)] = []
    for index in 0..<tensorCount {
      let info = try readInfo(index)
      guard info.offset == expected else {
        throw broken(
          "the tensor \"\(shownName(info.name))\" lies at \(info.offset), where \(expected) follows "
            + "from those before it")
      }
      expected = try padded(info.offset, info.bytes, alignment, info.name)
      infos.append((info, info.offset))
    }
    try placeTensors(infos, alignment)
  }

  private mutating func readKey(_ index: UInt64) throws {
    place = "key \(index)"
    let name = try readText(longest: 65_535, "key \(index)")
    guard !name.isEmpty else { throw broken("key \(index) has no name") }
    place = "the value of the key \"\(shownName(name))\""
    let start = cursor.position
    let type: UInt32 = try cursor.integer()
    let value = try readValue(type, name)
    valueRanges[ByteName(name)] = start..<cursor.position
    guard values.updateValue(value, forKey: ByteName(name)) == nil else {
      throw broken("the key \"\(shownName(name))\" is there twice")
    }
    keys.append(name)
  }

  private mutating func readText(longest: UInt64, _ what: String) throws -> String {
    let length: UInt64 = try cursor.integer()
    guard length <= longest else { throw broken("\(what) would be \(length) bytes long") }
    let range = try cursor.skip(length)
    guard let text = String(validating: file.bytes[range], as: UTF8.self) else {
      throw broken("\(what) is not UTF-8")
    }
    return text
  }

  private mutating func readValue(_ code: UInt32, _ name: String) throws -> GGUFValue {
    guard let type = GGUFValue.Kind(rawValue: code) else {
      throw broken("the key \"\(shownName(name))\" has a value of the unknown type \(code)")
    }
    switch type {
    case .uint8: return .unsigned(UInt64(try cursor.integer(UInt8.self)))
    case .int8: return .signed(Int64(try cursor.integer(Int8.self)))
    case .uint16: return .unsigned(UInt64(try cursor.integer(UInt16.self)))
    case .int16: return .signed(Int64(try cursor.integer(Int16.self)))
    case .uint32: return .unsigned(UInt64(try cursor.integer(UInt32.self)))
    case .int32: return .signed(Int64(try cursor.integer(Int32.self)))
    case .uint64: return .unsigned(try cursor.integer())
    case .int64: return .signed(try cursor.integer())
    case .float32: return .number(Double(Float(bitPattern: try cursor.integer())))
    case .float64: return .number(Double(bitPattern: try cursor.integer()))
    case .bool:
      let value: UInt8 = try cursor.integer()
      guard value < 2 else {
        throw broken("the key \"\(shownName(name))\" is neither true nor false but \(value)")
      }
      return .bool(value == 1)
    case .string:
      return .string(try readText(longest: 1 << 30, "the text of \"\(shownName(name))\""))
    case .array: return try readArray(name)
    }
  }

  private mutating func readArray(_ name: String) throws -> GGUFValue {
    let code: UInt32 = try cursor.integer()
    let count: UInt64 = try cursor.integer()
    guard let kind = GGUFValue.Kind(rawValue: code), kind != .array else {
      throw broken("the list \"\(shownName(name))\" holds values of the type \(code)")
    }
    guard kind == .string else {
      let range = try cursor.skip(count, of: kind.size)
      return .array(GGUFArray(kind: kind, count: range.count / kind.size, range: range))
    }
    guard count <= UInt64(cursor.remaining / 8) else {
      throw broken("the list \"\(shownName(name))\" cannot hold the \(count) texts that it claims")
    }
    let start = cursor.position
    for _ in 0..<count { _ = try cursor.skip(cursor.integer(UInt64.self)) }
    return .array(GGUFArray(kind: kind, count: Int(count), range: start..<cursor.position))
  }

  private func readAlignment() throws -> UInt64 {
    guard let value = values[ByteName("general.alignment")] else { return 32 }
    guard case .unsigned(let alignment) = value, alignment.nonzeroBitCount == 1,
      alignment <= 1 << 20
    else { throw broken("its general.alignment is not a power of two up to 1048576") }
    return alignment
  }

  private mutating func readInfo(_ index: UInt64) throws -> GGUFInfo {
    place = "the description of tensor \(index)"
    let name = try readText(longest: 255, "the name of tensor \(index)")
    let shown = shownName(name)
    guard !name.isEmpty else { throw broken("tensor \(index) has no name") }
    guard places.updateValue(Int(index), forKey: ByteName(name)) == nil else {
      throw broken("the tensor \"\(shown)\" is there twice")
    }
    place = "the description of the tensor \"\(shown)\""
    let rank: UInt32 = try cursor.integer()
    guard (1...4).contains(rank) else {
      throw broken("the tensor \"\(shown)\" has \(rank) dimensions; 1 to 4 are allowed")
    }
    var dimensions: [UInt64] = []
    var count: UInt64 = 1
    for _ in 0..<rank {
      let dimension: UInt64 = try cursor.integer()
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard dimension > 0, !overflow, product <= 1 << 48 else {
        throw broken("the tensor \"\(shown)\" has an impossible dimension, \(dimension)")
      }
      dimensions.append(dimension)
      count = product
    }
    let code: UInt32 = try cursor.integer()
    let offset: UInt64 = try cursor.integer()
    guard let type = WeightType(rawValue: code) else {
      throw ModelFileError(
        "\(file.url.path): the tensor \"\(shown)\" is of the type \(WeightType.name(of: code)), "
          + "which this version does not read; it reads \(WeightType.names)")
    }
    guard dimensions[0] % UInt64(type.blockCount) == 0 else {
      throw broken(
        "the tensor \"\(shown)\" has rows of \(dimensions[0]) values, no multiple of the "
          + "\(type.blockCount) of a block of \(type.name)")
    }
    // At most 2^48 values of 4 bytes: no overflow.
    let bytes = count / UInt64(type.blockCount) * UInt64(type.blockBytes)
    return GGUFInfo(
      name: name, shape: dimensions.reversed().map { Int($0) }, type: type, offset: offset,
      bytes: bytes)
  }

  /// Where the tensor after one at `offset` must lie.
  private func padded(_ offset: UInt64, _ bytes: UInt64, _ alignment: UInt64, _ name: String) throws
    -> UInt64
  {
    let (end, overflow) = offset.addingReportingOverflow(bytes)
    let (above, tooLarge) = end.addingReportingOverflow(alignment - 1)
    guard !overflow, !tooLarge else {
      throw broken("the tensor \"\(shownName(name))\" does not fit any file")
    }
    return above & ~(alignment - 1)
  }

  private mutating func placeTensors(
    _ infos: [(tensor: GGUFInfo, offset: UInt64)], _ alignment: UInt64
  ) throws {
    let start = (UInt64(cursor.position) + alignment - 1) & ~(alignment - 1)
    for (info, offset) in infos {
      let (first, overflow) = start.addingReportingOverflow(offset)
      let (end, tooLarge) = first.addingReportingOverflow(info.bytes)
      guard !overflow, !tooLarge, let lower = Int(exactly: first), let upper = Int(exactly: end),
        upper <= file.bytes.count
      else {
        throw broken(
          "the tensor \"\(shownName(info.name))\" of \(info.bytes) bytes goes beyond its end; it was "
            + "cut short, fetch it again")
      }
      tensors.append(
        GGUFFile.Tensor(name: info.name, shape: info.shape, type: info.type, range: lower..<upper))
    }
  }
}

private struct GGUFInfo {
  let name: String
  let shape: [Int]
  let type: WeightType
  let offset: UInt64
  let bytes: UInt64
}
